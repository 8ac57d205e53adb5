"""Arguments for a tool, made from its JSON Schema. The schema is the caller's: every loop here is bounded."""

from __future__ import annotations

import random
from typing import Any

import msgspec

_MAX_DEPTH = 8
_MAX_NODES = 500
_STRINGS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "email": "ada@example.org",
    "uri": "https://example.org/",
    "uuid": "6f1c2a3e-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
}
_WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath")


class ToolCall(msgspec.Struct, frozen=True):
    """One call: its id, the function's name, and the arguments as JSON text."""

    id: str
    name: str
    arguments: str


def calls_for(tools: list[Any], choice: Any, name: str | None, count: int, digest: str) -> list[ToolCall]:
    """The calls of one turn: none if the caller or the settings want none."""
    wanted = name
    if isinstance(choice, dict):
        named = choice.get("function", choice)
        wanted = named.get("name") if isinstance(named, dict) else None
    functions = [found for tool in tools if (found := _function(tool)) is not None]
    chosen = next((one for one in functions if wanted is None or one["name"] == wanted), None)
    if choice == "none" or chosen is None:
        return []
    calls: list[ToolCall] = []
    for number in range(count):
        chance = random.Random(f"{digest} {number}")  # noqa: S311 # repeatable on purpose
        made = value_for(chosen.get("parameters") or {}, chance)
        arguments = msgspec.json.encode(made if isinstance(made, dict) else {}).decode()
        calls.append(ToolCall(f"call_{digest[:16]}{number:02d}", chosen["name"], arguments))
    return calls


def _function(tool: Any) -> dict[str, Any] | None:
    """The function in a tool, as chat completions (nested) and responses (flat) write it."""
    if not isinstance(tool, dict) or tool.get("type") != "function":
        return None
    found = tool.get("function", tool)
    return found if isinstance(found, dict) and isinstance(found.get("name"), str) else None


def value_for(schema: Any, chance: random.Random) -> Any:
    """A value that the schema allows, for the common keywords."""
    return _Maker(schema, chance).make(schema, 0)


class _Maker:
    def __init__(self, root: Any, chance: random.Random) -> None:
        self._root = root
        self._chance = chance
        self._left = _MAX_NODES

    def make(self, schema: Any, depth: int) -> Any:
        self._left -= 1
        if not isinstance(schema, dict) or depth > _MAX_DEPTH or self._left < 0:
            return None
        for keyword in ("const", "default"):
            if keyword in schema:
                return schema[keyword]
        if isinstance(reference := schema.get("$ref"), str):
            return self.make(self._resolve(reference), depth + 1)
        if isinstance(values := schema.get("enum"), list) and values:
            return self._chance.choice(values)
        for keyword in ("anyOf", "oneOf", "allOf"):
            if isinstance(branches := schema.get(keyword), list) and branches:
                return self.make(branches[0], depth + 1)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        return self._typed(kind[0] if isinstance(kind, list) and kind else kind, schema, depth)

    def _typed(self, kind: Any, schema: dict[str, Any], depth: int) -> Any:
        if kind == "object":
            properties = schema.get("properties")
            items = list(properties.items())[:100] if isinstance(properties, dict) else []
            return {key: self.make(value, depth + 1) for key, value in items}
        if kind == "array":
            least = _number(schema, "minItems", 1)
            return [self.make(schema.get("items", {}), depth + 1) for _ in range(min(int(least), 10))]
        if kind in ("integer", "number"):
            low = _number(schema, "minimum", 1)
            high = _number(schema, "maximum", low + 99)
            return self._chance.randint(int(low), max(int(low), int(high))) if kind == "integer" else float(low)
        if kind == "boolean":
            return self._chance.random() < 0.5
        if kind == "null":
            return None
        word = _STRINGS.get(str(schema.get("format")), self._chance.choice(_WORDS))
        return word.ljust(min(int(_number(schema, "minLength", 0)), 1000), "-")

    def _resolve(self, reference: str) -> Any:
        found = self._root
        for step in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        return found


def _number(schema: dict[str, Any], keyword: str, default: float) -> float:
    found = schema.get(keyword, default)
    usable = isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 1e9
    return found if usable else default
