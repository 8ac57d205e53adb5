"""One immutable generation of everything compiled, and the state that outlives generations."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from proxy.admin.roles import Operator
from proxy.caching.room import Room
from proxy.canaries.release import Plan, Release
from proxy.choosing.health import Health
from proxy.conversations.earlier import Conversations
from proxy.dialects.paths import PATHS
from proxy.exchange import Identity
from proxy.experiments.plan import Enrolled
from proxy.flags.table import Table
from proxy.keys.identities import Identities
from proxy.keys.key_sets import KeySet
from proxy.ledger.charge import Charges
from proxy.limits.limit import Gauge, Rule
from proxy.limits.switch import Switch
from proxy.pipeline import Step
from proxy.providers.provider import Provider
from proxy.router import Router
from proxy.store.shared_counters import SharedCounters
from proxy.store.shared_health import SharedHealth
from proxy.targets.checks import Watch

T = TypeVar("T")
_GRACE = 5.0


class Shared:
    """State that survives reloads, by name: client pools, key health, breakers.

    Each generation takes a lease. Generations are built in a thread while the loop retires others, so the count of
    holders is guarded by a lock. Objects are closed by ``sweep``, on the loop that uses them; what no lease holds stays
    until then, and the next lease finds it as it was.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a factory may take something itself
        self._objects: dict[str, Any] = {}
        self._holders: dict[str, int] = {}

    def lease(self) -> Lease:
        """A new lease, for one generation."""
        return Lease(self)

    def take(self, key: str, factory: Callable[[], T]) -> T:
        """The object of that name, made if there is none; counted once per call."""
        with self._lock:
            if key not in self._objects:
                self._objects[key] = factory()
            self._holders[key] = self._holders.get(key, 0) + 1
            found: T = self._objects[key]
            return found

    def give_back(self, keys: Iterable[str]) -> None:
        """One holder less for each of these."""
        with self._lock:
            for key in keys:
                self._holders[key] -= 1

    async def sweep(self) -> None:
        """Close what nobody holds."""
        with self._lock:
            unused = [key for key, holders in self._holders.items() if not holders]
            gone = [self._objects.pop(key) for key in unused]
            for key in unused:
                del self._holders[key]
        await _close(gone)

    async def aclose(self) -> None:
        """Close everything, held or not: nothing is served any more."""
        with self._lock:
            gone = list(self._objects.values())
            self._objects.clear()
        await _close(gone)

    def __len__(self) -> int:
        return len(self._objects)


async def _close(objects: list[Any]) -> None:
    """Close all that can be closed, also when one of them fails."""
    closing = [one.aclose() for one in objects if hasattr(one, "aclose")]
    done = await asyncio.gather(*closing, return_exceptions=True)
    failed = [error for error in done if isinstance(error, Exception)]
    if failed:
        raise ExceptionGroup("shared objects failed to close", failed)


class Lease:
    """What one generation holds of the shared state. Used by one thread at a time."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._held: dict[str, Any] = {}

    def get(self, key: str, factory: Callable[[], T]) -> T:
        """The shared object called ``key``, made by ``factory`` if there is none."""
        if key not in self._held:
            self._held[key] = self._shared.take(key, factory)
        found: T = self._held[key]
        return found

    def release(self) -> None:
        """Give everything back. May be called twice."""
        held, self._held = self._held, {}
        self._shared.give_back(held)


class Operators(msgspec.Struct, frozen=True):
    """What the file says to ``/admin``: operators by the SHA-256 of their keys; whether an ejected target is left."""

    keys: Mapping[bytes, Operator] = {}
    ejects: bool = True


class Quotas(Protocol):
    """A route's limits."""

    def gauges(self, identity: Identity | None, model: str, tags: Mapping[str, str]) -> Sequence[Gauge]:
        """Which of them count a request."""

    def all_rules(self) -> Sequence[Rule]:
        """All of them, of all callers."""


class Runtime:
    """A generation: immutable but for its count of requests in flight.

    ``doors`` tells for each fixed path which steps every possible route begins with.
    """

    __slots__ = (
        "_idle",
        "_lease",
        "canaries",
        "charges",
        "checks",
        "conversations",
        "counters",
        "digest",
        "doors",
        "experiments",
        "flags",
        "generation",
        "healths",
        "identities",
        "in_flight",
        "key_sets",
        "longest_request",
        "operators",
        "providers",
        "quotas",
        "rooms",
        "router",
        "shared_counters",
        "sharing",
        "tenants",
    )

    def __init__(
        self,
        generation: int,
        router: Router,
        providers: dict[str, Provider],
        digest: str,
        lease: Lease,
        conversations: Conversations | None = None,
        operators: Operators | None = None,
    ) -> None:
        self.generation = generation
        self.operators = operators or Operators()
        self.router = router
        self.providers = providers
        self.conversations = conversations
        self.digest = digest
        self.doors: dict[str, tuple[Step, ...]] = {path: router.door(path) for path in PATHS}
        self.in_flight = 0
        # Seconds in which every request of this generation has ended, by its route's own timeout, with some grace.
        self.longest_request = max((entry.pipeline.timeouts.total for entry in router.entries), default=0.0) + _GRACE
        self.charges = Charges()  # these are set once, while compiling
        self.counters = Switch()
        self.flags = Table()
        self.shared_counters: SharedCounters | None = None
        self.quotas: Mapping[str, Quotas] = {}  # by route
        self.identities: Identities | None = None
        self.experiments: Mapping[str, Enrolled] = {}  # by name
        self.rooms: Mapping[str, Room] = {}  # by route: where answers are kept
        self.tenants: Mapping[tuple[str, str, str], Identity] = {}  # by organisation, team and key
        self.checks: tuple[Watch, ...] = ()  # set once, while compiling
        self.canaries: Mapping[str, tuple[Release, Plan]] = {}  # set once, while compiling: by name
        self.key_sets: tuple[KeySet, ...] = ()  # likewise: of issuers whose tokens pass
        self.sharing: SharedHealth | None = None  # set once, while compiling: what tells other replicas of `healths`
        self.healths: Mapping[str, Health] = {}
        self._lease = lease
        self._idle = asyncio.Event()

    def tenant(self, organisation: str, team: str, key: str) -> Identity | None:
        """Who had this name, as far as it is still known: of a key that is gone, its team; None for no tenant."""
        return self.identities.named(organisation, team, key) if organisation and self.identities else None

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

    def release(self) -> None:
        """Give back what this generation held of the shared state; ``Shared.sweep`` closes what nobody else holds."""
        self._lease.release()
