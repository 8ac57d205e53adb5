"""Hedged requests over the wire: when a copy is sent, who wins, and what becomes of the other. The journal tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from policies.routing.race import BURST
from tests.support.gateway import Gateway
from tests.support.journal import Entry, JournalReader, body_of
from tests.support.traffic import CHAT, idle
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

AFTER = 0.2  # seconds: `after` of the routes here
LATER = 9000  # milliseconds: nobody waits for that
PROMISE = 1.0  # seconds until a loser's connection is closed
TIGHT = 0.1  # share of copies on the route `tight`


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """Races with plenty of copies and with few."""
    race = f"after: {AFTER * 1000:.0f}ms"
    return module_gateway(f"""
retries: {{max: 0}}
health: {{failures: 1000}}
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-upstream}}
routes:
  ample: {{models: [ample], open: true, target: {{race: {{of: [up/a, up/b], {race}, max_extra: 100%}}}}}}
  tight: {{models: [tight], open: true, target: {{race: {{of: [up/c, up/d], after: 10ms, max_extra: {TIGHT:.0%}}}}}}}
  kept: {{models: [kept], open: true, target: {{race: {{of: [up/e, up/f], {race}, max_extra: 100%}}}}}}
""")


@pytest.fixture
def journal(upstream: FakeUpstream) -> JournalReader:
    """What happens from now on, models answering at once."""
    for model in "abcdef":
        upstream.tell(model)
    upstream.journal().mark()
    return upstream.journal()


def _ask(model: str, *, stream: bool = False, **more: Any) -> bytes:
    return json.dumps(
        {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": stream, **more}
    ).encode()


async def _answer(gateway: Gateway, body: bytes, path: str = CHAT) -> tuple[Wire, int, bytes]:
    wire = await Wire.open(gateway.port)
    try:
        await wire.request("POST", path, body, {"content-type": "application/json"})
        status, answer = await wire.answer()
        return wire, status, answer
    finally:
        wire.close()


def _of(journal: JournalReader, model: str) -> list[Entry]:
    return [one for one in journal.requests() if json.loads(body_of(one))["model"] == model]


async def test_a_quick_answer_has_no_copy(running: Gateway, journal: JournalReader) -> None:
    """Nothing is sent before its time."""
    wire, status, _ = await _answer(running, _ask("ample"))
    assert (status, wire.header("x-sluicegate-target"), wire.header("x-sluicegate-attempts")) == (200, "up/a", "1")
    assert not _of(journal, "b")


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_the_copy_wins_and_the_slow_one_is_closed(
    stream: bool, running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """The copy is sent after `after` and not before; its bytes arrive whole; both are attempts of the request."""
    upstream.tell("a", ttft_ms=LATER)
    upstream.tell("b", tokens=20)
    wire, status, body = await _answer(running, _ask("ample", stream=stream))
    (first,), (copy,) = _of(journal, "a"), _of(journal, "b")
    assert status == 200
    assert (wire.header("x-sluicegate-target"), wire.header("x-sluicegate-attempts")) == ("up/b", "2")
    assert copy["at"] - first["at"] >= AFTER * 0.9
    sent = (await journal.wait("finished", id=copy["id"]))["bytes"]
    assert len(body) == sent
    assert body.endswith(b"data: [DONE]\n\n") == stream
    head = await journal.wait("head", id=copy["id"])
    closed = await journal.wait("closed", id=first["id"])
    assert closed["at"] - head["at"] <= PROMISE
    line = await running.logged("request", request_id=wire.header("x-request-id"))
    assert [attempt[:2] for attempt in line["attempts"]] == [["up/a", "cancelled"], ["up/b", "ok"]]
    assert line["overhead_ms"] < AFTER * 1000
    assert "up/b was first" in line["notes"]["race"]


async def test_the_first_may_still_win(running: Gateway, journal: JournalReader, upstream: FakeUpstream) -> None:
    """Then it is the copy that is closed, though its stream had not even begun."""
    upstream.tell("a", ttft_ms=AFTER * 1000 + 300, tokens=20)
    upstream.tell("b", ttft_ms=LATER)
    wire, status, body = await _answer(running, _ask("ample", stream=True))
    assert (status, wire.header("x-sluicegate-target")) == (200, "up/a")
    assert body.endswith(b"data: [DONE]\n\n")
    (copy,) = _of(journal, "b")
    await journal.wait("closed", id=copy["id"], timeout=PROMISE)


async def test_a_failure_is_followed_at_once(running: Gateway, journal: JournalReader, upstream: FakeUpstream) -> None:
    """That is no copy: nothing else is under way."""
    upstream.tell("a", fails="overloaded")
    wire, status, _ = await _answer(running, _ask("ample"))
    assert (status, wire.header("x-sluicegate-target")) == (200, "up/b")
    (first,), (second,) = _of(journal, "a"), _of(journal, "b")
    assert second["at"] - first["at"] < AFTER


async def test_a_client_that_leaves_takes_both_along(
    running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """Within a second, by the upstream's clock."""
    for model in "ab":
        upstream.tell(model, ttft_ms=LATER)
    wire = await Wire.open(running.port)
    await wire.request("POST", CHAT, _ask("ample", stream=True), {"content-type": "application/json"})
    await journal.until(lambda: _of(journal, "b"), "the copy")
    wire.reset()
    for model in "ab":
        await journal.wait("closed", id=_of(journal, model)[0]["id"], timeout=PROMISE)
    await idle(running)


async def test_copies_keep_within_their_share(running: Gateway, journal: JournalReader, upstream: FakeUpstream) -> None:
    """However slow both are: not more than the share, and a few."""
    count = 60
    for model in "cd":
        upstream.tell(model, ttft_ms=100)

    async def some() -> None:
        for _ in range(count // 6):
            assert (await _answer(running, _ask("tight")))[1] == 200

    await asyncio.gather(*(some() for _ in range(6)))
    assert len(_of(journal, "c")) == count
    assert BURST <= len(_of(journal, "d")) <= count * TIGHT + BURST
    metrics = running.get("/metrics")[1].decode()
    assert 'sluicegate_race_copies_total{result="denied",route="tight"}' in metrics


@pytest.mark.parametrize(
    ("path", "more"),
    [("/v1/responses", {"input": "Hi"}), (CHAT, {"store": True}), ("/v1/images/generations", {"prompt": "a cat"})],
    ids=["stored response", "stored chat", "image"],
)
async def test_what_leaves_something_behind_is_not_sent_twice(
    path: str, more: dict[str, Any], running: Gateway, journal: JournalReader, upstream: FakeUpstream
) -> None:
    """However slow it is."""
    upstream.tell("e", ttft_ms=AFTER * 1000 * 3)
    body = json.dumps({"model": "kept", "messages": [{"role": "user", "content": "Hi"}], **more})
    wire, status, _ = await _answer(running, body.encode(), path)
    assert (status, wire.header("x-sluicegate-target")) == (200, "up/e")
    assert not _of(journal, "f")
    assert (
        "not sent twice" in (await running.logged("request", request_id=wire.header("x-request-id")))["notes"]["race"]
    )
