"""What quotas are compiled and called with in tests: counters with a clock that is moved, charges, lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from proxy.choosing.capability import Growth
from proxy.config.limits import rules_of
from proxy.exchange import Exchange, Identity, Meter
from proxy.limits.limit import Counters, Rule
from proxy.limits.memory import MemoryCounters
from proxy.policy import Target
from proxy.price import Price
from proxy.tokens.request import grown
from tests.policies.conftest import Context, Scripted

PRICE = Price(1_000_000_000, 2_000_000_000)  # $1 and $2 for a million tokens


class Clock:
    """Seconds; a test moves them."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Priced(Scripted):
    """A target whose price is known, or not."""

    price: Price | None = PRICE

    def prices(self, model: str = "") -> frozenset[Price | None]:
        return frozenset({self.price})


class Limits(Context):
    """A context with counters. Tokens of a request are bounded by 100, and counted as 10."""

    def __init__(self, identities: Sequence[Identity] = ()) -> None:
        super().__init__()
        self.clock_of_limits = Clock()
        self.counted: Counters = MemoryCounters(monotonic=self.clock_of_limits, wall=self.clock_of_limits)
        self.refuses_unknown_price = True
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.counts = 0
        self.exact = 10
        self.output: int | None = None
        self.tree = Priced("sim/dear")
        self.cheap = Scripted("sim/cheap")
        self.known = {bytes([at]) * 32: identity for at, identity in enumerate(identities)}
        self.detours: list[tuple[str, str]] = []

    def counters(self) -> Counters:
        return self.counted

    def root(self) -> Target:
        return self.tree

    def detour(self, route: str, at: str = "") -> Callable[[], Target] | None:
        self.detours.append((route, at))
        return lambda: self.cheap

    def bound(self, x: Exchange) -> tuple[int, int | None]:
        if x.bound is None:
            x.bound = (100, self.output)
        return x.bound

    def grown(self, x: Exchange, size: tuple[int, int], growths: Collection[Growth]) -> tuple[int, int]:
        return grown(x, size, growths)

    async def count_input(self, x: Exchange) -> int:
        self.counts += 1
        return self.exact

    def rules(self, limits: Sequence[Any], level: str, scope: str, at: str) -> tuple[Rule, ...]:
        return rules_of(limits, level, scope, "UTC", lambda message, below: self.fail(message, at + below))

    def tell(self, event: str, **fields: Any) -> None:
        self.told.append((event, fields))


class Spent:
    """A charge that a test settles."""

    def __init__(self, input_tokens: int, output_tokens: int, cost: int) -> None:
        self.input_tokens, self.output_tokens, self.cost = input_tokens, output_tokens, cost
        self.is_settled = False
        self.row: Any = None
        self.waiting: list[Callable[[], None]] = []

    def settle(self, status: str, reason: str = "") -> None:
        self.is_settled = True
        for work in self.waiting:
            work()

    async def take(self, answer: Any) -> None:
        raise NotImplementedError

    def then(self, work: Callable[[], None]) -> None:
        if self.is_settled:
            work()
        else:
            self.waiting.append(work)


class Waits(Meter):
    """Remembers what it was told."""

    __slots__ = ("line", "outcomes")

    def __init__(self) -> None:
        self.line = 0
        self.outcomes: list[str] = []

    def waiting(self, route: str, change: int) -> None:
        self.line += change

    def waited(self, route: str, outcome: str, seconds: float) -> None:
        self.outcomes.append(outcome)
