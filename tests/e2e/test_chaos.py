"""Faults on purpose, as official clients meet them: the right class of exception, and a ledger that knows the truth."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import anthropic
import httpx2
import msgspec
import openai
import pytest
from google import genai
from google.genai import errors as google

from tests.support import books
from tests.support.gateway import Gateway
from tests.support.upstream import FakeUpstream
from tests.support.wire import Cut, Wire
from tests.upstream.say import Part, Say, Stop, Tokens

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
ASKED: Any = [{"role": "user", "content": "Hello"}]
PIECES = [f"word{number} " for number in range(12)]
AFTER, EVERY = 4, 0.02  # tokens, seconds
FAULTS = {
    "latency": "delay: 150ms..200ms",
    "rate_limited": "retry_after: 7s",
    "status": "status: 503",
    "reset": "",
    "empty": "",
    "refusal": "",
    "slow_tokens": f"every: {EVERY * 1000:.0f}ms",
    "cut": f"after: {AFTER} tokens",
    "malformed_tool_arguments": "",
}
TOOL: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """A header chooses the fault; on `often`, chance does."""
    faults = "".join(
        f"          - {{fault: {name}, header: {{X-Chaos: {name}}}{', ' if more else ''}{more}}}\n"
        for name, more in FAULTS.items()
    )
    return module_gateway(f"""
providers:
  up:
    kind: openai
    base_url: "{upstream_process.url}"
    api_key: sk-up
    models: {{"*": {{price: {{input: $1, output: $10}}}}}}
routes:
  chaos:
    models: [chaos, "gemini-*"]
    policies:
      - chaos:
          faults:
{faults}
    target: up/chaotic
  often:
    models: [often]
    policies: [chaos: {{seed: 7, faults: [{{fault: status, probability: 30%}}]}}]
    target: up/chaotic
  rarely:
    models: [rarely]
    policies: [chaos: {{faults: [{{fault: status, schedule: {{every: 7d, for: 1ms}}}}]}}]
    target: up/chaotic
""")


@pytest.fixture(autouse=True)
def _says(upstream: FakeUpstream) -> None:
    upstream.tell("chaotic", say=_say(Part(kind="text", pieces=PIECES)))


def _say(part: Part) -> Any:
    stop: Stop = "tool_calls" if part.kind == "call" else "stop"
    return msgspec.to_builtins(Say(parts=[part], usage=Tokens(input=11, output=len(PIECES)), stop=stop))


@pytest.fixture
async def claude(running: Gateway) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """Anthropic's client."""
    async with anthropic.AsyncAnthropic(base_url=running.origin, api_key="k", max_retries=0, timeout=20) as made:
        yield made


def _fault(name: str) -> dict[str, str]:
    return {"x-chaos": name}


async def _note(running: Gateway, request_id: str | None) -> str:
    assert request_id is not None
    notes = (await running.logged("request", request_id=request_id)).get("notes", {})
    found: str = notes.get("chaos", "")
    return found


async def test_openais_client_raises_its_classes(running: Gateway, client: Any) -> None:
    chat = client(running.url).chat.completions
    with pytest.raises(openai.RateLimitError) as limited:
        await chat.create(model="chaos", messages=ASKED, extra_headers=_fault("rate_limited"))
    assert limited.value.response.headers["retry-after"] == "7"
    assert limited.value.code == "rate_limited"
    with pytest.raises(openai.InternalServerError) as failed:
        await chat.create(model="chaos", messages=ASKED, extra_headers=_fault("status"))
    assert failed.value.status_code == 503
    with pytest.raises(openai.APIConnectionError):
        await chat.create(model="chaos", messages=ASKED, extra_headers=_fault("reset"))
    with pytest.raises(openai.APIConnectionError):
        await chat.create(model="chaos", messages=ASKED, extra_headers=_fault("cut"))
    assert (await chat.create(model="chaos", messages=ASKED)).choices[0].message.content == "".join(PIECES)


async def test_anthropics_client_raises_its_classes(running: Gateway, claude: anthropic.AsyncAnthropic) -> None:
    asked: Any = {"model": "chaos", "max_tokens": 50, "messages": ASKED}
    with pytest.raises(anthropic.RateLimitError) as limited:
        await claude.messages.create(**asked, extra_headers=_fault("rate_limited"))
    assert limited.value.response.headers["retry-after"] == "7"
    assert limited.value.body["error"]["type"] == "rate_limit_error"  # type: ignore[index]
    with pytest.raises(anthropic.InternalServerError):
        await claude.messages.create(**asked, extra_headers=_fault("status"))
    with pytest.raises(anthropic.APIConnectionError):
        await claude.messages.create(**asked, extra_headers=_fault("reset"))


def test_googles_client_raises_its_classes(running: Gateway) -> None:
    client = genai.Client(api_key="k", http_options={"base_url": running.origin})
    with pytest.raises(google.ClientError) as limited:
        client.models.generate_content(
            model="gemini-x", contents="Hello", config={"http_options": {"headers": _fault("rate_limited")}}
        )
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
    with pytest.raises(google.ServerError):
        client.models.generate_content(
            model="gemini-x", contents="Hello", config={"http_options": {"headers": _fault("status")}}
        )
    client.close()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_reset_is_one(stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """Not a byte comes, no provider is asked, and the log knows why."""
    asked = await wire(running.port)
    await asked.request(
        "POST", "/v1/chat/completions", {"model": "chaos", "messages": ASKED, "stream": stream}, _fault("reset")
    )
    with pytest.raises(Cut) as cut:
        await asked.head()
    assert (cut.value.how, cut.value.body) == ("reset", b"")
    assert not upstream.journal().requests()
    line = (await running.logged("request", code="connection_reset"))["notes"]
    assert line["chaos"] == "reset"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_model_that_declines_and_one_that_says_nothing(
    stream: bool, running: Gateway, upstream: FakeUpstream, client: Any, claude: anthropic.AsyncAnthropic
) -> None:
    chat = client(running.url).chat.completions
    texts = {}
    for name in ("refusal", "empty"):
        if stream:
            chunks = [
                chunk
                async for chunk in await chat.create(
                    model="chaos", messages=ASKED, stream=True, extra_headers=_fault(name)
                )
            ]
            deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
            texts[name] = "".join(delta.refusal or "" for delta in deltas), "".join(d.content or "" for d in deltas)
            assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
        else:
            found = await chat.create(model="chaos", messages=ASKED, extra_headers=_fault(name))
            texts[name] = found.choices[0].message.refusal or "", found.choices[0].message.content or ""
    assert texts["empty"] == ("", "")
    assert texts["refusal"] == ("I'm sorry, but I can't help with that.", "")
    async with claude.messages.stream(
        model="chaos", max_tokens=9, messages=ASKED, extra_headers=_fault("refusal")
    ) as events:
        message = await events.get_final_message()
    assert message.stop_reason == "refusal"
    async with claude.messages.stream(
        model="chaos", max_tokens=9, messages=ASKED, extra_headers=_fault("empty")
    ) as events:
        message = await events.get_final_message()
    assert (message.content, message.stop_reason) == ([], "end_turn")
    assert not upstream.journal().requests()


async def _streamed(running: Gateway, fault: str, path: str = "/v1/chat/completions") -> tuple[Wire, bytes, str]:
    """Status line and headers, what came of the body, and how that ended."""
    wire = await Wire.open(running.port)
    body = {"model": "chaos", "messages": ASKED, "stream": True, "max_tokens": 50}
    try:
        await wire.request("POST", path, body, _fault(fault))
        assert await wire.head() == 200
        try:
            return wire, await wire.whole(), "whole"
        except Cut as cut:
            return wire, cut.body, cut.how
    finally:
        wire.close()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
async def test_a_stream_is_cut_after_so_many_tokens(path: str, running: Gateway, upstream: FakeUpstream) -> None:
    """No error event, no end: the line is dead. What the provider said until then is charged; it is not blamed."""
    upstream.tell("chaotic", say=_say(Part(kind="text", pieces=PIECES)), gap_ms=40)  # it is not done yet
    wire, body, how = await _streamed(running, "cut", path)
    assert (how, body.count(b'"word')) == ("fin", AFTER)
    assert b"[DONE]" not in body
    assert b"message_stop" not in body
    request_id = wire.header("x-request-id")
    assert await _note(running, request_id) == "cut"
    row = next(row for row in await _settled(running, request_id) if row.request == request_id)
    assert (row.status, row.reason, row.source) == ("cancelled", "chaos", "counted")
    assert AFTER <= row.output < 3 * len(PIECES)
    assert row.cost > 0
    (line,) = running.log("request", request_id=request_id)
    assert line["code"] == "chaos_cut"
    assert line["attempts"][0][1] == "chaos"


async def _settled(running: Gateway, request_id: str | None) -> list[Any]:
    end = time.monotonic() + 5
    while True:
        found = books.rows(books.state(running))
        if any(row.request == request_id and row.settled for row in found):
            return found
        assert time.monotonic() < end, "never settled"
        await asyncio.sleep(books.POLL)


async def test_openais_client_notices_the_cut(running: Gateway, client: Any) -> None:
    chat = client(running.url).chat.completions
    text = ""
    with pytest.raises(openai.APIConnectionError):
        async for chunk in await chat.create(model="chaos", messages=ASKED, stream=True, extra_headers=_fault("cut")):
            text += chunk.choices[0].delta.content or ""
    assert text == "".join(PIECES[:AFTER])


async def test_a_slow_stream_says_the_same(running: Gateway) -> None:
    began = time.monotonic()
    wire, slow, _ = await _streamed(running, "slow_tokens")
    took = time.monotonic() - began
    _, plain, _ = await _streamed(running, "none")
    assert took >= EVERY * len(PIECES)
    assert slow.count(b"data:") == plain.count(b"data:")
    assert [_content(event) for event in slow.split(b"\n\n")] == [_content(event) for event in plain.split(b"\n\n")]
    times = [at for at, data in wire.log if b'"word' in data]
    assert times[-1] - times[0] >= EVERY * (len(PIECES) - 2)
    assert await _note(running, wire.header("x-request-id")) == "slow_tokens"


def _content(event: bytes) -> Any:
    data = event.removeprefix(b"data: ")
    return json.loads(data)["choices"] if data.startswith(b"{") else data


async def test_latency_is_nobodys_overhead(running: Gateway) -> None:
    began = time.monotonic()
    async with httpx2.AsyncClient() as asking:
        body = {"model": "chaos", "messages": ASKED}
        found = await asking.post(f"{running.url}/chat/completions", json=body, headers=_fault("latency"))
    assert found.status_code == 200
    assert time.monotonic() - began >= 0.15
    assert float(found.headers["x-sluicegate-overhead-ms"]) < 100
    assert await _note(running, found.headers["x-request-id"]) == "latency"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_arguments_of_tools_are_no_json(
    stream: bool, running: Gateway, upstream: FakeUpstream, client: Any, claude: anthropic.AsyncAnthropic
) -> None:
    """Name and id of the call are right, its JSON never ends; Anthropic's stream shows the same."""
    pieces = ['{"city": ', '"Paris"', "}"]
    upstream.tell("chaotic", say=_say(Part(kind="call", pieces=pieces, name="weather", id="call_1")))
    tools: Any = [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}]
    chat = client(running.url).chat.completions
    headers = _fault("malformed_tool_arguments")
    asked: Any = {"model": "chaos", "messages": ASKED, "tools": tools, "extra_headers": headers}
    if stream:
        chunks = [chunk async for chunk in await chat.create(**asked, stream=True)]
        calls = [call for c in chunks if c.choices for call in c.choices[0].delta.tool_calls or ()]
        name, arguments = calls[0].function.name, "".join(call.function.arguments or "" for call in calls)
    else:
        call = (await chat.create(**asked)).choices[0].message.tool_calls[0]
        name, arguments = call.function.name, call.function.arguments
    assert (name, arguments) == ("weather", '{"city": "Paris"')
    seen = []
    async with claude.messages.stream(
        model="chaos",
        max_tokens=50,
        messages=ASKED,
        tools=[{"name": "weather", "input_schema": TOOL}],
        extra_headers=headers,
    ) as events:
        async for event in events:
            if event.type == "content_block_delta" and event.delta.type == "input_json_delta":
                seen.append(event.delta.partial_json)
    assert "".join(seen) == '{"city": "Paris"'


async def _statuses(running: Gateway, ids: list[str]) -> list[int]:
    async with httpx2.AsyncClient() as asking:
        body = {"model": "often", "messages": ASKED}
        return [
            (await asking.post(f"{running.url}/chat/completions", json=body, headers={"x-request-id": one})).status_code
            for one in ids
        ]


async def test_the_same_requests_meet_the_same_faults(running: Gateway) -> None:
    """By their own id, in whatever order they come."""
    ids = [f"job-{number}" for number in range(40)]
    first = await _statuses(running, ids)
    assert await _statuses(running, ids[::-1]) == first[::-1]
    assert 4 <= first.count(503) <= 20
    assert set(first) == {200, 503}


async def test_metrics_count_them(running: Gateway, client: Any) -> None:
    with pytest.raises(openai.RateLimitError):
        await client(running.url).chat.completions.create(
            model="chaos", messages=ASKED, extra_headers=_fault("rate_limited")
        )
    assert 'sluicegate_chaos_faults_total{fault="rate_limited",route="chaos"}' in running.get("/metrics")[1].decode()


async def test_outside_its_schedule_nothing_happens(running: Gateway, client: Any) -> None:
    found = await client(running.url).chat.completions.create(model="rarely", messages=ASKED)
    assert found.choices[0].message.content == "".join(PIECES)
