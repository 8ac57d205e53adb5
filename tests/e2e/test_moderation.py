"""`moderation` on the wire: a provider's scores decide, and its failures are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.credentials import Credentials  # type: ignore[import-untyped]

from tests.support.aws import check_signature
from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream

ASKED: Any = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One model answers, another judges."""
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-up}}
  aws:
    kind: bedrock
    region: us-east-1
    base_url: "{upstream_process.origin}"
    access_key_id: AKIDEXAMPLE
    secret_access_key: not-so-secret
routes:
  in:
    models: [in]
    policies: [moderation: {{route: scores, on: input, timeout: 30s, categories: {{violence: 50%}}}}]
    target: up/m
  scores: {{models: [scores], target: up/judge}}
  soft:
    models: [soft]
    policies: [moderation: {{route: scores, on: input, timeout: 30s, entities: {{violence: shadow}}}}]
    target: up/m
  kept:
    models: [kept]
    policies: [moderation: {{route: guardrail, api: bedrock_guardrail, timeout: 30s}}]
    target: up/m
  guardrail: {{models: [guardrail], target: "aws/gr1abc2def3:2"}}
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


async def test_a_category_may_be_told_alone(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    _judges(upstream, 0.9)
    status, _, note, _ = await _ask(wire, running, "soft")
    assert status == 200
    assert note.startswith("input shadowed (shadow violence at input)")


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


def _guards(upstream: FakeUpstream, action: str = "NONE", **assessment: Any) -> None:
    usage = dict.fromkeys(("topicPolicyUnits", "contentPolicyUnits", "wordPolicyUnits"), 1)
    said = {"usage": usage, "action": action, "outputs": [], "assessments": [assessment]}
    upstream.tell("guardrail", body=said)


async def test_a_guardrail_of_aws_is_asked_both_ways(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """Signed; of a request, and of its answer."""
    _guards(upstream)
    upstream.tell("m", text="Fine, thanks.")
    upstream.journal().mark()
    status, _, note, attempts = await _ask(wire, running, "kept")
    assert (status, attempts) == (200, "3")
    assert "input clean" in note
    assert "output clean" in note
    first, _, last = upstream.journal().requests()
    assert first["path"] == last["path"] == "/guardrail/gr1abc2def3/version/2/apply"
    assert json.loads(body_of(first)) == {"source": "INPUT", "content": [{"text": {"text": "Hello"}}]}
    assert json.loads(body_of(last))["source"] == "OUTPUT"
    assert {"text": {"text": "Fine, thanks."}} in json.loads(body_of(last))["content"]
    check_signature(upstream.origin, first, Credentials("AKIDEXAMPLE", "not-so-secret"), "bedrock", "us-east-1")


async def test_what_a_guardrail_anonymises_is_replaced(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    entity = {"match": "Hello", "type": "NAME", "action": "ANONYMIZED"}
    _guards(upstream, "GUARDRAIL_INTERVENED", sensitiveInformationPolicy={"piiEntities": [entity], "regexes": []})
    upstream.tell("m", text="Hello to you.")
    upstream.journal().mark()
    status, answer, note, _ = await _ask(wire, running, "kept")
    assert (status, json.loads(answer)["choices"][0]["message"]["content"]) == (200, "[NAME] to you.")
    assert note.startswith("input redacted (redact name")
    sent = [json.loads(body_of(one)) for one in upstream.journal().requests() if "completions" in one["path"]]
    assert sent[0]["messages"] == [{"role": "user", "content": "[NAME]"}]


async def test_what_a_guardrail_blocks_is_refused(running: Gateway, upstream: FakeUpstream, wire: Any) -> None:
    """And the topic's own name, which others may not know, is told nowhere."""
    topic = {"name": "Merger", "type": "DENY", "action": "BLOCKED"}
    _guards(upstream, "GUARDRAIL_INTERVENED", topicPolicy={"topics": [topic]})
    status, answer, note, _ = await _ask(wire, running, "kept")
    assert (status, json.loads(answer)["error"]["code"]) == (400, "guardrail_blocked")
    assert note.startswith("input blocked (block topic")
    assert "Merger" not in note + answer.decode()


@pytest.mark.parametrize("script", [{"status": 400}, {"body": {"message": "busy"}}, {"body": {"action": "NONE"}}])
async def test_a_guardrail_that_fails_has_not_agreed(
    script: Any, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    upstream.tell("guardrail", **script)
    status, _, note, _ = await _ask(wire, running, "kept")
    assert status == 400
    assert note.startswith("input failed closed (failed: ")
