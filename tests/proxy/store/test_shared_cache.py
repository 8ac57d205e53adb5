"""Kept answers in a store that replicas share: found by all, forgotten by all, and never waited for. CAC-01, 06, 07."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from proxy.caching.memory import Memory
from proxy.caching.room import NAME, Caches, Room, StoreFailed
from proxy.store.shared_cache import MAX_COUNTS, PAUSE, RedisCache, share_answers
from proxy.units import Secret
from tests.support.caching import Clock, entry
from tests.support.valkey import Valkey

KEY, OTHER = b"k" * 32, b"o" * 32
TAGS = ("all", "route:chat", "model:m", "entry:1")
Make = Callable[[], RedisCache]


@pytest.fixture
async def make(valkey: Valkey) -> AsyncIterator[Make]:
    """Another replica's, each time. Its pauses are over as soon as they begin."""
    made: list[RedisCache] = []

    def one() -> RedisCache:
        moments = iter(range(10_000))
        made.append(RedisCache(valkey.url, now=lambda: next(moments) * (PAUSE + 1)))
        return made[-1]

    yield one
    for store in made:
        await store.aclose()


def room(store: RedisCache) -> Room:
    """Of a replica."""
    caches = Caches()
    caches.shared = store
    clock = Clock()
    return Room("chat", caches, Memory(10**6, 100, clock), lambda *_: None, clock)


async def test_replicas_see_what_others_keep(make: Make) -> None:
    one, two = room(make()), room(make())
    found = await one.find(KEY, TAGS)
    assert found == (None, (0, 0, 0, 0))
    kept = entry(b"x" * 10_000, marks=found.moment)
    assert await one.keep(KEY, kept, TAGS, 60.0)
    assert (await two.find(KEY, TAGS)).entry == kept
    assert (await two.find(OTHER, TAGS)).entry is None


@pytest.mark.parametrize("tag", TAGS)
async def test_replicas_forget_what_others_forget(tag: str, make: Make) -> None:
    """At once, also what is being asked for; and nothing else."""
    one, two = room(make()), room(make())
    before = (await one.find(KEY, TAGS)).moment
    await one.keep(KEY, entry(marks=before), TAGS, 60.0)
    await two.invalidate(tag)
    assert (await one.find(KEY, TAGS)).entry is None
    await one.keep(KEY, entry(marks=before), TAGS, 60.0)
    assert (await one.find(KEY, TAGS)).entry is None
    after = (await one.find(KEY, TAGS)).moment
    await one.keep(KEY, entry(marks=after), TAGS, 60.0)
    await two.invalidate("model:other")
    assert (await two.find(KEY, TAGS)).entry is not None


async def test_counts_are_bounded(make: Make) -> None:
    """When there are too many of them they are forgotten, with all that was kept."""
    store = make()
    home = room(store)
    moment = (await home.find(KEY, TAGS)).moment
    await home.keep(KEY, entry(marks=moment), TAGS, 60.0)
    assert store._client is not None
    await store._client.hset(b"sluicegate:cache:invalidated", mapping={f"x{at}": 1 for at in range(MAX_COUNTS)})
    await home.invalidate("model:other")
    assert await store._client.hlen(b"sluicegate:cache:invalidated") == 2
    assert (await home.find(KEY, TAGS)).entry is None


async def test_it_has_an_end(make: Make) -> None:
    store = make()
    await store.keep(KEY, b"x", 0.05)
    end = time.monotonic() + 10
    while (await store.find(KEY, TAGS))[0] is not None:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    await store.keep(KEY, b"x", 60.0)
    await store.discard(KEY)
    assert (await store.find(KEY, TAGS))[0] is None


async def test_who_can_write_there_can_make_no_answer(make: Make) -> None:
    """Nothing of the key is in the store, and entries are good in their own place only."""
    store = make()
    home = room(store)
    marks = (await home.find(KEY, TAGS)).moment
    await home.keep(KEY, entry(marks=marks), TAGS, 60.0)
    assert store._client is not None
    (name,) = [one for one in await store._client.keys("*") if b"invalidated" not in one]
    assert KEY not in name
    assert KEY.hex().encode() not in name
    good = await store._client.get(name)
    for poison in (b"", b"HTTP/1.1 200 OK", good[:-4], good.replace(b"Hello", b"Hallo"), b"sgc\x02" + good[4:]):
        await store._client.set(name, poison)
        assert (await home.find(KEY, TAGS)).entry is None
    await store.keep(OTHER, good, 60.0)
    assert (await home.find(OTHER, TAGS)).entry is None


@pytest.mark.parametrize("how", ["dead", "frozen"])
async def test_a_store_that_does_not_answer_is_left_alone(how: str, valkey: Valkey) -> None:
    """For a moment; then it is tried again."""
    clock = [0.0]
    store = RedisCache(valkey.url, now=lambda: clock[0])
    await store.keep(KEY, b"x", 60.0)
    valkey.kill() if how == "dead" else valkey.freeze()
    try:
        with pytest.raises(StoreFailed):
            await store.find(KEY, TAGS)
        with pytest.raises(StoreFailed, match="left alone"):
            await store.find(KEY, TAGS)
    finally:
        valkey.start() if how == "dead" else valkey.thaw()
    clock[0] += PAUSE
    await store.keep(KEY, b"y", 60.0)
    assert (await store.find(KEY, TAGS))[0] == b"y"
    await store.aclose()


async def test_it_is_shared_where_the_file_says_so(valkey: Valkey) -> None:
    caches = Caches()
    assert NAME == "cache"
    share_answers(lambda name, make: caches, None)
    assert caches.shared is None
    share_answers(lambda name, make: caches, Secret(valkey.url))
    assert isinstance(caches.shared, RedisCache)
    await caches.aclose()
