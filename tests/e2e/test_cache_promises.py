"""What is promised of kept answers, in memory and in a store that replicas share, by the same tests. CAC-01 to 07.

Through the compiled policy, without a wire: what a gateway does stands in ``test_cache.py`` and
``test_cache_stores.py``.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import combinations, islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redis.asyncio import Redis

from proxy.caching.entry import seal
from proxy.caching.key import SHOWN, read_body
from proxy.exchange import Exchange, Identity
from proxy.guarding.verdict import Verdict
from proxy.policy import Answer
from tests.support.caching import (
    CHAT,
    STREAM,
    House,
    answered,
    asked,
    entry,
    event,
    flow,
    flowing,
    near_duplicates,
    said,
)
from tests.support.heard.table import EARS
from tests.support.scale import often
from tests.support.valkey import Valkey
from tests.upstream.dialects.table import RENDERERS
from tests.upstream.say import Asked, Part, Say, Tokens

LARGE = "{temperature: any, max_entries: 200000, max_size: 1GiB, personalised: true}"
SEEDS = range(often(1, 10))  # as many runs, of 10,000 requests in `make soak`: 100,000 in all
Make = Callable[..., House]


@pytest.fixture(params=["memory", "valkey"])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    """``make(settings, before=…, after=…)``: a route with a cache, in memory or in a real store."""
    store: str | None = None
    if request.param == "valkey":
        running: Valkey = request.getfixturevalue("module_valkey")
        store = running.url
        async with Redis.from_url(store) as client:
            await client.flushall()
    made: list[House] = []

    def one(settings: str = "{temperature: any}", **more: Any) -> House:
        (tmp_path / f"{len(made)}").mkdir()
        made.append(House(tmp_path / f"{len(made)}", settings, store=store, **more))
        return made[-1]

    yield one
    for house in made:
        await house.aclose()


def text_of(body: bytes) -> str:
    """What a whole answer says."""
    found: str = json.loads(body)["choices"][0]["message"]["content"]
    return found


# CAC-01: whose, and of what

SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}
Values = tuple[int, ...]  # of each axis, by its place
AXES: dict[str, tuple[Any, ...]] = {
    "organisation": ("acme", "other"),
    "team": ("search", "ads", "search/web"),
    "key": ("web", "app"),
    "tier": ("", "premium"),
    "user": ("ada", "bob", ""),
    "model": ("m", "n"),
    "parameters": ({}, {"max_tokens": 5}, {"temperature": 0}, {"temperature": 0.0}, {"seed": 1}),
    "system": ("", "Be kind", "Be  kind", "be kind"),
    "tools": ({}, {"tools": [{"type": "function", "function": {"name": "f"}}]}, {"tools": []}),
    "format": ({}, {"response_format": SCHEMA}, {"response_format": {"type": "json_object"}}),
    "guards": (0, 1),
    "documents": ("", "v1", "v2"),
}
GUARDS = ("pii: {on: output, action: redact}, ", "pii: {on: output, action: block}, ")


def request_of(values: Values) -> Exchange:
    """One question, by somebody, with everything that could change the answer."""
    found = {name: AXES[name][at] for name, at in zip(AXES, values, strict=True)}
    messages = [{"role": "system", "content": found["system"]}] if found["system"] else []
    messages.append({"role": "user", "content": "Hi"})
    x = asked(model=found["model"], messages=messages, **found["parameters"], **found["tools"], **found["format"])
    x.identity = Identity(found["organisation"], found["team"], found["key"], tier=found["tier"])
    tags = {"user": found["user"], "documents": found["documents"]}
    x.tags = {name: value for name, value in tags.items() if value}
    return x


def neighbours(draw: random.Random) -> Iterator[Values]:
    """Without end: a request, those that differ from it in one axis or in two, in every pair, and itself again."""
    counts = [len(values) for values in AXES.values()]
    while True:
        base = tuple(draw.randrange(count) for count in counts)
        yield base
        for changed in [(at,) for at in range(len(counts))] + list(combinations(range(len(counts)), 2)):
            other = list(base)
            for at in changed:
                other[at] = (base[at] + draw.randrange(1, counts[at])) % counts[at]
            yield tuple(other)
        yield base


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
async def test_no_axis_is_crossed(seed: int, make: Make) -> None:
    """Everybody gets what was said to this very request; and gets it, if it was asked before. Keys that people see
    differ like the requests."""
    first = make(LARGE, before=GUARDS[0])
    houses = (first, make(LARGE, before=GUARDS[1], after=first))
    guards = list(AXES).index("guards")
    seen: dict[Values, str] = {}
    results = Counter[str]()
    for values in islice(neighbours(random.Random(seed)), often(400, 10_000)):
        x = request_of(values)
        result, body = await houses[values[guards]].ask(x, answered(x, said(repr(values))))
        assert text_of(body) == repr(values)
        assert result == ("hit" if values in seen else "miss")
        shown = x.notes["cache"].split()[1].rstrip(",")
        assert seen.setdefault(values, shown) == shown
        results[result] += 1
    assert results["hit"] >= 4
    assert len(set(seen.values())) == len(seen)
    assert {len(shown) for shown in seen.values()} == {SHOWN}


# CAC-02: what is never kept


class Kind(NamedTuple):
    """``asks``: members of the request; ``answer``: of the provider; ``told``: by others, when it has passed."""

    asks: dict[str, Any]
    answer: Callable[[Exchange], Answer] = answered
    told: Callable[[Exchange], Any] | None = None
    settings: str = "{temperature: any}"


def says(body: bytes, status: int = 200) -> Callable[[Exchange], Answer]:
    """An answer like this."""
    return lambda x: answered(x, body, status)


def streams(*events: bytes) -> Callable[[Exchange], Answer]:
    """A stream of these."""
    return lambda x: flowing(x, *events)


def warned(x: Exchange) -> None:
    """A guard has found something, and lets it pass."""
    verdict = Verdict("output")
    verdict.note("email", "warn", "choice 0 text")
    x.verdicts.append(verdict)


def shows(part: dict[str, Any]) -> dict[str, Any]:
    """A question about it."""
    return {"temperature": 0, "messages": [{"role": "user", "content": [{"type": "text", "text": "So?"}, part]}]}


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
NEVER: dict[str, Kind] = {
    "an error": Kind({}, says(b'{"error": {}}', 500)),
    "too long": Kind({}, says(said(finish="length"))),
    "filtered": Kind({}, says(said(finish="content_filter"))),
    "calls tools": Kind({}, says(said("", finish="tool_calls", tool_calls=[CALL]))),
    "empty": Kind({}, says(said(" \n"))),
    "cut off": Kind({}, says(said()[:-20])),
    "a stream without its end": Kind({"stream": True}, streams(*STREAM[:3])),
    "a stream without a reason": Kind({"stream": True}, streams(*STREAM[:3], STREAM[4])),
    "a stream that is too long": Kind({"stream": True}, streams(*STREAM[:3], event({}, "length"), STREAM[4])),
    "blocked by a guard": Kind({}, told=lambda x: x.notes.update(replaced_by="keywords")),
    "redacted": Kind({}, told=lambda x: setattr(x, "unkept", "redacted")),
    "with personal data": Kind({}, told=warned),
    "drawn by chance": Kind({"temperature": 0.7}, settings="{}"),
    "a picture by address": Kind(shows({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})),
    "a file by its id": Kind(shows({"type": "file", "file": {"file_id": "file-1"}})),
    "with what is elsewhere": Kind({"temperature": 0, "web_search_options": {}}),
    "by another than the first choice": Kind({}, told=lambda x: setattr(x, "degraded", "overloaded")),
}


@pytest.mark.parametrize("name", NEVER, ids=lambda name: name.replace(" ", "_"))
async def test_it_is_never_kept(name: str, make: Make) -> None:
    """Nothing comes to lie in the store, and the next request is sent. A good answer would have been kept."""
    kind = NEVER[name]
    house = make(kind.settings)
    for _ in range(2):
        x = asked(**kind.asks)
        result, _ = await house.ask(x, kind.answer(x), kind.told)
        assert result in ("miss", "bypass")
        assert await house.kept() == 0
    assert await house.asks(asked("Good?", temperature=0), asked("Good?", temperature=0)) == ["miss", "hit"]
    assert await house.kept() == 1


async def later(going: asyncio.Event) -> AsyncIterator[bytes]:
    """A stream of which one event comes, and the others when the test says so."""
    yield STREAM[0]
    await going.wait()
    for chunk in STREAM[1:]:
        yield chunk


async def test_a_stream_that_was_left_is_never_kept(make: Make) -> None:
    """By its only reader."""
    house, x = make(), asked(stream=True)
    await house.policy.on_request(x)
    answer = flowing(x)
    answer.chunks = later(asyncio.Event())
    house.policy.on_response(x, answer)
    assert answer.chunks is not None
    assert answer.close is not None
    assert await anext(aiter(answer.chunks))
    answer.close()
    house.policy.on_close(x)
    await house.rest()
    assert await house.kept() == 0
    assert await house.asks(asked(stream=True)) == ["miss"]


async def test_what_was_said_before_counts(make: Make) -> None:
    """A conversation is not its last question."""
    house = make()
    turns = [{"role": "assistant", "content": "In Oslo?"}, {"role": "user", "content": "Yes"}]
    before = [[{"role": "user", "content": text}, *turns] for text in ("Is it cold?", "Is it far?")]
    assert (
        await house.asks(*(asked(messages=messages) for messages in (*before, *before))) == ["miss"] * 2 + ["hit"] * 2
    )


# CAC-03: nearly the same is another


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
async def test_near_duplicates_are_never_one(seed: int, make: Make) -> None:
    """Each text is asked for, and kept, by itself."""
    house, total = make(LARGE), often(200, 10_000)
    for text in islice(near_duplicates(seed), total):
        x = asked(text)
        result, body = await house.ask(x, answered(x, said(f"about {text!r}")))
        assert (result, text_of(body)) == ("miss", f"about {text!r}")
    assert await house.kept() == total


# CAC-05: who asks from beyond learns nothing


@pytest.mark.parametrize("scope", ["key", "team", "organisation"])
async def test_a_prober_learns_nothing(scope: str, make: Make) -> None:
    """In every header, note and step: what somebody has asked is to others as what nobody has asked."""
    house = make(f"{{temperature: any, scope: {scope}}}")
    within = {"key": ("acme", "search", "web"), "team": ("acme", "search", "app"), "organisation": ("acme", "ads", "k")}
    beyond = {"key": within["team"], "team": within["organisation"], "organisation": ("other", "o", "o")}
    await house.ask(asked("known"))
    seen = []
    for text in ("known", "unknown"):
        x = asked(text, who=beyond[scope])
        await house.policy.on_request(x)
        note = x.notes["cache"].split()[0]
        seen.append((x.detour, x.reply_headers, note, len(house.room.flights), x.unkept))
        house.policy.on_response(x, answered(x))
        house.policy.on_close(x)
        await house.rest()
    assert seen[0] == seen[1]
    assert await house.asks(asked("known", who=within[scope])) == ["hit"]


# CAC-06: many at once are one


async def _follow(house: House, count: int, **more: Any) -> tuple[Exchange, list[asyncio.Task[Any]]]:
    """One that leads, and others who wait."""
    leader = asked(**more)
    await house.policy.on_request(leader)
    tasks = [asyncio.create_task(house.ask(asked(**more))) for _ in range(count)]
    await asyncio.sleep(0)
    return leader, tasks


async def _ends(house: House, leader: Exchange, answer: Answer) -> None:
    """The leader has got this."""
    house.policy.on_response(leader, answer)
    if answer.chunks is not None:
        assert [chunk async for chunk in answer.chunks]
    house.policy.on_close(leader)
    await house.rest()


def _sent(found: list[Any]) -> int:
    """How many of them have asked a provider."""
    return sum(result == "miss" for result, _ in found)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_thousand_at_once_are_one(stream: bool, make: Make) -> None:
    """And each has all of it, with an id of its own."""
    house = make()
    leader, tasks = await _follow(house, 999, stream=stream)
    await _ends(house, leader, flowing(leader, *STREAM) if stream else answered(leader))
    found = await asyncio.gather(*tasks)
    assert _sent(found) == 0
    assert len({body for _, body in found}) == 999
    assert house.room.stats.requests == {"miss": 1, "shared": 999}
    assert len(house.room.flights) == 0


async def test_a_leader_that_is_cancelled_is_followed_by_one(make: Make) -> None:
    """Two requests in all, and nobody fails."""
    house = make()
    leader, tasks = await _follow(house, 99)
    house.policy.on_close(leader)
    found = await asyncio.gather(*tasks)
    assert _sent(found) == 1
    assert {text_of(body) for _, body in found} == {"Hello"}


async def test_a_leader_that_leaves_its_stream_leaves_it_to_the_others(make: Make) -> None:
    """One request in all."""
    house, going = make(), asyncio.Event()
    leader = asked(stream=True)
    await house.policy.on_request(leader)
    answer = flowing(leader)
    answer.chunks = later(going)
    house.policy.on_response(leader, answer)
    tasks = [asyncio.create_task(house.ask(asked(stream=True))) for _ in range(20)]
    while house.room.stats.requests["shared"] < 20:
        await asyncio.sleep(0)
    assert answer.close is not None
    answer.close()
    house.policy.on_close(leader)
    going.set()
    found = await asyncio.gather(*tasks)
    assert _sent(found) == 0
    assert all(body.endswith(b"[DONE]\n\n") for _, body in found)
    while len(house.room.flights):
        await asyncio.sleep(0)


async def test_a_leader_that_fails_is_followed_by_one(make: Make) -> None:
    """Two requests in all; whoever waits has a good answer."""
    house = make()
    leader, tasks = await _follow(house, 99)
    await _ends(house, leader, answered(leader, b'{"error": {}}', 503))
    found = await asyncio.gather(*tasks)
    assert _sent(found) == 1
    assert {text_of(body) for _, body in found} == {"Hello"}


# CAC-07: given again

PATHS = {
    "openai_chat": CHAT,
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini": "/v1beta/models/m:{verb}",
}
SAY = Say(parts=[Part(kind="text", pieces=["Hel", "lo, ", "世界 🙂"])], usage=Tokens(input=30, output=7))


def in_dialect(dialect: str, stream: bool) -> Exchange:
    """A question."""
    if dialect == "gemini":
        verb = "streamGenerateContent" if stream else "generateContent"
        body = b'{"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}'
        return asked(path=PATHS[dialect].format(verb=verb), body=body)
    more: dict[str, Any] = {"max_tokens": 9} if dialect == "anthropic_messages" else {"input": "Hi", "store": False}
    return asked(path=PATHS[dialect], stream=stream, **({} if dialect == "openai_chat" else more))


def by_dialect(x: Exchange, dialect: str, stream: bool) -> Answer:
    """The provider's answer."""
    renderer, shown = RENDERERS[dialect], Asked(model="m", stream=stream, include_usage=False)
    if not stream:
        return answered(x, renderer.body(SAY, shown))
    answer = flowing(x)
    answer.chunks = flow(*renderer.frames(SAY, shown))
    return answer


@pytest.mark.parametrize("then", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("first", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", PATHS)
async def test_a_hit_is_an_answer_by_the_rules(dialect: str, first: bool, then: bool, make: Make) -> None:
    """Of its dialect, in either form, as its official client reads it: the same words, another id, at no cost."""
    house = make()
    x = in_dialect(dialect, first)
    result, before = await house.ask(x, by_dialect(x, dialect, first))
    assert result == "miss"
    x = in_dialect(dialect, then)
    result, body = await house.ask(x)
    assert result == "hit"
    ear = EARS[dialect]
    one, other = ear.stream(before) if first else ear.whole(before), ear.stream(body) if then else ear.whole(body)
    assert (other.text, other.stop, other.calls) == (one.text, one.stop, one.calls)
    assert other.text == "Hello, 世界 🙂"
    if one.usage is not None and other.usage is not None:
        assert other.usage == one.usage
    assert x.request_id.rpartition("_")[2].encode() in body
    assert not x.attempts


# What bad input gets


@pytest.mark.parametrize("damage", ["poisoned", "truncated", "other_version", "other_key", "empty"])
async def test_what_is_no_entry_is_a_miss_that_is_told(damage: str, make: Make) -> None:
    """Whatever lies there; and the answer that comes next takes its place."""
    house = make()
    x = asked()
    await house.ask(x)
    key = house.policy._keys.of(x, read_body(x.body))
    good = seal(key, entry(marks=(0,) * 7))
    bad = {
        "poisoned": good.replace(b"Hello", b"Hallo"),
        "truncated": good[:-9],
        "other_version": good[:3] + b"\x09" + good[4:],
        "other_key": seal(bytes(32), entry()),
        "empty": b"",
    }[damage]
    shared = house.caches.shared
    if shared is None:
        house.room.memory.keep(key, bad, (), 0, 60.0)
    else:
        await shared.keep(key, bad, 60.0)
    told: list[tuple[str, str]] = []
    house.room._told = lambda *words: told.append(words)
    assert await house.asks(asked(), asked()) == ["miss", "hit"]
    assert [event for event, _ in told] == ["damaged"]
