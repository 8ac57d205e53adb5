"""Where questions lie, with the policy, on a real store: replicas answer for each other, and nobody waits. CAC-04."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from policies.caching.cache_semantic import CacheSemantic, CacheSemanticConfig
from proxy.caching.room import Caches
from proxy.experiments.feedback import Feedback
from proxy.experiments.service import FeedbackUnavailable
from proxy.semantic.feedback import Judged
from proxy.semantic.log import EVENT
from proxy.semantic.record import place_of
from proxy.store.shared_cache import PAUSE, RedisCache, share_answers
from proxy.store.shared_questions import RedisQuestions
from proxy.units import Secret
from tests.support.alike import AlikeHouse, request
from tests.support.scale import PATIENCE
from tests.support.valkey import Valkey

FIRST, AGAIN = "How do I pay the bill?", "Hi, how can I pay the bill?"
Make = Callable[..., AlikeHouse]


@pytest.fixture
async def make(valkey: Valkey) -> AsyncIterator[Make]:
    """A replica with its own connections, each time. Its pauses are over as soon as they begin."""
    made: list[RedisCache] = []

    def one(**settings: Any) -> AlikeHouse:
        moments = iter(range(10_000))
        made.append(RedisCache(valkey.url, now=lambda: next(moments) * (PAUSE + 1), timeout=PATIENCE))
        return AlikeHouse(shared=made[-1], **settings)

    yield one
    for store in made:
        await store.aclose()


def client_of(house: AlikeHouse) -> Any:
    """Its connection."""
    shared: Any = house.context.caches.shared
    return shared._client


async def test_what_one_has_learned_another_answers(make: Make) -> None:
    """By the next request, with no vector where nothing says the same."""
    one, two = make(), make()
    assert (await one.ask(FIRST))[0] == "miss"
    assert (await two.ask("How do I not pay the bill?"))[0] == "miss"
    assert len(two.context.asked) == 1  # when its caller had the answer
    result, x = await two.ask(AGAIN)
    assert result == "semantic"
    assert "1.0000 like" in x.notes["cache_semantic"]
    assert (await two.ask(AGAIN, key="app"))[0] == "miss"


async def test_no_key_is_in_the_store(make: Make) -> None:
    """Who can read there learns the words, and cannot make an answer."""
    one = make(shadow=True)
    await one.ask(FIRST)
    x = request(FIRST)
    await one.policy.on_request(x)
    alike: Any = next(state for state in x.state if state is not None)
    client, everything = client_of(one), b""
    for name in await client.keys("*"):
        everything += name + await client.dump(name)
    for secret in (alike.partition, place_of(alike.partition, alike.question)):
        assert secret not in everything
        assert secret.hex().encode() not in everything


async def test_the_nearest_is_given_and_only_if_it_is_near(make: Make) -> None:
    """By the vectors of all that say the same."""
    one, two = make(), make()
    vectors = {"how to pay the bill?": [1.0, 0.0], "how to pay bill?": [0.0, 1.0], "how to pay a bill?": [0.6, 0.8]}
    one.context.vectors |= vectors
    two.context.vectors |= vectors
    await one.ask(FIRST, "first")
    assert (await two.ask("How can I pay bill?", "second"))[0] == "miss"
    result, x = await one.ask("How can I pay a bill?")
    assert (result, "0.8000 like" in x.notes["cache_semantic"]) == ("miss", True)
    assert (await one.ask("How can I pay bill?"))[0] == "semantic"


async def test_what_is_invalidated_is_given_by_nobody(make: Make) -> None:
    """By any tag of whoever had it kept; others' tags do nothing."""
    for tag, key in (("all", "web"), ("route:chat", "web"), ("key:acme/search/web", "app")):
        one, two = make(scope="team"), make(scope="team")
        await one.ask(FIRST)
        await two.room.invalidate("model:other")
        await two.room.invalidate("key:acme/search/app")
        assert (await two.ask(AGAIN, key=key))[0] == "semantic"
        await one.room.invalidate(tag)
        assert (await two.ask(AGAIN, key=key))[0] == "miss", tag


async def test_it_is_kept_for_its_time(make: Make) -> None:
    """In the store, too."""
    one, two = make(ttl=60.0), make(ttl=60.0)
    await one.ask(FIRST)
    client = client_of(one)
    names = await client.keys("sluicegate:cache:*")
    assert len(names) == 2
    for name in names:
        assert 0 < await client.pttl(name) <= 60_000
    two.context.clock += 61
    assert (await two.ask(AGAIN))[0] == "miss"


async def test_what_lost_its_answer_is_forgotten(make: Make) -> None:
    """The store may drop one and keep the other."""
    one, two = make(), make()
    await one.ask(FIRST)
    client = client_of(one)
    (place,) = await client.keys("*alike*")
    (answer,) = [name for name in await client.keys("sluicegate:cache:*") if name != place]
    await client.delete(answer)
    result, x = await two.ask(FIRST, control=b"no-store")
    assert (result, "is gone" in x.notes["cache_semantic"]) == ("miss", True)
    assert not await client.keys("*alike*")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data[:30], "truncated"),
        (lambda data: data[:-2] + b"xx", "checksum"),
        (lambda data: data[:19] + b"\x09" + data[20:], "version"),
        (lambda data: b"poison", "truncated"),
    ],
    ids=["cut", "changed", "version", "foreign"],
)
async def test_a_bad_vector_is_a_miss(change: Callable[[bytes], bytes], why: str, make: Make) -> None:
    """And told of."""
    one, two = make(), make()
    await one.ask(FIRST)
    client = client_of(one)
    (place,) = await client.keys("*alike*")
    ((name, data),) = (await client.hgetall(place)).items()
    await client.hset(place, name, change(data))
    assert (await two.ask(AGAIN, control=b"no-store"))[0] == "miss"
    assert two.reasons == [("damaged", why)]
    assert await client.hexists(place, name) == (why == "version")  # what is of use to nobody is gone


async def test_vectors_of_another_model_are_not_compared(make: Make) -> None:
    """Not by its name, and not by its length; each model has its own."""
    one, other = make(), make()
    other.context.targets["up/other"] = other.context.targets["up/vectors"]
    config = CacheSemanticConfig(embedder="up/other", temperature="any")
    other.policy = CacheSemantic.compile(config, other.context)  # type: ignore[arg-type]
    await one.ask(FIRST)
    assert (await other.ask(AGAIN))[0] == "miss"
    assert ("damaged", "model") in other.reasons
    assert (await other.ask(AGAIN))[0] == "semantic"
    assert (await one.ask(AGAIN))[0] == "semantic"
    longer = make()
    longer.context.vectors["how to pay the bill?"] = [1.0, 0.0, 0.0]
    assert (await longer.ask(FIRST, control=b"no-store"))[0] == "miss"
    assert ("damaged", "model") in longer.reasons


@pytest.mark.parametrize("how", ["miss", "memory"])
async def test_without_the_store_nobody_waits(how: str, make: Make, valkey: Valkey) -> None:
    """Nothing is given, or what this process has learned meanwhile; it is told of, and ends when the store is back."""
    house = make(when_store_fails=how)
    await house.ask(FIRST)
    valkey.kill()
    result, x = await house.ask(AGAIN)
    assert result == "miss"
    assert house.reasons[0][0] == "store"
    assert ("the store cannot be asked" in x.notes["cache_semantic"]) == (how == "miss")
    assert (await house.ask(FIRST))[0] == ("miss" if how == "miss" else "semantic")
    valkey.start()
    await house.ask(FIRST)
    assert (await make().ask(AGAIN))[0] == "semantic"


async def test_feedback_reaches_all(make: Make, tmp_path: Any, valkey: Valkey) -> None:
    """Whoever hears it; and whoever cannot say so now says it again."""
    one, two = make(), make()
    told: list[dict[str, Any]] = []

    def judged(house: AlikeHouse) -> Judged:
        take = {"semantic served": house.served, "cache": house.context.caches}
        return Judged(tmp_path, lambda name, make: take[name], lambda event, fields: told.append({event: fields}))

    await one.ask(FIRST)
    _, x = await one.ask(AGAIN)
    said = Feedback("wrong_answer", True, x.request_id)
    assert not await judged(two).heard(said, "acme/other")
    assert (await two.ask(AGAIN))[0] == "semantic"
    assert await judged(two).heard(said, "acme/search")
    assert [next(iter(fields)) for fields in told] == [EVENT]
    assert told[0][EVENT]["is_right"] is False
    assert not await judged(one).heard(said, "acme/search")
    assert (await one.ask(AGAIN))[0] == "miss"
    valkey.kill()
    with pytest.raises(FeedbackUnavailable):
        await judged(two).heard(said, "acme/search")


async def test_shadow_mode_learns_from_others(make: Make) -> None:
    """It serves nothing, and compares."""
    one, two = make(shadow=True), make(shadow=True)
    await one.ask(FIRST, "Pay 5 euros.")
    assert (await two.ask(AGAIN, "Pay 7 euros."))[0] == "miss"
    assert two.samples == [(1.0, False)]


async def test_the_file_says_so(valkey: Valkey) -> None:
    """With a store questions are shared as answers are."""
    caches = Caches()
    share_answers(lambda name, make: caches, Secret(valkey.url))
    assert isinstance(caches.questions, RedisQuestions)
    share_answers(lambda name, make: caches, None)
    assert caches.questions is None
