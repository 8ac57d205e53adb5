"""Objects are closed, and a union outermost becomes one object."""

from __future__ import annotations

from typing import Any

from proxy.chat import Losses
from proxy.dialects.json_schema.closing import close, one_object
from proxy.dialects.json_schema.rules import ANTHROPIC_STRICT, OPENAI_STRICT


def closed(schema: dict[str, Any], rules: Any, circles: tuple[str, ...] = ()) -> tuple[dict[str, Any], list[str]]:
    losses = Losses()
    close(schema, rules, "p", losses, circles.__contains__)
    return schema, list(losses.names)


def test_objects_are_closed_wherever_they_stand() -> None:
    schema = {"anyOf": [{"type": ["object", "null"]}], "items": {"properties": {}}, "$defs": {"d": {"type": "object"}}}
    out, lost = closed(schema, ANTHROPIC_STRICT)
    assert out == {
        "anyOf": [{"type": ["object", "null"], "additionalProperties": False}],
        "items": {"properties": {}, "additionalProperties": False},
        "$defs": {"d": {"type": "object", "additionalProperties": False}},
    }
    assert lost == []


def test_a_circle_that_becomes_required_may_end_in_null() -> None:
    out, lost = closed({"type": "object", "properties": {"n": {"$ref": "#"}}, "required": []}, OPENAI_STRICT, ("#",))
    assert out["properties"]["n"] == {"anyOf": [{"$ref": "#"}, {"type": "null"}]}
    assert out["required"] == ["n"]
    assert lost == ["p.required"]


def test_required_names_without_a_property_go_where_objects_are_closed() -> None:
    out, lost = closed({"type": "object", "properties": {}, "required": ["ghost"]}, OPENAI_STRICT)
    assert (out["required"], lost) == ([], ["p.required"])


def test_a_schema_without_a_type_becomes_an_object() -> None:
    losses = Losses()
    assert one_object({}, "p", losses) == {"type": "object", "properties": {}}
    assert one_object({"type": "string"}, "p", losses) == {"type": "string"}
    assert not losses


def test_what_all_branches_say_together_is_all_required() -> None:
    losses = Losses()
    branches = [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}]
    assert one_object({"allOf": branches}, "p", losses)["required"] == ["a", "b"]
    assert one_object({"oneOf": branches}, "p", losses).get("required") is None
    assert list(losses.names) == ["p.allOf", "p.oneOf"]
