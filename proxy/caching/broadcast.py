"""A body that flows to several readers: read once, in a task of its own, so that each of them may leave when it likes.

It is kept from its beginning up to ``limit`` bytes, for who comes late and for the cache. A longer one takes no new
readers, and only as much of it is held as the slowest has not read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from proxy.errors import GatewayError, Unavailable
from proxy.exchange import Exchange

WINDOW = 256 << 10  # bytes that the slowest reader of a long body may be behind
_TAIL = 3  # chunks in which the mark of the end is looked for


class Broadcast:
    """``x``: the exchange that asked for it, whose attempts it ends if it outlives that. ``head``: whatever readers
    need to know of the answer. ``mark``: a line after which nothing comes. ``over``: called once, when all is over."""

    __slots__ = (
        "_base",
        "_chunks",
        "_close",
        "_error",
        "_held",
        "_is_left",
        "_is_over",
        "_limit",
        "_mark",
        "_news",
        "_over",
        "_parts",
        "_readers",
        "_room",
        "_size",
        "_task",
        "_x",
        "head",
    )

    def __init__(
        self,
        x: Exchange,
        head: Any,
        chunks: AsyncIterator[bytes],
        close: Callable[[], None] | None,
        limit: int,
        *,
        mark: re.Pattern[bytes] | None = None,
        over: Callable[[], None] | None = None,
    ) -> None:
        self.head = head
        self._x = x
        self._chunks = chunks
        self._close = close
        self._limit = limit
        self._mark = mark
        self._over = over
        self._parts: list[bytes] = []
        self._base = 0  # parts that are gone
        self._size = 0
        self._readers: set[Reader] = set()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._is_over = False
        self._error: Exception | None = None
        self._is_left = False
        self._held: list[tuple[Any, Any]] | None = None  # attempts and their ends, once it is on its own
        self._task: asyncio.Task[None] | None = None

    # Readers

    @property
    def takes_readers(self) -> bool:
        """Whether its beginning is still there, and somebody reads it."""
        return not self._base and (self._is_over or bool(self._readers)) and self._error is None

    def reader(self) -> Reader:
        """One more, from the beginning. The first starts it."""
        reader = Reader(self)
        self._readers.add(reader)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="broadcast")
        return reader

    def leave(self, reader: Reader) -> None:
        """It reads no more. After the last one, nobody does."""
        self._readers.discard(reader)
        if not self._readers:
            self._abandon()
        self._room.set()

    def outlive(self) -> bool:
        """The exchange that asked for it is about to end. True if others go on: then it ends the attempts itself."""
        if self._is_over or not self._readers:
            return False
        self._held = [(attempt, attempt.ends) for attempt in self._x.attempts if attempt.ends is not None]
        for attempt, _ in self._held:
            attempt.ends = None
        return True

    def _abandon(self) -> None:
        if not self._is_over and self._task is not None:
            self._task.cancel()
        if self._close is not None:
            self._close()

    # What comes

    @property
    def whole(self) -> bytes | None:
        """All of it, if it has ended well and is all there."""
        if self._base or self._size > self._limit or self._error is not None:
            return None
        if not self._is_over and (self._mark is None or self._mark.search(b"".join(self._parts[-_TAIL:])) is None):
            return None
        return b"".join(self._parts)

    async def _run(self) -> None:
        try:
            async for chunk in self._chunks:
                self._parts.append(chunk)
                self._size += len(chunk)
                self._tell()
                if self._size > self._limit:
                    await self._wait_for_slowest()
        except Exception as error:
            self._error = error  # each reader raises it
        except asyncio.CancelledError:
            self._is_left = True
            self._error = Unavailable("The answer was broken off.")
        finally:
            self._is_over = True
            self._tell()
            self._end()

    async def _wait_for_slowest(self) -> None:
        """Forget what all have read, and let the slowest come near."""
        while self._readers:
            at = min(reader.at for reader in self._readers)
            del self._parts[: at - self._base]
            self._base = max(self._base, at)
            if sum(map(len, self._parts)) <= WINDOW:
                return
            self._room.clear()
            await self._room.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news.clear()

    def _end(self) -> None:
        if self._held is not None:
            for attempt, ends in self._held:
                attempt.ends = ends
            changed: tuple[str | None, str | None] = None, None
            if self._is_left:
                changed = "cancelled", "client_gone"
            elif self._error is not None:
                changed = "error", self._error.error_code if isinstance(self._error, GatewayError) else "crashed"
            for attempt in self._x.attempts:
                if attempt.ends is not None:
                    attempt.end(*changed)
            if self._close is not None:
                self._close()
        if self._over is not None:
            self._over()

    def next(self, reader: Reader) -> bytes | None:
        """What is there for a reader: nothing at the end, None if something is still to come."""
        parts = self._parts[reader.at - self._base :]
        if parts:
            reader.at += len(parts)
            self._room.set()
            return parts[0] if len(parts) == 1 else b"".join(parts)
        if not self._is_over:
            return None
        if self._error is not None:
            raise self._error
        return b""

    async def news(self) -> None:
        """Wait until something has come."""
        await self._news.wait()


class Reader:
    """An async iterator over the body. ``at``: parts that were read."""

    __slots__ = ("_of", "at")

    def __init__(self, of: Broadcast) -> None:
        self._of = of
        self.at = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while (found := self._of.next(self)) is None:
            await self._of.news()
        if not found:
            raise StopAsyncIteration
        return found

    def close(self) -> None:
        """No more."""
        self._of.leave(self)
