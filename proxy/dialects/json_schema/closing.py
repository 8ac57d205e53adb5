"""The last strokes on a schema: an object outermost, and objects that admit nothing unnamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from proxy.chat import Losses
from proxy.dialects.json_schema.merge import Schema, merge, types_of
from proxy.dialects.json_schema.rules import Rules

_UNIONS = ("allOf", "anyOf", "oneOf")
IsCircle = Callable[[str], bool]


def one_object(schema: Schema, at: str, losses: Losses) -> Schema:
    """A schema whose outermost part is an object and no union. One that speaks of something else stays as it is."""
    for key in _UNIONS:
        branches = schema.get(key)
        if isinstance(branches, list):
            del schema[key]
            losses.add(f"{at}.{key}")
            schema = _widened(schema, branches, key)
    if "type" not in schema and not ("enum" in schema or "const" in schema or "$ref" in schema):
        schema = {"type": "object", **schema}
        schema.setdefault("properties", {})
    return schema


def _widened(schema: Schema, branches: list[Schema], key: str) -> Schema:
    """All properties of all branches; of the required ones those that every branch requires, for ``allOf`` any."""
    required: list[str] | None = None
    for branch in branches:
        mine = branch.get("required", [])
        if required is None:
            required = list(mine)
        elif key == "allOf":
            required += [name for name in mine if name not in required]
        else:
            required = [name for name in required if name in mine]
        properties = {"properties": branch.get("properties", {})}
        if types_of(branch.get("type", "object")) == ["object"]:
            schema, _ = merge(schema, properties)
    if required:
        schema, _ = merge(schema, {"required": required})
    return schema


def close(schema: Schema, rules: Rules, path: str, losses: Losses, is_circle: IsCircle) -> None:
    """Write ``additionalProperties: false`` into every object, and require all properties where ``rules`` ask for it.

    What was open by its own words, or optional, is lost thereby; the answers still fit the schema as it was.
    """
    if "object" in types_of(schema.get("type")) or "properties" in schema:
        if schema.get("additionalProperties", False) is not False:
            losses.add(f"{path}.additionalProperties")
        schema["additionalProperties"] = False
        if rules.all_required:
            _require_all(schema, path, losses, is_circle)
    for at, inner in _below(schema, path):
        close(inner, rules, at, losses, is_circle)


def _below(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    for key in ("properties", "$defs", "definitions"):
        for name, inner in schema.get(key, {}).items():
            yield f"{path}.{key}.{name}", inner
    for key in ("anyOf", "prefixItems"):
        for at, inner in enumerate(schema.get(key, ())):
            yield f"{path}.{key}[{at}]", inner
    if isinstance(schema.get("items"), dict):
        yield f"{path}.items", schema["items"]


def _require_all(schema: Schema, path: str, losses: Losses, is_circle: IsCircle) -> None:
    properties: dict[str, Any] = schema.setdefault("properties", {})
    required: list[str] = schema.get("required", [])
    missing = [name for name in properties if name not in required]
    if missing:
        losses.add(f"{path}.required")
    for name in missing:
        if _circles(properties[name], is_circle):  # without an end no answer could fit
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}
    unknown = [name for name in required if name not in properties]
    if unknown:
        losses.add(f"{path}.required")
    schema["required"] = [name for name in required if name in properties] + missing


def _circles(schema: Any, is_circle: IsCircle) -> bool:
    """Whether a value of this schema must hold another of its kind: arrays may be empty, unions may end."""
    reference = schema.get("$ref")
    return isinstance(reference, str) and is_circle(reference)
