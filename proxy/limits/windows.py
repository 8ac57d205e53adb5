"""Counters in memory: windows that slide, periods of a calendar, totals, and places that are taken.

``add`` gives back a slot, by which the amount can be changed later (``change``), as long as it still counts.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from math import inf, ulp
from typing import Any
from zoneinfo import ZoneInfo

from proxy.limit import SECONDS, Limit

GRAINS = 1000  # parts of a window that slides; what is added within one part is one entry


class Entry:
    """What was added from ``first`` to ``latest``, in monotonic seconds."""

    __slots__ = ("amount", "first", "latest")

    def __init__(self, amount: int, at: float) -> None:
        self.amount = amount
        self.first = self.latest = at


class Total:
    """What was ever added; also places that are taken. The others begin as this does.

    ``used`` is what it shows. ``by_wall``: its times are seconds since the epoch; else they are monotonic. ``due`` is
    when ``turn`` has something to do; ``seen`` is when it was used last, in monotonic seconds.
    """

    __slots__ = ("due", "seen", "used")

    by_wall = False

    def __init__(self) -> None:
        self.used = 0
        self.due = inf
        self.seen = 0.0

    def turn(self, now: float) -> None:
        """Forget what is too old."""

    def add(self, amount: int, now: float) -> Any:
        """Count ``amount``. Where ``due`` has come, call ``turn`` before."""
        self.used += amount

    def change(self, slot: Any, by: int, now: float) -> None:
        """Another amount for what was added, if it still counts."""
        self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        """Seconds until ``amount`` fits below ``limit`` if nothing else comes; None: time does not help."""
        return None

    def reset(self, now: float) -> float | None:
        """Seconds until some of what was added is free again, 0 while there is nothing; None: never by time."""
        return None


class Sliding(Total):
    """What was added in the last ``seconds``: never less than that.

    An entry counts until its latest part is too old, so its first part counts for a thousandth of the window more.
    """

    __slots__ = ("_entries", "_grain", "seconds")

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self._grain = seconds / GRAINS
        self._entries: deque[Entry] = deque()

    def turn(self, now: float) -> None:
        entries, seconds = self._entries, self.seconds
        while entries and entries[0].latest + seconds <= now:
            self.used -= entries.popleft().amount
        self.due = entries[0].latest + seconds if entries else inf

    def add(self, amount: int, now: float) -> Entry:
        """Count ``amount``; ``now`` may also be in the past."""
        self.used += amount
        entries = self._entries
        if not entries:
            self.due = now + self.seconds
        else:
            last = entries[-1]
            since = now - last.first
            if since < 0.0:
                return self._insert(amount, now)
            if since < self._grain:
                last.amount += amount
                last.latest = max(last.latest, now)
                return last
        made = Entry(amount, now)
        entries.append(made)
        return made

    def _insert(self, amount: int, at: float) -> Entry:
        """Where it belongs among later ones, as part of a neighbour if one is near."""
        entries = self._entries
        place = len(entries) - 1
        while place and entries[place - 1].first > at:
            place -= 1
        for near in (entries[place - 1] if place else None, entries[place]):
            if near is not None and max(near.latest, at) - min(near.first, at) < self._grain:
                near.amount += amount
                near.first, near.latest = min(near.first, at), max(near.latest, at)
                return near
        made = Entry(amount, at)
        entries.insert(place, made)
        self.due = entries[0].latest + self.seconds
        return made

    def change(self, slot: Any, by: int, now: float) -> None:
        if now < slot.latest + self.seconds:
            slot.amount += by
            self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        if amount > limit:
            return None
        too_much = self.used + amount - limit
        for entry in self._entries:
            too_much -= entry.amount
            if too_much <= 0:
                return _until(entry.latest + self.seconds, now)
        return 0.0

    def reset(self, now: float) -> float:
        oldest = next((entry for entry in self._entries if entry.amount), None)
        return 0.0 if oldest is None else _until(oldest.latest + self.seconds, now)


class Calendar(Total):
    """What was added in this day or month of ``zone``. The period only moves forward: a clock that is set back neither
    gives anything back nor counts twice."""

    __slots__ = ("_began", "_is_month", "_number", "_zone")

    by_wall = True

    def __init__(self, *, is_month: bool, zone: str) -> None:
        super().__init__()
        self._is_month = is_month
        self._zone = ZoneInfo(zone)
        self._number = 0
        self._began = self.due = 0.0  # seconds since the epoch; this period ends when the next is due

    def turn(self, now: float) -> None:
        if now >= self.due:
            self._number += 1
            self.used = 0
            self._began, self.due = bounds_of(now, self._zone, is_month=self._is_month)

    def covers(self, at: float) -> bool:
        """Whether a moment is in this period."""
        return self._began <= at < self.due

    def add(self, amount: int, now: float) -> int:
        self.used += amount
        return self._number

    def change(self, slot: Any, by: int, now: float) -> None:
        if slot == self._number:
            self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        return None if amount > limit else _until(self.due, now)

    def reset(self, now: float) -> float:
        return _until(self.due, now) if self.used else 0.0


def counter(limit: Limit, zone: str) -> Total:
    """An empty counter for ``limit``."""
    seconds = SECONDS.get(limit.window)
    if seconds is not None:
        return Sliding(seconds)
    if limit.window in ("day", "month"):
        return Calendar(is_month=limit.window == "month", zone=zone)
    return Total()


def bounds_of(now: float, zone: ZoneInfo, *, is_month: bool) -> tuple[float, float]:
    """Seconds since the epoch at which the day or month of ``now`` begins and ends in ``zone``."""
    here = datetime.fromtimestamp(now, UTC).astimezone(zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if not is_month:
        return midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()
    first = midnight.replace(day=1)
    return first.timestamp(), (first + timedelta(days=32)).replace(day=1).timestamp()


def _until(due: float, now: float) -> float:
    """Seconds, so that a clock that shows ``now`` and goes on by them has reached ``due``: rounding takes nothing."""
    wait = due - now
    return max(0.0, wait if now + wait >= due else wait + ulp(due))
