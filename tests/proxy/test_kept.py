"""What is looked at as it passes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from proxy.errors import BadAnswer
from proxy.kept import MAX_KEPT, Kept, aside, within
from proxy.policy import Answer


async def _flow(*chunks: bytes, failure: BaseException | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if failure is not None:
        raise failure


def _answer(chunks: AsyncIterator[bytes]) -> Answer:
    return Answer(200, [], chunks=chunks, is_sse=True, target="up/m")


async def _read(answer: Answer) -> bytes:
    assert answer.chunks is not None
    return b"".join([chunk async for chunk in answer.chunks])


async def test_all_of_it_passes_and_is_kept() -> None:
    """Flowing or whole."""
    answer = _answer(_flow(b"one ", b"two"))
    kept = Kept.of(answer, time.monotonic())
    assert await _read(answer) == b"one two"
    assert await kept.ended(0)
    assert (kept.side.body, kept.side.is_whole, kept.side.target) == (b"one two", True, "up/m")
    assert kept.side.total is not None
    kept = Kept.of(Answer(200, [], body=b"whole"), time.monotonic())
    assert await kept.ended(0)
    assert kept.side.body == b"whole"


async def test_what_is_too_long_passes_and_is_not_kept() -> None:
    """Memory is bounded."""
    answer = _answer(_flow(b"x" * MAX_KEPT, b"y"))
    kept = Kept.of(answer, time.monotonic())
    assert len(await _read(answer)) == MAX_KEPT + 1
    assert (kept.side.body, kept.side.is_whole) == (b"", False)
    assert not Kept.of(Answer(200, [], body=b"x" * (MAX_KEPT + 1)), 0.0).side.is_whole


async def test_a_failure_is_noted_and_goes_on() -> None:
    """It has ended, with its code."""
    answer = _answer(_flow(b"one", failure=BadAnswer("cut")))
    kept = Kept.of(answer, time.monotonic())
    with pytest.raises(BadAnswer):
        await _read(answer)
    assert await kept.ended(0)
    assert kept.side.code == BadAnswer.code


async def test_who_stops_reading_has_cut_it() -> None:
    """The connection is closed as ever; after the end, closing says nothing."""
    closed = []
    answer = _answer(_flow(b"one", b"two"))
    answer.close = lambda: closed.append(True)
    kept = Kept.of(answer, time.monotonic())
    assert answer.chunks is not None
    await anext(answer.chunks)
    answer.close()
    assert not await kept.ended(0)
    assert closed == [True]
    answer = _answer(_flow(b"one"))
    kept = Kept.of(answer, time.monotonic())
    await _read(answer)
    assert answer.close is not None
    answer.close()
    assert await kept.ended(0)


async def test_nothing_is_waited_for_too_long() -> None:
    """Work is cancelled; a thread's outcome comes back."""
    with pytest.raises(TimeoutError):
        await within(0.001, asyncio.Event().wait())
    assert not await Kept(time.monotonic()).ended(0.001)
    assert await aside(len, "four") == 4
