"""Writes a JSON Schema so that a target takes it, and names what got lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from proxy.chat import Losses
from proxy.dialects.json_schema.closing import close, one_object
from proxy.dialects.json_schema.forms import settle
from proxy.dialects.json_schema.merge import Schema, merge, types_of
from proxy.dialects.json_schema.pointers import Pointers, definition, is_local
from proxy.dialects.json_schema.rules import PLAIN, SILENT, Rules
from proxy.dialects.reading import wrong

_MAX_DEPTH = 100
# A schema may grow by its references, but not without bounds: so many schemas, and one more for so many bytes of it.
_FEW = 256
_BYTES_PER_SCHEMA = 4
_UNROLLED = 2  # how often one reference is followed on the way to itself
_MANY = frozenset({"anyOf", "oneOf", "prefixItems"})
_ONE = frozenset(
    {
        "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
        "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_MAPS = frozenset({"dependentSchemas", "patternProperties", "properties"})


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_EXPECTED: dict[str, Callable[[Any], bool]] = {
    "type": lambda value: isinstance(value, str) or (_is_names(value) and bool(value)),
    "required": _is_names,
    "enum": lambda value: isinstance(value, list),
}
_UNIONS = ("allOf", "anyOf", "oneOf")
Stack = tuple[str, ...]


def lower(schema: Any, rules: Rules, at: str, losses: Losses) -> Any:
    """``schema``, found at ``at`` of the request, for a target of ``rules``; the same object if it can stay as it is.

    Raises:
        BadRequest: it is no schema, refers to nothing, or becomes too large.
    """
    if rules is PLAIN or schema is None:
        return schema
    if not isinstance(schema, dict):
        raise wrong(at, "must be a JSON Schema, which is an object")
    try:
        raw = msgspec.json.encode(schema)
    except (RecursionError, OverflowError, TypeError) as error:
        raise wrong(at, "is nested too deep, or holds what JSON cannot") from error
    if rules.stays(raw):
        return schema
    if rules.keywords is None and _fits(schema, raw, rules):
        return schema
    lowered = _Lowering(schema, rules, at, losses, len(raw)).run()
    return schema if lowered == schema else lowered


def _fits(schema: Schema, raw: bytes, rules: Rules) -> bool:
    """Whether nothing has to change for a target that takes all keywords."""
    if rules.references != "any" and b'"$ref"' in raw:
        return False
    if rules.root is not None and not schema.keys() <= rules.root:
        return False
    return schema.get("type") == "object" and not any(key in schema for key in (*_UNIONS, "$ref"))


class _Lowering:
    """Lowers one schema."""

    __slots__ = ("_at", "_bytes", "_depth", "_kept", "_left", "_losses", "_pointers", "_root", "_rules")

    def __init__(self, root: Schema, rules: Rules, at: str, losses: Losses, size: int) -> None:
        self._root = root
        self._rules = rules
        self._at = at
        self._losses = losses
        self._pointers = Pointers(root, at)
        self._depth = 0
        self._left = _FEW + size // _BYTES_PER_SCHEMA
        self._kept: dict[str, None] = {}  # references that stay, in the order in which they were met

    def run(self) -> Schema:
        """The whole schema, with the definitions that are still referred to."""
        rules = self._rules
        out = self._node(self._root, self._at, ("#",), False, inline=rules.root_object)
        if out is None:
            raise wrong(self._at, "refers to nothing but itself")
        if rules.root_object:
            out = one_object(out, self._at, self._losses)
        if rules.root is not None:
            for key in [key for key in out if key not in rules.root]:
                del out[key]
                if key not in SILENT:
                    self._losses.add(f"{self._at}.{key}")
        if self._kept:
            self._define(out)
        if rules.closed:
            close(out, rules, self._at, self._losses, self._is_circle)
        return out

    def _is_circle(self, reference: str) -> bool:
        return self._pointers.is_cyclic(reference, self._at)

    def _define(self, out: Schema) -> None:
        """Lower the definitions that are referred to; these may refer to more."""
        done: set[str] = set()
        while waiting := [reference for reference in self._kept if reference not in done]:
            for reference in waiting:
                done.add(reference)
                found = definition(reference)
                if found is None:  # the outermost schema itself
                    continue
                value = self._pointers.resolve(reference, self._at)
                lowered = self._node(value, self._place(reference), (reference,), False)
                out.setdefault(found[0], {})[found[1]] = {} if lowered is None else lowered

    def _place(self, reference: str) -> str:
        return self._at + reference[1:].replace("/", ".")

    def _node(
        self, schema: Any, path: str, stack: Stack, is_optional: bool, *, inline: bool = False, partial: bool = False
    ) -> Schema | None:
        """One schema; None where following its reference has been given up.

        ``is_optional``: since the beginning, or the last definition, a property that may be left out has been passed.
        ``inline``: a reference here must be followed. ``partial``: what is found will be merged with more.
        """
        self._left -= 1
        if self._left < 0:
            raise wrong(self._at, "becomes too large when its references are followed")
        if self._depth >= _MAX_DEPTH:
            raise wrong(self._at, f"is nested deeper than {_MAX_DEPTH} levels")
        if schema is True or schema is False:
            return self._boolean(schema, path)
        if not isinstance(schema, dict):
            raise wrong(path, "must be a JSON Schema, which is an object")
        self._depth += 1
        try:
            if isinstance(schema.get("$ref"), str):
                return self._reference(schema, path, stack, is_optional, inline, partial)
            return self._plain(schema, path, stack, is_optional, partial)
        finally:
            self._depth -= 1

    def _boolean(self, schema: bool, path: str) -> Schema:
        if schema:
            return {}
        if not self._rules.takes("not"):
            self._losses.add(path)
            return {}
        return {"not": {}}

    def _reference(
        self, schema: Schema, path: str, stack: Stack, is_optional: bool, inline: bool, partial: bool
    ) -> Schema | None:
        reference: str = schema["$ref"]
        beside = {key: value for key, value in schema.items() if key not in SILENT and key != "$ref"}
        if not is_local(reference):
            self._losses.add(f"{path}.$ref")
            return self._plain(beside, path, stack, is_optional, partial)
        value = self._pointers.resolve(reference, path)
        if not (inline or partial) and self._stays(reference, path, bool(beside), is_optional):
            self._kept[reference] = None
            if not self._rules.siblings:
                for key in beside:  # a circle that cannot be followed
                    self._losses.add(f"{path}.{key}")
                return {"$ref": reference}
            return {"$ref": reference, **(self._plain(beside, path, stack, is_optional) if beside else {})}
        if stack.count(reference) >= _UNROLLED:
            self._losses.add(f"{path}.$ref")
            return None
        stack = (*stack, reference)
        is_part = partial or bool(beside)
        found = self._node(value, self._place(reference), stack, is_optional, inline=inline, partial=is_part)
        if found is None or not beside:
            return found
        merged, is_exact = merge(self._plain(beside, path, stack, is_optional, partial=True), found)
        if not is_exact:
            self._losses.add(f"{path}.$ref")
        return merged if partial else settle(merged, self._rules, path, self._losses)

    def _stays(self, reference: str, path: str, has_siblings: bool, is_optional: bool) -> bool:
        """Whether a reference may be sent as it is."""
        rules = self._rules
        if rules.references == "none":
            return False
        found = definition(reference)
        if (found is None or not rules.takes(found[0])) and (rules.references != "any" or reference != "#"):
            return False
        is_cyclic = self._pointers.is_cyclic(reference, path)
        if is_cyclic and (rules.references == "acyclic" or (rules.cycles_optional and not is_optional)):
            return False
        return is_cyclic or rules.siblings or not has_siblings

    def _plain(self, schema: Schema, path: str, stack: Stack, is_optional: bool, partial: bool = False) -> Schema:
        """A schema without reference."""
        rules = self._rules
        branches = schema.get("allOf") if not rules.takes("allOf") else None
        out: Schema = {}
        for key, value in schema.items():
            if key in ("$defs", "definitions"):
                continue
            if rules.takes(key) or key in ("oneOf", "allOf"):
                if key == "allOf" and branches is not None:
                    continue
                value = self._member(key, value, schema, path, stack, is_optional)
            out[key] = value
        if isinstance(out.get("items"), list):
            self._read_tuple(out, path)
        if branches is not None:
            out = self._join(out, branches, path, stack, is_optional)
        return out if partial else settle(out, rules, path, self._losses)

    def _member(self, key: str, value: Any, schema: Schema, path: str, stack: Stack, is_optional: bool) -> Any:
        """The value of one keyword."""
        at = f"{path}.{key}"
        if key in _MAPS:
            return self._map(key, value, schema, at, stack, is_optional)
        if key in _MANY or key == "allOf" or (key == "items" and isinstance(value, list)):
            return self._list(key, value, at, stack, is_optional)
        if key in _ONE:
            if isinstance(value, bool):
                return value if key in ("additionalProperties", "unevaluatedProperties") else self._boolean(value, at)
            found = self._node(value, at, stack, is_optional)
            return self._stub(value) if found is None else found
        if key in _EXPECTED and not _EXPECTED[key](value):
            raise wrong(at, "is not what JSON Schema has there")
        return value

    def _map(self, key: str, value: Any, schema: Schema, at: str, stack: Stack, is_optional: bool) -> Schema:
        if not isinstance(value, dict):
            raise wrong(at, "must be an object")
        required = schema.get("required")
        needed = required if isinstance(required, list) and key == "properties" else ()
        out = {}
        for name, one in value.items():
            found = self._node(one, f"{at}.{name}", stack, is_optional or name not in needed)
            if found is not None:
                out[name] = found
            elif name in needed:
                out[name] = self._stub(one)
        return out

    def _list(self, key: str, value: Any, at: str, stack: Stack, is_optional: bool) -> list[Schema]:
        if not isinstance(value, list):
            raise wrong(at, "must be a list of JSON Schemas")
        found = [self._node(one, f"{at}[{index}]", stack, is_optional) for index, one in enumerate(value)]
        if key in ("anyOf", "oneOf") and any(one is not None for one in found):
            return [one for one in found if one is not None]
        return [self._stub(one) if lowered is None else lowered for one, lowered in zip(value, found, strict=True)]

    def _stub(self, schema: Any) -> Schema:
        """What stands where a circle has been cut: a value of its type."""
        for _ in range(_UNROLLED):
            if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
                schema = self._pointers.resolve(schema["$ref"], self._at)
        kind = schema.get("type") if isinstance(schema, dict) else None
        return settle({"type": kind} if types_of(kind) else {}, self._rules, self._at, self._losses)

    def _read_tuple(self, out: Schema, path: str) -> None:
        """Until 2019 the schemas of a tuple's members stood under ``items``."""
        members = out.pop("items")
        rest = out.pop("additionalItems", None)
        if not self._rules.takes("prefixItems"):
            self._losses.add(f"{path}.items")
            return
        out["prefixItems"] = members
        if rest is not None:
            out["items"] = rest

    def _join(self, out: Schema, branches: Any, path: str, stack: Stack, is_optional: bool) -> Schema:
        """Everything that ``allOf`` says, in one schema."""
        if not isinstance(branches, list):
            raise wrong(f"{path}.allOf", "must be a list of JSON Schemas")
        for index, branch in enumerate(branches):
            found = self._node(branch, f"{path}.allOf[{index}]", stack, is_optional, partial=True)
            out, is_exact = merge(out, found or {})
            if not is_exact:
                self._losses.add(f"{path}.allOf")
        return out
