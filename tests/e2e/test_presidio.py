"""The example of Presidio over HTTP: the gateway, the example's guard, and somebody who answers as Presidio does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.environment import ROOT, clean_environment
from tests.support.gateway import Gateway
from tests.support.guardian import Guardian
from tests.support.journal import body_of
from tests.support.upstream import FakeUpstream

FOLDER = ROOT / "examples" / "presidio-over-http"


def analyze(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Names of one person, and a number, as Presidio tells of them."""
    assert asked.keys() == {"text", "language", "score_threshold"}
    known = {"PERSON": "Ada Lovelace", "US_SSN": "078-05-1120"}
    return [
        {"entity_type": kind, "start": at.start(), "end": at.end(), "score": 0.85, "analysis_explanation": None}
        for kind, text in known.items()
        for at in re.finditer(text, asked["text"])
    ]


@pytest.fixture(scope="module")
def presidio() -> Iterator[Guardian]:
    """In the place of Presidio."""
    made = Guardian()
    yield made
    made.close()


@pytest.fixture(scope="module")
def guard(presidio: Guardian) -> Iterator[str]:
    """The address of the example's guard."""
    address = presidio.url.removesuffix("/check")
    command = [sys.executable, str(FOLDER / "presidio_guard.py"), "--port", "0", "--presidio", address]
    with subprocess.Popen(
        [*command, "--block", "US_SSN"], stdout=subprocess.PIPE, text=True, env=clean_environment()
    ) as process:
        assert process.stdout is not None
        yield f"http://{process.stdout.readline().split()[-1]}/check"
        process.kill()


@pytest.fixture(scope="module")
def running(guard: str, module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """The file of the example, which asks that guard, and a provider that is seen."""
    text = (FOLDER / "gateway.yaml").read_text()
    text = text.replace("http://127.0.0.1:9098/check", guard).replace("timeout: 5s", "timeout: 30s")
    account = f'{{kind: openai, base_url: "{upstream_process.url}", api_key: sk-up}}'
    return module_gateway(text.replace("{kind: simulated}", account))


async def _ask(wire: Any, running: Gateway, said: str, stream: bool = False) -> tuple[int, bytes, str]:
    asked = await wire(running.port)
    body = {"model": "chat", "messages": [{"role": "user", "content": said}], "stream": stream}
    await asked.request("POST", "/v1/chat/completions", body)
    status, answer = await asked.head(), await asked.whole()
    line = await running.logged("request", request_id=asked.header("x-request-id"))
    return status, answer, line["notes"]["webhook"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_what_presidio_finds_is_redacted(
    stream: bool, running: Gateway, presidio: Guardian, upstream: FakeUpstream, wire: Any
) -> None:
    """In the request and in the answer; what the gateway has found itself Presidio is not told."""
    presidio.says = analyze
    presidio.got.clear()
    upstream.tell("echo", tokens=["It is Ada ", "Lovelace, of course."])
    upstream.journal().mark()
    status, answer, note = await _ask(wire, running, "Who is “Ada Lovelace” (ada@example.org)?", stream)
    assert status == 200
    said = b"".join(re.findall(rb'"content": ?"([^"]*)"', answer))
    assert said == b"It is [PERSON], of course."
    (sent,) = upstream.journal().requests()
    assert json.loads(body_of(sent))["messages"][0]["content"] == "Who is “[PERSON]” ([EMAIL])?"
    assert all("ada@example.org" not in one["text"] for one in presidio.asked())
    assert note.startswith("input redacted (redact webhook at input)")


async def test_what_may_not_be_asked_is_stopped(running: Gateway, presidio: Guardian, wire: Any) -> None:
    presidio.says = analyze
    status, answer, _ = await _ask(wire, running, "Mine is 078-05-1120")
    assert (status, json.loads(answer)["error"]["message"]) == (400, "Please leave this out: US_SSN.")


@pytest.mark.parametrize("says", [b"<html>", {"error": "busy"}, [{"entity_type": "PERSON"}], [1]])
async def test_what_is_no_answer_of_presidios_is_a_failure(
    says: Any, running: Gateway, presidio: Guardian, wire: Any
) -> None:
    presidio.says = says
    status, answer, note = await _ask(wire, running, "Hello")
    assert (status, json.loads(answer)["error"]["code"]) == (400, "guardrail_blocked")
    assert note.startswith("input failed closed (failed: status 502)")
