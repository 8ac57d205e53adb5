"""Replicas in one process with a real store between them, which dies, hangs and comes back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from redis.asyncio import Redis

from proxy.limits.limit import Amounts, Gauge, Held, Over, Unavailable
from proxy.limits.rule import parse
from proxy.store.shared_counters import LEASE, TIMEOUT, SharedCounters
from tests.support.scale import PATIENCE
from tests.support.valkey import Valkey

PATIENT = 20.0  # seconds for a call, where the store is well and the machine may be busy
FREE = 10.0  # seconds until the places of a replica that died are free


def _gauge(text: str, *, is_open: bool = True) -> Gauge:
    return Gauge(f"team red {text}", parse(text), is_open=is_open)


PLACES = _gauge("2 concurrent")
HOUR = _gauge("3/h")


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    made = Valkey(tmp_path_factory.mktemp("valkey"))
    yield made
    made.thaw()
    made.kill()


@pytest.fixture
async def replica() -> AsyncIterator[Callable[..., SharedCounters]]:
    made: list[SharedCounters] = []

    def start(url: str, timeout: float = TIMEOUT) -> SharedCounters:
        made.append(SharedCounters(url, timeout=timeout))
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        await one.aclose()


async def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def _held(counters: SharedCounters, *gauges: Gauge) -> Held:
    found = await counters.reserve("a", gauges, Amounts())
    assert isinstance(found, Held), found
    return found


async def _used(counters: SharedCounters, gauge: Gauge) -> int:
    return (await counters.look([gauge]))[0].used


async def test_replicas_count_together(valkey: Valkey, replica: Callable[..., SharedCounters]) -> None:
    """A race between three admits exactly the limit; what one settles, the others see."""
    replicas = [replica(valkey.url, PATIENT) for _ in range(3)]
    gauges = [_gauge("40/h"), _gauge("100 tokens/day"), _gauge("50 concurrent")]
    asked = [one.reserve("same", gauges, Amounts(1, 2)) for _ in range(40) for one in replicas]
    held = [(one, replicas[at % 3]) for at, one in enumerate(await asyncio.gather(*asked)) if isinstance(one, Held)]
    assert len(held) == 40
    assert {owner for _, owner in held} == set(replicas), "each had its part"
    assert [level.used for level in await replicas[0].look(gauges)] == [40, 80, 40]
    for one, owner in held:
        owner.settle(one, Amounts(0, 1))
    for counters in replicas:
        await counters.drained()
    assert [[level.used for level in await one.look(gauges)] for one in replicas] == [[0, 40, 0]] * 3


async def test_places_of_a_replica_that_died_are_free_soon_and_those_of_others_are_kept(
    valkey: Valkey, replica: Callable[..., SharedCounters]
) -> None:
    """Longer than a lease lasts; nobody else gets them before."""
    lives, dies = replica(valkey.url, PATIENT), replica(valkey.url, PATIENT)
    kept = await _held(lives, PLACES)
    await _held(dies, PLACES)
    died = time.monotonic()
    await dies.aclose()
    assert isinstance(await lives.reserve("a", [PLACES], Amounts()), Over)
    while await _used(lives, PLACES) > 1:
        assert time.monotonic() < died + FREE
        await asyncio.sleep(0.1)
    await asyncio.sleep(max(0.0, died + LEASE + 0.5 - time.monotonic()))
    assert await _used(lives, PLACES) == 1, "whoever lives keeps its place"
    lives.settle(kept, Amounts())
    await lives.drained()
    assert await _used(lives, PLACES) == 0


async def test_while_the_store_is_lost_a_replica_decides_alone_or_refuses(
    valkey: Valkey, replica: Callable[..., SharedCounters]
) -> None:
    """As the gauges say, one that is closed closes all; when the store is back it is asked again."""
    counters = replica(valkey.url)
    closed = _gauge("9/h", is_open=False)
    await _held(counters, HOUR, closed)
    assert counters.problem == ""
    valkey.kill()
    alone = [await _held(counters, HOUR) for _ in range(3)]
    assert isinstance(await counters.reserve("a", [HOUR], Amounts()), Over)
    assert "cannot be" in counters.problem
    with pytest.raises(Unavailable):
        await counters.reserve("a", [_gauge("9/min"), closed], Amounts())
    valkey.start()
    await _until(lambda: counters.problem == "")
    assert await _used(counters, HOUR) == 0, "the store has lost it"
    await _held(counters, HOUR, closed)
    for one in alone:
        counters.settle(one, Amounts(0))
    await counters.drained()
    assert await _used(counters, HOUR) == 1, "who decided alone settles alone"


async def test_a_store_that_hangs_is_given_up_soon_and_what_it_did_too_late_is_given_back(
    valkey: Valkey, replica: Callable[..., SharedCounters]
) -> None:
    """What it was asked while it hung counts for nobody."""
    counters, other = replica(valkey.url), replica(valkey.url)
    await _held(counters, HOUR)
    await _used(other, HOUR)
    valkey.freeze()
    held = await asyncio.gather(*(_held(counters, HOUR, PLACES) for _ in range(2)))
    assert [one.used[0] for one in held] == [1, 2], "counted here"
    assert counters.problem
    valkey.thaw()
    await _until(lambda: counters.problem == "")
    await counters.drained()
    assert await _used(counters, HOUR) == 1
    assert await _used(counters, PLACES) == 0


async def test_what_is_settled_while_the_store_hangs_arrives_once(
    valkey: Valkey, replica: Callable[..., SharedCounters]
) -> None:
    """In all kinds of gauges, whether or not the store did it at once."""
    counters = replica(valkey.url)
    gauges = [_gauge("99 tokens/h"), _gauge("99 tokens/day"), _gauge("99 tokens total"), PLACES]
    found = await counters.reserve("a", gauges, Amounts(1, 20))
    assert isinstance(found, Held)
    valkey.freeze()
    counters.settle(found, Amounts(1, 5))
    await _until(lambda: counters.problem != "")
    valkey.thaw()
    await _until(lambda: counters.problem == "")
    await counters.drained()
    assert [level.used for level in await counters.look(gauges)] == [5, 5, 5, 0]


async def test_who_no_longer_waits_has_reserved_nothing(valkey: Valkey, replica: Callable[..., SharedCounters]) -> None:
    """Whenever it left."""
    counters, gauge = replica(valkey.url, PATIENT), _gauge("1000/h")
    await _held(counters, gauge)
    for turns in range(30):
        task = asyncio.create_task(counters.reserve("a", [gauge, PLACES], Amounts()))
        for _ in range(turns % 10):
            await asyncio.sleep(0)
        if turns >= 10:
            await asyncio.sleep(turns * 5e-5)
        if task.cancel():
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            found = task.result()
            assert isinstance(found, Held)
            counters.settle(found, Amounts(0))
        await counters.drained()
        await asyncio.sleep(0.005)
    await counters.drained()
    assert await _used(counters, gauge) == 1
    assert await _used(counters, PLACES) == 0
    assert counters.problem == ""


async def test_without_a_store_a_replica_starts_and_finds_it_later(
    tmp_path_factory: pytest.TempPathFactory, replica: Callable[..., SharedCounters]
) -> None:
    """It says so meanwhile."""
    absent = Valkey(tmp_path_factory.mktemp("valkey"), running=False)
    counters = replica(absent.url)
    await _until(lambda: counters.problem != "")
    await _held(counters, HOUR)
    absent.start()
    try:
        await _until(lambda: counters.problem == "")
        assert await _used(counters, HOUR) == 0
    finally:
        absent.kill()


async def test_scripts_that_the_store_has_forgotten_are_told_again(
    valkey: Valkey, replica: Callable[..., SharedCounters]
) -> None:
    """Nobody notices."""
    counters = replica(valkey.url, PATIENT)
    held = await _held(counters, HOUR)
    async with Redis.from_url(valkey.url) as client:
        await client.script_flush()
        await _held(counters, HOUR)
        await client.script_flush()
    counters.settle(held, Amounts(0))
    await counters.drained()
    assert await _used(counters, HOUR) == 1
    assert counters.problem == ""


async def test_all_keys_are_in_one_slot_and_end(valkey: Valkey, replica: Callable[..., SharedCounters]) -> None:
    """But for totals, of which there is no end that comes soon."""
    counters = replica(valkey.url, PATIENT)
    await _held(counters, HOUR, PLACES, _gauge("9/day"), _gauge("9/month"), _gauge("9 total"))
    async with Redis.from_url(valkey.url) as client:
        names = [name for name in await client.keys("*") if isinstance(name, bytes)]
        assert len(names) >= 5
        assert len({name[name.index(b"{") : name.index(b"}")] for name in names}) == 1
        assert {await client.pttl(name) > 0 for name in names if b"total" not in name} == {True}


async def test_a_clock_of_a_replica_that_is_wrong_changes_no_period(
    valkey: Valkey, replica: Callable[..., SharedCounters]
) -> None:
    """The store's clock counts: an hour ahead or behind, at any time of the day, it is the same day."""
    right = replica(valkey.url, PATIENT)
    gauges = [_gauge("9/day"), _gauge("9/month")]
    for hours in (-1, 1):
        wrong = SharedCounters(valkey.url, timeout=PATIENT, wall=lambda hours=hours: time.time() + 3600 * hours)  # type: ignore[misc]
        wrong.start()
        await _held(wrong, *gauges)
        await wrong.aclose()
    await _held(right, *gauges)
    assert [level.used for level in await right.look(gauges)] == [3, 3]
