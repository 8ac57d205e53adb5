"""`tool_calls` on the wire: in every dialect, streamed or not; of what is denied not a byte comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream
from tests.upstream.say import Part, Say

GOOD, BAD = ['{"comm', 'and": "ls', ' -l"}'], ['{"comm', 'and": "\\u0072m', " -rf", ' /srv/SENTINEL"}']
SECRET = b"SENTINEL"
RULES = """deny: [deploy_*], patterns: {removes: 'rm\\s+-rf'}, schemas: {pay: {properties: {amount: {maximum: 9}}}}"""
ASKED: Any = [{"role": "user", "content": "Go on"}]
PATHS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", "/v1/chat/completions", {"messages": ASKED}),
    "responses": ("/v1/responses", "/v1/responses", {"input": "Go on"}),
    "messages": ("/v1/messages", "/v1/messages", {"max_tokens": 99, "messages": ASKED}),
    "gemini": (
        "/v1beta/models/{}:generateContent",
        "/v1beta/models/{}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "Go on"}]}]},
    ),
}


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One route for each action."""
    routes = "".join(
        f"  {action}: {{models: [{action}], policies: [tool_calls: {{{RULES}, action: {action}}}], target: up/m}}\n"
        for action in ("block", "remove", "warn")
    )
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-up}}
routes:
{routes}
  kept:
    models: [kept]
    policies: [tool_calls: {{{RULES}}}, cache: {{tool_calls: true, temperature: any}}]
    target: up/m
""")


def _call(pieces: list[str], name: str = "bash") -> Part:
    return Part(kind="call", pieces=pieces, name=name, id=f"call_{name}_{len(pieces)}")


def _tell(upstream: FakeUpstream, *parts: Part) -> None:
    said = Say(parts=[Part(kind="text", pieces=["Let ", "me see."]), *parts], stop="tool_calls")
    upstream.tell("m", say=msgspec.to_builtins(said))


async def _ask(wire: Any, running: Gateway, way: str, model: str, stream: bool) -> tuple[int, bytes]:
    whole, streamed, body = PATHS[way]
    path = (streamed if stream else whole).format(model)
    more: dict[str, Any] = {} if way == "gemini" else {"model": model, "stream": stream}
    found: tuple[int, bytes] = await (await wire(running.port)).exchange("POST", path, {**body, **more})
    return found


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", PATHS)
async def test_calls_that_are_allowed_are_told(
    way: str, stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    _tell(upstream, _call(GOOD), _call(['{"amount":', " 7}"], "pay"))
    status, answer = await _ask(wire, running, way, "block", stream)
    text = answer.decode().replace("\\", "")
    assert status == 200
    assert "bash" in text
    assert "pay" in text
    assert "amount" in text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", PATHS)
@pytest.mark.parametrize(
    "call",
    [_call(BAD), _call(['{"amount": ', "99, ", '"SENTINEL": 1}'], "pay"), _call(['{"SENTINEL', '":1}'], "deploy_now")],
    ids=["pattern", "schema", "name"],
)
async def test_of_a_call_that_is_denied_nothing_comes(
    call: Part, way: str, stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    _tell(upstream, _call(GOOD), call)
    status, answer = await _ask(wire, running, way, "block", stream)
    assert status == 200
    assert SECRET not in answer
    assert b"stopped by the guardrail" in answer


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("way", PATHS)
async def test_what_is_removed_leaves_the_rest(
    way: str, stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    _tell(upstream, _call(BAD), _call(['{"amount":', " 7}"], "pay"))
    status, answer = await _ask(wire, running, way, "remove", stream)
    assert status == 200
    assert SECRET not in answer
    assert b"bash" not in answer
    assert b"amount" in answer
    assert b"guardrail" not in answer


async def test_an_official_client_follows_a_stream_with_a_gap(
    running: Gateway, upstream: FakeUpstream, client: Any
) -> None:
    chat = client(running.url).chat.completions
    _tell(upstream, _call(GOOD), _call(BAD), _call(['{"amount":', " 7}"], "pay"))
    arguments: dict[int, str] = {}
    finish = None
    async for chunk in await chat.create(model="remove", messages=ASKED, stream=True):
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or []:
                arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
    assert arguments == {0: "".join(GOOD), 1: '{"amount": 7}'}
    assert finish == "tool_calls"
    _tell(upstream, _call(BAD))
    alone = await chat.create(model="remove", messages=ASKED)
    assert (alone.choices[0].finish_reason, alone.choices[0].message.tool_calls) == ("stop", None)
    stopped = await chat.create(model="block", messages=ASKED)
    assert stopped.choices[0].finish_reason == "content_filter"


async def test_a_warning_lets_it_pass_and_tells(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _tell(upstream, _call(BAD))
    asked = await wire(running.port)
    await asked.request("POST", "/v1/chat/completions", {"model": "warn", "messages": ASKED})
    assert await asked.head() == 200
    assert SECRET in await asked.whole()
    note = (await running.logged("request", request_id=asked.header("x-request-id")))["notes"]["tool_calls"]
    assert note.startswith("output warned (warn removes at a call)")


async def test_tools_that_are_denied_are_not_offered(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """Every other byte reaches the provider as it was sent."""
    _tell(upstream)
    body = (
        b'{"model":"block", "messages":[{"role":"user","content":"Hi"}],"tools":'
        b'[{"type":"function","function":{"name":"deploy_x"}}, '
        b'{"type":"function","function":{"name":"bash", "x":1.0}}]}'
    )
    upstream.journal().mark()
    assert (await (await wire(running.port)).exchange("POST", "/v1/chat/completions", body))[0] == 200
    (seen,) = upstream.journal().requests()
    assert body_of(seen) == (
        b'{"model":"m", "messages":[{"role":"user","content":"Hi"}],"tools":'
        b'[{"type":"function","function":{"name":"bash", "x":1.0}}]}'
    )
    _, metrics = running.get("/metrics")
    assert b'guard="tool_calls"' in metrics


async def test_nobody_may_insist_on_one(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    tool = {"type": "function", "function": {"name": "deploy_x"}}
    body = {"model": "block", "messages": ASKED, "tools": [tool], "tool_choice": tool}
    status, answer = await (await wire(running.port)).exchange("POST", "/v1/chat/completions", body)
    assert (status, json.loads(answer)["error"]["code"]) == (400, "guardrail_blocked")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_what_was_kept_is_judged_as_well(
    stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    """A cache behind the guard holds what the provider said."""
    _tell(upstream, _call(BAD))
    upstream.journal().mark()
    for _ in range(2):
        _, answer = await _ask(wire, running, "chat", "kept", stream)
        assert SECRET not in answer
        assert b"stopped by the guardrail" in answer
    assert len(upstream.journal().requests()) <= 1
