"""JSON as models write it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.guardrails._repair import decoded, repaired


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ("Sure!\n```JSON\r\n[1, 2,]\n``` Anything else?", "[1, 2]"),
        ('```\n{"a": "```"}\n```', '{"a": "```"}'),
        ('Here it is: {"a": {"b": [1, 2]}} – done.', '{"a": {"b": [1, 2]}}'),
        ('{"a": 1,\n }', '{"a": 1\n }'),
        ('{"a": ",}", "b": [",]",],}', '{"a": ",}", "b": [",]"]}'),
        ('\ufeff{"a": 1}', '{"a": 1}'),
        ('I like {braces} and {"a": 1}', '{"a": 1}'),
    ],
)
def test_what_is_sure_is_repaired(text: str, expected: str) -> None:
    assert repaired(text) == expected


@pytest.mark.parametrize(
    "text", ["", "no", '{"a": 1', "{a: 1}", '{"a" 1}', "[" * 5000, '["' * 40_000, "{" * 99_000, "[1] " * 50_000]
)
def test_what_is_not_stays_broken(text: str) -> None:
    assert repaired(text) in (None, "[1]")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab,}]{["\\`\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab,}", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    value=_JSON.filter(lambda value: isinstance(value, list | dict)), around=st.sampled_from(["", "So: ", "```json\n"])
)
def test_the_value_is_the_one_that_was_said(value: Any, around: str) -> None:
    text = around + json.dumps(value, ensure_ascii=False) + ("\n```" if around.startswith("`") else "")
    found = repaired(text)
    assert found is not None
    assert decoded(found) == value


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000])
def test_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON"):
        decoded(text)
