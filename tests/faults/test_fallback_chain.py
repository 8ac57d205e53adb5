"""FLT-07: a chain of failures ends in one answer, within one deadline; and what fails before its first content has
failed over, in whatever dialect it says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.sse import read_events
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

TOTAL = 5.0
FILE = """
listen: 127.0.0.1:8080
timeouts: {{first_token: 400ms, attempt: 400ms, gap: 2s, total: 5s}}
retries: {{max: 0}}
health: {{}}
providers:
  talk: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
  claude: {{kind: anthropic, base_url: "{origin}", api_key: sk-upstream}}
  google: {{kind: gemini, base_url: "{origin}", api_key: sk-upstream}}
routes:
  chain: {{models: [chain], target: {{fallback: [talk/fails, talk/hangs, talk/works]}}}}
  claude: {{models: [claude], target: {{fallback: [claude/first, claude/works]}}}}
  google: {{models: [google], target: {{fallback: [google/first, google/works]}}}}
  talk: {{models: [talk], target: {{fallback: [talk/first, talk/works]}}}}
  mixed: {{models: [mixed], target: {{fallback: [claude/first, talk/works]}}}}
"""
HELLO = [{"role": "user", "content": "Hello"}]
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
GEMINI = "/v1beta/models/google:streamGenerateContent?alt=sse"
_OVERLOADED = '{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
_START = (
    '{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[]}}'
)
_CREATED = '{"type":"response.created","response":{"id":"msg_1","status":"in_progress"}}'
# What a provider may send before it fails under status 200: a beginning, and an error in its own words.
FIRST: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "openai_chat": (
        CHAT,
        {"model": "talk", "messages": HELLO, "stream": True},
        [
            'data: {"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}',
            'data: {"error": {"message": "busy", "type": "server_error", "code": "server_error"}}',
        ],
    ),
    "anthropic_messages": (
        MESSAGES,
        {"model": "claude", "max_tokens": 99, "messages": HELLO, "stream": True},
        [
            f"event: message_start\ndata: {_START}",
            'event: ping\ndata: {"type":"ping"}',
            f"event: error\ndata: {_OVERLOADED}",
        ],
    ),
    "openai_responses": (
        RESPONSES,
        {"model": "talk", "input": "Hello", "stream": True},
        [
            f"event: response.created\ndata: {_CREATED}",
            'event: response.failed\ndata: {"type":"response.failed","response":{"id":"msg_1","status":"failed",'
            '"error":{"code":"server_error","message":"busy"}}}',
        ],
    ),
    "gemini without an end": (
        GEMINI,
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
        ['data: {"responseId":"msg_1","usageMetadata":{"promptTokenCount":3}}'],
    ),
    "gemini": (
        GEMINI,
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
        ['data: {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}'],
    ),
    "openai_chat to anthropic": (
        CHAT,
        {"model": "mixed", "messages": HELLO, "stream": True},
        [f"event: message_start\ndata: {_START}", f"event: error\ndata: {_OVERLOADED}"],
    ),
}


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file."""
    upstream_process.tell("works", say={"parts": [{"kind": "text", "pieces": ["It ", "works."]}]})
    upstream_process.tell("fails", fails="unavailable")
    upstream_process.tell("hangs", timeout=0)
    return module_gateway(FILE.format(url=upstream_process.url, origin=upstream_process.origin))


@pytest.mark.parametrize("stream", [False, True])
async def test_one_answer_after_two_failures(running: Gateway, upstream: FakeUpstream, stream: bool) -> None:
    """A failed, B did not answer, C did: three attempts, within the total time, and the answer says why it is C's."""
    wire = await Wire.open(running.port)
    began = time.monotonic()
    status, body = await wire.exchange("POST", CHAT, {"model": "chain", "messages": HELLO, "stream": stream})
    assert time.monotonic() - began < TOTAL
    wire.close()
    assert status == 200, body
    assert b"works" in body
    assert wire.header("x-sluicegate-target") == "talk/works"
    assert wire.header("x-sluicegate-attempts") == "3"
    assert wire.header("x-sluicegate-degraded") == "unavailable"
    assert len(upstream.journal().requests()) == 3
    async with asyncio.timeout(5):
        while not (lines := running.log("request", request_id=wire.header("x-request-id"))):
            await asyncio.sleep(0.01)
    line = lines[-1]
    assert [attempt[:2] for attempt in line["attempts"]] == [
        ["talk/fails", "unavailable"],
        ["talk/hangs", "timeout"],
        ["talk/works", "ok"],
    ]


@pytest.mark.parametrize("which", FIRST)
async def test_an_error_before_the_first_content_fails_over(
    running: Gateway, upstream: FakeUpstream, which: str
) -> None:
    """The caller sees nothing of the first target: not its beginning, not its error."""
    path, body, events = FIRST[which]
    upstream.tell("first", events=events, done=False)
    wire = await Wire.open(running.port)
    status, answer = await wire.exchange("POST", path, body)
    wire.close()
    text = answer.decode()
    assert status == 200
    assert "works" in text
    assert "msg_1" not in text
    assert not any(word in text for word in ("busy", "verloaded"))
    assert wire.header("x-sluicegate-attempts") == "2"
    assert len(upstream.journal().requests()) == 2


async def test_keep_alives_are_no_first_token(running: Gateway, upstream: FakeUpstream) -> None:
    """A role and comments come, words do not: another target is asked."""
    upstream.tell("first", tokens=5, die_after=1, how="hang")
    wire = await Wire.open(running.port)
    status, answer = await wire.exchange("POST", CHAT, {"model": "talk", "messages": HELLO, "stream": True})
    wire.close()
    assert (status, b"works" in answer) == (200, True)
    assert wire.header("x-sluicegate-degraded") == "timeout"


async def test_an_error_after_the_first_content_is_told(running: Gateway, upstream: FakeUpstream) -> None:
    """What was sent cannot be taken back: the stream ends with the error, and nobody else is asked."""
    content = 'data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"So"}}]}'
    error = 'data: {"error": {"message": "busy", "type": "server_error", "code": "server_error"}}'
    upstream.tell("first", events=[content, error], done=False)
    wire = await Wire.open(running.port)
    status, answer = await wire.exchange("POST", CHAT, {"model": "talk", "messages": HELLO, "stream": True})
    wire.close()
    assert status == 200
    assert b"So" in answer
    assert b"[DONE]" not in answer
    assert b"error" in answer
    assert len(upstream.journal().requests()) == 1


def _searching(kind: str) -> str:
    return f'event: {kind}\ndata: {{"type":"{kind}","output_index":0,"item_id":"ws_1"}}'


_CALL = (
    '{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"write","input":{}}}',
    '{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}',
)
# What is content though no word is in it: what tools of the provider do, and calls whose arguments take their time.
SLOW: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "a search": (
        RESPONSES,
        {"model": "talk", "input": "Hello", "stream": True},
        [
            f"event: response.created\ndata: {_CREATED}",
            _searching("response.web_search_call.in_progress"),
            _searching("response.web_search_call.searching"),
            _searching("response.web_search_call.completed"),
        ],
    ),
    "a call": (
        MESSAGES,
        {"model": "claude", "max_tokens": 99, "messages": HELLO, "stream": True},
        [f"event: message_start\ndata: {_START}", *(f"event: content_block\ndata: {event}" for event in _CALL)],
    ),
}


@pytest.mark.parametrize("which", SLOW)
async def test_what_is_under_way_is_not_given_up(running: Gateway, upstream: FakeUpstream, which: str) -> None:
    """It is passed on at once, and `first_token` is over."""
    path, body, events = SLOW[which]
    upstream.tell("first", events=[*events, ": pause", ": pause", ": pause"], gap_ms=250, done=False)
    wire = await Wire.open(running.port)
    await wire.request("POST", path, body)
    assert await wire.head() == 200
    answer = await wire.whole()
    wire.close()
    assert wire.header("x-sluicegate-attempts") == "1"
    assert (read_events(answer)[1].data or "nothing") in events[1]
