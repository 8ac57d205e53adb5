"""Callers decide about tags and models: whatever they send, what is remembered of them is bounded."""

from __future__ import annotations

import subprocess
import sys

from tests.support.environment import ROOT, clean_environment

_MANY = """
import asyncio, gc, os
from proxy.limits.limit import Amounts, Gauge
from proxy.limits.memory import MemoryCounters
from proxy.limits.rule import parse

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

async def main():
    counters, limits = MemoryCounters(max_gauges=20_000), [parse("10/h"), parse("1000 tokens/min")]
    before = resident()
    for number in range(50_000):
        gauges = [Gauge(f"key acme/search/web {limit.kind} per user someone-{number}", limit) for limit in limits]
        held = await counters.reserve(f"req_{number}", gauges, Amounts(1, 10, 10))
        counters.settle(held, Amounts(1, 5, 5))
    print(len(counters), (resident() - before) >> 20)

asyncio.run(main())
"""


def test_limits_of_many_users_are_bounded() -> None:
    """Two limits each: counters are dropped, and one takes less than a kilobyte: the 100,000 of a gateway 100 MB."""
    done = subprocess.run(
        [sys.executable, "-c", _MANY], cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=True
    )
    counters, megabytes = map(int, done.stdout.split())
    assert counters <= 20_000
    assert megabytes < 20
