"""What all dialects share."""

from __future__ import annotations

import msgspec
import pytest

from proxy.chat import seal
from proxy.dialects.dialect import MAX_COUNT, Dialect, counted, decode
from proxy.dialects.table import DIALECTS
from proxy.errors import BadAnswer


class _Answer(msgspec.Struct):
    id: str


def test_what_a_provider_sends_is_read_and_what_is_unknown_is_left() -> None:
    assert decode(b'{"id":"a","more":[1]}', _Answer) == _Answer("a")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"id":1}', b'{"id":"a"', b'{"id":"\xff"}', b"[" * 10_000, b"{}"])
def test_what_cannot_be_read_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        decode(body, _Answer)


def test_a_request_with_a_sealed_signature_is_noticed() -> None:
    """No provider could read it, so the request is written anew. Anthropic's dialect cuts it out itself."""
    body = msgspec.json.encode({"encrypted_content": seal("gemini", "X")})
    assert DIALECTS["openai_responses"].is_ours(body)
    assert not DIALECTS["openai_responses"].is_ours(b'{"encrypted_content":"gAAAA","text":"sg. sg.. sg.X"}')
    assert not DIALECTS["anthropic_messages"].is_ours(body)


@pytest.mark.parametrize(
    ("told", "believed"), [(None, 0), (0, 0), (7, 7), (7.9, 7), (-3, 0), (10**18, MAX_COUNT), (1e300, MAX_COUNT)]
)
def test_what_a_provider_counted_is_believed_within_reason(told: float | None, believed: int) -> None:
    assert counted(told) == believed


def test_a_dialect_that_counts_says_so_and_can() -> None:
    """And no other is ever asked."""
    ways = ("write_count", "read_count", "write_count_request")
    for dialect in DIALECTS.values():
        assert dialect.counts == all(getattr(type(dialect), way) is not getattr(Dialect, way) for way in ways)
