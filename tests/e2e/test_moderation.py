"""`moderation` on the wire: a provider's scores decide, and its failures are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.upstream import FakeUpstream

ASKED: Any = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One model answers, another judges."""
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-up}}
routes:
  in:
    models: [in]
    policies: [moderation: {{route: scores, on: input, timeout: 30s, categories: {{violence: 50%}}}}]
    target: up/m
  scores: {{models: [scores], target: up/judge}}
  open: {{models: [open], policies: [moderation: {{route: scores, timeout: 30s, on_error: open}}], target: up/m}}
""")


def _judges(upstream: FakeUpstream, score: float) -> None:
    scores = {"flagged": score > 0.5, "categories": {"violence": score > 0.5}, "category_scores": {"violence": score}}
    upstream.tell("judge", body={"id": "modr-1", "model": "judge", "results": [scores]})


async def _ask(wire: Any, running: Gateway, model: str) -> tuple[int, bytes, str, str]:
    """Status, body, what the receipt says, attempts."""
    asked = await wire(running.port)
    await asked.request("POST", "/v1/chat/completions", {"model": model, "messages": ASKED})
    status, body = await asked.head(), await asked.whole()
    line = await running.logged("request", request_id=asked.header("x-request-id"))
    return status, body, line["notes"]["moderation"], asked.header("x-sluicegate-attempts")


async def test_what_is_fine_passes(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _judges(upstream, 0.1)
    upstream.journal().mark()
    status, _, note, attempts = await _ask(wire, running, "in")
    assert (status, attempts) == (200, "2")
    assert note.startswith("input clean")
    assert [one["path"] for one in upstream.journal().requests()] == ["/v1/moderations", "/v1/chat/completions"]


async def test_what_is_not_is_refused(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _judges(upstream, 0.9)
    status, answer, note, _ = await _ask(wire, running, "in")
    assert (status, json.loads(answer)["error"]["code"]) == (400, "guardrail_blocked")
    assert note.startswith("input blocked (block violence")


@pytest.mark.parametrize(
    "script", [{"status": 500}, {"body": {"error": {"message": "busy"}}}, {"body": {"results": []}}]
)
async def test_a_failure_is_no_yes(script: Any, running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    upstream.tell("judge", **script)
    status, _, note, _ = await _ask(wire, running, "in")
    assert status == 400
    assert note.startswith("input failed closed (failed: ")
    status, _, note, _ = await _ask(wire, running, "open")
    assert status == 200
    assert "input failed open" in note
    assert "output failed open" in note
