"""Lines of who waits for the same thing: first come, first served, nobody for longer than it said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Turns:
    """``wake`` lets those who are first in their lines look again at once. ``len`` is how many wait."""

    __slots__ = ("_lines", "_waiting", "_woken")

    def __init__(self) -> None:
        self._lines: dict[str, asyncio.Lock] = {}
        self._woken = asyncio.Event()
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def wake(self) -> None:
        """Something may have become free."""
        self._woken.set()

    async def stand(self, name: str, first: float, seconds: float, look: Callable[[], Awaitable[float | None]]) -> None:
        """Stand in the line called ``name`` for ``seconds`` at most. Once it is our turn, wait ``first`` seconds and
        ``look``: it gives the seconds after which to look again, None when there is nothing to wait for."""
        line = self._lines.setdefault(name, asyncio.Lock())
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds), line:
                pause: float | None = first
                while pause is not None:
                    await self._pause(pause)
                    pause = await look()
        except TimeoutError:
            return
        finally:
            self._waiting -= 1
            if not line.locked():
                self._lines.pop(name, None)

    async def _pause(self, seconds: float) -> None:
        """So long, or until woken."""
        self._woken.clear()
        waiter = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait((waiter,), timeout=seconds)
        finally:
            waiter.cancel()
