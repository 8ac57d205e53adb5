"""Shadow traffic over the wire: what callers see of it (nothing), what is copied, and what the comparison says."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import Entry, JournalReader, body_of
from tests.support.nursery import sluicegate
from tests.support.traffic import CHAT
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

FOREVER = 60_000  # milliseconds
TIMEOUT = 4.0  # seconds: of the copies here


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """Mirrors of all, of no and of few requests."""
    times = f"timeout: {TIMEOUT:g}s"
    return module_gateway(f"""
retries: {{max: 0}}
health: {{failures: 1000}}
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-upstream}}
routes:
  all: {{models: [all], open: true, target: {{mirror: {{target: up/main, to: up/next, sample: 100%, {times}}}}}}}
  none: {{models: [none], open: true, target: {{mirror: {{target: up/main, to: up/next, sample: 0%}}}}}}
  few:
    models: [few]
    open: true
    target: {{mirror: {{target: up/main, to: up/slow, sample: 100%, max_in_flight: 2, timeout: 3s}}}}
""")


@pytest.fixture
def journal(upstream: FakeUpstream) -> JournalReader:
    """What happens from now on, models answering at once."""
    for model in ("main", "next", "slow"):
        upstream.tell(model)
    upstream.journal().mark()
    return upstream.journal()


def _ask(model: str, *, stream: bool = False, **more: Any) -> bytes:
    return json.dumps(
        {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": stream, **more}
    ).encode()


async def _answer(gateway: Gateway, body: bytes) -> tuple[Wire, int, bytes]:
    wire = await Wire.open(gateway.port)
    try:
        await wire.request("POST", CHAT, body, {"content-type": "application/json"})
        status, answer = await wire.answer()
        return wire, status, answer
    finally:
        wire.close()


def _of(journal: JournalReader, model: str) -> list[Entry]:
    return [one for one in journal.requests() if json.loads(body_of(one))["model"] == model]


async def _compared(gateway: Gateway, wire: Wire) -> Entry:
    shadow = f"{wire.header('x-request-id')}-shadow"
    return await gateway.logged("mirror.compared", timeout=30.0, request_id=shadow)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_the_same_answer_is_the_same(
    stream: bool, running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """In every aspect; and the request's own account does not know of the copy."""
    for model in ("main", "next"):
        upstream.tell(model, text="Paris it is.")
    wire, status, _ = await _answer(running, _ask("all", stream=stream))
    assert (status, wire.header("x-sluicegate-target"), wire.header("x-sluicegate-attempts")) == (200, "up/main", "1")
    found = await _compared(running, wire)
    assert found["result"] == "compared"
    assert all(found[aspect]["same"] for aspect in ("status", "stop", "exact", "tools"))
    assert found["similarity"] == 1.0
    assert found["length"] == {"main": 12, "shadow": 12}
    assert found["first_token_ms"]["shadow"] > 0
    assert "json" not in found  # nobody asked for that
    assert "Paris" not in json.dumps(found)
    (line,) = running.log("request", request_id=wire.header("x-request-id"))
    assert [attempt[0] for attempt in line["attempts"]] == ["up/main"]
    assert len(_of(journal, "next")) == 1


async def test_differences_have_names(running: Gateway, journal: JournalReader, upstream: FakeUpstream) -> None:
    """Of text, reason to stop, JSON and tools, whatever the two sides' order and length."""
    upstream.tell("main", text='{"city": "Paris"}')
    upstream.tell("next", text="the city is Paris", finish="length")
    wire, _, _ = await _answer(running, _ask("all", response_format={"type": "json_object"}))
    found = await _compared(running, wire)
    assert found["json"] == {"main": True, "shadow": False, "same": False}
    assert found["stop"] == {"main": "stop", "shadow": "length", "same": False}
    assert not found["exact"]["same"]
    assert 0 < found["similarity"] < 1
    upstream.tell("next", tool_calls=[{"name": "get_city", "arguments": {}}])
    wire, _, _ = await _answer(running, _ask("all", stream=True))
    found = await _compared(running, wire)
    assert found["tools"] == {"main": 0, "shadow": 1, "same": False}
    text = running.get("/metrics")[1].decode()
    for aspect in ("json", "stop", "exact", "tools"):
        labels = f'aspect="{aspect}",route="all",target="up/next"'
        assert re.search(rf"sluicegate_mirror_differences_total{{{labels}}} [1-9]", text), aspect


@pytest.mark.parametrize(
    ("script", "code", "status"),
    [
        ({"head_ms": FOREVER}, "upstream_timeout", 504),
        ({"fails": "overloaded"}, "upstream_overloaded", 503),
        ({"tokens": 1000, "gap_ms": 50}, "upstream_timeout", 200),
        ({"tokens": 9, "die_after": 3, "how": "reset"}, None, 200),
    ],
    ids=["hangs", "fails", "has no end", "breaks off"],
)
async def test_what_the_copy_does_is_nothing_to_the_caller(
    script: dict[str, Any],
    code: str | None,
    status: int,
    running: Gateway,
    journal: JournalReader,
    upstream: FakeUpstream,
) -> None:
    """Its own answer is whole, and there before the other one is through."""
    upstream.tell("main", text="all of it")
    _, _, plain = await _answer(running, _ask("none", stream=True))
    upstream.tell("next", **script)
    wire, answered, body = await _answer(running, _ask("all", stream=True))
    assert (answered, wire.header("x-sluicegate-attempts")) == (200, "1")
    assert _said(body) == _said(plain) == "all of it"
    if code == "upstream_timeout":  # it goes on for long; the caller has not waited for it
        assert not running.log("mirror.compared", request_id=f"{wire.header('x-request-id')}-shadow")
    found = await _compared(running, wire)
    assert found["result"] == "failed"
    assert found["status"]["shadow"] == status
    assert found["code"] == code or (code is None and found["code"] is not None)
    assert "exact" not in found
    (request,) = _of(journal, "next")
    if code == "upstream_timeout":
        await journal.wait("closed", id=request["id"])


def _said(body: bytes) -> str:
    events = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: {")]
    return "".join(choice["delta"].get("content") or "" for one in events for choice in json.loads(one)["choices"])


async def test_a_failure_of_the_callers_own_is_compared_too(
    running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """The caller is told of it, and nothing of the copy that went well."""
    upstream.tell("main", fails="overloaded")
    wire, status, _ = await _answer(running, _ask("all"))
    assert status == 503
    found = await _compared(running, wire)
    assert found["status"] == {"main": 503, "shadow": 200, "same": False}


async def test_nothing_is_copied_at_0_percent(running: Gateway, journal: JournalReader) -> None:
    """And the caller has its answer."""
    assert [(await _answer(running, _ask("none")))[1] for _ in range(5)] == [200] * 5
    assert len(_of(journal, "main")) == 5
    assert not _of(journal, "next")


async def test_copies_under_way_are_bounded(running: Gateway, journal: JournalReader, upstream: FakeUpstream) -> None:
    """The rest is counted as dropped, and answered like any other."""
    upstream.tell("slow", head_ms=FOREVER)
    answers = await asyncio.gather(*(_answer(running, _ask("few")) for _ in range(8)))
    assert [status for _, status, _ in answers] == [200] * 8
    await journal.until(lambda: len(_of(journal, "slow")) == 2, "both copies")
    text = running.get("/metrics")[1].decode()
    assert 'sluicegate_mirror_requests_total{result="dropped",route="few",target="up/slow"} 6.0' in text
    assert len(_of(journal, "slow")) == 2


async def test_what_leaves_something_behind_is_not_copied(running: Gateway, journal: JournalReader) -> None:
    """It is counted as left out."""
    assert (await _answer(running, _ask("all", store=True)))[1] == 200
    async with asyncio.timeout(5):
        while b'result="left_out"' not in (await asyncio.to_thread(running.get, "/metrics"))[1]:
            await asyncio.sleep(0.01)
    assert not _of(journal, "next")


async def test_what_was_compared_is_reported(running: Gateway, journal: JournalReader) -> None:
    """By the command, from the file of the gateway's state, with what both have cost."""
    wire, _, _ = await _answer(running, _ask("all"))
    compared = await _compared(running, wire)
    assert compared["cost"] == {"main": 0.0, "shadow": 0.0}
    name = "mirror-all-up-next"
    end = time.monotonic() + 20
    while True:
        done = sluicegate("experiments", "show", name, "--json", "--state", str(running.folder / ".sluicegate"))
        if done.returncode == 0 and json.loads(done.stdout)["requests"]:
            break
        assert time.monotonic() < end, done.stderr
        await asyncio.sleep(0.1)
    found = json.loads(done.stdout)
    assert (found["route"], found["target"]) == ("all", "up/next")
    assert {one["name"] for one in found["pairs"]} >= {"latency", "length", "errors"}


async def test_the_process_ends_without_waiting_for_copies(
    gateway: Callable[..., Gateway], upstream: FakeUpstream
) -> None:
    """They are broken off."""
    upstream.tell("endless", head_ms=FOREVER)
    upstream.journal().mark()
    one = gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream.url}", api_key: sk-upstream}}
routes:
  all: {{models: [all], open: true, target: {{mirror: {{target: up/ending, to: up/endless, sample: 100%}}}}}}
""")
    assert (await _answer(one, _ask("all")))[1] == 200
    journal = upstream.journal()
    request = (await journal.until(lambda: _of(journal, "endless"), "the copy"))[0]
    assert await asyncio.to_thread(one.stop) == 0
    await journal.wait("closed", id=request["id"])
    assert not one.log("background.failed")
