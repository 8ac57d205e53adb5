"""Kept answers over the wire: who gets one, what is never kept, and what becomes of those who wait together."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import httpx2
import pytest
from redis.asyncio import Redis

from tests.support import books
from tests.support.environment import ROOT, clean_environment
from tests.support.gateway import Gateway
from tests.support.journal import JournalReader
from tests.support.scale import PATIENCE, often
from tests.support.traffic import CHAT
from tests.support.upstream import FakeUpstream
from tests.support.valkey import Valkey
from tests.support.wire import Wire

WEB, APP, OTHER = (f"sk-{name}-0123456789-0123456789-abcdef" for name in ("web", "app", "other"))
PRICE = '{"*": {price: {input: $1, output: $10}}}'
OLD = 0.01  # seconds; longer than the `ttl` of `late` and `behind`
_number = count()
Ask = Callable[..., Any]
pytestmark = pytest.mark.soak


def config(url: str, *, more: str = "") -> str:
    """Routes with caches of several kinds; two keys of one team, and one of another organisation."""
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up, models: {PRICE}}}
tenants:
  acme: {{teams: {{search: {{keys: {{web: {{hash: "{books.hashed(WEB)}"}}, app: {{hash: "{books.hashed(APP)}"}}}}}}}}}}
  other: {{teams: {{ads: {{keys: {{shop: {{hash: "{books.hashed(OTHER)}"}}}}}}}}}}
routes:
  sure: {{models: [sure], policies: [authenticate, cache: {{ttl: 1h}}], target: up/sure}}
  any: {{models: [any], policies: [authenticate, cache: {{ttl: 1h, temperature: any}}], target: up/any}}
  team: {{models: [team], policies: [authenticate, cache: {{temperature: any, scope: team}}], target: up/team}}
  late:
    models: [late]
    policies: [authenticate, cache: {{ttl: 1ms, temperature: any, stale_if_error: 1h}}]
    target: up/late
  guarded:
    models: [guarded]
    policies: [authenticate, pii: {{on: output, action: redact}}, cache: {{temperature: any}}]
    target: up/guarded
  behind:
    models: [behind]
    policies: [authenticate, cache: {{ttl: 1ms, temperature: any, stale_while_revalidate: 1h}}]
    target: up/behind
retries: {{max: 0}}
health: {{enabled: false}}
overload: {{enabled: false}}
{more}"""


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    return module_gateway(config(upstream_process.url))


@pytest.fixture
def journal(upstream: FakeUpstream) -> JournalReader:
    """What happens from now on, models answering at once."""
    for model in ("sure", "any", "team", "late", "behind", "guarded"):
        upstream.tell(model)
    upstream.journal().mark()
    return upstream.journal()


@pytest.fixture
async def ask(running: Gateway) -> AsyncIterator[Ask]:
    """Asks that gateway, or the one at ``at``. What is asked for the first time is asked by nobody else."""
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(timeout=60, limits=limits) as client:

        async def send(
            text: str, model: str = "any", *, key: str = WEB, at: Gateway = running, control: str = "", **more: Any
        ) -> httpx2.Response:
            body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
            headers = {"authorization": f"Bearer {key}", **({"x-cache-control": control} if control else {})}
            return await client.post(f"{at.url}/chat/completions", json=body, headers=headers)

        yield send


def new() -> str:
    """A question that nobody has asked."""
    return f"What about {next(_number)}?"


def cached(answer: httpx2.Response) -> str | None:
    """What its header says."""
    found: str | None = answer.headers.get("x-sluicegate-cache")
    return found


def events(answer: httpx2.Response) -> list[Any]:
    """Of a whole stream."""
    blocks = [block.removeprefix("data: ") for block in answer.text.split("\n\n") if block]
    assert blocks.pop() == "[DONE]"
    return [json.loads(block) for block in blocks]


def text_of(answer: httpx2.Response) -> str:
    """What was said."""
    if answer.headers["content-type"].startswith("application/json"):
        found: str = answer.json()["choices"][0]["message"]["content"]
        return found
    return "".join(choice["delta"].get("content") or "" for event in events(answer) for choice in event["choices"])


def ids_of(answer: httpx2.Response) -> set[str]:
    """Every id in it."""
    if answer.headers["content-type"].startswith("application/json"):
        return {answer.json()["id"]}
    return {event["id"] for event in events(answer)}


# Hits


@pytest.mark.parametrize("first", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("then", [False, True], ids=["whole", "stream"])
async def test_a_hit_answers_either_form(first: bool, then: bool, ask: Ask, journal: JournalReader) -> None:
    """The same words under another id, at no cost, in a good form; the provider is asked once."""
    question = new()
    one = await ask(question, stream=first)
    two = await ask(question, stream=then)
    assert (cached(one), cached(two)) == ("miss", "hit")
    assert text_of(one) == text_of(two) != ""
    assert two.headers["x-sluicegate-cost"] == "0.000000000"
    assert two.headers["x-sluicegate-target"] == "up/any"
    assert int(two.headers["age"]) >= 0
    ids = [
        {event["id"] for event in events(one)} if form else {one.json()["id"]}
        for one, form in ((one, first), (two, then))
    ]
    assert [len(found) for found in ids] == [1, 1]
    assert ids[0] != ids[1]
    if then:
        assert events(two)[0]["choices"][0]["delta"]["role"] == "assistant"
        assert events(two)[-1]["choices"][0]["finish_reason"] == "stop"
    else:
        assert two.json()["usage"]["total_tokens"] > 0
    assert len(journal.requests()) == 1


async def test_a_hit_is_in_receipts_and_metrics(ask: Ask, running: Gateway, journal: JournalReader) -> None:
    question = new()
    one, two = await ask(question), await ask(question)
    asked = await running.logged("request", request_id=one.headers["x-request-id"])
    hit = await running.logged("request", request_id=two.headers["x-request-id"])
    assert asked["cost_usd"] > 0
    assert "cost_usd" not in hit
    assert hit["attempts"] == []
    assert hit["notes"]["cache"].startswith("hit ")
    assert f"saves ${asked['cost_usd']:.6f}" in hit["notes"]["cache"]
    found = (await asyncio.to_thread(running.get, "/metrics"))[1].decode()
    assert 'sluicegate_cache_requests_total{result="hit",route="any"}' in found
    assert 'sluicegate_cache_saved_usd_total{route="any"}' in found


# Scope


async def test_nobody_gets_what_was_answered_to_another(ask: Ask, journal: JournalReader) -> None:
    """Keys of one team, and of another organisation: as if nobody had ever asked."""
    question = new()
    answers = [await ask(question, key=key) for key in (WEB, APP, OTHER)]
    assert [cached(answer) for answer in answers] == ["miss"] * 3
    assert len(journal.requests()) == 3


async def test_a_team_shares_if_the_file_says_so(ask: Ask, journal: JournalReader) -> None:
    question = new()
    answers = [await ask(question, "team", key=key) for key in (WEB, APP, OTHER)]
    assert [cached(answer) for answer in answers] == ["miss", "hit", "miss"]


# What is never kept

CALL = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
TOOL = {"type": "function", "function": {"name": "f"}}
PICTURE = [{"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}]
BAD_ANSWERS: dict[str, dict[str, Any]] = {
    "an error": {"status": 500},
    "too long": {"finish": "length"},
    "filtered": {"finish": "content_filter"},
    "calls a tool": {"tool_calls": CALL, "finish": "tool_calls"},
    "empty": {"text": ""},
    "refused": {"say": {"parts": [{"kind": "refusal", "pieces": ["No."]}], "stop": "stop"}},
    "no finish reason": {"body": {"id": "x", "choices": [{"index": 0, "message": {"content": "So"}}]}},
}
BROKEN_STREAMS: dict[str, dict[str, Any]] = {
    "no end": {"done": False},
    "dies": {"die_after": 2},
    "fails in its own words": {"events": ['data: {"error": {"message": "overloaded"}}']},
    "too long": {"finish": "length"},
    "calls a tool": {"tool_calls": CALL, "finish": "tool_calls"},
}
BY_CHANCE: dict[str, dict[str, Any]] = {
    "no temperature": {},
    "warm": {"temperature": 0.1},
    "a picture by address": {"temperature": 0, "messages": [{"role": "user", "content": PICTURE}]},
    "a search": {"temperature": 0, "web_search_options": {}},
    "is stored": {"temperature": 0, "store": True},
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_bad_answers_are_not_kept(name: str, ask: Ask, upstream: FakeUpstream, journal: JournalReader) -> None:
    upstream.tell("any", **BAD_ANSWERS[name])
    question = new()
    assert [cached(await ask(question, tools=[TOOL])) for _ in range(2)] == ["miss"] * 2
    assert len(journal.requests()) == 2


@pytest.mark.parametrize("name", BROKEN_STREAMS)
async def test_broken_streams_are_not_kept(name: str, ask: Ask, upstream: FakeUpstream, journal: JournalReader) -> None:
    upstream.tell("any", **BROKEN_STREAMS[name])
    question = new()
    assert [cached(await ask(question, stream=True)) for _ in range(2)] == ["miss"] * 2
    assert len(journal.requests()) == 2


@pytest.mark.parametrize("name", BY_CHANCE)
async def test_what_would_be_another_answer_is_not_kept(name: str, ask: Ask, journal: JournalReader) -> None:
    """The default: only what is sure to be the same again."""
    question = new()
    assert [cached(await ask(question, "sure", **BY_CHANCE[name])) for _ in range(2)] == ["bypass"] * 2
    assert len(journal.requests()) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_what_a_guard_has_found_is_not_kept(
    stream: bool, ask: Ask, upstream: FakeUpstream, journal: JournalReader
) -> None:
    """Also if it stands further out, and looks at what flows."""
    upstream.tell("guarded", text="Write to ada@example.com today.")
    question = new()
    answers = [await ask(question, "guarded", stream=stream) for _ in range(2)]
    assert [cached(answer) for answer in answers] == ["miss", "miss"]
    assert not any("ada@example.com" in answer.text for answer in answers)
    upstream.tell("guarded", text="Write today.")
    answers = [await ask(question, "guarded", stream=stream) for _ in range(2)]
    assert [cached(answer) for answer in answers] == ["miss", "hit"]


async def test_a_caller_that_left_has_no_answer_to_keep(
    ask: Ask, running: Gateway, upstream: FakeUpstream, journal: JournalReader
) -> None:
    """The provider's stream is closed, and the next request asks anew."""
    upstream.tell("any", gap_ms=50, tokens=100)
    question = new()
    (await _begin(running, question)).close()
    await journal.wait("closed", timeout=20)
    upstream.tell("any")
    assert cached(await ask(question, stream=True)) == "miss"


async def _begin(running: Gateway, question: str) -> Wire:
    """A stream of which one event was read."""
    wire = await Wire.open(running.port)
    body = {"model": "any", "messages": [{"role": "user", "content": question}], "stream": True}
    headers = {"authorization": f"Bearer {WEB}", "content-type": "application/json"}
    await wire.request("POST", CHAT, json.dumps(body).encode(), headers)
    assert await wire.head() == 200
    async for _ in wire.events():
        break
    return wire


async def _given(running: Gateway) -> int:
    """How many got what another has asked for."""
    body = (await asyncio.to_thread(running.get, "/admin/cache"))[1]
    (found,) = [one["requests"] for one in json.loads(body)["caches"] if one["route"] == "any"]
    return sum(found.get(result, 0) for result in ("hit", "shared"))


# What callers say


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("no-cache", ["bypass", "hit"]),
        ("no-store", ["hit", "hit"]),
        ("max-age=0", ["bypass", "hit"]),
        ("max-age=3600", ["hit", "hit"]),
        ("no-semantic", ["hit", "hit"]),
    ],
)
async def test_callers_may_ask_anew(said: str, expected: list[str], ask: Ask) -> None:
    question = new()
    await ask(question)
    assert [cached(await ask(question, control=said)), cached(await ask(question))] == expected


async def test_callers_may_have_nothing_kept(ask: Ask) -> None:
    question = new()
    assert [cached(await ask(question, control="no-store")), cached(await ask(question))] == ["miss", "miss"]
    refused = await ask(question, control="no-cash")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_cache_control")


# Those who wait together


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_many_at_once_are_one(stream: bool, ask: Ask, upstream: FakeUpstream, journal: JournalReader) -> None:
    """One request to the provider, and for each an answer with an id of its own."""
    many = often(60, 1000)
    upstream.tell("any", head_ms=300, gap_ms=10)
    question = new()
    answers = await asyncio.gather(*(ask(question, stream=stream) for _ in range(many)))
    assert Counter(answer.status_code for answer in answers) == {200: many}
    assert len({text_of(answer) for answer in answers}) == 1
    assert len(set.union(*map(ids_of, answers))) == many
    assert Counter(cached(answer) for answer in answers) == {"miss": 1, "hit": many - 1}
    assert len(journal.requests()) == 1


async def test_a_leader_that_leaves_takes_nothing_along(
    ask: Ask, running: Gateway, upstream: FakeUpstream, journal: JournalReader
) -> None:
    """In the middle of a stream: it goes on for the others, who have all of it, and is paid once."""
    upstream.tell("any", gap_ms=50, tokens=30)
    question, before = new(), await _given(running)
    leader = await _begin(running, question)
    others = [asyncio.create_task(ask(question, stream=True)) for _ in range(10)]
    async with asyncio.timeout(PATIENCE):
        while await _given(running) < before + 10:
            await asyncio.sleep(0.02)
    leader.close()
    answers = await asyncio.gather(*others)
    assert Counter(answer.status_code for answer in answers) == {200: 10}
    assert len({text_of(answer) for answer in answers}) == 1
    assert len(text_of(answers[0]).split()) >= 10
    assert len(journal.requests()) == 1


async def test_a_leader_that_leaves_early_is_followed_by_another(
    ask: Ask, upstream: FakeUpstream, journal: JournalReader
) -> None:
    upstream.tell("any", head_ms=500)
    question = new()
    leader = asyncio.create_task(ask(question))
    await journal.wait("request")
    others = [asyncio.create_task(ask(question)) for _ in range(10)]
    await asyncio.sleep(0.1)  # whether they wait already or not, all must get an answer
    leader.cancel()
    answers = await asyncio.gather(*others)
    assert Counter(answer.status_code for answer in answers) == {200: 10}
    assert len(journal.requests()) == 2


async def test_a_failure_is_tried_once_more(ask: Ask, upstream: FakeUpstream, journal: JournalReader) -> None:
    """The first fails, another takes over; if that fails as well, all hear so."""
    upstream.tell("any", id=new(), head_ms=300, steps=[{"status": 500}, {}])
    question = new()
    answers = await asyncio.gather(*(ask(question) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 19, 502: 1}
    assert len(journal.requests()) == 2
    upstream.tell("any", head_ms=300, status=500)
    question = new()
    answers = await asyncio.gather(*(ask(question) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {502: 20}
    assert len(journal.requests()) == 4


# What is too old


async def test_an_old_answer_is_better_than_none(ask: Ask, upstream: FakeUpstream, journal: JournalReader) -> None:
    question = new()
    one = await ask(question, "late")
    await asyncio.sleep(OLD)
    two = await ask(question, "late")
    assert (cached(one), cached(two)) == ("miss", "miss")
    upstream.tell("late", status=503)
    await asyncio.sleep(OLD)
    for stream in (False, True):
        old = await ask(question, "late", stream=stream)
        assert (old.status_code, cached(old), text_of(old)) == (200, "stale", text_of(two))
        assert old.headers.get_list("warning") == ['110 - "Response is Stale"', '111 - "Revalidation Failed"']
    assert (await ask(new(), "late")).status_code >= 500
    upstream.tell("late", status=400)
    assert (await ask(question, "late")).status_code == 400


async def test_an_old_answer_is_given_while_it_is_asked_for_anew(
    ask: Ask, upstream: FakeUpstream, running: Gateway, journal: JournalReader
) -> None:
    """At once; the next has the new one."""
    question = new()
    upstream.tell("behind", text="one")
    await ask(question, "behind")
    upstream.tell("behind", text="two")
    await asyncio.sleep(OLD)
    old = await ask(question, "behind")
    assert (cached(old), text_of(old), old.headers["warning"]) == ("stale", "one", '110 - "Response is Stale"')
    await journal.until(lambda: len(journal.requests()) == 2, "second request")
    for _ in range(200):
        found = await ask(question, "behind")
        if text_of(found) == "two":
            break
        await asyncio.sleep(0.05)
    assert text_of(found) == "two"


# Operators


async def _ran(*words: str) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "proxy.cli", *words]
    environment = clean_environment(PYTHONPATH=str(ROOT))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_answers_are_forgotten_by_command(ask: Ask, running: Gateway, journal: JournalReader) -> None:
    """And what they have saved is told."""
    question = new()
    answers = [await ask(question, "team", key=key) for key in (WEB, APP)]
    url = ("--url", running.origin)
    found = json.loads(await _ran("cache", "stats", "--json", *url))
    (team,) = [one for one in found["caches"] if one["route"] == "team"]
    assert team["requests"]["hit"] >= 1
    assert team["saved"]["cost"] > 0
    assert "team" in await _ran("cache", "stats", *url)
    assert "forgotten" in await _ran("cache", "invalidate", "team:acme/search", "--route", "team", *url)
    answers.append(await ask(question, "team"))
    assert [cached(answer) for answer in answers] == ["miss", "hit", "miss"]


async def test_it_is_explained(running: Gateway) -> None:
    """The key, and whether there would be an answer; nothing is sent, and nothing held."""
    words = ["explain", "--config", str(running.config), "--key", WEB, "--model", "any", "--json"]
    policies = dict(json.loads(await _ran(*words))["policies"])
    assert policies["cache"].startswith("miss ")
    assert "looked up by" in policies["cache"]


# Replicas


async def test_replicas_share_and_forget_together(
    gateway: Callable[..., Gateway], ask: Ask, upstream: FakeUpstream, valkey: Valkey, journal: JournalReader
) -> None:
    """One asks, the other answers; poison is a miss; without the store each asks the provider."""
    more = f"store: {valkey.url}\n"
    one, two = gateway(config(upstream.url, more=more)), gateway(config(upstream.url, more=more))
    question = new()

    async def becomes(expected: str, at: Gateway, **more: Any) -> None:
        """On a crowded machine the store may be late, which is a miss."""
        for _ in range(200):
            if cached(await ask(question, at=at, **more)) == expected:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(expected)

    assert cached(await ask(question, at=one)) == "miss"
    await becomes("hit", two)
    await becomes("hit", two, stream=True)
    await _ran("cache", "invalidate", "model:any", "--url", one.origin)
    assert cached(await ask(question, at=two)) == "miss"
    await becomes("hit", one)
    client = Redis.from_url(valkey.url)
    while not one.log("cache.damaged"):
        for name in await client.keys("sluicegate:cache:*"):
            if b"invalidated" not in name:
                await client.append(name, b"poison")
        assert cached(await ask(question, at=one)) == "miss"
    await client.aclose()
    assert one.log("cache.damaged")[0]["reason"] == "checksum"
    valkey.freeze()
    try:
        answers = [await ask(new(), at=one) for _ in range(3)]
    finally:
        valkey.thaw()
    assert [(answer.status_code, cached(answer)) for answer in answers] == [(200, "miss")] * 3
