"""A stream that several read: all of it for each, whoever leaves, and never more in memory than may be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.caching.broadcast import WINDOW, Broadcast, Reader
from proxy.errors import BadAnswer
from proxy.exchange import Attempt, Exchange
from tests.support.caching import asked, flow


class Source:
    """A body whose chunks come when the test says so."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.closed = 0
        self.given = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self.queue.get()
        if chunk is None:
            raise StopAsyncIteration
        self.given += 1
        return chunk

    def close(self) -> None:
        """Count."""
        self.closed += 1

    def give(self, *chunks: bytes | None) -> None:
        """Some more; None is the end."""
        for chunk in chunks:
            self.queue.put_nowait(chunk)


def sent(source: Any, *, limit: int = 1000, x: Exchange | None = None, **more: Any) -> Broadcast:
    """One of this body."""
    return Broadcast(x or asked(), None, source, getattr(source, "close", None), limit, **more)


async def read(reader: Reader) -> bytes:
    """All of it."""
    return b"".join([chunk async for chunk in reader])


async def settle() -> None:
    """Let all that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_everybody_has_all_of_it() -> None:
    """Also who comes in the middle, and after the end."""
    source = Source()
    one = sent(source)
    readers = [one.reader(), one.reader()]
    tasks = [asyncio.create_task(read(reader)) for reader in readers]
    source.give(b"a", b"b")
    await settle()
    late = asyncio.create_task(read(one.reader()))
    source.give(b"c", None)
    assert await asyncio.gather(*tasks, late) == [b"abc"] * 3
    assert one.takes_readers
    assert await read(one.reader()) == b"abc"
    assert one.whole == b"abc"


async def test_a_failure_is_everybodys() -> None:
    one = sent(flow(b"a", failure=BadAnswer("no")))
    readers = [one.reader(), one.reader()]
    for reader in readers:
        with pytest.raises(BadAnswer):
            await read(reader)
    assert one.whole is None
    assert not one.takes_readers


async def test_the_last_one_turns_off_the_light() -> None:
    source = Source()
    one = sent(source)
    readers = [one.reader(), one.reader()]
    source.give(b"a")
    await settle()
    readers[0].close()
    assert source.closed == 0
    readers[1].close()
    assert source.closed == 1
    assert not one.takes_readers
    await settle()
    assert one.whole is None


async def test_it_outlives_who_asked_for_it() -> None:
    """Then it ends the attempts itself, and closes what it reads from."""
    x, source, ended = asked(), Source(), []
    x.attempts.append(Attempt("up/m"))
    x.attempts[0].ends = ended.append
    one = sent(source, x=x, over=lambda: ended.append("over"))
    mine, other = one.reader(), one.reader()
    source.give(b"a")
    await settle()
    mine.close()
    assert one.outlive()
    assert x.attempts[0].ends is None  # the exchange ends, and this is none of its business
    source.give(b"b", None)
    assert await read(other) == b"ab"
    assert ended == [None, "over"]
    assert source.closed >= 1


async def test_nothing_is_left_to_outlive() -> None:
    one = sent(flow(b"a"))
    assert await read(one.reader()) == b"a"
    assert not one.outlive()


async def test_a_long_one_waits_for_the_slowest() -> None:
    """And takes nobody who comes late."""
    source = Source()
    one = sent(source, limit=10)
    quick, slow = one.reader(), one.reader()
    piece = bytes(WINDOW // 4)
    source.give(*[piece] * 20)
    task = asyncio.create_task(read(quick))
    await settle()
    assert source.given <= 6
    source.give(None)
    assert len(await read(slow)) == len(await task) == 20 * len(piece)
    assert not one.takes_readers
    assert one.whole is None


async def test_a_slow_reader_that_leaves_holds_nobody_up() -> None:
    source = Source()
    one = sent(source, limit=10)
    quick, slow = one.reader(), one.reader()
    source.give(*[bytes(WINDOW)] * 5, None)
    task = asyncio.create_task(read(quick))
    await settle()
    slow.close()
    assert len(await task) == 5 * WINDOW


async def test_the_mark_of_the_end_is_enough() -> None:
    """Some callers leave when they have seen it."""
    source = Source()
    one = sent(source, mark=re.compile(rb"(?:^|\n)data: \[DONE\]"))
    reader = one.reader()
    source.give(b"data: 1\n\n")
    await settle()
    assert one.whole is None
    source.give(b"data: [DONE]\n\n")
    await settle()
    reader.close()
    assert one.whole == b"data: 1\n\ndata: [DONE]\n\n"
