"""One schema is said in the keywords of its target."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.chat import Losses
from proxy.dialects.json_schema.forms import settle
from proxy.dialects.json_schema.rules import ANTHROPIC_STRICT, GEMINI, GEMINI_JSON, PLAIN, Rules


def settled(schema: dict[str, Any], rules: Rules) -> tuple[dict[str, Any], list[str]]:
    losses = Losses()
    return settle(dict(schema), rules, "p", losses), list(losses.names)


def test_a_target_that_takes_all_gets_all() -> None:
    schema = {"nullable": True, "x-anything": 1}
    assert settled(schema, PLAIN) == (schema, [])


@pytest.mark.parametrize(
    ("rules", "schema", "expected", "lost"),
    [
        (GEMINI_JSON, {"enum": [1, 2.0, "a"]}, {"enum": [1, 2.0, "a"], "type": ["integer", "string"]}, []),
        (GEMINI_JSON, {"enum": [True, False, None]}, {"type": ["boolean", "null"]}, []),
        (GEMINI_JSON, {"enum": [[]]}, {}, ["p.enum"]),
        (GEMINI_JSON, {"enum": ["a", None], "anyOf": []}, {"anyOf": []}, ["p.enum"]),
        (GEMINI_JSON, {"const": "a", "enum": ["a", "b"]}, {"enum": ["a"], "type": "string"}, []),
        (GEMINI_JSON, {"nullable": True, "anyOf": [{}]}, {"anyOf": [{}, {"type": "null"}]}, []),
        (GEMINI_JSON, {"uniqueItems": False, "minProperties": 0}, {}, []),
        (GEMINI_JSON, {"uniqueItems": True}, {}, ["p.uniqueItems"]),
        (GEMINI_JSON, {"type": "integer", "exclusiveMinimum": 1, "minimum": 5}, {"type": "integer", "minimum": 5}, []),
        (ANTHROPIC_STRICT, {"type": "string", "pattern": r"(a)\1"}, {"type": "string"}, ["p.pattern"]),
        (GEMINI, {"type": "number", "enum": [1.0, 2.5]}, {"type": "number", "enum": ["1", "2.5"]}, []),
        (
            GEMINI,
            {"type": "object", "anyOf": [{"type": "object", "required": ["a"]}, {"type": "null"}], "description": "d"},
            {"type": "object", "required": ["a"], "description": "d"},
            [],
        ),
    ],
)
def test_a_schema_in_the_targets_words(
    rules: Rules, schema: dict[str, Any], expected: dict[str, Any], lost: list[str]
) -> None:
    out, names = settled(schema, rules)
    assert {key: value for key, value in out.items() if value is not False} == expected
    assert names == lost
