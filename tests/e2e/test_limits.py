"""`limits` on the wire: every dialect, the caller's own bytes, refusals that each client knows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream

WORDS = "word " * 60


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """Providers of every dialect behind the same limits."""
    url, origin = upstream_process.url, upstream_process.origin
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up}}
  claude: {{kind: anthropic, base_url: "{origin}", api_key: sk-claude}}
  google: {{kind: gemini, base_url: "{origin}", api_key: k}}
policies:
  bounded:
    - limits: {{max_tokens: {{max: 100, default: 50}}, temperature: {{max: 1}}, max_tools: 1, max_input_tokens: 2000}}
routes:
  chat: {{models: [fast], policies: [{{use: bounded}}], target: up/fast}}
  claude: {{models: [claude], policies: [{{use: bounded}}], target: claude/claude-x}}
  gemini: {{models: [gemini], policies: [{{use: bounded}}], target: google/gemini-x}}
  trim: {{models: [trim], policies: [limits: {{context_window: 300, over_context: trim_oldest}}], target: up/trim}}
  sum:
    models: [sum]
    policies: [limits: {{context_window: 2500, over_context: {{summarise: cheap}}}}]
    target: up/sum
  cheap: {{models: [cheap], target: up/cheap}}
  soon:
    models: [soon]
    policies: [limits: {{timeouts: {{total: 60s, first_token: 1500ms}}}}]
    target: {{fallback: [up/hangs, up/soon]}}
  brief: {{models: [brief], policies: [limits: {{timeouts: {{total: 3s}}}}], target: up/brief}}
""")


# By dialect: path, the body before and after, both to the byte but for the model's name.
CHANGED: dict[str, tuple[str, bytes, bytes]] = {
    "chat": (
        "/v1/chat/completions",
        b'{ "model":"fast","max_tokens": 900,"messages":[{"role":"user","content":"\\u0048i"}] , "temperature":1.7}',
        b'{ "model":"fast","max_tokens": 100,"messages":[{"role":"user","content":"\\u0048i"}] , "temperature":1}',
    ),
    "responses": (
        "/v1/responses",
        b'{"model":"fast", "input":"Hi","max_output_tokens":900}',
        b'{"model":"fast", "input":"Hi","max_output_tokens":100}',
    ),
    "messages": (
        "/v1/messages",
        b'{"model":"claude","max_tokens":900 ,"messages":[{"role":"user","content":"Hi"}]}',
        b'{"model":"claude-x","max_tokens":100 ,"messages":[{"role":"user","content":"Hi"}]}',
    ),
    "gemini": (
        "/v1beta/models/gemini:generateContent",
        b'{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"generationConfig":{"maxOutputTokens":900}}',
        b'{"contents":[{"role":"user","parts":[{"text":"Hi"}]}],"generationConfig":{"maxOutputTokens":100}}',
    ),
}


@pytest.mark.parametrize("name", CHANGED)
async def test_a_parameter_is_changed_and_no_other_byte(
    name: str, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    path, body, expected = CHANGED[name]
    asked = await wire(running.port)
    await asked.request("POST", path, body, {"content-type": "application/json"})
    assert await asked.head() == 200
    assert asked.header("x-sluicegate-dropped").startswith("max_tokens")
    (seen,) = upstream.journal().requests()
    assert body_of(seen) == expected
    note = (await running.logged("request", request_id=asked.header("x-request-id")))["notes"]["limits"]
    assert note.startswith("max_tokens 900 → 100")


async def test_a_translated_request_is_changed_as_well(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """An OpenAI client, Anthropic's provider; the default where nothing is said."""
    asked = await wire(running.port)
    body = {"model": "claude", "messages": [{"role": "user", "content": "Hi"}]}
    assert (await asked.exchange("POST", "/v1/chat/completions", body))[0] == 200
    (seen,) = upstream.journal().requests()
    assert json.loads(body_of(seen))["max_tokens"] == 50


@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        ("/v1/chat/completions", {"model": "fast", "messages": [{"role": "user", "content": WORDS * 40}]}, ("code",)),
        (
            "/v1/messages",
            {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": WORDS * 40}]},
            (),
        ),
        ("/v1beta/models/gemini:generateContent", {"contents": [{"parts": [{"text": WORDS * 40}]}]}, ()),
    ],
)
async def test_what_is_too_long_is_refused_in_the_callers_words(
    path: str, body: Any, at: tuple[str, ...], running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    asked = await wire(running.port)
    status, answer = await asked.exchange("POST", path, body)
    error = json.loads(answer)["error"]
    assert status == 400
    assert re.fullmatch(r"prompt is too long: 2\d\d\d tokens > 2000 maximum", error["message"])
    assert [error[name] for name in at] == ["context_length_exceeded"] * len(at)
    assert not upstream.journal().requests()


async def test_too_many_tools(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    asked = await wire(running.port)
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    body = {"model": "fast", "messages": [{"role": "user", "content": "Hi"}], "tools": tools}
    status, answer = await asked.exchange("POST", "/v1/chat/completions", body)
    assert (status, json.loads(answer)["error"]["code"]) == (400, "limit_exceeded")
    assert not upstream.journal().requests()
    _, metrics = running.get("/metrics")
    assert b'sluicegate_limits_applied_total{action="refused",limit="tools",route="chat"} 1.0' in metrics


def _long(turns: int) -> list[dict[str, str]]:
    found = [{"role": "system", "content": "Be brief."}]
    for at in range(turns):
        found += [{"role": "user", "content": f"q{at} {WORDS}"}, {"role": "assistant", "content": f"a{at}"}]
    return [*found, {"role": "user", "content": "and now?"}]


async def test_a_conversation_is_trimmed(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    messages = _long(8)
    asked = await wire(running.port)
    await asked.request("POST", "/v1/chat/completions", {"model": "trim", "messages": messages})
    assert await asked.head() == 200
    assert asked.header("x-sluicegate-dropped") == "messages"
    (seen,) = upstream.journal().requests()
    sent = json.loads(body_of(seen))["messages"]
    assert 3 < len(sent) < len(messages)
    assert sent == [messages[0], *messages[1 - len(sent) :]]
    note = (await running.logged("request", request_id=asked.header("x-request-id")))["notes"]["limits"]
    assert "messages trimmed" in note


async def test_a_conversation_is_summarised(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """By another model, once; both attempts are the caller's."""
    upstream.tell("cheap", text="They asked eight questions.")
    messages = _long(8)
    for tries in (1, 0):
        upstream.journal().mark()
        asked = await wire(running.port)
        body = {"model": "sum", "messages": messages, "max_tokens": 2000}
        await asked.request("POST", "/v1/chat/completions", body)
        assert await asked.head() == 200
        assert asked.header("x-sluicegate-attempts") == str(1 + tries)
        sent = [json.loads(body_of(seen)) for seen in upstream.journal().requests()]
        assert [one["model"] for one in sent] == ["cheap"] * tries + ["sum"]
        assert sent[-1]["messages"][0] == messages[0]
        assert sent[-1]["messages"][1]["content"].endswith("They asked eight questions.")
        assert sent[-1]["messages"][-1] == messages[-1]


async def test_an_answer_that_does_not_begin_is_given_up(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """Over all targets: what the first has taken the second does not get."""
    upstream.tell("hangs", timeout=0)
    asked = await wire(running.port)
    body = {"model": "soon", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    await asked.request("POST", "/v1/chat/completions", body)
    status, answer = await asked.head(), await asked.whole()
    assert (status, json.loads(answer)["error"]["code"]) == (504, "upstream_timeout")
    line = await running.logged("request", request_id=asked.header("x-request-id"))
    assert line["notes"]["limits"] == "ended: first_token 1.5 s"
    assert [attempt[:2] for attempt in line["attempts"]] == [["up/hangs", "cancelled"]]


async def test_an_answer_that_does_not_end_is_ended(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """In the middle of a stream, as its dialect says it."""
    upstream.tell("brief", tokens=["a", "b", "c", "d"], die_after=3, how="hang")
    asked = await wire(running.port)
    body = {"model": "brief", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    await asked.request("POST", "/v1/chat/completions", body)
    status, answer = await asked.head(), await asked.whole()
    assert status == 200
    assert b"upstream_timeout" in answer
    line = await running.logged("request", request_id=asked.header("x-request-id"))
    assert line["notes"]["limits"] == "ended: total 3 s"
    _, metrics = running.get("/metrics")
    assert b'sluicegate_limits_applied_total{action="ended",limit="timeouts",route="brief"}' in metrics
