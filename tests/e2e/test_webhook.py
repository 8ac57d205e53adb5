"""`webhook` on the wire: what a service is asked, what its answers do, and that no failure is ever taken for a yes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from tests.support.gateway import Gateway
from tests.support.guardian import HANGS, Guardian
from tests.support.jobs import verified
from tests.support.journal import body_of
from tests.support.nursery import sluicegate
from tests.support.upstream import FakeUpstream
from tests.upstream.say import Part, Say

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ASKED: Any = [{"role": "user", "content": "I am Ada"}]
PIECES = ["Hello ", "Ada", " again"]


@pytest.fixture(scope="module")
def guardian() -> Iterator[Guardian]:
    """The service."""
    made = Guardian()
    yield made
    made.close()


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream, guardian: Guardian) -> Gateway:
    """Routes that differ in what they do about failures."""
    hook = f'url: "{guardian.url}", secret: {SECRET}, timeout: 30s'
    quick = f'url: "{guardian.url}", timeout: 100ms'
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-up}}
routes:
  both: {{models: [both], policies: [webhook: {{{hook}}}], target: up/m}}
  in: {{models: [in], policies: [webhook: {{{hook}, on: input}}], target: up/m}}
  out: {{models: [out], policies: [webhook: {{{hook}, on: output, on_error: open}}], target: up/m}}
  open: {{models: [open], policies: [webhook: {{{quick}, on_error: open}}], target: up/m}}
  closed: {{models: [closed], policies: [webhook: {{{quick}}}], target: up/m}}
""")


@pytest.fixture(autouse=True)
def _fresh(guardian: Guardian, upstream: FakeUpstream) -> None:
    guardian.reset()
    upstream.tell("m", say=msgspec.to_builtins(Say(parts=[Part(kind="text", pieces=PIECES)])))


async def _ask(wire: Any, running: Gateway, model: str, *, stream: bool = False) -> tuple[int, bytes, str]:
    """Status, body, and what the receipt says."""
    asked = await wire(running.port)
    await asked.request("POST", "/v1/chat/completions", {"model": model, "messages": ASKED, "stream": stream})
    status = await asked.head()
    body = await asked.whole()
    line = await running.logged("request", request_id=asked.header("x-request-id"))
    return status, body, line.get("notes", {}).get("webhook", "")


async def test_what_a_service_is_asked(running: Gateway, guardian: Guardian, wire: Any) -> None:
    status, answer, note = await _ask(wire, running, "both")
    assert status == 200
    assert json.loads(answer)["choices"][0]["message"]["content"] == "".join(PIECES)
    first, second = guardian.asked()
    assert {name: first[name] for name in ("version", "phase", "route", "model", "identity")} == {
        "version": 1,
        "phase": "input",
        "route": "both",
        "model": "both",
        "identity": None,
    }
    assert {"path": "messages[0].content", "place": "user", "text": "I am Ada"} in first["texts"]
    assert second["phase"] == "output"
    assert "".join(PIECES) in [one["text"] for one in second["texts"]]
    assert all(verified(SECRET, headers, body) for headers, body in guardian.got)
    assert "input clean" in note
    assert "output clean" in note


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_what_it_blocks(
    stream: bool, running: Gateway, guardian: Guardian, upstream: FakeUpstream, wire: Any
) -> None:
    guardian.says = {"verdict": "block", "message": "Not here, please."}
    upstream.journal().mark()
    status, answer, note = await _ask(wire, running, "in", stream=stream)
    assert (status, json.loads(answer)["error"]["code"]) == (400, "guardrail_blocked")
    assert json.loads(answer)["error"]["message"].endswith("Not here, please.")
    assert not upstream.journal().requests()
    assert note.startswith("input blocked")
    status, answer, note = await _ask(wire, running, "out", stream=stream)
    assert status == 200
    assert b"Ada" not in answer
    assert b"Not here, please." in answer
    assert b"content_filter" in answer
    assert "output blocked" in note


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_what_it_redacts(
    stream: bool, running: Gateway, guardian: Guardian, upstream: FakeUpstream, wire: Any
) -> None:
    """The numbers of the texts are those of the question."""
    await _ask(wire, running, "both", stream=stream)
    asked, answered = guardian.asked()
    number = [one["text"] for one in asked["texts"]].index("I am Ada")
    guardian.says = {"verdict": "redact", "spans": [{"text": number, "start": 5, "end": 8, "label": "NAME"}]}
    upstream.journal().mark()
    assert (await _ask(wire, running, "in", stream=stream))[0] == 200
    (seen,) = upstream.journal().requests()
    assert json.loads(body_of(seen))["messages"][0]["content"] == "I am [NAME]"
    number = [one["text"] for one in answered["texts"]].index("".join(PIECES))
    guardian.says = {"verdict": "redact", "spans": [{"text": number, "start": 6, "end": 9, "label": "NAME"}]}
    _, answer, note = await _ask(wire, running, "out", stream=stream)
    assert b"Ada" not in answer
    assert b"[NAME]" in answer
    assert "output redacted" in note


FAILURES: dict[str, tuple[int, Any]] = {
    "an error": (500, {"verdict": "pass"}),
    "a redirect": (302, {"verdict": "pass"}),
    "an error inside a 200": (200, {"error": {"message": "overloaded"}}),
    "an error beside a verdict": (200, {"verdict": "pass", "error": "overloaded"}),
    "an unknown verdict": (200, {"verdict": "maybe"}),
    "no JSON": (200, b"<html>fine</html>"),
    "nothing": (200, b""),
    "a list": (200, ["pass"]),
    "spans outside": (200, {"verdict": "redact", "spans": [{"text": 0, "start": 0, "end": 9999}]}),
    "a redaction of nothing": (200, {"verdict": "redact"}),
    "too much": (200, {"verdict": "pass", "message": "x" * 300_000}),
    "no answer": (200, HANGS),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_no_failure_is_a_yes(
    name: str, running: Gateway, guardian: Guardian, upstream: FakeUpstream, wire: Any
) -> None:
    """Refused where it is closed; where it is open it passes, and the receipt says that nobody has looked."""
    guardian.status, guardian.says = FAILURES[name]
    upstream.journal().mark()
    status, answer, note = await _ask(wire, running, "closed")
    assert (status, json.loads(answer)["error"]["code"]) == (400, "guardrail_blocked")
    assert not upstream.journal().requests()
    assert note.startswith("input failed closed (failed: ")
    status, answer, note = await _ask(wire, running, "open")
    assert status == 200
    assert b"Ada" in answer
    assert "input failed open (failed: " in note
    assert "output failed open (failed: " in note
    assert "clean" not in note


async def test_failures_are_counted_as_such(running: Gateway, guardian: Guardian, wire: Any) -> None:
    guardian.says = b"no"
    await _ask(wire, running, "closed")
    _, metrics = running.get("/metrics")
    lines = [line for line in metrics.decode().splitlines() if 'guard="webhook"' in line and 'route="closed"' in line]
    assert any("failed_closed" in line for line in lines)
    assert not any("clean" in line for line in lines)


async def test_what_is_only_explained_is_not_asked(running: Gateway, guardian: Guardian) -> None:
    done = sluicegate("explain", "--config", str(running.config), "--model", "both", folder=running.folder)
    assert "would ask about the input and the output" in done.stdout
    assert not guardian.got
