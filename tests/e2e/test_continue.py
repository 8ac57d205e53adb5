"""A stream that breaks off half-way is gone on with by the next target: the official clients see one good answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import openai
import pytest
from anthropic import AsyncAnthropic

from proxy.dialects.resume import PROMPT
from tests.support.gateway import Gateway
from tests.support.journal import JournalReader, body_of
from tests.support.traffic import CHAT
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire
from tests.upstream.say import Part, Say, Stop, Tokens

PIECES = ["One, ", "two, ", "three, ", "four, "]
REST = ["five, ", "six."]
PAIRS = [(first, second) for first in ("gpt", "claude") for second in ("gpt", "claude")]
HEAD = {"gpt": 1, "claude": 3}  # events before the first text


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """A route for every pair of providers, and one that does not go on."""
    routes = "".join(
        f"  {first}-{second}: {{models: [{first}-{second}], open: true, mid_stream: continue,"
        f" target: {{fallback: [{first}/first, {second}/second]}}}}\n"
        for first, second in PAIRS
    )
    return module_gateway(f"""
retries: {{max: 0}}
health: {{failures: 1000, enabled: false}}
providers:
  gpt: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-upstream}}
  claude: {{kind: anthropic, base_url: "{upstream_process.origin}", api_key: sk-upstream}}
routes:
{routes}  plain: {{models: [plain], open: true, target: {{fallback: [gpt/first, gpt/second]}}}}
""")


@pytest.fixture
def journal(upstream: FakeUpstream) -> JournalReader:
    """What happens from now on."""
    upstream.journal().mark()
    return upstream.journal()


def _says(*parts: Part, output: int = 7, stop: Stop = "stop") -> Any:
    return msgspec.to_builtins(Say(parts=list(parts), usage=Tokens(input=11, output=output), stop=stop))


def _text(pieces: list[str]) -> Part:
    return Part(kind="text", pieces=pieces)


class Got(NamedTuple):
    """What a client made of a stream."""

    text: str
    begins: int
    ends: Sequence[str]
    output: int


async def _by_openai(gateway: Gateway, model: str) -> Got:
    text, begins, ends, output = "", 0, [], 0
    async with openai.AsyncOpenAI(base_url=f"{gateway.origin}/v1", api_key="k", max_retries=0) as client:
        stream = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "Count."}],
            stream=True,
            stream_options={"include_usage": True},
        )
        ids = set()
        async for chunk in stream:
            ids.add(chunk.id)
            for choice in chunk.choices:
                text += choice.delta.content or ""
                begins += choice.delta.role is not None
                ends += [choice.finish_reason] if choice.finish_reason else []
            output = chunk.usage.completion_tokens if chunk.usage else output
        assert len(ids) == 1
    return Got(text, begins, ends, output)


async def _by_anthropic(gateway: Gateway, model: str) -> Got:
    begins, ends = 0, []
    question: Any = {"max_tokens": 100, "messages": [{"role": "user", "content": "Count."}]}
    async with (
        AsyncAnthropic(base_url=gateway.origin, api_key="k", max_retries=0) as client,
        client.messages.stream(model=model, **question) as stream,
    ):
        async for event in stream:
            begins += event.type == "message_start"
            ends += [str(event.delta.stop_reason)] if event.type == "message_delta" else []
        message: Any = await stream.get_final_message()
    assert [part.type for part in message.content] == ["text"]
    return Got(message.content[0].text, begins, ends, message.usage.output_tokens)


CLIENTS = {"openai": (_by_openai, "stop"), "anthropic": (_by_anthropic, "end_turn")}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
async def test_the_client_sees_one_answer(
    client: str, pair: tuple[str, str], running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """Wherever the first breaks off, the second is asked with what was told, and brings the rest."""
    ask, stop = CLIENTS[client]
    upstream.tell("second", say=_says(_text(REST)))
    for told in range(1, len(PIECES) + 1):
        upstream.tell("first", say=_says(_text(PIECES)), die_after=HEAD[pair[0]] + told, how="fin", gap_ms=5)
        journal.mark()
        got = await ask(running, "-".join(pair))
        first, second = (json.loads(body_of(one)) for one in journal.requests())
        *_, asked, so_far, prompt = second["messages"]
        assert (first["model"], second["model"]) == ("first", "second")
        partial = so_far["content"] if isinstance(so_far["content"], str) else so_far["content"][0]["text"]
        assert (asked["role"], so_far["role"], prompt["role"]) == ("user", "assistant", "user")
        assert PROMPT in json.dumps(prompt)
        assert partial
        assert "".join(PIECES).startswith(partial)
        assert got.text == partial + "".join(REST)
        assert (got.begins, got.ends) == (1, [stop])
        assert got.output >= 7


async def test_both_ends_are_logged(running: Gateway, upstream: FakeUpstream) -> None:
    """The first attempt failed, the second is the answer's end, and the request is a degraded success."""
    upstream.tell("first", say=_says(_text(PIECES)), die_after=3, gap_ms=5)
    upstream.tell("second", say=_says(_text(REST)))
    wire, body = await _stream(running, "gpt-gpt")
    assert body.endswith(b"data: [DONE]\n\n")
    line = await running.logged("request", request_id=wire.header("x-request-id"))
    assert [attempt[:2] for attempt in line["attempts"]] == [["gpt/first", "bad_upstream_answer"], ["gpt/second", "ok"]]
    assert (line["status"], line["degraded"]) == (200, "bad_answer")


async def _stream(gateway: Gateway, model: str, **more: Any) -> tuple[Wire, bytes]:
    request = {"model": model, "messages": [{"role": "user", "content": "Count."}], "stream": True, **more}
    wire = await Wire.open(gateway.port)
    try:
        await wire.request("POST", CHAT, json.dumps(request).encode(), {"content-type": "application/json"})
        status, body = await wire.answer()
        assert status == 200
        return wire, body
    finally:
        wire.close()


async def test_a_tool_call_is_not_gone_on_with(
    running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """Nobody can finish another's call: the stream ends with an error, and nobody else is asked."""
    call = Part(kind="call", id="call_1", name="get_time", pieces=['{"zone"', ': "UTC"', "}"])
    upstream.tell("first", say=_says(_text(PIECES), call, stop="tool_calls"), die_after=7, gap_ms=5)
    upstream.tell("second", say=_says(_text(REST)))
    _, body = await _stream(running, "gpt-gpt", tools=[{"type": "function", "function": {"name": "get_time"}}])
    assert b'"error"' in body
    assert b"[DONE]" not in body
    assert len(journal.requests()) == 1


async def test_if_all_break_off_the_stream_says_so(
    running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """What the second could still tell is there, then an error and no end mark."""
    upstream.tell("first", say=_says(_text(PIECES)), die_after=3, gap_ms=5)
    upstream.tell("second", say=_says(_text(REST)), die_after=2, gap_ms=5)
    _, body = await _stream(running, "gpt-gpt")
    assert b'"error"' in body
    assert b"[DONE]" not in body
    assert len(journal.requests()) == 2


async def test_if_nobody_takes_over_the_first_failure_stands(
    running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """A second target that refuses changes nothing about what broke the stream."""
    upstream.tell("first", say=_says(_text(PIECES)), die_after=3, gap_ms=5)
    _, plain = await _stream(running, "plain")
    upstream.tell("second", status=503)
    _, body = await _stream(running, "gpt-gpt")
    failure = json.loads(body.rsplit(b"data: ", 1)[1])["error"]
    assert failure == json.loads(plain.rsplit(b"data: ", 1)[1])["error"]
    assert b"[DONE]" not in body
    assert len(journal.requests()) == 3
