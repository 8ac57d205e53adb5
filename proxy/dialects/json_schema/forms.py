"""Says one schema in the keywords that a target takes; what stands below it has been treated before."""

from __future__ import annotations

import math
import re
from typing import Any

from proxy.chat import Losses
from proxy.dialects.json_schema.merge import Schema, are_disjoint, merge, same, types_of
from proxy.dialects.json_schema.rules import SILENT, Rules

_NULL = "null"
# Look-around, back references, word boundaries: no automaton follows these.
_BEYOND_AUTOMATA = re.compile(r"\(\?[=!<P]|\\[1-9bBkK]")
# Values with which a keyword restricts nothing.
_IDLE: dict[str, Any] = {
    "additionalProperties": True,
    "unevaluatedProperties": True,
    "uniqueItems": False,
    "nullable": False,
    "minLength": 0,
    "minItems": 0,
    "minProperties": 0,
    "deprecated": False,
    "readOnly": False,
    "writeOnly": False,
}
_OF_TYPE: dict[str, frozenset[str]] = {
    "string": frozenset({"maxLength", "minLength", "pattern"}),
    "array": frozenset({"items", "maxItems", "minItems", "prefixItems"}),
    "object": frozenset(
        {"additionalProperties", "maxProperties", "minProperties", "properties", "propertyOrdering", "required"}
    ),
    "number": frozenset({"maximum", "minimum"}),
    "integer": frozenset({"maximum", "minimum"}),
    "boolean": frozenset(),
    "null": frozenset(),
}
_TYPED = frozenset().union(*_OF_TYPE.values())


def settle(schema: Schema, rules: Rules, path: str, losses: Losses) -> Schema:
    """``schema`` in the target's words; it is changed, and may be replaced."""
    if rules.keywords is None:
        return schema
    _read_nullable(schema, rules)
    if "oneOf" in schema and not rules.takes("oneOf"):
        _any_of_one_of(schema, path, losses)
    if "const" in schema and not rules.takes("const"):
        _enum_of_const(schema)
    if "enum" in schema and rules.enum != "any":
        _fit_enum(schema, rules, path, losses)
    for bound, plain, step in (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1)):
        if bound in schema and not rules.takes(bound):
            _inclusive(schema, bound, plain, step)
    _drop(schema, rules, path, losses)
    return schema if rules.type_lists else _openapi(schema, path, losses)


def _read_nullable(schema: Schema, rules: Rules) -> None:
    """OpenAPI's word for null as JSON Schema's."""
    if schema.get("nullable") is True and not rules.takes("nullable"):
        del schema["nullable"]
        if "type" in schema and _NULL not in types_of(schema["type"]):
            schema["type"] = [*types_of(schema["type"]), _NULL]
        if isinstance(schema.get("anyOf"), list):
            schema["anyOf"] = [*schema["anyOf"], {"type": _NULL}]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]


def _any_of_one_of(schema: Schema, path: str, losses: Losses) -> None:
    """Any of them is as good as one of them where no value fits two."""
    branches = schema.pop("oneOf")
    if "anyOf" in schema:
        losses.add(f"{path}.oneOf")
        return
    schema["anyOf"] = branches
    if not are_disjoint(branches):
        losses.add(f"{path}.oneOf")


def _enum_of_const(schema: Schema) -> None:
    value = schema.pop("const")
    values = schema.get("enum")
    if not isinstance(values, list) or any(same(value, one) for one in values):
        schema["enum"] = [value]


def _kind(value: Any) -> str:
    match value:
        case None:
            return _NULL
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


_ENUM_KINDS = {
    "scalars": {"null", "boolean", "integer", "number", "string"},
    "words": {"integer", "number", "string"},
    "strings": {"integer", "number", "string"},  # numbers are written as strings
}


def _fit_enum(schema: Schema, rules: Rules, path: str, losses: Losses) -> None:
    """An enum of what the target takes in one; null and booleans are types of their own."""
    values = schema["enum"]
    if not isinstance(values, list) or not values:
        return
    if "type" in schema:  # what its type forbids is no choice
        kinds = set(types_of(schema["type"]))
        kinds |= {"integer"} if "number" in kinds else set()
        values = [value for value in values if _kind(value) in kinds] or values
    taken = _ENUM_KINDS[rules.enum]
    kept = [value for value in values if _kind(value) in taken]
    others = [value for value in values if _kind(value) not in taken]
    if any(_kind(value) in ("array", "object") for value in others) or not _say_apart(schema, kept, others):
        del schema["enum"]
        losses.add(f"{path}.enum")
    elif rules.enum == "words" and "enum" in schema and "type" not in schema:
        kinds_left = list(dict.fromkeys(map(_kind, kept)))
        schema["type"] = kinds_left[0] if len(kinds_left) == 1 else kinds_left


def _say_apart(schema: Schema, kept: list[Any], others: list[Any]) -> bool:
    """Say ``others`` (null, booleans) by types beside an enum of ``kept``; False if types cannot say it."""
    booleans = [value for value in others if value is not None]
    if not others:
        schema["enum"] = kept
        return True
    if booleans and len(set(booleans)) == 1:
        return False
    apart = (["boolean"] if booleans else []) + ([_NULL] if None in others else [])
    if not kept:
        del schema["enum"]
        schema["type"] = apart[0] if len(apart) == 1 else apart
        return True
    if "anyOf" in schema:
        return False
    kinds = list(dict.fromkeys(map(_kind, kept)))
    words: Schema = {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": kept}
    schema.pop("type", None)
    del schema["enum"]
    schema["anyOf"] = [words, *({"type": kind} for kind in apart)]
    return True


def _inclusive(schema: Schema, bound: str, plain: str, step: int) -> None:
    """For whole numbers, more than 0 is at least 1."""
    limit = schema[bound]
    if types_of(schema.get("type")) != ["integer"] or isinstance(limit, bool) or not isinstance(limit, int | float):
        return
    limit = (math.floor(limit) + 1) if step > 0 else (math.ceil(limit) - 1)
    other = schema.get(plain)
    if isinstance(other, int | float):
        limit = max(limit, other) if step > 0 else min(limit, other)
    del schema[bound]
    schema[plain] = limit


def _drop(schema: Schema, rules: Rules, path: str, losses: Losses) -> None:
    """Take out what the target refuses."""
    for key in list(schema):
        value = schema[key]
        if not rules.takes(key):
            is_refused, is_silent = True, key in SILENT or (key in _IDLE and same(_IDLE[key], value))
        else:
            is_refused, is_silent = _is_refused_value(key, value, rules), False
        if is_refused:
            del schema[key]
            if not is_silent:
                losses.add(f"{path}.{key}")


def _is_refused_value(key: str, value: Any, rules: Rules) -> bool:
    if key == "format":
        return rules.formats is not None and (not isinstance(value, str) or value not in rules.formats)
    if key == "minItems":
        return rules.most_min_items is not None and isinstance(value, int | float) and value > rules.most_min_items
    return key == "pattern" and rules.plain_patterns and bool(_BEYOND_AUTOMATA.search(str(value)))


def _openapi(schema: Schema, path: str, losses: Losses) -> Schema:
    """One type per schema, null as ``nullable``, a union alone, an enum of strings."""
    branches = schema.get("anyOf")
    if isinstance(branches, list):
        left = [branch for branch in branches if branch != {"type": _NULL}]
        if len(left) < len(branches):
            schema["anyOf"] = left
            if schema.get("type", _NULL) != _NULL:  # the type beside the union admits no null, or says so itself
                schema["nullable"] = _NULL in types_of(schema["type"])
            else:
                schema["nullable"] = True
        return _union_alone(schema, path, losses)
    kinds = types_of(schema.get("type")) or _inferred(schema)
    if _NULL in kinds and len(kinds) > 1:
        kinds = [kind for kind in kinds if kind != _NULL]
        schema["nullable"] = True
    if len(kinds) > 1:
        return _split(schema, kinds)
    if not kinds:
        losses.add(f"{path}.type")
    schema["type"] = kinds[0] if kinds else "string"
    _write_enum(schema)
    return schema


def _write_enum(schema: Schema) -> None:
    if isinstance(schema.get("enum"), list):
        schema["enum"] = [value if isinstance(value, str) else _number(value) for value in schema["enum"]]


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _inferred(schema: Schema) -> list[str]:
    """The types that a schema without a type plainly speaks of."""
    if isinstance(schema.get("enum"), list):
        return list(dict.fromkeys(map(_kind, schema["enum"])))
    return [kind for kind, keys in _OF_TYPE.items() if kind != "integer" and not keys.isdisjoint(schema)][:1]


def _split(schema: Schema, kinds: list[str]) -> Schema:
    """One branch per type, each with the keywords that speak of it."""
    out: Schema = {key: schema[key] for key in ("nullable",) if key in schema}
    out["anyOf"] = branches = []
    for kind in kinds:
        branch = {
            key: value
            for key, value in schema.items()
            if key != "nullable" and (key not in _TYPED or key in _OF_TYPE.get(kind, _TYPED))
        }
        branch["type"] = kind
        if isinstance(branch.get("enum"), list):
            mine = [one for one in branch["enum"] if _kind(one) == kind or (kind, _kind(one)) == ("number", "integer")]
            if not mine:
                continue
            branch["enum"] = mine
            _write_enum(branch)
        branches.append(branch)
    return out


def _union_alone(schema: Schema, path: str, losses: Losses) -> Schema:
    """Nothing but ``nullable`` may stand beside a union: the rest goes into its branches."""
    branches = schema.pop("anyOf")
    nullable = bool(schema.pop("nullable", False)) or any(branch.get("nullable") is True for branch in branches)
    beside = {key: value for key, value in schema.items() if key != "type" or value != _NULL}
    is_exact = True
    written = []
    for branch in branches:
        joined, fits = merge({key: value for key, value in branch.items() if key != "nullable"}, beside)
        is_exact = is_exact and fits
        written.append(_openapi(joined, path, losses))
    if not is_exact:
        losses.add(f"{path}.anyOf")
    out: Schema = written[0] if len(written) == 1 else {"anyOf": written}
    if nullable:
        out["nullable"] = True
    return out
