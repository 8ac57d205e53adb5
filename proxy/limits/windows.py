"""Counters in memory: windows that slide, periods of a calendar, totals, and places that are taken.

``by_wall``: its times are seconds since the epoch; those of the others are monotonic. ``used`` is what they show.
``add`` gives back a slot, by which the amount can be changed later (``change``), as long as it still counts.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from proxy.limit import SECONDS, Limit

_GRAINS = 1000  # parts of a window that slides; an entry counts until its latest part is older than the window
Slot = list[
    float
]  # of a sliding window: [time of its latest part, amount, of its first]; of a period: [number, amount]


class Sliding:
    """What was added in the last ``seconds``. Never less than that, and at most a thousandth of the window more."""

    __slots__ = ("_entries", "_grain", "seconds", "used")

    by_wall = False

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.used = 0
        self._grain = seconds / _GRAINS
        self._entries: deque[Slot] = deque()

    def turn(self, now: float) -> None:
        """Forget what is too old. ``now`` is monotonic."""
        entries, oldest = self._entries, now - self.seconds
        while entries and entries[0][0] <= oldest:
            self.used -= int(entries.popleft()[1])

    def add(self, amount: int, now: float) -> Slot:
        """Count ``amount`` now. Call ``turn`` before."""
        entries = self._entries
        self.used += amount
        if entries:
            last = entries[-1]
            if now - last[2] < self._grain:
                last[0] = now
                last[1] += amount
                return last
        slot = [now, amount, now]
        entries.append(slot)
        return slot

    def change(self, slot: Slot, by: int, now: float) -> None:
        """Another amount for what was added."""
        if slot[0] > now - self.seconds and self._entries and slot[0] >= self._entries[0][0]:
            slot[1] += by
            self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        """Seconds until ``amount`` fits below ``limit``, if nothing else comes."""
        if amount > limit:
            return None
        too_much = self.used + amount - limit
        for time, part, _ in self._entries:
            if too_much <= 0:
                break
            too_much -= int(part)
            latest = time
        return 0.0 if self.used + amount <= limit else max(0.0, latest + self.seconds - now)

    def reset(self, now: float) -> float:
        """Seconds until the oldest part is free."""
        return max(0.0, self._entries[0][0] + self.seconds - now) if self._entries else 0.0


class Calendar:
    """What was added in this day or month of ``zone``. The period only moves forward: a clock that is set back neither
    gives anything back nor counts twice."""

    __slots__ = ("_began", "_ends", "_is_month", "_number", "_zone", "used")

    by_wall = True

    def __init__(self, *, is_month: bool, zone: str) -> None:
        self.used = 0
        self._is_month = is_month
        self._zone = ZoneInfo(zone)
        self._number = 0
        self._began = self._ends = 0.0  # seconds since the epoch

    def turn(self, now: float) -> None:
        """Begin anew, if a new period has begun. ``now``: seconds since the epoch."""
        if now >= self._ends:
            self._number += 1
            self.used = 0
            self._began, self._ends = bounds_of(now, self._zone, is_month=self._is_month)

    def covers(self, at: float) -> bool:
        """Whether a moment is in this period."""
        return self._began <= at < self._ends

    def add(self, amount: int, now: float) -> Slot:
        """Count ``amount`` in this period. Call ``turn`` before."""
        self.used += amount
        return [self._number, amount]

    def change(self, slot: Slot, by: int, now: float) -> None:
        """Another amount for what was added, if it was in this period."""
        if slot[0] == self._number:
            self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        """Seconds until the next period, if the amount fits into one."""
        return None if amount > limit else max(0.0, self._ends - now)

    def reset(self, now: float) -> float:
        """Seconds until the next period."""
        return max(0.0, self._ends - now)


class Total:
    """What was ever added."""

    __slots__ = ("used",)

    by_wall = False

    def __init__(self) -> None:
        self.used = 0

    def turn(self, now: float) -> None:
        """Nothing is ever forgotten."""

    def add(self, amount: int, now: float) -> Slot:
        """Count ``amount``."""
        self.used += amount
        return []

    def change(self, slot: Slot, by: int, now: float) -> None:
        """Another amount for what was added."""
        self.used += by

    def wait(self, amount: int, limit: int, now: float) -> float | None:
        """Time does not help."""
        return None

    def reset(self, now: float) -> float | None:
        """Never."""
        return None


Counter = Sliding | Calendar | Total


def counter(limit: Limit, zone: str) -> Counter:
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
