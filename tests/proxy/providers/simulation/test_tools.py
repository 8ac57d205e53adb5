"""Arguments made from schemas: valid for honest ones, bounded for hostile ones."""

from __future__ import annotations

import random
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.providers.simulation.tools import calls_for, value_for

SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    {"type": "object", "properties": {"unit": {"enum": ["c", "f"]}, "at": {"type": "string", "format": "date"}}},
    {"type": "array", "items": {"type": "integer", "minimum": 5, "maximum": 7}, "minItems": 2},
    {"anyOf": [{"type": "number"}, {"type": "null"}]},
    {"$defs": {"x": {"type": "boolean"}}, "type": "object", "properties": {"x": {"$ref": "#/$defs/x"}}},
    {"type": ["string", "null"], "minLength": 12},
    {"const": 4},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_value_is_valid_for_its_schema(schema: dict[str, Any]) -> None:
    """For the usual keywords."""
    jsonschema.validate(value_for(schema, random.Random(1)), schema)


def test_recursion_ends() -> None:
    """A schema that holds itself, deep ones, wide ones."""
    value_for({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"$ref": "#"}}}, random.Random(1))
    value_for({"properties": {str(n): {"$ref": "#"} for n in range(1000)}}, random.Random(1))
    assert value_for({"$ref": "#"}, random.Random(1)) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "$ref", "enum", "anyOf", "minItems", "minimum", "maximum", "x"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_no_schema_breaks_it(schema: Any) -> None:
    """Whatever a caller sends as one."""
    value_for(schema, random.Random(1))
    calls_for([{"type": "function", "function": {"name": "f", "parameters": schema}}], "auto", None, 1, "d")


def test_the_right_tool_is_called() -> None:
    """The first, the configured one, the one that the caller names; none if the caller wants none."""
    tools = [{"type": "function", "function": {"name": "a"}}, {"type": "function", "name": "b"}, {"type": "x"}, 3]

    def names(choice: Any, name: str | None = None, count: int = 1) -> list[str]:
        return [call.name for call in calls_for(tools, choice, name, count, "d")]

    assert names("auto") == ["a"]
    assert names(None, "b") == ["b"]
    assert names({"type": "function", "function": {"name": "b"}}, "a") == ["b"]
    assert names({"type": "function", "name": "b"}) == ["b"]
    assert names("none") == names("auto", "missing") == names("auto", count=0) == []
    assert names("auto", count=3) == ["a"] * 3


def test_parallel_calls_differ() -> None:
    """By id; arguments are JSON objects."""
    calls = calls_for([{"type": "function", "name": "a", "parameters": SCHEMAS[0]}], None, None, 3, "d")
    assert len({call.id for call in calls}) == 3
    assert all(list(msgspec.json.decode(call.arguments)) == ["city"] for call in calls)
