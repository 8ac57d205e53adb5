"""Several tries at one thing, side by side: whoever is through first is told of, and the rest can be broken off."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, Generic, Protocol, TypeVar

from proxy.errors import Unavailable, UpstreamError

GRACE = 0.05  # seconds that a winner waits at most for those it has beaten to let go


class _Discarded(Protocol):
    def discard(self) -> None:
        """Nobody wants it."""


K = TypeVar("K")
T = TypeVar("T", bound=_Discarded)


class Heat(Generic[K, T]):
    """The tries of one request, each under a key. ``left`` holds those that have not let go when it is over."""

    __slots__ = ("_left", "_running")

    def __init__(self, left: set[asyncio.Task[Any]]) -> None:
        self._left = left
        self._running: dict[asyncio.Task[T], K] = {}

    def start(self, key: K, work: Coroutine[Any, Any, T]) -> None:
        """Begin another."""
        self._running[asyncio.create_task(work, name="race")] = key

    async def next(self, wait: float | None) -> tuple[K, T | UpstreamError] | None:
        """The next that is through, of several the one that began first; None after ``wait`` seconds."""
        done, _ = await asyncio.wait(self._running, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return None
        task = next(task for task in self._running if task in done)
        key = self._running.pop(task)
        try:
            return key, task.result()
        except UpstreamError as error:
            return key, error
        except asyncio.CancelledError:  # not by us: what it stood on is gone
            return key, Unavailable("The attempt was broken off.")

    def running(self) -> Iterator[K]:
        """Keys of those that are not through."""
        return (key for task, key in self._running.items() if not task.done())

    def __len__(self) -> int:
        """How many have not been told of."""
        return len(self._running)

    async def break_off(self) -> None:
        """Nobody waits for the rest. They close their connections now; what they bring nevertheless is discarded."""
        if not self._running:
            return
        running, self._running = self._running, {}
        for task in running:
            self._left.add(task)
            task.add_done_callback(self._left.discard)
            task.add_done_callback(_dispose)
            task.cancel()
        await asyncio.wait(running, timeout=GRACE)


def _dispose(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().discard()


async def all_ended(tasks: set[asyncio.Task[Any]]) -> None:
    """Wait for all of these, whatever becomes of them."""
    await asyncio.gather(*tasks, return_exceptions=True)
