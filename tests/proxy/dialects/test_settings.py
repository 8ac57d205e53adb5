"""Parameters are changed where they stand, and nothing else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.places import PLACES
from proxy.dialects.settings import changed, number_of


def _most(limit: float, default: float | None = None) -> Any:
    def change(value: float | None) -> float | None:
        if value is None:
            return default
        return limit if value > limit else None

    return change


@pytest.mark.parametrize(
    ("dialect", "body", "expected"),
    [
        ("openai_chat", b'{"max_tokens" : 9,"a": 1}', b'{"max_tokens" : 5,"a": 1}'),
        (
            "openai_chat",
            b'{ "max_completion_tokens":9, "max_tokens":8 }',
            b'{ "max_completion_tokens":5, "max_tokens":5 }',
        ),
        ("openai_chat", b'{"a":1 }', b'{"a":1,"max_completion_tokens":3 }'),
        ("openai_chat", b'{"max_tokens":null,"a":1}', b'{"max_tokens":3,"a":1}'),
        ("openai_chat", b'{"max_tokens":9,"max_tokens":7}', b'{"max_tokens":5,"max_tokens":5}'),
        ("openai_chat", b'{"max_\\u0074okens":9}', b'{"max_\\u0074okens":5}'),
        ("openai_chat", b'{"x":{"max_tokens":9},"max_tokens":4}', b'{"x":{"max_tokens":9},"max_tokens":4}'),
        ("openai_completions", b'{"prompt":"a"}', b'{"prompt":"a","max_tokens":3}'),
        ("openai_responses", b'{"input":"a","max_output_tokens":1e3}', b'{"input":"a","max_output_tokens":5}'),
        ("anthropic_messages", b'{"max_tokens":6}', b'{"max_tokens":5}'),
        ("gemini", b'{"generationConfig":{"maxOutputTokens": "9"}}', b'{"generationConfig":{"maxOutputTokens": 5}}'),
        ("gemini", b'{"generation_config":{"max_output_tokens":9}}', b'{"generation_config":{"max_output_tokens":5}}'),
        (
            "gemini",
            b'{"generationConfig":{},"generation_config":{"maxOutputTokens":9}}',
            b'{"generationConfig":{"maxOutputTokens":3},"generation_config":{"maxOutputTokens":5}}',
        ),
        ("gemini", b'{"contents":[]}', b'{"contents":[],"generationConfig":{"maxOutputTokens":3}}'),
        ("gemini", b'{"generationConfig":null}', b'{"generationConfig":{"maxOutputTokens":3}}'),
        ("gemini", b"{}", b'{"generationConfig":{"maxOutputTokens":3}}'),
    ],
)
def test_a_maximum_by_every_name(dialect: str, body: bytes, expected: bytes) -> None:
    assert changed(body, dialect, {"max_tokens": _most(5, 3)}) == expected


def test_what_is_within_or_no_number_stays_the_same_object() -> None:
    for body in (b'{"max_tokens":5}', b'{"max_tokens":"many"}', b'{"max_tokens":true}', b'{"max_tokens":[9]}'):
        assert changed(body, "openai_chat", {"max_tokens": _most(5)}) is body


def test_several_at_once_and_what_the_dialect_cannot_say() -> None:
    changes = {"max_tokens": _most(5, 3), "temperature": _most(0.5, 0.25), "n": _most(1)}
    assert changed(b'{"n":4}', "openai_chat", changes) == b'{"n":1,"max_completion_tokens":3,"temperature":0.25}'
    assert changed(b'{"n":4}', "anthropic_messages", changes) == b'{"n":4,"max_tokens":3,"temperature":0.25}'
    assert changed(b'{"generationConfig":{"temperature":1,"candidateCount":2}}', "gemini", changes) == (
        b'{"generationConfig":{"temperature":0.5,"candidateCount":1,"maxOutputTokens":3}}'
    )


@pytest.mark.parametrize("body", [b"[]", b"7", b'{"a"', b""])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no object"):
        changed(body, "openai_chat", {"max_tokens": _most(5)})


@pytest.mark.parametrize("raw", [b"true", b'"x"', b"null", b"{}", b'"nan"', b""])
def test_no_number(raw: bytes) -> None:
    assert number_of(raw) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    dialect=st.sampled_from(sorted(PLACES)),
    members=st.dictionaries(st.sampled_from(["model", "messages", "a b", "é", "max_tokens"]), _JSON, max_size=4),
    indent=st.sampled_from([None, 1]),
)
def test_all_other_members_are_as_they_were(dialect: str, members: dict[str, Any], indent: int | None) -> None:
    """What comes out means the same but for what was set, and its bytes are those that came in."""
    members = {**members, "temperature": 2}
    body = json.dumps(members, indent=indent).encode()
    found = json.loads(changed(body, dialect, {"temperature": _most(1)}))
    assert found.pop("temperature") == (2 if dialect == "gemini" else 1)
    assert found == {name: value for name, value in members.items() if name != "temperature"}
