"""One immutable generation of everything compiled, and the state that outlives generations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from proxy.dialects.openai import PATHS
from proxy.pipeline import Step
from proxy.providers.provider import Provider
from proxy.router import Router

T = TypeVar("T")
_GRACE = 5.0


class Shared:
    """State that survives reloads, by name: client pools, key health, breakers.

    Each generation takes a lease; an object is closed when no lease holds it any more.
    """

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}
        self._holders: dict[str, int] = {}

    def lease(self) -> Lease:
        """A new lease, for one generation."""
        return Lease(self)

    def take(self, key: str, factory: Callable[[], T]) -> T:
        """The object of that name, made if there is none; counted once per call."""
        if key not in self._objects:
            self._objects[key] = factory()
        self._holders[key] = self._holders.get(key, 0) + 1
        found: T = self._objects[key]
        return found

    async def give_back(self, key: str) -> None:
        """One holder less; the last one closes the object if it has ``aclose``."""
        self._holders[key] -= 1
        if self._holders[key]:
            return
        del self._holders[key]
        gone = self._objects.pop(key)
        if hasattr(gone, "aclose"):
            await gone.aclose()

    def __len__(self) -> int:
        return len(self._objects)


class Lease:
    """What one generation holds of the shared state."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._held: dict[str, Any] = {}

    def get(self, key: str, factory: Callable[[], T]) -> T:
        """The shared object called ``key``, made by ``factory`` if nobody holds one."""
        if key not in self._held:
            self._held[key] = self._shared.take(key, factory)
        found: T = self._held[key]
        return found

    async def release(self) -> None:
        """Give everything back. May be called twice."""
        held, self._held = self._held, {}
        for key in held:
            await self._shared.give_back(key)


class Runtime:
    """A generation: immutable but for its count of requests in flight.

    ``doors`` tells for each fixed path which steps every possible route begins with.
    """

    __slots__ = (
        "_idle",
        "_lease",
        "digest",
        "doors",
        "generation",
        "in_flight",
        "longest_request",
        "providers",
        "router",
    )

    def __init__(
        self, generation: int, router: Router, providers: dict[str, Provider], digest: str, lease: Lease
    ) -> None:
        self.generation = generation
        self.router = router
        self.providers = providers
        self.digest = digest
        self.doors: dict[str, tuple[Step, ...]] = {path: router.door(path) for path in PATHS}
        self.in_flight = 0
        # Seconds in which every request of this generation has ended, by its route's own timeout, with some grace.
        self.longest_request = max((entry.pipeline.timeouts.total for entry in router.entries), default=0.0) + _GRACE
        self._lease = lease
        self._idle = asyncio.Event()

    def enter(self) -> None:
        """A request starts in this generation."""
        self.in_flight += 1

    def leave(self) -> None:
        """A request of this generation has ended."""
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()

    async def drain(self, seconds: float) -> bool:
        """Wait until no request is in flight, at most ``seconds``. Called after the swap, so none comes in any more."""
        if not self.in_flight:
            return True
        self._idle.clear()
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Give back what this generation held of the shared state."""
        await self._lease.release()
