"""Windows against a list of all that was ever admitted, and periods across every edge of a calendar."""

from __future__ import annotations

import random
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from proxy.limits.limit import SECONDS, Limit, Window
from proxy.limits.windows import GRAINS, Calendar, Sliding, Total, bounds_of, counter

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0
STEPS = 4000


class _Listed:
    """The same by brute force: when what was added."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.entries: list[list[float]] = []

    def add(self, amount: int, now: float) -> list[float]:
        self.entries = [entry for entry in self.entries if entry[0] > now - 2 * self.seconds]
        self.entries.append([now, amount])
        return self.entries[-1]

    def used(self, now: float, seconds: float) -> float:
        """In the last ``seconds``."""
        return sum(amount for at, amount in self.entries if at > now - seconds)


def _moment(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> float:
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(("limit", "steps_in_one"), [(3, 3), (5, 400), (50, 100), (1000, 800)])
@pytest.mark.parametrize("window", ["second", "minute", "hour"])
def test_a_window_holds_never_less_than_the_truth_and_hardly_more(
    window: Window, limit: int, steps_in_one: int
) -> None:
    """More only for a thousandth of its length: what it counts too much was in the window so much longer."""
    chance, seconds = random.Random(f"{window} {limit}"), SECONDS[window]
    one, listed, now = Sliding(seconds), _Listed(seconds), 1000.0
    admitted = refused = 0
    for _ in range(STEPS):
        now += chance.expovariate(steps_in_one / seconds)
        amount = chance.randint(1, 5)
        one.turn(now)
        assert listed.used(now, seconds) <= one.used <= listed.used(now, seconds * (1 + 1 / GRAINS))
        if one.used + amount <= limit:
            one.add(amount, now)
            listed.add(amount, now)
            admitted += 1
            assert listed.used(now, seconds) <= limit
        else:
            refused += 1
            assert listed.used(now, seconds * (1 + 1 / GRAINS)) + amount > limit
    assert admitted >= 10
    assert refused > 100


def test_settlements_are_counted_at_the_time_of_their_reservation() -> None:
    """However late; and those of what no longer counts change nothing."""
    chance, seconds = random.Random(5), 60.0
    one, listed, now = Sliding(seconds), _Listed(seconds), 0.0
    waiting = []
    late = 0
    for _ in range(STEPS):
        now += chance.expovariate(5.0)
        one.turn(now)
        amount = chance.randint(0, 9)
        waiting.append((one.add(amount, now), listed.add(amount, now), amount))
        if chance.random() < 0.9:
            slot, entry, before = waiting.pop(chance.randrange(len(waiting)))
            after = chance.randint(0, 20)
            one.change(slot, after - before, now)
            late += entry[0] <= now - seconds
            entry[1] = after
        assert listed.used(now, seconds) <= one.used <= listed.used(now, seconds * (1 + 1 / GRAINS))
    assert late > 10
    one.turn(now + 2 * seconds)
    assert one.used == 0


def test_what_has_expired_is_not_settled() -> None:
    """Neither before it is forgotten nor after."""
    one = Sliding(60.0)
    slot = one.add(5, 100.0)
    one.change(slot, 2, 159.9)
    assert one.used == 7
    one.change(slot, 100, 160.0)
    assert one.used == 7
    one.turn(160.0)
    one.change(slot, -7, 161.0)
    assert one.used == 0


def test_a_window_is_bounded_however_much_is_added() -> None:
    """A thousand parts, each counted until its latest."""
    one, now = Sliding(1.0), 0.0
    for _ in range(20_000):
        now += 0.0001
        one.turn(now)
        one.add(1, now)
    assert len(one._entries) <= GRAINS + 1
    assert 10_000 <= one.used <= 10_011


def test_the_wait_of_a_window_is_exact() -> None:
    """Then it fits; a little earlier it does not."""
    chance, refused = random.Random(6), 0
    for _ in range(300):
        one, now = Sliding(60.0), chance.random() * 1e6
        for _ in range(chance.randint(1, 30)):
            now += chance.random() * 4
            one.turn(now)
            one.add(chance.randint(0, 4), now)
        amount, limit = chance.randint(1, 5), chance.randint(5, 20)
        if one.used + amount <= limit:
            continue
        wait = one.wait(amount, limit, now)
        assert wait is not None
        refused += 1
        one.turn(now + wait - 1e-6)
        assert one.used + amount > limit
        one.turn(now + wait)
        assert one.used + amount <= limit
    assert refused > 100


def test_what_was_used_earlier_is_put_in_its_place() -> None:
    """In any order; each is forgotten in its turn."""
    times = [float(at) for at in range(60)]
    random.Random(7).shuffle(times)
    one = Sliding(60.0)
    for at in times:
        one.add(1, at)
    for now in range(60, 121):
        one.turn(float(now))
        assert one.used == max(0, 119 - now)


@pytest.mark.parametrize(
    ("at", "is_month", "begins", "ends", "hours"),
    [
        (_moment(2026, 3, 29, 12), False, _moment(2026, 3, 29), _moment(2026, 3, 30), 23),
        (_moment(2026, 3, 29, 1, 59), False, _moment(2026, 3, 29), _moment(2026, 3, 30), 23),
        (_moment(2026, 10, 25, 12), False, _moment(2026, 10, 25), _moment(2026, 10, 26), 25),
        (_moment(2026, 10, 25, 2, 30), False, _moment(2026, 10, 25), _moment(2026, 10, 26), 25),
        (_moment(2026, 10, 25, 2, 30) + HOUR, False, _moment(2026, 10, 25), _moment(2026, 10, 26), 25),
        (_moment(2026, 6, 1), False, _moment(2026, 6, 1), _moment(2026, 6, 2), 24),
        (_moment(2026, 6, 1) - 0.001, False, _moment(2026, 5, 31), _moment(2026, 6, 1), 24),
        (_moment(2028, 2, 28, 23, 59), False, _moment(2028, 2, 28), _moment(2028, 2, 29), 24),
        (_moment(2028, 2, 29, 23, 59), False, _moment(2028, 2, 29), _moment(2028, 3, 1), 24),
        (_moment(2027, 2, 28, 23, 59), False, _moment(2027, 2, 28), _moment(2027, 3, 1), 24),
        (_moment(2028, 2, 29, 12), True, _moment(2028, 2, 1), _moment(2028, 3, 1), 29 * 24),
        (_moment(2027, 2, 28, 12), True, _moment(2027, 2, 1), _moment(2027, 3, 1), 28 * 24),
        (_moment(2026, 3, 31, 23), True, _moment(2026, 3, 1), _moment(2026, 4, 1), 31 * 24 - 1),
        (_moment(2026, 10, 1), True, _moment(2026, 10, 1), _moment(2026, 11, 1), 31 * 24 + 1),
        (_moment(2026, 12, 31, 23, 59), True, _moment(2026, 12, 1), _moment(2027, 1, 1), 31 * 24),
        (_moment(2026, 12, 31, 23, 59), False, _moment(2026, 12, 31), _moment(2027, 1, 1), 24),
    ],
)
def test_days_and_months_are_those_of_the_zone(
    at: float, is_month: bool, begins: float, ends: float, hours: int
) -> None:
    """A day in which the clock is changed has 23 or 25 hours; a month the days that it has."""
    assert bounds_of(at, BERLIN, is_month=is_month) == (begins, ends)
    assert ends - begins == hours * HOUR


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("is_month", [False, True])
def test_periods_follow_each_other_without_a_gap(zone: str, is_month: bool) -> None:
    """Also where the clock is changed at midnight; each contains its first moment, and not its end."""
    where, at = ZoneInfo(zone), datetime(2017, 1, 1, tzinfo=ZoneInfo(zone)).timestamp()
    for _ in range(30 if is_month else 800):
        begins, ends = bounds_of(at, where, is_month=is_month)
        assert begins == at
        assert bounds_of(ends - 1, where, is_month=is_month) == (begins, ends)
        at = ends


@pytest.mark.parametrize("day", [(2026, 3, 29), (2026, 10, 25), (2028, 2, 29), (2026, 12, 31)])
def test_a_day_is_free_again_at_midnight_and_not_before(day: tuple[int, int, int]) -> None:
    """Its wait says when."""
    begins, ends = bounds_of(_moment(*day), BERLIN, is_month=False)
    one = Calendar(is_month=False, zone="Europe/Berlin")
    one.turn(begins)
    slot = one.add(5, begins)
    assert one.wait(1, 5, begins) == one.reset(begins) == ends - begins
    assert one.wait(6, 5, begins) is None
    one.turn(ends - 0.001)
    assert one.used == 5
    one.turn(ends)
    assert (one.used, one.reset(ends)) == (0, 0.0)
    one.change(slot, 3, ends)
    assert one.used == 0, "what was reserved yesterday is settled in yesterday"


@pytest.mark.parametrize("edge", [_moment(2026, 6, 2), _moment(2026, 10, 26), _moment(2026, 3, 30)])
@pytest.mark.parametrize("is_month", [False, True])
def test_a_clock_that_is_set_back_gives_nothing_back_and_counts_nothing_twice(edge: float, is_month: bool) -> None:
    """An hour over the end of a day and back, and over it again: one end, and what is added meanwhile stays."""
    one = Calendar(is_month=is_month, zone="Europe/Berlin")
    one.turn(edge - 600)
    one.add(4, edge - 600)
    one.turn(edge - 600 - HOUR)
    assert one.used == 4
    one.turn(edge + 3000)
    began = one.used
    one.turn(edge - 600)
    slot = one.add(2, edge - 600)
    assert one.used == began + 2
    one.turn(edge + 1)
    one.change(slot, 1, edge + 1)
    assert one.used == began + 3
    assert began == (4 if is_month else 0)


def test_a_clock_that_goes_astray_refunds_nothing() -> None:
    """Whatever it does within an hour of the truth, a day admits its limit and no more."""
    chance, admitted, limit = random.Random(8), 0, 10
    one, edge = Calendar(is_month=False, zone="Europe/Berlin"), _moment(2026, 6, 2)
    for step in range(5000):
        now = edge - 6 * HOUR + step * 8 + chance.uniform(-HOUR, HOUR)
        one.turn(now)
        if one.used < limit:
            one.add(1, now)
            admitted += 1
    assert admitted == 2 * limit


def test_totals_forget_nothing() -> None:
    """Time does not help."""
    one = Total()
    slot = one.add(5, 0.0)
    one.turn(1e12)
    one.change(slot, -1, 1e12)
    assert (one.used, one.wait(1, 4, 1e12), one.reset(1e12)) == (4, None, None)


@pytest.mark.parametrize(
    ("window", "kind"),
    [
        ("second", Sliding),
        ("minute", Sliding),
        ("hour", Sliding),
        ("day", Calendar),
        ("month", Calendar),
        ("total", Total),
        ("", Total),
    ],
)
def test_each_window_has_its_counter(window: Window, kind: type[Total]) -> None:
    """Which shows nothing at first."""
    one = counter(Limit("requests", 5, window), "Europe/Berlin")
    assert type(one) is kind
    assert one.used == 0
    assert not one.reset(1000.0)
