"""The line as its callers see it: clients that wait, poll, hold on or leave, and what the provider saw of it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from google import genai

from tests.support.gateway import Gateway
from tests.support.jobs import Caller
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
HEADERS = {"content-type": "application/json"}
CHAT = "/v1/chat/completions"
_NUMBERS = itertools.count()
MESSAGES: Any = [{"role": "user", "content": "Hello"}]
KEYS = {tier: f"key-of-{tier}-0123456789" for tier in ("premium", "free")}


def config(url: str) -> str:
    """Routes with a line, by what is limited."""
    keys = ", ".join(
        f'{tier}: {{hash: "sha256:{hashlib.sha256(key.encode()).hexdigest()}", tier: {tier}}}'
        for tier, key in KEYS.items()
    )
    return f"""
listen: 127.0.0.1:8080
health: {{enabled: true}}
retries: {{max: 2}}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
tenants:
  acme: {{teams: {{search: {{keys: {{{keys}}}}}}}}}
routes:
  waits: {{models: ["w-*"], policies: [queue], target: "up/*"}}
  one: {{models: [local], policies: [authenticate, queue: {{max_in_flight: 1}}], target: up/local}}
  two: {{models: [pair], policies: [queue: {{max_in_flight: 2}}], target: up/pair}}
  hurried: {{models: ["h-*"], policies: [queue: {{patience: 1s}}], target: "up/*"}}
  refused: {{models: ["r-*"], policies: [queue: {{patience: 1s, on_long_wait: refuse}}], target: "up/*"}}
"""


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file."""
    return module_gateway(config(upstream_process.url))


def limited(upstream: FakeUpstream, prefix: str, *, times: int, seconds: float, **then: Any) -> str:
    """A model that is limited so many times, and then answers."""
    model = f"{prefix}-{next(_NUMBERS)}"
    refusal = {"status": 429, "headers": {"retry-after-ms": str(round(seconds * 1000))}, "body": {"error": {}}}
    upstream.tell(model, id=model, steps=[refusal] * times + [{"status": 200, **then}])
    return model


def ask(model: str, **more: Any) -> bytes:
    """A chat request."""
    return json.dumps({"model": model, "messages": MESSAGES, **more}).encode()


def times(upstream: FakeUpstream) -> list[float]:
    """When the provider was asked."""
    return [entry["at"] for entry in upstream.journal().requests()]


async def test_waits(running: Gateway, upstream: FakeUpstream, client: Callable[..., openai.AsyncOpenAI]) -> None:
    """A request that is limited twice is answered in the end, and asked the provider three times, never early."""
    model = limited(upstream, "w", times=2, seconds=0.4)
    answer = await client(running.url).chat.completions.create(model=model, messages=MESSAGES)
    assert answer.choices[0].message.content
    asked = times(upstream)
    assert len(asked) == 3
    assert all(later - sooner >= 0.39 for sooner, later in itertools.pairwise(asked))
    entry = await running.logged("request", model=model)
    assert entry["notes"]["queue"].endswith("at position 1")
    assert entry["overhead_ms"] < 300  # the wait is none of the gateway's own time


async def test_no_herd(running: Gateway, upstream: FakeUpstream) -> None:
    """Of twelve that wait one goes first, alone; the provider never sees them all at once."""
    model = limited(upstream, "w", times=1, seconds=0.8, ttft_ms=150)

    async def one() -> int:
        wire = await Wire.open(running.port)
        await wire.request("POST", CHAT, ask(model), HEADERS)
        status = await wire.head()
        await wire.whole()
        wire.close()
        return status

    first = asyncio.create_task(one())
    await upstream.journal().wait("request")
    assert await asyncio.gather(first, *(one() for _ in range(11))) == [200] * 12
    limit, *asked = times(upstream)
    assert len(asked) == 12
    assert asked[0] - limit >= 0.79
    assert asked[1] - asked[0] >= 0.14  # not before the first was answered
    assert asked[3] - asked[1] >= 0.14


async def test_max_in_flight(running: Gateway, upstream: FakeUpstream) -> None:
    """The provider never answers more than so many at once."""
    upstream.tell("pair", ttft_ms=60)

    async def one() -> None:
        wire = await Wire.open(running.port)
        await wire.request("POST", CHAT, ask("pair"), HEADERS)
        assert await wire.head() == 200
        await wire.whole()
        wire.close()

    await asyncio.gather(*(one() for _ in range(9)))
    asked = times(upstream)
    assert len(asked) == 9
    assert all(third - first >= 0.05 for first, third in zip(asked, asked[2:], strict=False))


async def test_tiers(running: Gateway, upstream: FakeUpstream) -> None:
    """While a model is busy, premium keys go before free ones."""
    upstream.tell("local", ttft_ms=300)

    async def one(tier: str) -> None:
        wire = await Wire.open(running.port)
        await wire.request("POST", CHAT, ask("local", user=tier), {**HEADERS, "authorization": f"Bearer {KEYS[tier]}"})
        assert await wire.head() == 200
        await wire.whole()
        wire.close()

    tasks = [asyncio.create_task(one("free"))]
    await upstream.journal().wait("request")
    upstream.tell("local", ttft_ms=10)
    tasks.append(asyncio.create_task(one("free")))
    await waiting(running, "one", 1)
    tasks.append(asyncio.create_task(one("premium")))
    await asyncio.gather(*tasks)
    async with asyncio.timeout(5):
        while len(entries := running.log("request", model="local")) < 3:
            await asyncio.sleep(0.01)
    assert [entry["key"].rsplit("/", 1)[1] for entry in entries] == ["free", "premium", "free"]


async def waiting(running: Gateway, route: str, count: int) -> None:
    """Wait until so many are in a route's line."""
    line = f'sluicegate_queue_waiting{{route="{route}"}} {count}.0'
    async with asyncio.timeout(5):
        while line not in (await asyncio.to_thread(running.get, "/metrics"))[1].decode():
            await asyncio.sleep(0.01)


async def test_accepted(running: Gateway, upstream: FakeUpstream) -> None:
    """Who would wait too long is told where to ask, and finds the answer there; the provider answered once."""
    model = limited(upstream, "h", times=1, seconds=2)
    caller = Caller(running.port)
    told = await asyncio.to_thread(caller.call, "POST", CHAT, ask(model))
    assert told.status == 202
    assert told.json["status"] == "queued"
    assert told.json["position"] == 1
    assert 1 <= told.json["estimated_wait_seconds"] <= 4
    assert told.json["poll_url"] == told.headers["location"] == f"/v1/queue/{told.json['queue_id']}"
    assert 1 <= int(told.headers["retry-after"]) <= 4
    async with asyncio.timeout(15):
        while (found := await asyncio.to_thread(caller.call, "GET", told.json["poll_url"])).status == 202:
            await asyncio.sleep(0.05)
    assert found.status == 200
    assert found.json["choices"]
    assert len(times(upstream)) == 2


async def test_refused(running: Gateway, upstream: FakeUpstream, client: Callable[..., openai.AsyncOpenAI]) -> None:
    """Where waits are not taken over, the official client raises its class and reads when to come back."""
    model = limited(upstream, "r", times=1, seconds=7)
    with pytest.raises(openai.RateLimitError) as refused:
        await client(running.url).chat.completions.create(model=model, messages=MESSAGES)
    assert refused.value.code == "rate_limited"
    assert 7 <= int(refused.value.response.headers["retry-after"]) <= 9
    assert len(times(upstream)) == 1


async def test_held_line(running: Gateway, upstream: FakeUpstream) -> None:
    """A stream begins with comments at once and goes on with the answer, byte for byte."""
    model = limited(upstream, "w", times=1, seconds=1.5)
    wire = await Wire.open(running.port)
    await wire.request("POST", CHAT, ask(model, stream=True), HEADERS)
    assert await wire.head() == 200
    assert wire.header("content-type") == "text/event-stream"
    assert len(times(upstream)) == 1
    body = await wire.whole()
    assert body.startswith(b": waiting, position 1\n\n")
    assert body.endswith(b"data: [DONE]\n\n")
    assert len(times(upstream)) == 2
    wire.close()


async def test_leaves_while_waiting(running: Gateway, upstream: FakeUpstream) -> None:
    """A streaming client that goes frees its place, and nobody is asked for it."""
    model = limited(upstream, "w", times=1, seconds=1.5)
    wire = await Wire.open(running.port)
    await wire.request("POST", CHAT, ask(model, stream=True), HEADERS)
    assert await wire.head() == 200
    await waiting(running, "waits", 1)
    wire.close()
    await waiting(running, "waits", 0)
    await asyncio.sleep(1.7)
    assert len(times(upstream)) == 1


@pytest.mark.parametrize("who", ["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
async def test_official_clients(running: Gateway, upstream: FakeUpstream, who: str) -> None:
    """Every official client reads past the comments."""
    model = limited(upstream, "w", times=1, seconds=1.2)
    texts: list[str] = []
    if who.startswith("openai"):
        made = openai.AsyncOpenAI(base_url=running.url, api_key="k", max_retries=0)
        if who == "openai_chat":
            async for chunk in await made.chat.completions.create(model=model, messages=MESSAGES, stream=True):
                texts += [choice.delta.content or "" for choice in chunk.choices]
        else:
            async for event in await made.responses.create(model=model, input="Hello", stream=True):
                texts += [event.delta] if event.type == "response.output_text.delta" else []
        await made.close()
    elif who == "anthropic_messages":
        claude = anthropic.AsyncAnthropic(base_url=running.origin, api_key="k", max_retries=0)
        async with claude.messages.stream(model=model, max_tokens=9, messages=MESSAGES) as stream:
            async for text in stream.text_stream:
                texts.append(text)
        await claude.close()
    else:
        google = genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=running.origin))
        async for part in await google.aio.models.generate_content_stream(model=model, contents="Hello"):
            texts.append(part.text or "")
    assert "".join(texts).strip()
    entry = await running.logged("request", model=model)
    assert entry["notes"]["queue"].startswith("waited 1")
    assert len(times(upstream)) == 2


async def test_reload_keeps_places(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, client: Callable[..., openai.AsyncOpenAI]
) -> None:
    """Who waits when the file changes is still before those who come then."""
    text = config(upstream.url)
    made = gateway(text)
    model = limited(upstream, "w", times=1, seconds=2.5)

    async def one(user: str) -> None:
        await client(made.url).chat.completions.create(model=model, messages=MESSAGES, user=user)

    tasks = [asyncio.create_task(one("first"))]
    await waiting(made, "waits", 1)
    generation = made.generation()
    made.write(text + "timeouts: {total: 9m}\n")
    await made.reloaded(generation + 1)
    tasks.append(asyncio.create_task(one("second")))
    await waiting(made, "waits", 2)
    await asyncio.gather(*tasks)
    entries = made.log("request", model=model)
    assert [entry["generation"] for entry in entries] == [generation, generation + 1]
    assert len(times(upstream)) == 3
