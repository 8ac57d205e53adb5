"""Limits: what is counted, over what time, and what it is to reserve.

A request reserves what it may cost at most, over all gauges that apply, in one step: all or nothing. When its cost is
known, it settles: what was reserved is replaced by what was used, at the time of the reservation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

Kind = Literal["requests", "input_tokens", "output_tokens", "tokens", "money", "concurrent"]
Window = Literal["second", "minute", "hour", "day", "month", "total", ""]
SECONDS: dict[str, float] = {
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
}  # windows that slide; the others are of a calendar


class Limit(msgspec.Struct, frozen=True):
    """At most ``amount`` of ``kind`` (nano-dollars for money) in a ``window``, which is "" for ``concurrent`` alone.

    Second, minute and hour slide. Day and month are those of a calendar; ``total`` never ends.
    """

    kind: Kind
    amount: int
    window: Window
    text: str = ""  # as it was written


class Gauge(msgspec.Struct, frozen=True):
    """One limit of one scope. ``key`` names the counter, and does not depend on the amount: who changes a limit keeps
    what was counted.

    ``is_hard``: a request that would go over it is not reserved. Others are counted and said to be over.
    ``is_open``: a request passes while the shared store cannot be asked; else it is refused then.
    """

    key: str
    limit: Limit
    zone: str = "UTC"
    is_hard: bool = True
    is_open: bool = True


class Amounts:
    """What one request takes, or took: requests, tokens, nano-dollars."""

    __slots__ = ("input", "money", "output", "requests")

    def __init__(self, requests: int = 1, input: int = 0, output: int = 0, money: int = 0) -> None:
        self.requests = requests
        self.input = input
        self.output = output
        self.money = money

    def of(self, kind: Kind) -> int:
        """The part that a limit of ``kind`` counts."""
        if kind == "requests":
            return self.requests
        if kind == "tokens":
            return self.input + self.output
        if kind == "input_tokens":
            return self.input
        if kind == "output_tokens":
            return self.output
        return self.money if kind == "money" else 1


class Level(msgspec.Struct, frozen=True):
    """What a gauge shows: ``used`` with all reservations; ``reset``: seconds until some of it (sliding: the oldest
    part; calendar: all) is free again, 0 while nothing is used, None for what never resets by time."""

    used: int
    reset: float | None


class Over(msgspec.Struct, frozen=True):
    """Nothing was reserved: ``gauge`` (index) does not admit it now. ``wait``: seconds until it will if nothing else
    comes, rounded up to none less than the truth; None if time alone will not help, or the amount never fits."""

    gauge: int
    level: Level
    wait: float | None


class Held:
    """A reservation. ``levels`` in the order of the gauges, with this one counted; ``over``: indices of gauges that are
    not hard and were exceeded by it. ``slots`` is the counters' own."""

    __slots__ = ("amounts", "gauges", "id", "levels", "over", "slots")

    def __init__(
        self,
        id: str,
        gauges: Sequence[Gauge],
        amounts: Amounts,
        levels: Sequence[Level],
        over: Sequence[int],
        slots: object = None,
    ) -> None:
        self.id = id
        self.gauges = gauges
        self.amounts = amounts
        self.levels = levels
        self.over = over
        self.slots = slots


class Unavailable(Exception):
    """The store of the counters cannot be asked, and a gauge says that nothing passes then."""


class Counters(Protocol):
    """Where gauges are kept. All that raise ``Unavailable`` have reserved nothing."""

    async def reserve(self, id: str, gauges: Sequence[Gauge], amounts: Amounts) -> Held | Over:
        """Reserve ``amounts`` in every gauge, or in none. ``id`` is the request's, unique.

        Raises:
            Unavailable: see there.
        """

    async def settle(self, held: Held, used: Amounts) -> None:
        """``used`` replaces what was reserved, once; a concurrent place is free again. Never raises."""

    async def look(self, gauges: Sequence[Gauge]) -> list[Level]:
        """What gauges show now, without changing them."""
