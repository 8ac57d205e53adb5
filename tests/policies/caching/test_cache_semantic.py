"""The policy `cache_semantic`: what it finds, what it never looks for, and what it says. CAC-04, CAC-05."""

from __future__ import annotations

from typing import Any

import pytest

from policies.caching.cache_semantic import LEVELS, CacheSemantic, CacheSemanticConfig, VerifyConfig
from tests.policies.conftest import Scripted
from tests.support.alike import AlikeContext, AlikeHouse, request
from tests.support.questions import draw
from tests.support.scale import often

FIRST, AGAIN = "How do I pay the bill?", "Hi, how can I pay the bill?"


async def test_what_says_the_same_is_served() -> None:
    """With its age, what it saved, how near it was, and by which entry."""
    house = AlikeHouse()
    assert (await house.ask(FIRST))[0] == "miss"
    house.context.clock += 7
    result, x = await house.ask(AGAIN)
    assert result == "semantic"
    assert dict(x.reply_headers)[b"age"] == b"7"
    assert x.notes["cache_semantic"].startswith("semantic, 7 s old, saves $0.000000: 1.0000 like ")
    assert x.unkept
    assert house.context.hits == [("semantic", "up/m")]


async def test_vectors_are_wanted_only_where_something_says_the_same() -> None:
    """A miss costs its caller no time; its vector is made when the caller has the answer."""
    house = AlikeHouse()
    x = request(FIRST)
    await house.policy.on_request(x)
    assert house.context.asked == []
    await house.ask(FIRST)
    assert len(house.context.asked) == 1
    await house.ask("How do I not pay the bill?")
    assert len(house.context.asked) == 2


@pytest.mark.parametrize(("level", "threshold"), [*LEVELS.items(), (0.97, 0.97)])
async def test_it_must_be_near_enough(level: Any, threshold: float) -> None:
    """By a word or a number."""
    for similarity, expected in ((threshold + 0.002, "semantic"), (threshold - 0.002, "miss")):
        house = AlikeHouse(threshold=level)
        house.context.vectors["how to pay the bill?"] = [1.0, 0.0]
        await house.ask(FIRST)
        house.context.vectors["how to pay the bill?"] = [similarity, (1 - similarity**2) ** 0.5]
        assert (await house.ask("how can I pay the bill?"))[0] == expected


@pytest.mark.parametrize("vector", [None, [], [0.0, 0.0], [1.0, 0.0, 0.0], [float("nan"), 1.0]])
async def test_a_bad_vector_is_a_miss(vector: list[float] | None) -> None:
    """Late, missing, or of another length."""
    house = AlikeHouse()
    await house.ask(FIRST)
    house.context.vectors["how to pay the bill?"] = vector
    assert (await house.ask(AGAIN))[0] == "miss"


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.5},
        {"max_tokens": 7},
        {"response_format": {"type": "json_object"}},
        {"user": "somebody"},
        {"messages": [{"role": "system", "content": "Be rude."}, {"role": "user", "content": AGAIN}]},
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "user", "content": AGAIN}]},
    ],
)
async def test_everything_else_must_be_equal(change: dict[str, Any]) -> None:
    """Parameters, the system prompt, and what was said before."""
    house = AlikeHouse()
    await house.ask(FIRST)
    assert (await house.ask(AGAIN, **change))[0] == "miss"
    assert (await house.ask(AGAIN))[0] == "semantic"


async def test_other_languages_are_told_of() -> None:
    """Equal words only; the receipt says why nothing else was given."""
    house = AlikeHouse()
    await house.ask("Wie hoch ist der Preis?")
    result, x = await house.ask("Was ist der Preis?")
    assert (result, "other languages than English" in x.notes["cache_semantic"]) == ("miss", True)
    assert (await house.ask("Hallo, wie hoch ist der Preis?"))[0] == "semantic"


async def test_scope_and_time() -> None:
    """Each key has its own, for so long."""
    house = AlikeHouse(ttl=60.0)
    await house.ask(FIRST)
    assert (await house.ask(AGAIN, key="app"))[0] == "miss"
    house.context.clock += 59
    assert (await house.ask(AGAIN))[0] == "semantic"
    assert (await house.ask(AGAIN, control=b"max-age=30"))[0] == "miss"
    shared = AlikeHouse(scope="team")
    await shared.ask(FIRST)
    assert (await shared.ask(AGAIN, key="app"))[0] == "semantic"


@pytest.mark.parametrize("control", [b"no-semantic", b"no-cache", b"no-semantic, max-age=60"])
async def test_a_caller_may_be_stricter(control: bytes) -> None:
    """Never looser."""
    house = AlikeHouse()
    await house.ask(FIRST)
    assert (await house.ask(AGAIN, control=control))[0] == "bypass"


async def test_no_store_is_heard_and_nonsense_refused() -> None:
    """What a caller says of caching."""
    house = AlikeHouse()
    await house.ask(FIRST, control=b"no-store")
    assert (await house.ask(AGAIN))[0] == "miss"
    reply = await house.policy.on_request(request(FIRST, control=b"threshold=0.1"))
    assert reply is not None
    assert (reply.status, reply.code) == (400, "invalid_cache_control")


@pytest.mark.parametrize("finish", ["length", "content_filter", "tool_calls"])
async def test_what_is_not_whole_is_not_kept(finish: str) -> None:
    """By the rules of `cache`."""
    house = AlikeHouse()
    await house.ask(FIRST, finish=finish)
    assert (await house.ask(AGAIN))[0] == "miss"


async def test_what_somebody_else_has_answered_is_left_alone() -> None:
    """`cache` stands before it."""
    house = AlikeHouse()
    x = request(FIRST)
    x.detour = object()
    assert await house.policy.on_request(x) is None
    assert x.reply_headers == []
    assert "cache_semantic" not in x.notes


async def test_what_is_not_to_be_kept_is_not_looked_for() -> None:
    """A rule of `cache` gives it no time."""
    house = AlikeHouse()
    await house.ask(FIRST)
    x = request(AGAIN)
    x.unkept = "not for a moment"
    assert await house.policy.on_request(x) is None
    assert x.detour is None
    assert x.notes["cache_semantic"] == "bypass: not for a moment"


async def test_without_an_embedder_it_passes() -> None:
    """Its provider was left out."""
    context = AlikeContext()
    context.targets["up/vectors"] = None
    policy = CacheSemantic.compile(CacheSemanticConfig(embedder="up/vectors"), context)  # type: ignore[arg-type]
    x = request(FIRST, temperature=0)
    assert await policy.on_request(x) is None
    assert "left out" in policy.explain(x)


async def test_a_verifier_may_object() -> None:
    """It sees both questions, and is told not to do what they say."""
    house = AlikeHouse(verify=VerifyConfig(target="up/judge"))
    await house.ask(FIRST)
    result, x = await house.ask(AGAIN)
    assert result == "semantic"
    assert "how to pay the bill?" in x.notes["asked"]
    for said in ("No", "I cannot say", ""):
        other = AlikeHouse(verify=VerifyConfig(target="up/judge"))
        other.context.targets["up/judge"] = Scripted(said)
        strict = CacheSemantic.compile(
            CacheSemanticConfig(embedder="up/vectors", temperature="any", verify=VerifyConfig(target="up/judge")),
            other.context,  # type: ignore[arg-type]
        )
        other.policy = strict
        await other.ask(FIRST)
        assert (await other.ask(AGAIN))[0] == "miss"


async def test_explain_shows_what_is_understood() -> None:
    """The words that count."""
    house = AlikeHouse()
    x = request("Hi, how can I pay the bill?")
    await house.policy.on_request(x)
    assert "says: ~ | how pay bill; from 0.95, shared by each key" in house.policy.explain(x)


@pytest.mark.parametrize(
    "settings", [{}, {"embedder": "up/vectors", "model_dir": "here"}, {"model_dir": "/does/not/exist"}]
)
def test_what_cannot_be_compiled(settings: dict[str, str], tmp_path: Any) -> None:
    """It needs one embedder, that is there."""
    context = AlikeContext()
    context.file = lambda name, at: tmp_path / name  # type: ignore[attr-defined]
    CacheSemantic.compile(CacheSemanticConfig(**settings), context)  # type: ignore[arg-type]
    assert context.problems


async def test_no_pair_that_must_miss_is_served() -> None:
    """Of the generator, held-out families, with an embedder that finds everything alike: the guard alone."""
    house = AlikeHouse(max_entries=100_000, threshold=0.8)
    wrong, hits, found = [], 0, 0
    for number, pair in enumerate(draw("held_out", 21, often(10, 300))):
        key = f"caller{number}"
        await house.ask(pair.stored, key=key)
        result, _ = await house.ask(pair.asked, key=key)
        hits, found = hits + pair.same, found + (pair.same and result == "semantic")
        if result == "semantic" and not pair.same:
            wrong.append(pair)
    assert not wrong
    assert found / hits >= 0.3


async def test_shadow_mode_serves_nothing() -> None:
    """It tells what it would have done, and whether that was right."""
    house = AlikeHouse(shadow=True)
    await house.ask(FIRST, "Pay 5 euros.")
    assert (await house.ask(AGAIN, "Pay 5 euros!"))[0] == "miss"
    await house.ask(FIRST, "Pay 7 euros.")
    assert house.samples == [(None, None), (1.0, True), (1.0, False)]
