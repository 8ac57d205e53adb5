"""Reading what a simulated model is asked, from anybody."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Rejected
from proxy.providers.simulation.request import (
    Asked,
    digest_of,
    form_field,
    pieces_of,
    prompt_of,
    read_asked,
    read_fields,
    shorten,
)


@given(st.text())
def test_tokens_lose_nothing(text: str) -> None:
    """Joined again they are the text."""
    assert "".join(pieces_of(text)) == text


@pytest.mark.parametrize(
    ("fields", "last", "after_tool"),
    [
        ({"messages": [{"role": "user", "content": "hi"}]}, "hi", False),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "x"}]}]}, "a", False),
        ({"messages": [{"role": "user", "content": "q"}, {"role": "tool", "content": "r"}]}, "q", True),
        ({"messages": [{"role": "user", "content": None}, 7, None]}, "", False),
        ({"prompt": "p"}, "p", False),
        ({"prompt": [1, 2]}, "1 2", False),
        ({"input": "i"}, "i", False),
        ({"input": [{"role": "user", "content": "i"}, {"type": "function_call_output", "output": "o"}]}, "i", True),
    ],
)
def test_the_last_user_message_is_found(fields: dict[str, Any], last: str, after_tool: bool) -> None:
    """In every way of writing it."""
    found = prompt_of(msgspec.convert(fields, Asked))
    assert (found[0], found[2]) == (last, after_tool)
    assert found[1] > 0


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"messages": 3}', b'{"n": "x"}', b"\xff"])
def test_a_bad_request_is_the_providers_400(body: bytes) -> None:
    """In OpenAI's shape."""
    with pytest.raises(Rejected) as refused:
        read_asked(body)
    assert refused.value.raw is not None
    assert refused.value.raw[0] == 400
    assert b'"type":"invalid_request_error"' in refused.value.raw[2]


def test_fields_must_be_an_object() -> None:
    """However deep it is nested."""
    for body in (b"[]", b"[" * 100_000, b"nonsense"):
        with pytest.raises(Rejected):
            read_fields(body)


def test_a_form_field_is_read() -> None:
    """Quoted, and among others."""
    body = b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n2\r\n--B--'
    assert form_field(body, b"n") == "2"
    assert form_field(body, b"m") == ""


def test_a_message_is_shortened_to_one_line() -> None:
    """Not above 80 characters."""
    assert shorten("a\n b") == "a b"
    assert len(shorten("word " * 10_000)) == 80


def test_the_digest_depends_on_body_and_seed() -> None:
    """And on nothing else."""
    assert digest_of(b"a", 0) == digest_of(b"a", 0)
    assert len({digest_of(b"a", 0), digest_of(b"a", 1), digest_of(b"b", 0)}) == 3
