"""Streams in pieces."""

from __future__ import annotations

import pytest

from proxy.errors import BadAnswer
from proxy.providers.simulation.made import Drip, Events, data, named

EVENTS = Events(b"<", [b"%d" % (n % 10) for n in range(100)], b">")
WHOLE = b"<" + b"".join(EVENTS.tokens) + b">"


async def test_without_gaps_tokens_come_in_blocks() -> None:
    """The same bytes in few pieces."""
    pieces = [piece async for piece in Drip(EVENTS, 0.0, 60.0, None)]
    assert (len(pieces), b"".join(pieces)) == (2, WHOLE)


async def test_with_gaps_tokens_come_one_by_one() -> None:
    """What opens comes with the first, what closes with the last."""
    pieces = [piece async for piece in Drip(EVENTS, 1e-6, 60.0, None)]
    assert (len(pieces), pieces[0], pieces[-1], b"".join(pieces)) == (100, b"<0", b"9>", WHOLE)


async def test_no_tokens_are_a_stream_too() -> None:
    """Opening and closing."""
    assert [piece async for piece in Drip(Events(b"<", [], b">"), 0.0, 60.0, None)] == [b"<>"]


@pytest.mark.parametrize("gap", [0.0, 1e-6])
async def test_a_cut_ends_in_an_error(gap: float) -> None:
    """After the tokens before it."""
    seen = b""
    with pytest.raises(BadAnswer):
        async for piece in Drip(EVENTS, gap, 60.0, 3):
            seen += piece
    assert seen == b"<012"


def test_events_are_framed() -> None:
    """Data alone, and with a type."""
    assert data({"a": 1}) == b'data: {"a":1}\n\n'
    assert named("k", {"a": 1}) == b'event: k\ndata: {"type":"k","a":1}\n\n'
