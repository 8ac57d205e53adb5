"""Counters of one process: bounded, with clocks that are handed in, and told of the past when they begin."""

from __future__ import annotations

import random

import pytest

from proxy.limits.limit import Amounts, Gauge, Held, Level, Over
from proxy.limits.memory import MemoryCounters
from proxy.limits.rule import parse

NOON = 1_780_315_200.0  # 2026-06-01 12:00 UTC, in seconds since the epoch
HOUR = 3600.0


class _Clock:
    """Both clocks, which go on together."""

    def __init__(self) -> None:
        self.at = 0.0

    def monotonic(self) -> float:
        return 5000.0 + self.at

    def wall(self) -> float:
        return NOON + self.at


def _counters(clock: _Clock, max_gauges: int = 100) -> MemoryCounters:
    return MemoryCounters(monotonic=clock.monotonic, wall=clock.wall, max_gauges=max_gauges)


def _gauge(text: str, key: str = "") -> Gauge:
    return Gauge(key or text, parse(text))


async def _held(counters: MemoryCounters, *gauges: Gauge, amounts: Amounts | None = None) -> Held:
    found = await counters.reserve("a", gauges, amounts or Amounts())
    assert isinstance(found, Held), found
    return found


async def test_there_are_never_more_counters_than_allowed() -> None:
    """Those not asked for longest make room. One that refuses is asked as well: else what it counted would be lost."""
    clock = _Clock()
    counters = _counters(clock)
    busy = _gauge("5/h", "busy")
    for number in range(1000):
        clock.at += 0.01
        await _held(counters, _gauge("5/s", f"u{number}"))
        if number % 50 == 0:
            found = await counters.reserve("a", [busy], Amounts())
            assert isinstance(found, Held) == (number < 250)
        assert len(counters) <= 100
    assert "busy" in counters.names()
    assert "u0" not in counters.names()


async def test_those_that_show_nothing_go_first() -> None:
    """Although others were used before them."""
    clock = _Clock()
    counters = _counters(clock, 3)
    await _held(counters, _gauge("5/day", "old"))
    await _held(counters, _gauge("5/day", "older"))
    counters.settle(await _held(counters, _gauge("5/day", "empty")), Amounts(0))
    clock.at += 1
    await _held(counters, _gauge("5/day", "new"))
    assert counters.names() == {"old", "older", "new"}


async def test_of_those_that_show_something_the_one_not_used_for_longest_goes() -> None:
    """Not the one that was made first."""
    clock = _Clock()
    counters = _counters(clock, 3)
    for key in ("a", "b", "c", "a", "c", "d"):
        clock.at += 1
        await _held(counters, _gauge("5/day", key))
    assert counters.names() == {"a", "c", "d"}


async def test_what_was_dropped_can_still_be_settled() -> None:
    """It changes no counter that has its name by now."""
    clock = _Clock()
    counters = _counters(clock, 1)
    one, other = _gauge("5/day", "one"), _gauge("5/day", "other")
    held = await _held(counters, one)
    await _held(counters, other)
    await _held(counters, one)
    counters.settle(held, Amounts(0))
    assert [level.used for level in await counters.look([one])] == [1]


async def test_looking_makes_no_counters() -> None:
    """Nor does it need room."""
    counters = _counters(_Clock(), 1)
    assert await counters.look([_gauge("5/h"), _gauge("5/day"), _gauge("5 total")]) == [
        Level(0, 0.0),
        Level(0, 0.0),
        Level(0, None),
    ]
    assert len(counters) == 0


async def test_reservations_are_counted_until_they_are_settled() -> None:
    """Back to none, also if some are settled twice, and refused ones are none."""
    counters, gauge = _counters(_Clock()), _gauge("5 concurrent")
    held = [await _held(counters, gauge) for _ in range(5)]
    assert isinstance(await counters.reserve("a", [gauge], Amounts()), Over)
    assert counters.reserved == 5
    for one in held + held:
        counters.settle(one, Amounts())
    assert counters.reserved == 0
    assert [level.used for level in await counters.look([gauge])] == [0]


@pytest.mark.parametrize(
    ("ago", "used"),
    [
        (0.0, [1, 1, 1, 1, 1, 1]),
        (1.0, [0, 1, 1, 1, 1, 1]),
        (59.0, [0, 1, 1, 1, 1, 1]),
        (60.0, [0, 0, 1, 1, 1, 1]),
        (HOUR, [0, 0, 0, 1, 1, 1]),
        (12 * HOUR, [0, 0, 0, 1, 1, 1]),
        (12 * HOUR + 1, [0, 0, 0, 0, 0, 1]),
        (99 * 24 * HOUR, [0, 0, 0, 0, 0, 1]),
        (-5.0, [1, 1, 1, 1, 1, 1]),
    ],
)
async def test_the_past_counts_where_it_still_does(ago: float, used: list[int]) -> None:
    """It is noon on the first: twelve hours ago both the day and the month began. No place is taken by it."""
    counters = _counters(_Clock())
    gauges = [_gauge(f"9{window}") for window in ("/s", "/min", "/h", "/day", "/month", " total", " concurrent")]
    counters.replay(gauges, Amounts(), NOON - ago)
    assert [level.used for level in await counters.look(gauges)] == [*used, 0]


async def test_the_past_is_forgotten_in_its_time() -> None:
    """As if it had been counted then, in whatever order it is told."""
    clock = _Clock()
    counters, gauge = _counters(clock), _gauge("99 tokens/min")
    for ago in (10, 50, 30):
        counters.replay([gauge], Amounts(1, ago), NOON - ago)
    seen = []
    for at in (0, 9.9, 10, 30, 50):
        clock.at = at
        seen.append((await counters.look([gauge]))[0].used)
    assert seen == [90, 90, 40, 10, 0]


@pytest.mark.parametrize("text", ["20 tokens/s", "20 tokens/min", "20 tokens/h", "20 tokens/day", "20 tokens/month"])
async def test_the_wait_is_exact(text: str) -> None:
    """After it the same is admitted; a little earlier it is refused."""
    chance, gauge = random.Random(text), _gauge(text)
    pause = {"s": 0.02, "min": 1.0, "h": 60.0, "day": 3000.0, "month": 90_000.0}[text.rpartition("/")[2]]
    clock = _Clock()
    counters = _counters(clock)
    refused = 0
    for _ in range(200):
        clock.at += chance.random() * pause
        amounts = Amounts(1, chance.randint(1, 20))
        found = await counters.reserve("a", [gauge], amounts)
        if isinstance(found, Held):
            continue
        refused += 1
        assert found.wait is not None
        assert found.level.reset is not None
        assert 0 < found.level.reset <= found.wait
        begun = clock.at
        clock.at = begun + found.wait - 0.001
        assert isinstance(await counters.reserve("a", [gauge], amounts), Over)
        clock.at = begun + found.wait + 1e-6
        assert isinstance(await counters.reserve("a", [gauge], amounts), Held)
    assert refused > 10


async def test_the_longest_wait_is_told_whatever_the_order() -> None:
    """And never is longest."""
    gauges = [_gauge("1/min"), _gauge("1/day"), _gauge("1/h"), _gauge("1 total")]
    counters = _counters(_Clock())
    await _held(counters, *gauges)
    for seed in range(20):
        mixed = random.Random(seed).sample(gauges, 4)
        over = await counters.reserve("a", mixed, Amounts())
        assert over == Over(mixed.index(gauges[3]), Level(1, None), None)
        timed = [gauge for gauge in mixed if gauge is not gauges[3]]
        over = await counters.reserve("a", timed, Amounts())
        assert over == Over(timed.index(gauges[1]), Level(1, 12 * HOUR), 12 * HOUR)


async def test_what_was_used_after_now_counts_from_now_on() -> None:
    """The clock was set back meanwhile."""
    clock = _Clock()
    counters, gauge = _counters(clock), _gauge("9/min")
    counters.replay([gauge], Amounts(), NOON + HOUR)
    clock.at = 59.9
    assert (await counters.look([gauge]))[0].used == 1
    clock.at = 60.0
    assert (await counters.look([gauge]))[0].used == 0
