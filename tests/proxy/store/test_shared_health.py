"""Replicas in one process with a real store between them: what one finds out, the others know."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
from redis.asyncio import Redis

from proxy.choosing.health import Health, Rules
from proxy.errors import RateLimited
from proxy.store.shared_health import EVERY, MAX_NAMES, UNREACHABLE, News, SharedHealth, has_extra
from tests.support.scale import PATIENCE
from tests.support.valkey import Valkey

NAME = "up/m"


class _Replica:
    def __init__(self, url: str, names: list[str]) -> None:
        self.healths = {name: Health(name) for name in names}
        self.sharing = SharedHealth(url)
        self.told: list[str] = []
        self.sharing.told = lambda event, _: self.told.append(event)

    @property
    def health(self) -> Health:
        return self.healths[NAME]

    def state(self) -> str:
        return self.health.state(time.monotonic())


@pytest.fixture
async def replica() -> AsyncIterator[Callable[..., _Replica]]:
    made: list[_Replica] = []

    def start(url: str, names: tuple[str, ...] = (NAME,)) -> _Replica:
        made.append(_Replica(url, list(names)))
        made[-1].sharing.start(made[-1].healths)
        return made[-1]

    yield start
    for one in made:
        await one.sharing.aclose()


async def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def _told(valkey: Valkey) -> dict[bytes, News]:
    """What the store holds of what is not over."""
    async with Redis.from_url(valkey.url) as client:
        names = [name for name in await client.keys("*") if isinstance(name, bytes)]
        assert all([await client.pttl(name) > 0 for name in names]), "a key without an end"
        found = {name: await client.get(name) for name in names}
    entries = {name: msgspec.json.decode(value, type=News) for name, value in found.items() if value is not None}
    return {name: entry for name, entry in entries.items() if not entry.over}


async def test_ejections_limits_and_drains_are_known_elsewhere_until_they_end(
    valkey: Valkey, replica: Callable[..., _Replica]
) -> None:
    """Each for as long as it lasts, told by its finder alone; a recovery ends it everywhere, at its finder too."""
    names = (NAME, "up/limited", "up/drained")
    a, b = replica(valkey.url, names), replica(valkey.url, names)
    now = time.monotonic()
    a.health.eject(now + 40)
    a.healths["up/limited"].failed(now, RateLimited("slow down", retry_after=30), Rules())
    b.healths["up/drained"].drain(now + 20)
    await _until(lambda: b.state() == "open" and b.healths["up/limited"].state(time.monotonic()) == "limited")
    await _until(lambda: a.healths["up/drained"].state(time.monotonic()) == "drained")
    assert b.health.open_until == pytest.approx(now + 40, abs=0.5)
    assert b.healths["up/limited"].limited_until == pytest.approx(now + 30, abs=0.5)
    written = await _told(valkey)
    assert len(written) == 3
    assert b.health.changed is not None
    b.health.changed(b.health)  # that is known from elsewhere
    b.healths["up/limited"].restore(time.monotonic())
    await _until(lambda: a.healths["up/limited"].state(time.monotonic()) == "closed")
    after = await _told(valkey)
    assert after.keys() == written.keys() - {b"sluicegate:health:limited:up/limited"}
    assert after[b"sluicegate:health:open:up/m"] == written[b"sluicegate:health:open:up/m"]
    a.health.restore(time.monotonic())
    await _until(lambda: b.state() == "closed")


async def test_what_an_operator_wants_outlasts_what_others_find_out(
    valkey: Valkey, replica: Callable[..., _Replica]
) -> None:
    """A limit and an ejection elsewhere that are soon over end no drain, neither here, nor there, nor for newcomers."""
    a, b, c = (replica(valkey.url) for _ in range(3))
    a.health.drain(time.monotonic() + 600)
    await _until(lambda: b.state() == c.state() == "drained")
    now = time.monotonic()
    b.health.failed(now, RateLimited("slow down", retry_after=3), Rules())  # of a request that was on its way
    b.health.eject(now + 3)
    await _until(lambda: c.health.limited_until > 0 < c.health.open_until)
    await _until(lambda: time.monotonic() > now + 3 + 2 * EVERY)
    late = replica(valkey.url)
    await _until(lambda: late.state() == "drained")
    assert a.state() == b.state() == c.state() == "drained"
    c.health.restore(time.monotonic())
    await _until(lambda: all(one.health.drained_until == 0.0 for one in (a, b, c, late)))


async def test_the_longer_limit_and_the_later_drain_hold(valkey: Valkey, replica: Callable[..., _Replica]) -> None:
    """Two that find out at the same moment agree, whoever writes last; a drain that is made shorter is shorter."""
    a, b, c = (replica(valkey.url) for _ in range(3))
    now = time.monotonic()
    for one, seconds in ((a, 30.0), (b, 2.0)):
        one.health.failed(now, RateLimited("slow down", retry_after=seconds), Rules())
        one.health.drain(now + 600)
    ends = [one.health for one in (a, b, c)]
    await _until(lambda: all(abs(health.limited_until - now - 30) < 0.5 for health in ends))
    await _until(lambda: all(abs(health.drained_until - now - 600) < 0.5 for health in ends))
    c.health.drain(now + 60)
    await _until(lambda: all(abs(health.drained_until - now - 60) < 0.5 for health in ends))
    written = await _told(valkey)
    end = time.monotonic() + 3 * EVERY
    await _until(lambda: time.monotonic() > end)
    assert await _told(valkey) == written, "they never agree"


async def test_a_key_that_is_lost_is_no_recovery(valkey: Valkey, replica: Callable[..., _Replica]) -> None:
    """A store that is short of memory drops keys: what they told holds, and is told again."""
    a, b = replica(valkey.url), replica(valkey.url)
    now = time.monotonic()
    a.health.eject(now + 40)
    a.health.failed(now, RateLimited("slow down", retry_after=30), Rules())
    a.health.drain(now + 50)
    await _until(lambda: b.state() == "drained" and b.health.limited_until > 0 < b.health.open_until)
    async with Redis.from_url(valkey.url) as client:
        await client.flushall()
        while len(await _told(valkey)) < 3:
            assert time.monotonic() < now + 2 * PATIENCE
            await asyncio.sleep(0.05)
    for one in (a, b):
        ends = [one.health.open_until, one.health.limited_until, one.health.drained_until]
        assert ends == pytest.approx([now + 40, now + 30, now + 50], abs=0.5)


async def test_a_recovery_during_a_loss_is_told_later(valkey: Valkey, replica: Callable[..., _Replica]) -> None:
    """The store kept what was written, and that no longer holds."""
    a, b = replica(valkey.url), replica(valkey.url)
    a.health.eject(time.monotonic() + 40)
    await _until(lambda: b.state() == "open")
    valkey.freeze()
    await _until(lambda: a.sharing.problem == UNREACHABLE == b.sharing.problem)
    b.health.readmit(time.monotonic())
    valkey.thaw()
    await _until(lambda: a.state() == "closed")
    await _until(lambda: not (a.sharing.problem or b.sharing.problem))
    assert b.state() == "closed"
    assert await _told(valkey) == {}


async def test_a_replica_that_comes_later_learns_what_is_left(valkey: Valkey, replica: Callable[..., _Replica]) -> None:
    """By the time that the store has left."""
    async with Redis.from_url(valkey.url) as client:
        entry = News(replica="other", seq=1)
        await client.set(f"sluicegate:health:open:{NAME}", msgspec.json.encode(entry), px=8000)
    began = time.monotonic()
    late = replica(valkey.url)
    await _until(lambda: late.state() == "open")
    assert late.health.open_until == pytest.approx(began + 8, abs=0.5)
    assert late.health.ejections == 0


async def test_what_ends_by_time_is_tried_carefully(valkey: Valkey, replica: Callable[..., _Replica]) -> None:
    """The key is gone with the ejection: half open as where it was found out, not closed."""
    a, b = replica(valkey.url), replica(valkey.url)
    a.health.eject(time.monotonic() + 1.5)
    await _until(lambda: b.state() == "open")
    await _until(lambda: b.state() == "half_open")
    end = time.monotonic() + 2 * EVERY
    await _until(lambda: b.state() != "half_open" or time.monotonic() > end)
    assert b.state() == "half_open"


async def test_without_the_store_everybody_goes_on_and_agrees_again_later(
    valkey: Valkey, replica: Callable[..., _Replica]
) -> None:
    """Its loss and its return are told once; a store that came back empty is no recovery, and is filled again."""
    a, b = replica(valkey.url), replica(valkey.url)
    a.health.eject(time.monotonic() + 40)
    await _until(lambda: b.state() == "open")
    valkey.kill()
    await _until(lambda: a.sharing.problem == UNREACHABLE == b.sharing.problem)
    late = replica(valkey.url)
    valkey.start()
    await _until(lambda: not (a.sharing.problem or b.sharing.problem or late.sharing.problem))
    await _until(lambda: late.state() == "open")
    assert a.state() == b.state() == "open"
    assert a.told == b.told == ["store.lost", "store.back"]


async def test_what_nobody_of_us_wrote_is_passed_over(valkey: Valkey, replica: Callable[..., _Replica]) -> None:
    """Neither nonsense nor an end in a thousand years does harm."""
    random_ = random.Random(3)
    async with Redis.from_url(valkey.url) as client:
        entry = msgspec.json.encode(News(replica="x", seq=1))
        await client.set("sluicegate:health:open:up/bad", random_.randbytes(40), px=60_000)
        await client.set("sluicegate:health:open:up/endless", entry)
        await client.set("sluicegate:health:open:up/far", entry, px=10**14)
        await client.set(f"sluicegate:health:open:{NAME}", entry, px=60_000)
    one = replica(valkey.url, (NAME, "up/bad", "up/endless", "up/far"))
    await _until(lambda: one.state() == "open")
    states = [one.healths[name].state(time.monotonic()) for name in ("up/bad", "up/endless", "up/far")]
    assert states == ["closed", "closed", "open"]
    assert one.healths["up/far"].wait(time.monotonic()) <= 86_400
    assert one.sharing.problem == ""


async def test_many_targets_take_several_rounds(valkey: Valkey, replica: Callable[..., _Replica]) -> None:
    """No round grows beyond its bound, and none is left out."""
    names = tuple(f"up/{number}" for number in range(MAX_NAMES + 200))
    a, b = replica(valkey.url, names), replica(valkey.url, names)
    for health in a.healths.values():
        health.eject(time.monotonic() + 40)
    await _until(lambda: all(health.open_until for health in b.healths.values()))


async def test_who_stops_sharing_leaves_nothing_behind(valkey: Valkey, replica: Callable[..., _Replica]) -> None:
    """Neither a task nor a hook; targets that the file no longer names are let go."""
    one = replica(valkey.url, (NAME, "up/old"))
    old = one.healths.pop("up/old")
    one.sharing.start(one.healths)
    assert [health.changed is None for health in (old, one.health)] == [True, False]
    await one.sharing.aclose()
    assert [health.changed is None for health in (old, one.health)] == [True, True]
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("share")] == []


def test_the_extra_is_missed_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library is looked for without importing it."""
    assert has_extra()
    monkeypatch.setitem(sys.modules, "redis", None)
    assert not has_extra()
