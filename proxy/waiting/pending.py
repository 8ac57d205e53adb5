"""Work whose outcome is waited for in pieces, and which can be given up at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar


class _Discarded(Protocol):
    def discard(self) -> None:
        """Nobody wants it."""


T = TypeVar("T", bound=_Discarded)


class Pending(Generic[T]):
    """Goes on while nobody looks. ``over`` is called when it has been given up and has let go."""

    __slots__ = ("_is_given_up", "_over", "_task")

    def __init__(self, work: Coroutine[Any, Any, T], name: str, over: Callable[[], None]) -> None:
        self._task = asyncio.create_task(work, name=name)
        self._over = over
        self._is_given_up = False

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        return self._task.done()

    async def within(self, seconds: float) -> bool:
        """Wait for at most so long; whether it is done. If whoever waits is cancelled, it is given up."""
        try:
            await asyncio.wait({self._task}, timeout=seconds)
        except asyncio.CancelledError:
            self.give_up()
            raise
        return self._task.done()

    def result(self) -> T:
        """What came of it, once it is done."""
        return self._task.result()

    def give_up(self) -> None:
        """Nobody wants it any longer: it is broken off, and what it brings nevertheless is discarded."""
        if self._is_given_up:
            return
        self._is_given_up = True
        if self._task.done():
            self._dropped(self._task)
        else:
            self._task.cancel()
            self._task.add_done_callback(self._dropped)

    def _dropped(self, task: asyncio.Task[T]) -> None:
        """It may not even have begun."""
        if not task.cancelled() and task.exception() is None:
            task.result().discard()
        self._over()
