"""``python -m tests.bench.decision``: how long the choice takes, without sending anything.

A tree of fifty leaves for every way of ``balance``, and the same leaves under the other nodes. Each leaf answers at
once; what one such answer costs without a tree is taken off. The aim is 20 µs for each.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from typing import Any, get_args

from policies.routing._helpers import By
from policies.routing.balance import Balance, BalanceConfig
from policies.routing.fallback import Fallback
from policies.routing.priority import Priority
from policies.routing.split import Split
from proxy.choosing.capability import NOTHING_NEEDED, Needs, Reach
from proxy.choosing.health import Health
from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, Target
from proxy.price import Price

LEAVES = 50
AIM = 20.0  # microseconds
ROUNDS, REQUESTS = 9, 2000


class Known(Target):
    """A leaf of which everything is known, that answers at once."""

    __slots__ = ("_answer", "_healths", "_prices", "name")

    def __init__(self, name: str, draw: random.Random) -> None:
        self.name = name
        self._answer = Answer(200, [], body=b"{}", target=name)
        self._prices = frozenset({Price(draw.randrange(10**9), draw.randrange(10**10))})
        health = Health(name)
        now = time.monotonic()
        health.first_token.observe(draw.uniform(0.1, 2.0), now)
        health.per_token.observe(draw.uniform(0.005, 0.05), now)
        health.in_flight = draw.randrange(20)
        health.told, health.told_at = _told(draw), now
        self._healths = (health,)

    async def send(self, x: Exchange) -> Answer:
        return self._answer

    def explain(self, x: Exchange) -> Choice:
        return Choice(self.name, True, "")

    def leaves(self) -> tuple[str, ...]:
        return (self.name,)

    def healths(self) -> tuple[Health, ...]:
        return self._healths

    def reaches(self) -> frozenset[Reach]:
        return frozenset({Reach()})

    def prices(self, model: str = "") -> frozenset[Price | None]:
        return frozenset(self._prices)


def _told(draw: random.Random) -> list[Header]:
    found: list[Header] = []
    for kind in (b"requests", b"tokens"):
        found += [
            (b"x-ratelimit-limit-" + kind, b"100000"),
            (b"x-ratelimit-remaining-" + kind, b"%d" % draw.randrange(100_000)),
            (b"x-ratelimit-reset-" + kind, b"6m0s"),
        ]
    return found


class _Compiling:
    """The part of a compile context that the nodes use here."""

    def __init__(self, leaves: list[Known]) -> None:
        self._leaves = {leaf.name: leaf for leaf in leaves}

    def target(self, value: str, at: str) -> Known:
        return self._leaves[value]

    def needs(self, x: Exchange) -> Needs:
        return x.needs or NOTHING_NEEDED


def _trees(leaves: list[Known], seed: int) -> dict[str, Target]:
    context: Any = _Compiling(leaves)
    names = tuple(leaf.name for leaf in leaves)
    draw = random.Random(seed).random
    found: dict[str, Target] = {}

    def balance(by: By, of: tuple[str, ...] = names) -> Target:
        made = Balance.compile(BalanceConfig(of=of, by=by), context, draw)
        assert made is not None
        return made

    for by in get_args(By):
        found[f"balance by {by}"] = balance(by)
    tiers = tuple(balance("latency", names[at : at + 10]) for at in range(0, LEAVES, 10))
    found["priority, 5 tiers of 10"] = Priority(tiers, 0.5, context.needs)
    found["fallback of 50"] = Fallback(tuple(leaves), frozenset(), context.needs)
    found["split over 50"] = Split(tuple(leaves), (1.0,) * LEAVES, None, context.needs, draw)
    return found


def _exchange() -> Exchange:
    x = Exchange("req_bench", "POST", "/v1/chat/completions", b"", [], time.monotonic(), 0)
    x.needs = Needs(0, 1200, 400)
    x.deadline = x.received + 3600
    return x


async def _microseconds(tree: Target, before: Callable[[], None]) -> float:
    """For one request, in the best of the rounds: what else the machine does is no cost of ours."""
    x = _exchange()
    times = []
    for _ in range(ROUNDS):
        total = 0.0
        for _ in range(REQUESTS):
            before()
            started = time.perf_counter()
            await tree.send(x)
            total += time.perf_counter() - started
            if x.skipped:
                x.skipped.clear()
        times.append(total / REQUESTS * 1e6)
    return min(times)


def measure(seed: int = 1) -> list[tuple[str, float, float]]:
    """Name of the tree; microseconds of its choice; the same while a tenth of the leaves are ejected or limited."""
    draw = random.Random(seed)
    leaves = [Known(f"p{at}/m", draw) for at in range(LEAVES)]
    healths = [leaf.healths()[0] for leaf in leaves]

    def news() -> None:
        """An answer has come, with its news of limits."""
        healths[draw.randrange(LEAVES)].told = _NEWS[draw.randrange(len(_NEWS))][:]

    async def run() -> list[tuple[str, float, float]]:
        bare = await _microseconds(leaves[0], news)
        found = []
        for name, tree in _trees(leaves, seed).items():
            well = await _microseconds(tree, news) - bare
            for health in healths[:: LEAVES // 5]:
                health.limited_until = time.monotonic() + 3600
            ill = await _microseconds(tree, news) - bare
            for health in healths:
                health.limited_until = 0.0
            found.append((name, well, ill))
        return found

    return asyncio.run(run())


_NEWS = [_told(random.Random(at)) for at in range(100)]


def main() -> int:
    """Print the table. Exit code 1 if a choice takes longer than the aim."""
    rows = measure()
    print(f"Choice in a tree of {LEAVES} leaves, microseconds (aim: {AIM:g})\n")
    print(f"| {'tree':24} | all well | a tenth limited |\n|{'-' * 26}|---------:|----------------:|")
    for name, well, ill in rows:
        print(f"| {name:24} | {well:8.1f} | {ill:15.1f} |")
    worst = max(max(well, ill) for _, well, ill in rows)
    print(f"\nslowest {worst:.1f}, median {statistics.median(well for _, well, _ in rows):.1f}")
    return 1 if worst > AIM else 0


if __name__ == "__main__":
    raise SystemExit(main())
