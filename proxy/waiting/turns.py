"""Lines of who waits for the same thing: first come, first served, nobody for longer than it said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class _Line:
    """``length`` is how many stand in it; who has ``turn`` is the first."""

    __slots__ = ("length", "turn")

    def __init__(self) -> None:
        self.length = 0
        self.turn = asyncio.Lock()


class Turns:
    """``wake`` lets those who are first in their lines look again at once. ``len`` is how many wait."""

    __slots__ = ("_lines", "_waiting", "_woken")

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._woken = asyncio.Event()  # the next time; another one from then on
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def __contains__(self, name: str) -> bool:
        """Whether somebody stands in that line."""
        return name in self._lines

    def wake(self) -> None:
        """Something may have become free."""
        if self._waiting:
            self._woken.set()
            self._woken = asyncio.Event()

    async def stand(self, name: str, first: float, seconds: float, look: Callable[[], Awaitable[float | None]]) -> None:
        """Stand in the line called ``name`` for ``seconds`` at most. When ``first`` seconds have passed and it is our
        turn, ``look``: it gives the seconds after which to look again, None when there is nothing to wait for."""
        line = self._lines.setdefault(name, _Line())
        line.length += 1
        self._waiting += 1
        began, woken = time.monotonic(), self._woken
        try:
            async with asyncio.timeout(seconds), line.turn:
                pause: float | None = max(0.0, began + first - time.monotonic())
                while pause is not None:
                    await _pause(woken, pause)
                    woken = self._woken  # whatever becomes free while we look is looked at again
                    pause = await look()
        except TimeoutError:
            return
        finally:
            self._waiting -= 1
            line.length -= 1
            if not line.length:
                del self._lines[name]


async def _pause(woken: asyncio.Event, seconds: float) -> None:
    """So long, or until woken."""
    if woken.is_set() or seconds <= 0:
        return
    waiter = asyncio.ensure_future(woken.wait())
    try:
        await asyncio.wait((waiter,), timeout=seconds)
    finally:
        waiter.cancel()
