"""What was reserved with some counters is settled with them, whichever are current then."""

from __future__ import annotations

from proxy.limits.limit import Amounts, Counters, Gauge, Held, Over
from proxy.limits.memory import MemoryCounters
from proxy.limits.rule import parse
from proxy.limits.switch import Switch

GAUGES = [Gauge("requests", parse("2/h")), Gauge("places", parse("5 concurrent"))]


async def _used(counters: Counters) -> list[int]:
    return [level.used for level in await counters.look(GAUGES)]


async def test_a_reservation_is_settled_where_it_was_made() -> None:
    """However often they are switched meanwhile."""
    switch, others = Switch(), MemoryCounters()
    before = await switch.reserve("a", GAUGES, Amounts())
    switch.current = others
    after = await switch.reserve("b", GAUGES, Amounts())
    assert isinstance(before, Held)
    assert isinstance(after, Held)
    assert (await _used(switch.memory), await _used(others)) == ([1, 1], [1, 1])
    switch.settle(before, Amounts(0))
    assert (await _used(switch.memory), await _used(others)) == ([0, 0], [1, 1])
    switch.current = switch.memory
    switch.settle(after, Amounts(0))
    assert await _used(others) == [0, 0]


async def test_what_is_shown_and_refused_is_said_by_those_that_are_current() -> None:
    """At first the memory of the process."""
    switch = Switch()
    for _ in range(2):
        assert isinstance(await switch.reserve("a", GAUGES, Amounts()), Held)
    assert isinstance(await switch.reserve("a", GAUGES, Amounts()), Over)
    assert await _used(switch) == [2, 2]
    switch.current = MemoryCounters()
    assert await _used(switch) == [0, 0]
    assert isinstance(await switch.reserve("a", GAUGES, Amounts()), Held)
