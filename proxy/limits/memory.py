"""Counters of one process. Nothing else runs between the look at all gauges and the reservation in all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, cast

from proxy.limits.limit import SECONDS, Amounts, Counters, Gauge, Held, Level, Over
from proxy.limits.windows import Calendar, Sliding, Total, counter

_LOOKED_AT = 64  # counters that are looked at for one to be dropped


class MemoryCounters(Counters):
    """At most ``max_gauges`` counters; beyond that those go first that show nothing, then those not used for longest.

    ``monotonic`` is the clock of windows that slide, ``wall`` that of calendars.
    """

    __slots__ = ("_counters", "_max", "_monotonic", "_wall", "reserved")

    def __init__(
        self,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        max_gauges: int = 100_000,
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._max = max_gauges
        self._counters: dict[str, Total] = {}
        self.reserved = 0  # reservations that are not settled

    def names(self) -> frozenset[str]:
        """Of all counters there are."""
        return frozenset(self._counters)

    def __len__(self) -> int:
        return len(self._counters)

    async def reserve(self, id: str, gauges: Sequence[Gauge], amounts: Amounts) -> Held | Over:
        """In all gauges, or in none."""
        monotonic, wall = self._monotonic(), self._wall()
        counters, by = self._counters, amounts.by
        found: list[tuple[Total, int, float]] = []
        over: list[int] = []
        refused: Over | None = None
        for gauge in gauges:
            limit = gauge.limit
            amount = by[limit.kind]
            one = counters.get(gauge.key)
            if one is None:
                one = self._make(gauge)
            now = wall if one.by_wall else monotonic
            if now >= one.due:
                one.turn(now)
            one.seen = monotonic  # also where it refuses: a counter that is full must not be dropped for it
            if one.used + amount > limit.amount:
                if gauge.is_hard:
                    wait = one.wait(amount, limit.amount, now)
                    refused = _worse(refused, Over(len(found), Level(one.used, one.reset(now)), wait))
                else:
                    over.append(len(found))
            found.append((one, amount, now))
        if refused is not None:
            return refused
        slots = [one.add(amount, now) for one, amount, now in found]
        used = [one.used for one, _, _ in found]
        self.reserved += 1

        def reset(at: int) -> float | None:
            one, _, now = found[at]
            return one.reset(now)

        return Held(id, gauges, amounts, used, over, reset, (found, slots))

    def settle(self, held: Held, used: Amounts) -> None:
        """Put what was used in the place of what was reserved; only the first time."""
        if held.slots is None:
            return
        found, slots = cast(tuple[list[tuple[Total, int, float]], list[Any]], held.slots)
        held.slots = None
        self.reserved -= 1
        monotonic, wall = self._monotonic(), self._wall()
        changes = {kind: amount - held.amounts.by[kind] for kind, amount in used.by.items()} | {"concurrent": -1}
        for gauge, (one, _, _), slot in zip(held.gauges, found, slots, strict=True):
            by = changes[gauge.limit.kind]
            if by:
                one.change(slot, by, wall if one.by_wall else monotonic)

    async def look(self, gauges: Sequence[Gauge]) -> list[Level]:
        """What they show now."""
        monotonic, wall = self._monotonic(), self._wall()
        levels = []
        for gauge in gauges:
            one = self._counters.get(gauge.key) or counter(gauge.limit, gauge.zone)
            now = wall if one.by_wall else monotonic
            one.turn(now)
            levels.append(Level(one.used, one.reset(now)))
        return levels

    def replay(self, gauges: Sequence[Gauge], amounts: Amounts, at: float) -> None:
        """Count what was used at ``at`` (seconds since the epoch), where that still counts."""
        monotonic, wall = self._monotonic(), self._wall()
        for gauge in gauges:
            limit = gauge.limit
            if limit.kind == "concurrent":
                continue
            one = self._counters.get(gauge.key) or self._make(gauge)
            one.turn(wall if one.by_wall else monotonic)
            one.seen = monotonic
            amount = amounts.by[limit.kind]
            if isinstance(one, Sliding):
                ago = max(0.0, wall - at)
                if ago < SECONDS[limit.window]:
                    one.add(amount, monotonic - ago)
            elif not isinstance(one, Calendar) or one.covers(at):
                one.add(amount, wall)

    def _make(self, gauge: Gauge) -> Total:
        if len(self._counters) >= self._max:
            self._make_room()
        made = self._counters[gauge.key] = counter(gauge.limit, gauge.zone)
        return made

    def _make_room(self) -> None:
        """Drop, of the first in the line, one that shows nothing, else the one not used for longest; the others go to
        its end, so that each is looked at in its turn."""
        monotonic, wall = self._monotonic(), self._wall()
        first = list(islice(self._counters, _LOOKED_AT))
        oldest = first[0]
        for key in first:
            one = self._counters[key] = self._counters.pop(key)
            one.turn(wall if one.by_wall else monotonic)
            if not one.used:
                oldest = key
                break
            if one.seen < self._counters[oldest].seen:
                oldest = key
        del self._counters[oldest]


def _worse(known: Over | None, other: Over) -> Over:
    """The one that takes longer to be over."""
    if known is None or other.wait is None:
        return other if known is None or known.wait is not None else known
    return known if known.wait is None or known.wait >= other.wait else other
