"""Schemas in OpenAPI's form become JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from proxy.dialects.gemini.openapi import to_json_schema
from proxy.errors import BadRequest

PAIRS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "STRING"}, {"type": "string"}),
    ({"type": "integer", "format": "int32"}, {"type": "integer", "format": "int32"}),
    ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
    ({"type": "STRING", "format": "enum", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
    ({"type": "STRING", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
    ({"anyOf": [{"type": "STRING"}], "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
    ({"any_of": [{"type": "STRING"}]}, {"anyOf": [{"type": "string"}]}),
    (
        {"type": "ARRAY", "items": {"type": "NUMBER"}, "minItems": "1", "max_items": 3},
        {"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 3},
    ),
    (
        {"type": "OBJECT", "properties": {"any_of": {"type": "BOOLEAN"}}, "required": ["any_of"]},
        {"type": "object", "properties": {"any_of": {"type": "boolean"}}, "required": ["any_of"]},
    ),
    ({"type": "TYPE_UNSPECIFIED", "example": 1}, {"examples": [1]}),
    ({"ref": "#/$defs/a", "defs": {"a": {"type": "NULL"}}}, {"$ref": "#/$defs/a", "$defs": {"a": {"type": "null"}}}),
    (
        {"type": "OBJECT", "description": None, "additionalProperties": False},
        {"type": "object", "additionalProperties": False},
    ),
]


@pytest.mark.parametrize(("given", "meant"), PAIRS)
def test_each_word_has_its_counterpart(given: dict[str, Any], meant: dict[str, Any]) -> None:
    written = to_json_schema(given, "parameters")
    assert written == meant
    Draft202012Validator.check_schema(written)


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"type": "THING"}, "parameters.type"),
        ({"type": 5}, "parameters.type"),
        ({"properties": {"a": {"type": "X"}}}, "parameters.properties.a.type"),
        ({"properties": {"a": 5}}, "parameters.properties.a"),
        ({"anyOf": [{}, 1]}, "parameters.anyOf[1]"),
        ({"minItems": "many"}, "parameters.minItems"),
    ],
)
def test_what_is_no_schema_is_named(given: dict[str, Any], at: str) -> None:
    with pytest.raises(BadRequest) as caught:
        to_json_schema(given, "parameters")
    assert caught.value.param == at


def test_depth_is_bounded() -> None:
    schema: dict[str, Any] = {}
    for _ in range(200):
        schema = {"items": schema}
    with pytest.raises(BadRequest):
        to_json_schema(schema, "parameters")
