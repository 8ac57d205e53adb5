"""Counters of a process: its own memory, until it is told of others."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.limits.limit import Amounts, Counters, Gauge, Held, Level, Over
from proxy.limits.memory import MemoryCounters

NAME = "limits"  # under which they are shared


class Switch(Counters):
    """Asks ``current``. What was reserved with others before is settled with them."""

    __slots__ = ("current", "memory")

    def __init__(self) -> None:
        self.memory = MemoryCounters()
        self.current: Counters = self.memory

    async def reserve(self, id: str, gauges: Sequence[Gauge], amounts: Amounts) -> Held | Over:
        """With those that are current."""
        found = await self.current.reserve(id, gauges, amounts)
        if isinstance(found, Held):
            found.of = self.current
        return found

    def settle(self, held: Held, used: Amounts) -> None:
        """With those that it was reserved with."""
        (held.of or self.current).settle(held, used)

    async def look(self, gauges: Sequence[Gauge]) -> list[Level]:
        """By those that are current."""
        return await self.current.look(gauges)
