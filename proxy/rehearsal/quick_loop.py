"""An event loop on which nobody waits: when nothing is left to do now, its clock goes on to the next timer."""

from __future__ import annotations

import asyncio
import selectors
import time
from asyncio.futures import Future
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")
_PATIENCE = 10.0  # seconds in which something must come from outside when no timer is set


class Stuck(Exception):
    """Everything waits for something that will never happen."""


class QuickLoop(asyncio.SelectorEventLoop):
    """For requests whose providers are scripted: a pause of minutes takes no time, and timers ring in their order.

    ``time`` goes on by pauses alone. While a thread works for the loop its clock stands still, so that no timer rings
    because the machine is slow.
    """

    def __init__(self) -> None:
        self.skips = True  # false: pauses are pauses, for the end of the loop
        self._skipped = time.monotonic()
        self._threads = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Seconds; only differences have a meaning."""
        return self._skipped

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> Future[T]:  # type: ignore[override]
        """As any loop does, and counted."""
        self._threads += 1
        future: Future[T] = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._returned)
        return future

    def _returned(self, _: Future[Any]) -> None:
        self._threads -= 1

    def pause(self, seconds: float | None) -> float | None:
        """How long to wait for events instead of ``seconds``."""
        if seconds == 0 or not self.skips:
            return seconds
        if self._threads:
            return None
        return 0 if seconds is not None else _PATIENCE

    def skip(self, seconds: float | None) -> None:
        """Nothing came.

        Raises:
            Stuck: and nothing will.
        """
        if not self.skips or self._threads:
            return
        if seconds is None:
            raise Stuck("the request waits for something that never happens")
        self._skipped += seconds


class _Selector(selectors.DefaultSelector):
    """Waits as long as the loop wants."""

    def __init__(self, loop: QuickLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What has happened."""
        found = super().select(self._loop.pause(timeout))
        if not found and timeout != 0:
            self._loop.skip(timeout)
        return found
