"""The words of limits, and what all counters do, in memory and in a store: exactly as much as is allowed.

The name of a counter; what a request takes of each kind; reservations.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from proxy.limits.limit import SOFT, Amounts, Counters, Gauge, Held, Level, LimitConfig, Over, Rule
from proxy.limits.memory import MemoryCounters
from proxy.limits.rule import parse
from proxy.limits.switch import Switch
from proxy.store.shared_counters import SharedCounters
from tests.support.valkey import Valkey


def _rule(text: str = "60/min", **fields: Any) -> Rule:
    return Rule(**{"limit": parse(text), "level": "team", "scope": "red", **fields})


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        (_rule(), "team red requests/minute"),
        (_rule("$5/month"), "team red money/month"),
        (_rule("5 concurrent"), "team red concurrent/"),
        (_rule(models=("a", "b/*")), "team red requests/minute of a b/*"),
        (_rule(per="user"), "team red requests/minute per user"),
        (_rule(over="warn"), "team red requests/minute warn"),
        (_rule(over="downgrade", detour="small"), "team red requests/minute downgrade small"),
        (_rule(over="queue"), "team red requests/minute"),
        (_rule(models=(), per="user", over="shadow"), "team red requests/minute of  per user shadow"),
    ],
)
def test_a_counter_is_named_after_what_it_counts_and_for_whom(rule: Rule, key: str) -> None:
    assert rule.key == key


def test_who_changes_an_amount_keeps_what_was_counted() -> None:
    """Also the alerts, the zone, and what happens while the store is lost."""
    rule = _rule("60/min")
    others = [
        _rule("90/min"),
        _rule("60 requests/m", alerts=(0.5,)),
        _rule(zone="Europe/Berlin"),
        _rule(is_open=False),
        _rule(over="reject"),
    ]
    assert {other.key for other in others} == {rule.key}


def test_rules_that_differ_in_what_they_count_have_counters_of_their_own() -> None:
    """Soft ones too: they count what hard ones have refused."""
    rules = [
        _rule(),
        _rule("60/h"),
        _rule("60 tokens/min"),
        _rule(level="key"),
        _rule(scope="blue"),
        _rule(models=("a",)),
        _rule(models=("a", "b")),
        _rule(per="user"),
        _rule(per="session"),
        *(_rule(over=over) for over in SOFT),
    ]
    assert len({rule.key for rule in rules}) == len(rules)


def test_a_request_takes_of_each_kind() -> None:
    """Tokens are those of both directions; a place is one."""
    assert Amounts(2, 30, 4, 500).by == {
        "requests": 2,
        "input_tokens": 30,
        "output_tokens": 4,
        "tokens": 34,
        "money": 500,
        "concurrent": 1,
    }
    assert Amounts().by["requests"] == 1


def test_entries_of_a_file_are_read_strictly() -> None:
    """With three alerts, if nothing else is said."""
    read = msgspec.convert({"limit": "5/min", "over_limit": {"downgrade": "small"}}, LimitConfig)
    assert read.alerts == (0.5, 0.8, 1.0)
    for wrong in ({}, {"limit": "5/min", "pre": "user"}, {"limit": "5/min", "over_limit": {"route": "small"}}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, LimitConfig)


# Counters

PATIENT = 20.0  # seconds for a call: here it is about what is counted, and the machine may be busy


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    made = Valkey(tmp_path_factory.mktemp("counters"))
    yield made
    made.kill()


@pytest.fixture(params=["memory", "shared"])
async def counters(request: pytest.FixtureRequest, store: Valkey) -> AsyncIterator[Counters]:
    if request.param == "memory":
        yield MemoryCounters()
        return
    async with Redis.from_url(store.url) as client:
        await client.flushall()
    made = SharedCounters(store.url, timeout=PATIENT)
    made.start()
    yield made
    assert made.problem == ""
    await made.aclose()


def _gauge(text: str, key: str = "", *, is_hard: bool = True, zone: str = "UTC") -> Gauge:
    return Gauge(key or text, parse(text), zone, is_hard)


async def _used(counters: Counters, gauges: list[Gauge]) -> list[int]:
    """What they show when all is settled."""
    if isinstance(counters, SharedCounters):
        await counters.drained()
    return [level.used for level in await counters.look(gauges)]


async def _held(counters: Counters, gauges: list[Gauge], amounts: Amounts | None = None) -> Held:
    found = await counters.reserve("a", gauges, amounts or Amounts())
    assert isinstance(found, Held), found
    return found


async def _over(counters: Counters, gauges: list[Gauge], amounts: Amounts | None = None) -> Over:
    found = await counters.reserve("a", gauges, amounts or Amounts())
    assert isinstance(found, Over), found
    return found


async def test_of_a_thousand_at_once_exactly_as_many_as_are_allowed_are_admitted(counters: Counters) -> None:
    """And who is refused by one gauge has changed nothing in the others."""
    gauges = [
        _gauge("100k/h"),
        _gauge("100 total"),
        _gauge("1M tokens/day"),
        _gauge("$9/month"),
        _gauge("500 concurrent"),
    ]
    amounts = Amounts(1, 5, 2, 30)

    async def one(number: int) -> Held | Over:
        return await counters.reserve(str(number), gauges, amounts)

    found = await asyncio.gather(*map(one, range(1000)))
    held = [one for one in found if isinstance(one, Held)]
    over = [one for one in found if isinstance(one, Over)]
    assert (len(held), len(over)) == (100, 900)
    assert sorted(one.used[1] for one in held) == list(range(1, 101)), "each has seen a level of its own"
    assert {(one.gauge, one.level, one.wait) for one in over} == {(1, Level(100, None), None)}
    assert await _used(counters, gauges) == [100, 100, 700, 3000, 100]
    for reservation in held:
        counters.settle(reservation, Amounts(1, 1, 1, 10))
    assert await _used(counters, gauges) == [100, 100, 200, 1000, 0]


async def test_settling_replaces_what_was_reserved_upwards_and_downwards_and_only_once(counters: Counters) -> None:
    """In every kind of gauge and window."""
    texts = ["9k tokens/h", "9k tokens/day", "9k tokens/month", "9k tokens total", "9k input tokens/h", "$1/h", "90/h"]
    gauges = [_gauge(text) for text in texts]
    first = await _held(counters, gauges, Amounts(1, 100, 50, 1000))
    assert list(first.used) == [150, 150, 150, 150, 100, 1000, 1]
    second = await _held(counters, gauges, Amounts(1, 10, 5, 100))
    assert list(second.used) == [165, 165, 165, 165, 110, 1100, 2]
    for _ in range(2):
        counters.settle(first, Amounts(1, 20, 10, 3000))
    assert await _used(counters, gauges) == [45, 45, 45, 45, 30, 3100, 2]
    counters.settle(second, Amounts(0, 0, 0, 0))
    counters.settle(second, Amounts(1, 0, 0, 9))
    assert await _used(counters, gauges) == [30, 30, 30, 30, 20, 3000, 1]


async def test_what_costs_more_than_was_reserved_may_go_over_the_limit(counters: Counters) -> None:
    """It is counted all the same, and keeps others out."""
    gauges = [_gauge("100 tokens/h")]
    counters.settle(await _held(counters, gauges, Amounts(1, 100)), Amounts(1, 100, 60))
    assert await _used(counters, gauges) == [160]
    assert (await _over(counters, gauges, Amounts(1, 1))).level.used == 160


async def test_gauges_that_are_not_hard_are_said_to_be_over_and_never_refuse(counters: Counters) -> None:
    """By their index, from the request on that exceeds them."""
    gauges = [_gauge("9/h"), _gauge("2/day", is_hard=False), _gauge("1 concurrent", is_hard=False)]
    assert [list((await _held(counters, gauges)).over) for _ in range(3)] == [[], [2], [1, 2]]
    assert await _used(counters, gauges) == [3, 3, 3]


async def test_a_place_is_free_again_when_it_is_settled(counters: Counters) -> None:
    """Time does not free it, and nobody knows when it will be."""
    gauges = [_gauge("2 concurrent")]
    first, second = await _held(counters, gauges), await _held(counters, gauges)
    assert await _over(counters, gauges) == Over(0, Level(2, None), None)
    counters.settle(first, Amounts())
    counters.settle(first, Amounts())
    assert await _used(counters, gauges) == [1]
    third = await _held(counters, gauges)
    assert [third.used, third.reset(0)] == [[2], None]
    counters.settle(second, Amounts())
    counters.settle(third, Amounts())
    assert await _used(counters, gauges) == [0]


async def test_a_total_is_used_up_for_ever(counters: Counters) -> None:
    """To the last nano-dollar."""
    gauges = [_gauge("$0.000000010 total")]
    held = await _held(counters, gauges, Amounts(money=10))
    assert held.reset(0) is None
    assert await _over(counters, gauges, Amounts(money=1)) == Over(0, Level(10, None), None)
    counters.settle(held, Amounts(money=9))
    assert await _used(counters, gauges) == [9]
    await _held(counters, gauges, Amounts(money=1))


@pytest.mark.parametrize("text", ["10 tokens/s", "10 tokens/min", "10 tokens/h", "10 tokens/day", "10 tokens/month"])
async def test_what_never_fits_has_no_time_to_wait_for(counters: Counters, text: str) -> None:
    """Whatever is used. What fits by itself has one."""
    gauges = [_gauge(text)]
    assert await _over(counters, gauges, Amounts(1, 11)) == Over(0, Level(0, 0.0), None)
    await _held(counters, gauges, Amounts(1, 10))
    never, later = await _over(counters, gauges, Amounts(1, 11)), await _over(counters, gauges, Amounts(1, 1))
    assert never.wait is None
    assert later.wait is not None
    assert later.wait > 0


async def test_of_two_limits_the_one_is_told_that_takes_longer(counters: Counters) -> None:
    """And never is longest of all."""
    short, long, never = _gauge("1/min"), _gauge("1/h"), _gauge("1 total")
    await _held(counters, [short, long, never])
    for gauges in ([short, long], [long, short]):
        over = await _over(counters, gauges)
        assert gauges[over.gauge] is long
        assert over.wait is not None
        assert 3500 < over.wait <= 3604
        assert over.level.reset is not None
        assert 3500 < over.level.reset <= 3604
    assert (await _over(counters, [long, never, short])).gauge == 1


async def test_what_a_gauge_shows_is_not_changed_by_looking(counters: Counters) -> None:
    """Nothing used: it is reset now. Else when the oldest part, or the period, is over."""
    gauges = [_gauge("5/min"), _gauge("5/day"), _gauge("5/month"), _gauge("5 total"), _gauge("5 concurrent")]
    nothing = [Level(0, 0.0), Level(0, 0.0), Level(0, 0.0), Level(0, None), Level(0, None)]
    assert await counters.look(gauges) == nothing
    assert await counters.look(gauges) == nothing
    held = await _held(counters, gauges)
    shown = await counters.look(gauges)
    assert [level.used for level in shown] == [1, 1, 1, 1, 1]
    for at, most in enumerate((60.06, 86_400.0, 31 * 86_400.0)):
        for reset in (shown[at].reset, held.reset(at)):
            assert reset is not None
            assert 0 < reset <= most
    counters.settle(held, Amounts(0))
    if isinstance(counters, SharedCounters):
        await counters.drained()
    assert await counters.look(gauges) == nothing


async def test_a_second_slides(counters: Counters) -> None:
    """After the time that was said, and not at once, there is room again."""
    gauges = [_gauge("3/s")]
    for _ in range(3):
        await _held(counters, gauges)
    over = await _over(counters, gauges)
    assert over.wait is not None
    await asyncio.sleep(over.wait)
    await _held(counters, gauges)


async def test_no_gauges_are_always_held(counters: Counters) -> None:
    """There is nothing to wait for."""
    held = await _held(counters, [])
    assert (list(held.used), list(held.over)) == ([], [])
    counters.settle(held, Amounts())


async def test_the_amount_of_a_limit_may_change_and_what_was_counted_stays(counters: Counters) -> None:
    """The key names the counter."""
    await _held(counters, [_gauge("5 tokens/h", "one")], Amounts(1, 5))
    await _over(counters, [_gauge("7 tokens/h", "one")], Amounts(1, 3))
    assert list((await _held(counters, [_gauge("8 tokens/h", "one")], Amounts(1, 3))).used) == [8]


async def test_a_reservation_is_settled_with_the_counters_that_it_was_made_with(counters: Counters) -> None:
    """However often they are switched meanwhile."""
    switch, gauges = Switch(), [_gauge("5/h"), _gauge("5 concurrent")]
    before = await _held(switch, gauges)
    switch.current = counters
    after = await _held(switch, gauges)
    assert await _used(counters, gauges) == [1, 1]
    switch.settle(before, Amounts(0))
    assert await _used(switch.memory, gauges) == [0, 0]
    assert await _used(counters, gauges) == [1, 1]
    switch.current = switch.memory
    switch.settle(after, Amounts(0))
    assert await _used(counters, gauges) == [0, 0]
