"""Schemas in OpenAPI's form, as Google's ``parameters`` and ``responseSchema`` take them, as JSON Schema."""

from __future__ import annotations

import re
from typing import Any

from proxy.dialects.reading import wrong

_MAX_DEPTH = 100
_WORD = re.compile(r"_([a-z])")
_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
# int64 is text in Google's JSON.
_COUNTS = frozenset({"maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties"})
_ONE = frozenset({"items", "additionalProperties", "not"})
_MANY = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_MAPS = frozenset({"properties", "patternProperties", "$defs", "defs"})
_UNSAID = ("TYPE_UNSPECIFIED", "type_unspecified")


def to_json_schema(schema: dict[str, Any], at: str, depth: int = 0) -> dict[str, Any]:
    """The same as JSON Schema. What is none of Google's words stays as it is.

    Raises:
        BadRequest: it cannot be a schema.
    """
    if depth > _MAX_DEPTH:
        raise wrong(at, "is nested too deep")
    written: dict[str, Any] = {}
    for name, value in schema.items():
        key = name if name.startswith("$") else _WORD.sub(lambda found: found[1].upper(), name)
        if value is not None and key != "nullable":
            _member(key, value, written, f"{at}.{name}", depth)
    return _with_null(written) if schema.get("nullable") is True else written


def _member(key: str, value: Any, written: dict[str, Any], at: str, depth: int) -> None:
    if key == "type":
        if value not in _UNSAID:
            written["type"] = _type(value, at)
    elif key in _COUNTS and isinstance(value, str):
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            raise wrong(at, "must be a number")
        written[key] = int(value)
    elif key in _ONE and isinstance(value, dict):
        written[key] = to_json_schema(value, at, depth + 1)
    elif key in _MANY and isinstance(value, list):
        written[key] = [_inner(one, f"{at}[{number}]", depth) for number, one in enumerate(value)]
    elif key in _MAPS and isinstance(value, dict):
        written["$defs" if key == "defs" else key] = {
            name: _inner(one, f"{at}.{name}"[:200], depth) for name, one in value.items()
        }
    elif key == "example":
        written["examples"] = [value]
    elif key == "ref":
        written["$ref"] = value
    elif not (key == "format" and value == "enum"):
        written[key] = value


def _inner(value: Any, at: str, depth: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(at, "must be a schema, which is an object")
    return to_json_schema(value, at, depth + 1)


def _type(value: Any, at: str) -> Any:
    if isinstance(value, str) and value.lower() in _TYPES:
        return value.lower()
    if isinstance(value, list) and all(isinstance(one, str) and one.lower() in _TYPES for one in value):
        return [one.lower() for one in value]
    raise wrong(at, f"is no type; one of {', '.join(sorted(kind.upper() for kind in _TYPES))}")


def _with_null(written: dict[str, Any]) -> dict[str, Any]:
    """The same schema for a value that may be null."""
    kind = written.get("type")
    if isinstance(kind, str) and kind != "null":
        written["type"] = [kind, "null"]
        if isinstance(written.get("enum"), list) and None not in written["enum"]:
            written["enum"] = [*written["enum"], None]
    elif isinstance(written.get("anyOf"), list) and {"type": "null"} not in written["anyOf"]:
        written["anyOf"] = [*written["anyOf"], {"type": "null"}]
    return written
