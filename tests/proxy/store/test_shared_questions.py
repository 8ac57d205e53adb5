"""Questions in a store that replicas share: few at each place, found and forgotten by all. CAC-04."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from proxy.caching.room import Given
from proxy.semantic.memory import MOST_ALIKE
from proxy.store.names import COUNTS, PREFIX, name_of
from proxy.store.shared_cache import PAUSE, RedisCache
from proxy.store.shared_questions import RedisQuestions
from tests.support.scale import PATIENCE
from tests.support.valkey import Valkey

PLACE, OTHER, KEY = b"p" * 32, b"o" * 32, b"k" * 32
TAGS = ("all", "route:chat")
GIVEN = Given("chat", "acme/web", 0.97, PLACE, b"name", KEY)
Make = Callable[[], tuple[RedisQuestions, RedisCache]]


@pytest.fixture
async def make(valkey: Valkey) -> AsyncIterator[Make]:
    """Another replica's, each time. Its pauses are over as soon as they begin."""
    made: list[RedisCache] = []

    def one() -> tuple[RedisQuestions, RedisCache]:
        moments = iter(range(10_000))
        made.append(RedisCache(valkey.url, now=lambda: next(moments) * (PAUSE + 1), timeout=PATIENCE))
        return RedisQuestions(made[-1].ask), made[-1]

    yield one
    for store in made:
        await store.aclose()


async def test_replicas_see_what_others_keep_and_forget(make: Make) -> None:
    """At one place, with the counts of invalidated tags."""
    (one, cache), (two, _) = make(), make()
    assert await one.look(PLACE, TAGS) == ([], (0, 0))
    await one.keep(PLACE, b"a", b"first", 60.0)
    await two.keep(PLACE, b"b", b"second", 60.0)
    await two.keep(PLACE, b"a", b"again", 60.0)
    await cache.invalidate("route:chat")
    found, moment = await two.look(PLACE, TAGS)
    assert (sorted(found), moment) == ([(b"a", b"again"), (b"b", b"second")], (0, 1))
    assert await two.look(OTHER, TAGS) == ([], (0, 1))
    await two.forget(PLACE, b"b")
    assert (await one.look(PLACE, TAGS))[0] == [(b"a", b"again")]


async def test_a_place_is_bounded_and_the_oldest_goes_first(make: Make) -> None:
    """Before it what is none of ours."""
    questions, cache = make()
    for number in range(MOST_ALIKE):
        await questions.keep(PLACE, b"%d" % number, b"%d" % number, 60.0)
    await questions.keep(PLACE, b"0", b"0 again", 60.0)
    client: Any = cache._client
    (name,) = await client.keys("*alike*")
    await client.hset(name, "poison", "x" * 100)
    await questions.keep(PLACE, b"x", b"x", 60.0)
    found = [data for _, data in (await questions.look(PLACE, TAGS))[0]]
    assert sorted(found) == sorted([b"0 again", b"x", *[b"%d" % number for number in range(2, MOST_ALIKE)]])


async def test_a_place_has_an_end(make: Make) -> None:
    """That of the youngest."""
    questions, cache = make()
    await questions.keep(PLACE, b"a", b"a", 60.0)
    await questions.keep(PLACE, b"b", b"b", 0.05)
    client: Any = cache._client
    (name,) = await client.keys("*alike*")
    assert 50_000 < await client.pttl(name) <= 60_000
    await questions.keep(OTHER, b"b", b"b", 0.05)
    end = time.monotonic() + 10
    while (await questions.look(OTHER, TAGS))[0]:
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_what_else_lies_there_is_nothing(make: Make) -> None:
    """Told of as one that is cut, once."""
    questions, cache = make()
    await questions.look(PLACE, TAGS)
    client: Any = cache._client
    await client.set(b"sluicegate:cache:alike:" + name_of(PLACE), "poison")
    assert await questions.look(PLACE, TAGS) == ([(b"", b"")], (0, 0))
    await questions.forget(PLACE, b"")
    assert await questions.look(PLACE, TAGS) == ([], (0, 0))
    await client.set(b"sluicegate:cache:alike:" + name_of(PLACE), "poison")
    await questions.keep(PLACE, b"a", b"a", 60.0)
    assert (await questions.look(PLACE, TAGS))[0] == [(b"a", b"a")]
    assert COUNTS.startswith(PREFIX)


async def test_no_key_is_in_the_store(make: Make) -> None:
    """Who can read there cannot make what is good there."""
    questions, cache = make()
    await questions.keep(PLACE, b"name", b"data", 60.0)
    await questions.note("req_1", GIVEN, 60.0)
    client: Any = cache._client
    everything = b""
    for name in await client.keys("*"):
        everything += name + (await client.dump(name))
    for secret in (PLACE, KEY, b"req_1"):
        assert secret not in everything
        assert secret.hex().encode() not in everything


async def test_whoever_hears_that_it_was_wrong_has_all_forget_it(make: Make) -> None:
    """Said once, by the team that got it."""
    (one, cache), (two, _) = make(), make()
    for name in (b"name", b"right"):
        await one.keep(PLACE, name, name, 60.0)
    await cache.keep(KEY, b"answer", 60.0)
    await one.note("req_1", GIVEN, 60.0)
    await one.note("req_2", GIVEN._replace(name=b"right"), 60.0)
    assert await two.judge("req_1", "other/ads", is_wrong=True) is None
    assert await two.judge("req_3", "acme/web", is_wrong=True) is None
    assert await two.judge("req_2", "acme/web", is_wrong=False) == ("chat", 0.97)
    assert len((await one.look(PLACE, TAGS))[0]) == 2
    assert await two.judge("req_1", "acme/web", is_wrong=True) == ("chat", 0.97)
    assert (await one.look(PLACE, TAGS))[0] == [(b"right", b"right")]
    assert (await cache.find(KEY, TAGS))[0] is None
    assert await one.judge("req_1", "acme/web", is_wrong=True) is None


async def test_a_note_that_is_none(make: Make) -> None:
    """Nobody knows of it."""
    questions, cache = make()
    await questions.note("req_1", GIVEN, 60.0)
    client: Any = cache._client
    (name,) = await client.keys("*given*")
    await client.set(name, b"\x93poison")
    assert await questions.judge("req_1", "acme/web", is_wrong=True) is None
