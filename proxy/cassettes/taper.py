"""A body on its way to the caller, and what is kept of it for a cassette."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from time import monotonic as _now
from typing import Self

from proxy.cassettes.recorder import MAX_TAKE, Pending
from proxy.errors import GatewayError


class Taper:
    """Passes ``chunks`` on. ``over`` is called once, when the body has ended, or has been broken off by whoever makes
    it; also when the caller leaves after the event that says that all is told (``mark``), as some do. A caller who
    leaves before has no answer that could be played again."""

    __slots__ = ("_mark", "_next", "_over", "_pending")

    def __init__(
        self,
        pending: Pending,
        chunks: AsyncIterator[bytes],
        over: Callable[[Pending], None],
        mark: re.Pattern[bytes] | None,
    ) -> None:
        self._pending = pending
        self._next = chunks.__anext__
        self._over: Callable[[Pending], None] | None = over
        self._mark = mark

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._next()
        except StopAsyncIteration:
            self._end()
            raise
        except GatewayError as error:
            self._pending.cut = _now(), error
            self._end()
            raise
        pending = self._pending
        pending.size += len(chunk)
        if pending.size <= MAX_TAKE:
            pending.parts.append((_now(), chunk))
        return chunk

    def close(self) -> None:
        """Nobody reads on."""
        if self._over is not None and self._mark is not None:
            tail = b"".join(data for _, data in self._pending.parts[-3:])
            if self._mark.search(tail) is not None:
                self._end()

    def _end(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over(self._pending)


def end_mark(ends: tuple[tuple[bytes, bytes], ...]) -> re.Pattern[bytes] | None:
    """A line with which a stream has told all; None where only its end says so."""
    marks = (re.escape(name) + rb": ?" + re.escape(value) for name, value in ends)
    return re.compile(rb"(?:^|[\r\n])(?:" + rb"|".join(marks) + rb")") if ends else None
