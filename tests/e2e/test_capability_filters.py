"""Targets that cannot do what a request needs are left out, with the reason; branches by condition and by task."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import anthropic
import openai
import pytest

from tests.support.gateway import Gateway
from tests.support.nursery import sluicegate
from tests.support.upstream import FakeUpstream

CONFIG = """
providers:
  plain:
    kind: openai
    base_url: {url}
    api_key: k
    models:
      plain: {{tools: false, vision: false, json_schema: false, json_object: false}}
      short: {{context: 200}}
  full: {{kind: openai, base_url: {url}, api_key: k, models: {{full: {{vision: true, context: 100000}}}}}}
  claude:
    kind: anthropic
    base_url: {origin}
    api_key: k
    models: {{"claude-plain*": {{tools: false}}}}
routes:
  fallback: {{models: [fallback], target: {{fallback: [plain/plain, full/full]}}}}
  split: {{models: [split], target: {{split: [{{weight: 99, target: plain/plain}}, {{weight: 1, target: full/full}}]}}}}
  short: {{models: [short], target: {{fallback: [plain/short, full/full]}}}}
  translated: {{models: [translated], target: {{fallback: [claude/claude-plain, full/full]}}}}
  none: {{models: [none], on_loss: refuse, target: {{fallback: [claude/claude-plain, claude/claude-plain-2]}}}}
  lossy: {{models: [lossy], target: {{fallback: [claude/claude-plain, claude/claude-plain-2]}}}}
  when:
    models: [when]
    target:
      when:
        - {{if: "has_tools or input_tokens > 1k", target: full/full}}
        - {{if: "header['x-team'] == 'search'", target: full/searched}}
        - {{if: "not stream", target: plain/plain}}
  classify:
    models: [classify]
    target: {{classify: {{of: {{code: full/coder, default: full/other}}, judge: full/judge, judge_timeout: 20s}}}}
"""
TOOLS: Any = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]
SCHEMA: Any = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "properties": {}}}}
IMAGE: Any = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]
ASKS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "tools": ("Hello", {"tools": TOOLS}, "no tools"),
    "images": (IMAGE, {}, "no images"),
    "schema": ("Hello", {"response_format": SCHEMA}, "no JSON schema"),
}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeUpstream]:
    """One for all tests here; each asks for models of its own."""
    running = FakeUpstream(tmp_path_factory.mktemp("upstream"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def gateway(upstream: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One for all."""
    config = CONFIG.format(url=upstream.url, origin=upstream.origin)
    running = Gateway(tmp_path_factory.mktemp("gateway"), config)
    yield running
    running.stop()


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any


def _ask(gateway: Gateway, model: str, content: Any = "Hello", team: str = "", **more: Any) -> Answered:
    """One request of OpenAI's chat."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    try:
        body = {"model": model, "messages": [{"role": "user", "content": content}], **more}
        headers = {"content-type": "application/json"} | ({"X-Team": team} if team else {})
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        answer = connection.getresponse()
        return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, json.loads(answer.read()))
    finally:
        connection.close()


@pytest.mark.parametrize("what", ASKS)
@pytest.mark.parametrize("route", ["fallback", "split"])
async def test_a_target_that_cannot_is_skipped(route: str, what: str, gateway: Gateway, upstream: FakeUpstream) -> None:
    """Nothing is sent there; the other answers, undegraded; the log says why."""
    content, more, reason = ASKS[what]
    before = len(upstream.journal().requests())
    answer = _ask(gateway, route, content, **more)
    assert answer.status == 200, answer.body
    assert answer.headers["x-sluicegate-target"] == "full/full"
    assert answer.headers["x-sluicegate-attempts"] == "1"
    assert "x-sluicegate-degraded" not in answer.headers
    assert len(upstream.journal().requests()) == before + 1
    entry = await gateway.logged("request", request_id=answer.headers["x-request-id"])
    assert entry["skipped"] == [["plain/plain", reason]]


def test_without_the_need_the_first_answers(gateway: Gateway) -> None:
    """The filter leaves everybody else alone."""
    assert _ask(gateway, "fallback").headers["x-sluicegate-target"] == "plain/plain"


def test_a_request_that_is_too_long_goes_to_the_larger(gateway: Gateway) -> None:
    """By an estimate, before anything is sent."""
    assert _ask(gateway, "short").headers["x-sluicegate-target"] == "plain/short"
    answer = _ask(gateway, "short", "a few words more " * 100)
    assert answer.headers["x-sluicegate-target"] == "full/full"
    assert answer.headers["x-sluicegate-attempts"] == "1"


def test_a_translated_route_is_filtered_alike(gateway: Gateway) -> None:
    """Whoever asks, and whatever the target speaks."""
    assert _ask(gateway, "translated").headers["x-sluicegate-target"] == "claude/claude-plain"
    assert _ask(gateway, "translated", tools=TOOLS).headers["x-sluicegate-target"] == "full/full"
    client = anthropic.Anthropic(base_url=gateway.origin, api_key="k", max_retries=0)
    with client:
        answer = client.messages.with_raw_response.create(
            model="translated", max_tokens=9, messages=[{"role": "user", "content": "Hello"}],
            tools=[{"name": "f", "input_schema": {"type": "object"}}],
        )  # fmt: skip
    assert answer.headers["x-sluicegate-target"] == "full/full"


def test_when_none_can_the_route_decides(gateway: Gateway, upstream: FakeUpstream) -> None:
    """A route that refuses losses refuses, and nothing is sent."""
    before = len(upstream.journal().requests())
    answer = _ask(gateway, "none", tools=TOOLS)
    assert (answer.status, answer.body["error"]["code"]) == (400, "unsupported_by_target")
    assert len(upstream.journal().requests()) == before
    lossy = _ask(gateway, "lossy", tools=TOOLS)
    assert lossy.status == 200, lossy.body
    assert "tools" in lossy.headers["x-sluicegate-dropped"]


def test_explain_says_why_each_was_left_out(gateway: Gateway, tmp_path: Path) -> None:
    """Without sending anything."""
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"model": "fallback", "messages": [{"role": "user", "content": "Hi"}], "tools": TOOLS}))
    command = ["explain", "--config", str(gateway.config), "--body", str(body)]
    for model in ("fallback", "split"):
        body.write_text(body.read_text().replace('"fallback"', f'"{model}"'))
        done = sluicegate(*command, "--model", model)
        assert "plain/plain: left out: no tools" in done.stdout, done.stdout + done.stderr
        assert "→ full/full" in done.stdout


def test_conditions_choose(gateway: Gateway) -> None:
    """By what the request needs, by its size, by a header; a request that no branch is meant for is refused."""
    assert _ask(gateway, "when", tools=TOOLS).headers["x-sluicegate-target"] == "full/full"
    assert _ask(gateway, "when", "many words " * 1000).headers["x-sluicegate-target"] == "full/full"
    assert _ask(gateway, "when", team="search").headers["x-sluicegate-target"] == "full/searched"
    assert _ask(gateway, "when").headers["x-sluicegate-target"] == "plain/plain"
    client = openai.OpenAI(base_url=gateway.url, api_key="k", max_retries=0)
    with client, pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="when", messages=[{"role": "user", "content": "Hello"}], stream=True)
    assert caught.value.code == "no_branch_matches"


async def test_a_judge_is_asked_once(gateway: Gateway, upstream: FakeUpstream) -> None:
    """Its answer chooses the target; what it cannot tell the rules do."""
    upstream.tell("judge", text="code")
    for attempts in ("2", "1"):
        answer = _ask(gateway, "classify", "Good morning to you")
        assert answer.headers["x-sluicegate-target"] == "full/coder"
        assert answer.headers["x-sluicegate-attempts"] == attempts
    upstream.tell("judge", status=500, body="broken")
    answer = _ask(gateway, "classify", "Write a Python function, please.")
    assert answer.headers["x-sluicegate-target"] == "full/coder"
    assert _ask(gateway, "classify", "Good evening").headers["x-sluicegate-target"] == "full/other"
