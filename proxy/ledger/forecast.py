"""What a month will cost, and when a budget will be used up, by what the last days did.

The method is simple, so that people can follow it: the money of the days to come is the mean of the last seven whole
days. With fourteen or more of them, each day of the week has its own mean (over at most 28 days), as offices rest. What
the days spread around their means says how far the month may be from it: in four of five months it ends between ``low``
and ``high``, if days are independent of one another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from proxy.ledger.export import Selection, Source
from proxy.ledger.usage import daily

HISTORY = 28  # whole days that are looked at
_RECENT, _WEEKLY = 7, 14
_QUANTILE = 1.2816  # standard deviations: four of five lie within
_AHEAD = 366  # days
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEVELS = ("organisation", "team", "key")


class Forecast(msgspec.Struct, frozen=True):
    """Of the month that ``now`` is in, in nano-dollars. ``low`` and ``high`` are None with less than two whole days,
    ``expected`` with nothing that a day could be guessed from."""

    spent: int
    expected: int | None
    low: int | None
    high: int | None
    days: int  # whole days that it stands on
    is_weekly: bool


class Budget(msgspec.Struct, frozen=True):
    """A limit of money of the file. ``scope`` is a column, ``name`` its text; that of a team or a key may be a path
    (organisation/team/key). ``window`` is "day", "month" (both UTC) or "total"."""

    scope: str
    name: str
    limit_nano: int
    window: Literal["day", "month", "total"]


class Runway(msgspec.Struct, frozen=True):
    """How long a budget lasts: until ``ends`` (microseconds), or to the end of its window (None)."""

    budget: Budget
    spent: int
    ends: int | None


class Pace:
    """Nano-dollars of a day, by the whole days before it. ``spending``: nano-dollars by day since the epoch."""

    def __init__(self, spending: Mapping[int, int], today: int) -> None:
        first = max(min((day for day, cost in spending.items() if cost), default=today), today - HISTORY)
        self.days = max(0, today - first)  # a day without any request is a day, too
        self.is_weekly = self.days >= _WEEKLY
        past = [(day, spending.get(day, 0)) for day in range(first, today)]
        used = past if self.is_weekly else past[-_RECENT:]
        self._mean = _mean([cost for _, cost in used])
        self._of_weekday = {
            weekday: _mean([cost for day, cost in used if day % 7 == weekday])
            for weekday in {day % 7 for day, _ in used}
        }
        self._count = len(used)
        self._spread = self._deviation(used)

    def on(self, day: int) -> float:
        """What that day is expected to cost."""
        return self._of_weekday[day % 7] if self.is_weekly else self._mean

    def off(self, days: float) -> float | None:
        """How far the sum of so many days may be from what is expected: days differ, and their mean is itself a guess;
        None if too little is known."""
        if self._spread is None:
            return None
        return _QUANTILE * self._spread * math.sqrt(days + days * days / self._count)

    def _deviation(self, used: Sequence[tuple[int, int]]) -> float | None:
        means = len(self._of_weekday) if self.is_weekly else 1
        if len(used) <= means:
            return None
        squares = sum((cost - self.on(day)) ** 2 for day, cost in used)
        return math.sqrt(squares / (len(used) - means))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def month(now: datetime) -> tuple[datetime, datetime]:
    """Where the month begins, and the next one."""
    start = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + timedelta(days=32)).replace(day=1)


def day_of(moment: datetime) -> int:
    """Days since the epoch."""
    return (moment - _EPOCH).days


def history(now: datetime) -> int:
    """Since when spending has to be known for a forecast: microseconds."""
    start, _ = month(now)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return micros(min(start, midnight - timedelta(days=HISTORY)))


def micros(moment: datetime) -> int:
    """Since the epoch."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def forecast(spending: Mapping[int, int], now: datetime) -> Forecast:
    """``spending``: nano-dollars by day since the epoch, since ``history(now)``."""
    start, end = month(now)
    today = day_of(now)
    spent = sum(cost for day, cost in spending.items() if day >= day_of(start))
    pace = Pace(spending, today)
    gone = (now - (_EPOCH + timedelta(days=today))) / timedelta(days=1)
    left = day_of(end) - today - gone
    if not pace.days:  # only today: as it went so far, after an hour of it
        guess = spent + round(spending.get(today, 0) / gone * left) if spent and gone >= 1 / 24 else None
        return Forecast(spent, guess, None, None, 0, False)
    more = pace.on(today) * (1.0 - gone) + sum(pace.on(day) for day in range(today + 1, day_of(end)))
    off = pace.off(left)
    expected = spent + round(more)
    low = None if off is None else max(spent, expected - round(off))
    high = None if off is None else expected + round(off)
    return Forecast(spent, expected, low, high, pace.days, pace.is_weekly)


def runway(budget: Budget, spent: int, pace: Callable[[int], float], now: datetime) -> Runway:
    """``spent`` in the present window. Looks a year ahead at most; a budget that is used up ends now."""
    if spent >= budget.limit_nano:
        return Runway(budget, spent, micros(now))
    today = day_of(now)
    last = {"day": today, "month": day_of(month(now)[1]) - 1, "total": today + _AHEAD}[budget.window]
    left = float(budget.limit_nano - spent)
    moment = now
    for day in range(today, last + 1):
        midnight = _EPOCH + timedelta(days=day + 1)
        cost = pace(day) * ((midnight - moment) / timedelta(days=1))
        if cost >= left > 0:
            return Runway(budget, spent, micros(moment + (midnight - moment) * (left / cost)))
        left -= cost
        moment = midnight
    return Runway(budget, spent, None)


def runways(source: Source, budgets: Sequence[Budget], now: datetime) -> list[Runway]:
    """Of all budgets, those that end first before the others.

    Raises:
        ValueError: a scope that is no column.
    """
    today, start = day_of(now), day_of(month(now)[0])
    recent: dict[tuple[str, ...], dict[tuple[str, ...], dict[int, int]]] = {}
    ever: dict[tuple[str, ...], dict[tuple[str, ...], dict[int, int]]] = {}
    found = []
    for budget in budgets:
        columns, names = _columns(budget)
        if columns not in recent:
            recent[columns] = daily(source, Selection(history(now)), columns)
        days = recent[columns].get(names, {})
        if budget.window == "total":
            if columns not in ever:
                ever[columns] = daily(source, Selection(), columns)
            spent = sum(ever[columns].get(names, {}).values())
        else:
            since = today if budget.window == "day" else start
            spent = sum(cost for day, cost in days.items() if day >= since)
        pace = Pace(days, today)
        found.append(runway(budget, spent, pace.on, now))
    return sorted(
        found, key=lambda each: (each.ends is None, each.ends or 0, -each.spent / max(1, each.budget.limit_nano))
    )


def _columns(budget: Budget) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that a budget is of, and their texts."""
    if budget.scope not in _LEVELS:
        return (budget.scope,), (budget.name,)
    above = _LEVELS[: _LEVELS.index(budget.scope) + 1]
    names = tuple(budget.name.split("/"))[-len(above) :]
    return above[-len(names) :], names
