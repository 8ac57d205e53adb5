"""`adjust` over the wire: what providers get, for callers of every dialect, and what callers are told of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream

TEXT = "Be brief."
PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models/gemini:generateContent",
}
TURN = [{"role": "user", "content": "Hi"}]
BODIES: dict[str, str] = {
    "chat": '{ "model": "chat",  "messages": [{"role":"user","content":"H\\u0069"}]%s, "x_y": 1.50 }',
    "responses": '{"model":"responses", "input":"Hi", "store":false%s}',
    "messages": '{"model":"messages", "max_tokens":9, "messages":[{"role":"user","content":"Hi"}]%s}',
    "gemini": '{"contents": [{"role":"user","parts":[{"text":"Hi"}]}]%s}',
}


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """The same change for each dialect, passed on in the caller's own or translated."""
    change = f'parameters: {{temperature: 0.2, max_tokens: 30, seed: 7}}, system: "{TEXT}"'
    url = upstream_process.url
    return module_gateway(f"""
providers:
  openai: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
  anthropic: {{kind: anthropic, base_url: "{url.removesuffix("/v1")}", api_key: sk-upstream}}
  gemini: {{kind: gemini, base_url: "{url.removesuffix("/v1")}", api_key: sk-upstream}}
routes:
  chat: {{models: [chat], open: true, target: {{adjust: {{{change}, target: openai/native}}}}}}
  responses: {{models: [responses], open: true, target: {{adjust: {{{change}, target: openai/native}}}}}}
  messages: {{models: [messages], open: true, target: {{adjust: {{{change}, target: anthropic/native}}}}}}
  gemini: {{models: [gemini], open: true, target: {{adjust: {{{change}, target: gemini/native}}}}}}
  translated: {{models: [translated], open: true, target: {{adjust: {{{change}, target: anthropic/other}}}}}}
  strict: {{models: [strict], open: true, on_loss: refuse, target: {{adjust: {{{change}, target: anthropic/other}}}}}}
""")


async def _ask(running: Gateway, path: str, body: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=20) as client:
        return await client.post(running.origin + path, content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("name", "inside", "lost"),
    [
        (
            "chat",
            ',"temperature":0.2,"max_completion_tokens":30,"seed":7',
            None,
        ),
        ("responses", f',"temperature":0.2,"max_output_tokens":30,"instructions":"{TEXT}"', "seed"),
        ("messages", f',"temperature":0.2,"system":"{TEXT}"', "seed"),
        (
            "gemini",
            ',"generationConfig":{"temperature":0.2,"maxOutputTokens":30,"seed":7},'
            f'"systemInstruction":{{"parts":[{{"text":"{TEXT}"}}]}}',
            None,
        ),
    ],
)
async def test_the_callers_own_bytes_but_for_what_is_set(
    name: str, inside: str, lost: str | None, running: Gateway, upstream: FakeUpstream
) -> None:
    """To a provider that speaks the caller's dialect."""
    upstream.tell("native")
    journal = upstream.journal()
    journal.mark()
    answer = await _ask(running, PATHS[name], BODIES[name] % "")
    assert answer.status_code == 200, answer.text
    assert answer.headers.get("x-sluicegate-dropped") == lost
    expected = (BODIES[name] % ("" if name == "chat" else inside)).replace(f'"model":"{name}"', '"model":"native"')
    if name == "chat":
        system = f'[{{"role":"system","content":"{TEXT}"}},'
        expected = expected.replace('"model": "chat"', '"model": "native"').replace("[", system, 1)
        expected = expected.replace('"x_y": 1.50', f'"x_y": 1.50{inside}')
    elif name == "messages":
        expected = expected.replace('"max_tokens":9', '"max_tokens":30')
    assert body_of(journal.requests()[-1]).decode() == expected


async def test_translated(running: Gateway, upstream: FakeUpstream) -> None:
    """What is set goes with the rest into the provider's dialect; what that cannot be told is named."""
    upstream.tell("other")
    journal = upstream.journal()
    journal.mark()
    answer = await _ask(running, PATHS["chat"], json.dumps({"model": "translated", "messages": TURN}))
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-sluicegate-dropped"] == "seed"
    sent: dict[str, Any] = json.loads(body_of(journal.requests()[-1]))
    assert (sent["temperature"], sent["max_tokens"], TEXT in json.dumps(sent["system"])) == (0.2, 30, True)


async def test_what_is_lost_is_refused_where_the_route_says_so(running: Gateway) -> None:
    body = json.dumps({"model": "strict", "max_tokens": 5, "messages": TURN})
    answer = await _ask(running, PATHS["messages"], body)
    assert (answer.status_code, "seed" in answer.text) == (400, True)


async def test_the_receipt_tells_what_was_set(running: Gateway, upstream: FakeUpstream) -> None:
    upstream.tell("native")
    answer = await _ask(running, PATHS["chat"], BODIES["chat"] % "")
    receipt = (await running.logged("request", request_id=answer.headers["x-request-id"]))["notes"]["adjust"]
    assert receipt == "temperature 0.2, max_tokens 30, seed 7, system prompt replaced by 9 characters"


async def test_a_request_that_keeps_it_from_being_set_is_refused(running: Gateway, upstream: FakeUpstream) -> None:
    """Nothing is sent."""
    journal = upstream.journal()
    journal.mark()
    answer = await _ask(running, PATHS["chat"], '{"model":"chat","messages":[],"messages":[]}')
    assert (answer.status_code, "is there twice" in answer.text) == (400, True)
    assert not journal.requests()
