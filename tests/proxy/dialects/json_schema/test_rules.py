"""A glance at a schema's JSON finds everything that calls for work."""

from __future__ import annotations

import json

import msgspec
import pytest

from proxy.dialects.json_schema.rules import ANTHROPIC_STRICT, GEMINI_JSON, OPENAI_STRICT


@pytest.mark.parametrize(
    ("schema", "stays"),
    [
        ({"type": "object", "properties": {"city": {"type": "string", "enum": ["a", 'b"]']}}}, True),
        ({"type": "string", "format": "date-time"}, True),
        ({"type": "string", "format": "email"}, False),
        ({"type": "string", "pattern": "a"}, False),
        ({"enum": ["a", None]}, False),
        ({"enum": [True]}, False),
        ({"$ref": "#/$defs/a"}, False),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}, False),
        ({"type": "array", "items": [{"type": "string"}]}, False),
        ({"type": "string", "description": 'say "pattern": x'}, True),
    ],
)
def test_a_schema_stays_only_if_it_holds_nothing_refused(schema: object, stays: bool) -> None:
    assert GEMINI_JSON.stays(msgspec.json.encode(schema)) is stays


def test_targets_that_want_every_object_closed_are_always_looked_at() -> None:
    raw = json.dumps({"type": "object"}, separators=(",", ":")).encode()
    assert not ANTHROPIC_STRICT.stays(raw)
    assert not OPENAI_STRICT.stays(raw)
