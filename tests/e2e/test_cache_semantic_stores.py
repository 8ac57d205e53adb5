"""What is promised of answers to questions that mean the same, where they lie in memory and in a real store. CAC-04."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from proxy.store.shared_cache import RedisCache
from tests.support.alike import AlikeHouse
from tests.support.questions import draw
from tests.support.scale import PATIENCE, often
from tests.support.valkey import Valkey

FIRST, AGAIN = "How do I pay the bill?", "Hi, how can I pay the bill?"
Make = Callable[..., AlikeHouse]


@pytest.fixture(params=["memory", "valkey"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """``make(threshold=…)``: a route with `cache_semantic`, whose embedder finds everything alike."""
    shared: RedisCache | None = None
    if request.param == "valkey":
        running: Valkey = request.getfixturevalue("module_valkey")
        shared = RedisCache(running.url, timeout=PATIENCE)
        async with Redis.from_url(running.url) as client:
            await client.flushall()
    yield lambda **settings: AlikeHouse(shared=shared, **settings)
    if shared is not None:
        await shared.aclose()


@pytest.mark.soak
async def test_no_pair_that_must_miss_is_served(make: Make) -> None:
    """Of the generator, held-out families, by the guard alone; and enough of those that must hit."""
    house = make(max_entries=100_000, threshold=0.8)
    paraphrases = found = 0
    for number, pair in enumerate(draw("held_out", 21, often(10, 300))):
        key = f"caller{number}"
        await house.ask(pair.stored, key=key)
        result, _ = await house.ask(pair.asked, key=key)
        assert pair.same or result == "miss", pair
        paraphrases, found = paraphrases + pair.same, found + (result == "semantic")
    assert found / paraphrases >= 0.3


async def test_nobody_gets_what_another_has_asked(make: Make) -> None:
    """In no words."""
    house = make()
    await house.ask(FIRST)
    assert [(await house.ask(text, key="app"))[0] for text in (FIRST, AGAIN)] == ["miss", "semantic"]
    assert [(await house.ask(text))[0] for text in (AGAIN, FIRST)] == ["semantic", "semantic"]


async def test_what_is_not_near_enough_is_a_miss(make: Make) -> None:
    """However much it says the same."""
    house = make(threshold=0.95)
    await house.ask(FIRST)
    house.context.vectors["how to pay the bill?"] = [0.94, (1 - 0.94**2) ** 0.5]
    assert (await house.ask(AGAIN))[0] == "miss"


@pytest.mark.parametrize("vector", [None, [], [float("nan"), 1.0]], ids=["late", "empty", "odd"])
async def test_an_embedder_without_an_answer_is_a_miss(vector: Any, make: Make) -> None:
    """And what is kept is found again when it has one."""
    house = make()
    await house.ask(FIRST)
    house.context.vectors["how to pay the bill?"] = vector
    assert (await house.ask(AGAIN))[0] == "miss"
    house.context.vectors["how to pay the bill?"] = [1.0, 0.0]
    assert (await house.ask(AGAIN))[0] == "semantic"
