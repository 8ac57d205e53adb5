"""Equal requests at one time are one request to a provider: who comes first leads, and the others get what it gets.

Nobody suffers for somebody else. A leader that leaves before it has an answer is followed by the next; one that leaves
in the middle of a stream leaves it to the others; what fails is tried once more by another, and only then handed on.
"""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

from proxy.caching.broadcast import Broadcast

T = TypeVar("T")
MAX_FAILURES = 2  # requests to a provider that fail for all who wait


class Flight(Generic[T]):
    """One request to a provider, and who waits for it. ``T``: an answer that is there as a whole.

    Whoever has begun it, or was told to lead, ends its part by exactly one of ``share``, ``fail`` and ``leave``, and
    after ``share`` by ``land``.
    """

    __slots__ = ("_failures", "_flights", "_is_led", "_key", "_known", "_shared", "_waiting")

    def __init__(self, flights: Flights[T], key: bytes) -> None:
        self._flights = flights
        self._key = key
        self._known = asyncio.Event()
        self._shared: T | Broadcast | None = None
        self._is_led = True
        self._waiting = 0
        self._failures = 0

    async def board(self, seconds: float) -> T | Broadcast | None:
        """What the leader has got; None for whoever is to lead from now on.

        Raises:
            TimeoutError: nothing came in time.
        """
        self._waiting += 1
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while self._shared is None and self._is_led:
                    await self._known.wait()
            if self._shared is None:
                self._is_led = True
                self._known.clear()
            return self._shared
        finally:
            self._waiting -= 1
            if not self._is_led and not self._waiting:
                self._drop()

    def share(self, answer: T | Broadcast) -> None:
        """The leader has this. Who comes later gets it, too, until ``land``."""
        self._shared = answer
        self._known.set()

    def land(self) -> None:
        """Who comes from now on begins anew, or finds it kept."""
        self._drop()

    def fail(self, answer: T) -> None:
        """The provider has failed the leader in this way."""
        self._failures += 1
        if self._failures < MAX_FAILURES:
            self.leave()
        else:
            self.share(answer)
            self._drop()

    def leave(self) -> None:
        """The leader is gone, and has nothing for others."""
        if not self._waiting:
            self._drop()
            return
        self._is_led = False
        self._known.set()

    def _drop(self) -> None:
        self._flights.end(self._key, self)


class Flights(Generic[T]):
    """Those under way, by key."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[bytes, Flight[T]] = {}

    def find(self, key: bytes) -> Flight[T] | None:
        """The one for this key."""
        return self._open.get(key)

    def begin(self, key: bytes) -> Flight[T]:
        """A new one, led by the caller."""
        flight = self._open[key] = Flight(self, key)
        return flight

    def end(self, key: bytes, flight: Flight[T]) -> None:
        """``flight`` takes nobody any more."""
        if self._open.get(key) is flight:
            del self._open[key]

    def __len__(self) -> int:
        return len(self._open)
