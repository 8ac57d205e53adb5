"""`topics` on the wire: what users may speak of, in every dialect, and what nobody says, streamed or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream

CHAT, MESSAGES, GEMINI = "/v1/chat/completions", "/v1/messages", "/v1beta/models/desk:generateContent"


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """A desk for invoices, and one where a judge and examples decide."""
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-up}}
routes:
  desk:
    models: [desk]
    policies:
      - topics:
          define:
            billing: {{words: [invoice, 請求書], patterns: ['(?i)\\border #?\\d{{4,}}']}}
            rivals: {{words: [Initech, "Evil Corp"]}}
          allow: [billing]
          deny: [rivals]
          message: Only invoices here.
    target: up/desk
  judged:
    models: [judged]
    policies:
      - topics: {{define: {{billing: {{about: money, words: [invoice]}}}}, allow: [billing], judge: who, timeout: 20s}}
    target: up/desk
  like:
    models: [like]
    policies:
      - topics:
          define: {{billing: {{examples: [What do I owe?]}}}}
          allow: [billing]
          embedder: up/vectors
          timeout: 20s
    target: up/desk
  who: {{models: [who], target: up/judge}}
""")


@pytest.fixture(autouse=True)
def quiet(upstream: FakeUpstream) -> None:
    """Models answer at once, from now on."""
    for model in ("desk", "judge", "vectors"):
        upstream.tell(model)
    upstream.journal().mark()


async def _post(wire: Any, running: Gateway, path: str, body: Any) -> tuple[int, bytes, str]:
    """Status, body, and what the receipt says."""
    asked = await wire(running.port)
    await asked.request("POST", path, body, {"content-type": "application/json", "anthropic-version": "2023-06-01"})
    status, answer = await asked.head(), await asked.whole()
    line = await running.logged("request", request_id=asked.header("x-request-id"))
    return status, answer, line["notes"]["topics"]


def _user(text: str, model: str = "desk", **more: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": text}], **more}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, _user("Tell me a joke")),
        (MESSAGES, _user("Tell me a joke", stream=True)),
        (GEMINI, {"contents": [{"role": "user", "parts": [{"text": "Tell me a joke"}]}]}),
    ],
    ids=["openai", "anthropic", "gemini"],
)
async def test_what_is_off_topic_is_never_sent(
    path: str, body: Any, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    status, answer, note = await _post(wire, running, path, body)
    assert status == 400
    assert b"Only invoices here." in answer
    assert note.startswith("input blocked (block off_topic at the last user turn)")
    assert not upstream.journal().requests()


async def test_what_is_allowed_passes_byte_for_byte(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    body = json.dumps(_user("私の請求書, order #1234"), ensure_ascii=False).encode()
    status, _, note = await _post(wire, running, CHAT, body)
    assert (status, note.partition(" in ")[0]) == (200, "input clean")
    assert [body_of(one) for one in upstream.journal().requests()] == [body]


async def test_a_streamed_answer_ends_where_something_denied_begins(
    running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    upstream.tell("desk", tokens=["Ask E", "vil  Cor", "p, or ", "Ini", "tech."])
    status, answer, note = await _post(wire, running, CHAT, _user("My invoice?", stream=True))
    events = [json.loads(line[6:]) for line in answer.split(b"\n") if line.startswith(b"data: {")]
    choices = [choice for event in events for choice in event["choices"]]
    assert status == 200
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == "Ask "
    assert choices[-1]["finish_reason"] == "content_filter"
    assert "output blocked (block rivals at choice 0 text)" in note


@pytest.mark.parametrize(
    ("script", "status", "note"),
    [
        ({"text": "billing"}, 200, "input clean"),
        ({"text": "NONE"}, 400, "input blocked (block off_topic at the last user turn)"),
        ({"status": 500}, 400, "input failed closed (nobody told the topic)"),
    ],
)
async def test_a_judge_is_asked(
    script: dict[str, Any], status: int, note: str, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    upstream.tell("judge", **script)
    answered, _, said = await _post(wire, running, CHAT, _user("What do I owe?", "judged"))
    assert (answered, said.partition(" in ")[0]) == (status, note)


async def test_vectors_are_compared(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """Those of the examples are asked for once, and the metrics count what became of it."""
    for asked in ("How much is it?", "And now?"):
        assert (await _post(wire, running, CHAT, _user(asked, "like")))[0] == 200
    inputs = [json.loads(body_of(one)).get("input") for one in upstream.journal().requests()]
    assert [one for one in inputs if one] == ["What do I owe?", "How much is it?", "And now?"]
    upstream.tell("vectors", status=500)
    status, _, note = await _post(wire, running, CHAT, _user("How much?", "like"))
    assert (status, note.partition(" in ")[0]) == (400, "input failed closed (nobody told the topic)")
    counted = 'sluicegate_guard_verdicts_total{direction="input",guard="topics",outcome="failed_closed",route="like"} 1'
    assert counted.encode() in running.get("/metrics")[1]
