"""An answer that is looked at as it passes, without being held up; and work that is done within a time, or aside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ParamSpec, Protocol, TypeVar

from proxy.choosing.comparing import Side
from proxy.errors import GatewayError

P = ParamSpec("P")
T = TypeVar("T")

MAX_KEPT = 1 << 20  # bytes of an answer; of a longer one no words are compared


class Passing(Protocol):
    """What is needed of ``proxy.policy.Answer``."""

    status: int
    code: str | None
    target: str
    is_sse: bool
    body: bytes | None
    chunks: AsyncIterator[bytes] | None
    close: Callable[[], None] | None


class Kept:
    """What has gone by of one answer. ``is_cut``: it was over before its time, as nobody read on."""

    __slots__ = ("_began", "_chunks", "_close", "_ended", "_parts", "_size", "is_cut", "side")

    def __init__(self, began: float, side: Side | None = None) -> None:
        self.side = side or Side()
        self.is_cut = False
        self._began = began
        self._ended = asyncio.Event()
        self._parts: list[bytes] | None = []
        self._size = 0
        self._chunks: AsyncIterator[bytes] | None = None
        self._close: Callable[[], None] | None = None

    @classmethod
    def of(cls, answer: Passing, began: float, side: Side | None = None) -> Kept:
        """``answer`` is looked at from now on."""
        kept = cls(began, side)
        side = kept.side
        side.status, side.code, side.target, side.is_sse = answer.status, answer.code, answer.target, answer.is_sse
        side.first = time.monotonic() - began
        if answer.body is not None:
            kept._keep(answer.body)
            kept.over()
        elif answer.chunks is not None:
            kept._chunks, kept._close = answer.chunks, answer.close
            answer.chunks, answer.close = kept, kept.close
        else:  # a socket
            side.is_whole = False
            kept.over()
        return kept

    async def ended(self, seconds: float) -> bool:
        """Whether it has ended well within ``seconds``."""
        try:
            await within(seconds, self._ended.wait())
        except TimeoutError:
            return False
        return not self.is_cut

    def over(self) -> None:
        """It has ended, and nobody broke it off."""
        if not self._ended.is_set():
            self.side.total = time.monotonic() - self._began
            self.side.body = b"".join(self._parts or ())
            self._parts = None
            self._ended.set()

    def forget(self) -> None:
        """Nobody wants it any more; what still goes by is not kept."""
        self._parts = None
        self.side.body = b""

    def close(self) -> None:
        """Whoever reads it has had enough, or all."""
        if not self._ended.is_set():
            self.is_cut = True
            self._parts = None
            self._ended.set()
        if self._close is not None:
            self._close()

    def __aiter__(self) -> Kept:
        return self

    async def __anext__(self) -> bytes:
        assert self._chunks is not None
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self.over()
            raise
        except GatewayError as error:
            self.side.code = error.error_code
            self.over()
            raise
        self._keep(chunk)
        return chunk

    def _keep(self, chunk: bytes) -> None:
        if self._parts is not None:
            self._size += len(chunk)
            if self._size > MAX_KEPT:
                self._parts, self.side.is_whole = None, False
            else:
                self._parts.append(chunk)


async def within(seconds: float, work: Awaitable[T]) -> T:
    """What comes of ``work``.

    Raises:
        TimeoutError: it took longer, and is cancelled.
    """
    async with asyncio.timeout(max(0.0, seconds)):
        return await work


async def aside(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What comes of ``function``, in a thread: others go on meanwhile."""
    return await asyncio.to_thread(function, *args, **kwargs)


async def pause(seconds: float) -> None:
    """Nothing happens for so long."""
    await asyncio.sleep(seconds)
