"""Limits: what is counted, over what time, and what it is to reserve.

A request reserves what it may cost at most, over all gauges that apply, in one step: all or nothing. When its cost is
known, it settles: what was reserved is replaced by what was used, at the time of the reservation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from proxy.units import Percent

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


SOFT = ("warn", "shadow", "downgrade")  # what lets a request pass that goes over a limit
OverLimit = Literal["reject", "queue", "warn", "shadow"]


class Downgrade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Go to the targets of another route."""

    downgrade: str


class LimitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry of ``limits`` as the file has it; a plain text is its ``limit``."""

    limit: str
    models: tuple[str, ...] | None = None
    per: Literal["user", "session", "project", "feature"] | None = None
    over_limit: OverLimit | Downgrade | None = None
    alerts: tuple[Percent, ...] = (Percent(0.5), Percent(0.8), Percent(1.0))
    store_down: Literal["open", "closed"] | None = None


class Rule(msgspec.Struct, frozen=True):
    """A limit and whom it is for. ``scope`` names the organisation, team, key or route; with ``per``, each value of
    that tag has a gauge of its own. ``over``: None for what the route's ``quota`` says; ``detour`` is the route of a
    ``downgrade``. ``alerts``: shares of the limit, in order, at which operators are told."""

    limit: Limit
    level: str  # organisation, team, key or route
    scope: str
    models: tuple[str, ...] | None = None
    per: str = ""
    over: str | None = None
    detour: str = ""
    alerts: tuple[float, ...] = ()
    zone: str = "UTC"
    is_open: bool = True

    @property
    def key(self) -> str:
        """The name of its counter, but for the value of ``per``."""
        of = "" if self.models is None else f" of {' '.join(self.models)}"
        per = f" per {self.per}" if self.per else ""
        soft = f" {self.over} {self.detour}".rstrip() if self.over in SOFT else ""
        return f"{self.level} {self.scope} {self.limit.kind}/{self.limit.window}{of}{per}{soft}"


class Amounts:
    """What one request takes, or took: requests, tokens, nano-dollars. ``by``: what a limit of a kind counts of it."""

    __slots__ = ("by", "input", "money", "output")

    def __init__(self, requests: int = 1, input: int = 0, output: int = 0, money: int = 0) -> None:
        self.input = input
        self.output = output
        self.money = money
        self.by: dict[Kind, int] = {
            "requests": requests,
            "input_tokens": input,
            "output_tokens": output,
            "tokens": input + output,
            "money": money,
            "concurrent": 1,
        }


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
    """A reservation. ``used``: what each gauge shows with it; ``over``: indices of gauges that are not hard and were
    exceeded by it; ``reset(at)``: see ``Level.reset``. ``slots`` is the counters' own; ``of``: which they are."""

    __slots__ = ("amounts", "gauges", "id", "of", "over", "reset", "slots", "used")

    def __init__(
        self,
        id: str,
        gauges: Sequence[Gauge],
        amounts: Amounts,
        used: Sequence[int],
        over: Sequence[int],
        reset: Callable[[int], float | None],
        slots: object = None,
    ) -> None:
        self.id = id
        self.gauges = gauges
        self.amounts = amounts
        self.used = used
        self.over = over
        self.reset = reset
        self.slots = slots
        self.of: Counters | None = None


class Unavailable(Exception):
    """The store of the counters cannot be asked, and a gauge says that nothing passes then."""


class Counters(Protocol):
    """Where gauges are kept. All that raise ``Unavailable`` have reserved nothing."""

    async def reserve(self, id: str, gauges: Sequence[Gauge], amounts: Amounts) -> Held | Over:
        """Reserve ``amounts`` in every gauge, or in none. ``id`` is the request's, unique.

        Raises:
            Unavailable: see there.
        """

    def settle(self, held: Held, used: Amounts) -> None:
        """``used`` replaces what was reserved, once; a concurrent place is free again. Never raises."""

    async def look(self, gauges: Sequence[Gauge]) -> list[Level]:
        """What gauges show now, without changing them."""
