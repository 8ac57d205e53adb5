"""Two schemas that both apply, as one."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
_ANNOTATIONS = frozenset({"default", "description", "example", "examples", "title", "propertyOrdering"})
_LEAST = frozenset({"maximum", "exclusiveMaximum", "maxItems", "maxLength", "maxProperties"})
_GREATEST = frozenset({"minimum", "exclusiveMinimum", "minItems", "minLength", "minProperties"})
# Keywords that look at what others of the same schema leave over: they say something else once others join them.
_LEFTOVERS = ("additionalProperties", "unevaluatedProperties", "additionalItems", "unevaluatedItems")
_NUMBERS = frozenset({"integer", "number"})


def merge(first: Schema, second: Schema) -> tuple[Schema, bool]:
    """Both schemas in one, and whether it says exactly what the two say. Words about it are those of ``first``."""
    merged = dict(first)
    is_exact = not _has_leftovers(first, second)
    for key, value in second.items():
        if key not in merged:
            merged[key] = value
        elif merged[key] != value or type(merged[key]) is not type(value):
            merged[key], fits = _both(key, merged[key], value)
            is_exact = is_exact and fits
    if ("nullable" in first) != ("nullable" in second):
        del merged["nullable"]  # null must fit both
    if "$ref" in merged and len(merged) > 1:
        is_exact = False
    return merged, is_exact


def _has_leftovers(first: Schema, second: Schema) -> bool:
    for one, other in ((first, second), (second, first)):
        if any(one.get(key, True) is not True for key in _LEFTOVERS) and (
            not other.get("properties", {}).keys() <= one.get("properties", {}).keys() or "patternProperties" in other
        ):
            return True
        if "items" in one and "prefixItems" in other and one.get("prefixItems") != other["prefixItems"]:
            return True
    return False


def _both(key: str, first: Any, second: Any) -> tuple[Any, bool]:
    """One value for a keyword that has two, and whether it says what both say."""
    if key in _ANNOTATIONS:
        return first, True
    if key == "required" and isinstance(first, list) and isinstance(second, list):
        return [*first, *(name for name in second if name not in first)], True
    if key == "properties" and isinstance(first, dict) and isinstance(second, dict):
        return merge_properties(first, second)
    if key == "type":
        return _types(first, second)
    if key == "enum" and isinstance(first, list) and isinstance(second, list):
        left = [value for value in first if any(same(value, other) for other in second)]
        return (left, True) if left else (first, False)
    if key in _LEAST or key in _GREATEST:
        if isinstance(first, int | float) and isinstance(second, int | float):
            return (min if key in _LEAST else max)(first, second), True
    elif key == "items" and isinstance(first, dict) and isinstance(second, dict):
        return merge(first, second)
    return first, False


def merge_properties(first: Schema, second: Schema) -> tuple[Schema, bool]:
    """All properties of both; those that are in both must fit both."""
    merged, is_exact = dict(first), True
    for name, value in second.items():
        if name in merged and merged[name] != value:
            merged[name], fits = merge(merged[name], value)
            is_exact = is_exact and fits
        else:
            merged[name] = value
    return merged, is_exact


def same(first: Any, second: Any) -> bool:
    """Equality as JSON has it: true is not 1."""
    return bool(first == second) and (type(first) is bool) == (type(second) is bool)


def types_of(value: Any) -> list[str]:
    """The types that a ``type`` names."""
    return [value] if isinstance(value, str) else [one for one in value if isinstance(one, str)] if value else []


def _types(first: Any, second: Any) -> tuple[Any, bool]:
    one, other = types_of(first), types_of(second)
    left = [kind for kind in one if kind in other or (kind == "integer" and "number" in other)]
    left += [kind for kind in other if kind == "integer" and "number" in one and kind not in left]
    if not left:
        return first, False
    return (left[0] if len(left) == 1 else left), True


def are_disjoint(branches: list[Schema]) -> bool:
    """Whether it is plain that no value fits two of these schemas."""
    return all(_differ(one, other) for at, one in enumerate(branches) for other in branches[at + 1 :])


def _differ(one: Schema, other: Schema) -> bool:
    kinds, others = set(types_of(one.get("type"))), set(types_of(other.get("type")))
    if kinds and others and not kinds & others and not (kinds | others >= _NUMBERS):
        return True
    if _values_differ(one, other):
        return True
    if kinds != {"object"} or others != {"object"}:
        return False
    needed = set(_strings(one.get("required"))) & set(_strings(other.get("required")))
    mine, theirs = one.get("properties", {}), other.get("properties", {})
    return any(_values_differ(mine.get(name), theirs.get(name)) for name in needed)


def _values_differ(one: Any, other: Any) -> bool:
    mine, theirs = _values(one), _values(other)
    if mine is None or theirs is None:
        return False
    return not any(same(value, another) for value in mine for another in theirs)


def _values(schema: Any) -> list[Any] | None:
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None


def _strings(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
