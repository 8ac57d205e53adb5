"""``python -m tests.bench.balance``: ways of ``balance`` over a pool whose targets differ, in what callers wait for.

Two quick targets, of which one gets slower the more it has to do; a slow one; and one that is quick but stalls for half
a second, every three. Requests come at random times, the same for all ways; each way has a pool of its own, and all run
side by side in real time. What is sent nowhere but into a sleep is the answer; leaves, health and choice are the real
ones.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from typing import Any, NamedTuple

from policies.routing._helpers import By
from policies.routing.balance import Balance, BalanceConfig
from proxy.choosing.capability import NOTHING_NEEDED, Needs
from proxy.dialects.paths import EXACT
from proxy.exchange import Exchange
from proxy.policy import Answer, Timeouts
from proxy.providers.provider import Provider
from proxy.targets.leaf import Leaf

WAYS: tuple[By, ...] = ("latency", "random", "round_robin", "least_busy")
SECONDS, RATE, SEED = 15.0, 100.0, 7
STALL_EVERY, STALL = 3.0, 0.5  # seconds


class Nature(NamedTuple):
    """How a target answers: seconds when idle, how many requests at once make that double (0: it does not matter),
    whether it stalls."""

    seconds: float
    width: int = 0
    stalls: bool = False


POOL = {
    "quick": Nature(0.030),
    "crowded": Nature(0.030, width=3),
    "slow": Nature(0.150),
    "stalling": Nature(0.030, stalls=True),
}


class Sleeper(Provider):
    """Answers after the time that its nature takes."""

    __slots__ = ("_begun", "_busy", "_draw", "_nature")

    def __init__(self, name: str, nature: Nature, seed: int) -> None:
        super().__init__(name)
        self._nature = nature
        self._draw = random.Random(f"{name} {seed}")
        self._busy = 0
        self._begun = time.monotonic()

    @classmethod
    def compile(cls, name: str, config: Any, context: Any) -> Sleeper:
        raise NotImplementedError

    async def send(self, x: Exchange, model: str | None, timeouts: Timeouts) -> Answer:
        nature = self._nature
        seconds = nature.seconds * self._draw.lognormvariate(0.0, 0.25)
        if nature.width:
            seconds *= 1.0 + self._busy / nature.width
        if nature.stalls:
            into = (time.monotonic() - self._begun) % STALL_EVERY
            seconds += max(0.0, STALL - into)  # nothing leaves it before its stall is over
        self._busy += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self._busy -= 1
        return Answer(200, [], body=b"{}")

    def describe(self) -> str:
        return "a sleep"


class _Compiling:
    def __init__(self, seed: int) -> None:
        self._leaves = {name: Leaf(name, Sleeper(name, nature, seed), "m", Timeouts()) for name, nature in POOL.items()}

    def target(self, value: str, at: str) -> Leaf:
        return self._leaves[value]

    def needs(self, x: Exchange) -> Needs:
        return x.needs or NOTHING_NEEDED


class Row(NamedTuple):
    """What callers of one way waited, in milliseconds, and the share that each target got."""

    way: str
    p50: float
    p90: float
    p99: float
    shares: dict[str, float]


async def _one(node: Any, times: list[float], got: Counter[str]) -> None:
    x = Exchange("req_bench", "POST", "/v1/chat/completions", b"", [], time.monotonic(), 0)
    x.endpoint = EXACT["POST", "/v1/chat/completions"]
    x.body, x.model, x.deadline = b"{}", "m", x.received + 60
    answer = await node.send(x)
    times.append(time.monotonic() - x.received)
    got[answer.target] += 1
    answer.attempt.end()


async def _run(way: By, seconds: float, seed: int) -> Row:
    context: Any = _Compiling(seed)
    node = Balance.compile(BalanceConfig(of=tuple(POOL), by=way), context, random.Random(seed).random)
    arrivals = random.Random(seed)
    times: list[float] = []
    got: Counter[str] = Counter()
    tasks = []
    begun, due = time.monotonic(), 0.0
    while due < seconds:
        due += arrivals.expovariate(RATE)
        await asyncio.sleep(max(0.0, begun + due - time.monotonic()))
        tasks.append(asyncio.create_task(_one(node, times, got)))
    await asyncio.gather(*tasks)
    times.sort()
    p50, p90, p99 = (times[int(share * len(times))] * 1000 for share in (0.5, 0.9, 0.99))
    return Row(way, p50, p90, p99, {name: got[name] / len(times) for name in POOL})


async def measure(seconds: float = SECONDS, seed: int = SEED) -> list[Row]:
    """All ways at the same time, each with its own pool and the same requests."""
    return list(await asyncio.gather(*(_run(way, seconds, seed) for way in WAYS)))


def main() -> int:
    """Print the table. Exit code 1 if balance by latency is not the better one."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.balance", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="default: %(default)s")
    args = parser.parse_args()
    rows = asyncio.run(measure(args.seconds))
    print(f"Four unlike targets, {RATE:g} requests a second for {args.seconds:g} s, milliseconds\n")
    print(f"| {'by':11} | {'p50':>6} | {'p90':>6} | {'p99':>6} | shares: {', '.join(POOL):33} |")
    print(f"|{'-' * 13}|{'-' * 7}:|{'-' * 7}:|{'-' * 7}:|{'-' * 43}|")
    for row in rows:
        shares = ", ".join(f"{share:.0%}" for share in row.shares.values())
        print(f"| {row.way:11} | {row.p50:6.0f} | {row.p90:6.0f} | {row.p99:6.0f} | {shares:41} |")
    latency, random_, turns = rows[:3]
    return 0 if latency.p50 <= min(random_.p50, turns.p50) and latency.p99 < min(random_.p99, turns.p99) else 1


if __name__ == "__main__":
    raise SystemExit(main())
