"""Operators are told at an address of their own: signed, until it is taken, and once, also if the gateway dies."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink
from tests.support import books
from tests.support.gateway import Gateway
from tests.support.jobs import Receiver, verified
from tests.support.upstream import FakeUpstream

KEY = "sk-web-0123456789-0123456789-abcdef"
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture(autouse=True)
def _plain(upstream: FakeUpstream) -> None:
    """What another test has told the upstream is forgotten."""
    upstream.tell("fast")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Fails twice, then takes everything."""
    running = Receiver(500, 503, 200)
    yield running
    running.close()


def config(url: str, hook: str, price: str = ', models: {"*": {price: {input: $0, output: $10}}}') -> str:
    """One key that may ask four times an hour."""
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up{price}}}
tenants:
  acme:
    teams:
      search:
        keys:
          web: {{hash: "{books.hashed(KEY)}", limits: [{{limit: 4/h, alerts: [50%, 100%]}}]}}
routes:
  chat: {{models: [fast], policies: [authenticate, quota], target: up/fast}}
alerts: {{url: "{hook}", secret: "{SECRET}"}}
"""


async def ask(running: Gateway) -> int:
    """One question."""
    body = {"model": "fast", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
    async with httpx2.AsyncClient(timeout=20) as client:
        headers = {"authorization": f"Bearer {KEY}"}
        return (await client.post(f"{running.url}/chat/completions", json=body, headers=headers)).status_code


def undelivered(running: Gateway) -> float:
    """What the metric says."""
    found = re.search(rb"^sluicegate_alerts_undelivered(?:\{.*\})? (\S+)$", running.get("/metrics")[1], re.MULTILINE)
    assert found is not None
    return float(found.group(1))


async def until_undelivered(running: Gateway, count: int) -> None:
    """Wait until so many alerts wait."""
    end = time.monotonic() + 15
    while (now := await asyncio.to_thread(undelivered, running)) != count:
        assert time.monotonic() < end, f"{now} wait instead of {count}"
        await asyncio.sleep(0.02)


def told(receiver: Receiver) -> list[tuple[str, Any]]:
    """Kind of what came, and the share where there is one."""
    found = [json.loads(body) for _, body in receiver.got]
    return [(one["type"], one["data"].get("share")) for one in found]


async def test_a_receiver_that_fails_gets_it_in_the_end(
    gateway: Any, upstream: FakeUpstream, receiver: Receiver
) -> None:
    running = gateway(config(upstream.url, receiver.url))
    for _ in range(4):
        assert await ask(running) == 200
    await asyncio.to_thread(receiver.wait, 4)
    await until_undelivered(running, 0)
    assert told(receiver) == [("limit.alert", 0.5)] * 3 + [("limit.alert", 1.0)]
    assert all(verified(SECRET, headers, body) for headers, body in receiver.got)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 2
    assert json.loads(receiver.got[0][1])["data"]["limit"] == "4/h"
    assert len(running.log("alerts.undelivered")) == 1
    assert len(running.log("alerts.delivered")) == 1


async def test_it_survives_a_kill(gateway: Any, upstream: FakeUpstream) -> None:
    """What the first gateway could not deliver, the next one does, once; what it delivered is not sent again."""
    first = Receiver(200)
    running = gateway(config(upstream.url, first.url))
    assert [await ask(running) for _ in range(2)] == [200, 200]
    await asyncio.to_thread(first.wait, 1)
    await until_undelivered(running, 0)
    first.close()
    assert [await ask(running) for _ in range(2)] == [200, 200]
    await until_undelivered(running, 1)
    running.signal(signal.SIGKILL)
    running.wait()
    second = Receiver(500, 200)
    again = Gateway(running.folder, config(upstream.url, second.url))
    try:
        await asyncio.to_thread(second.wait, 2)
        await until_undelivered(again, 0)
        assert await ask(again) == 429
        assert told(second) == [("limit.alert", 1.0)] * 2
        assert len({headers["webhook-id"] for headers, _ in second.got}) == 1
        assert all(verified(SECRET, headers, body) for headers, body in second.got)
    finally:
        again.stop()
        second.close()


async def test_workers_tell_it_once(gateway: Any, upstream: FakeUpstream, receiver: Receiver) -> None:
    """Of whichever worker: a model without a price is told by each that uses it, and sent by one."""
    running = gateway(
        config(upstream.url, receiver.url, price="").replace("limit: 4/h", "limit: 400/h"), args=("--workers", "2")
    )
    for _ in range(40):
        assert await ask(running) == 200
    await asyncio.to_thread(receiver.wait, 3)
    await until_undelivered(running, 0)
    assert told(receiver) == [("ledger.unpriced", None)] * 3
    assert json.loads(receiver.got[0][1])["data"] == {"provider": "up", "model": "fast"}


async def test_alerts_follow_the_file(gateway: Any, upstream: FakeUpstream, receiver: Receiver) -> None:
    """One that waits goes to the new address."""
    running = gateway(config(upstream.url, "http://127.0.0.1:1/nobody"))
    assert [await ask(running) for _ in range(2)] == [200, 200]
    await until_undelivered(running, 1)
    running.write(config(upstream.url, receiver.url))
    await running.reloaded(2)
    await asyncio.to_thread(receiver.wait, 3)
    await until_undelivered(running, 0)


async def test_spending_unlike_its_past_is_told_after_the_start(
    gateway: Any, upstream: FakeUpstream, tmp_path: Any
) -> None:
    receiver = Receiver(200)
    hour = int(time.time()) // 3600 * 3600
    state = tmp_path / "state"
    state.mkdir()
    sink = SqliteSink(state / "ledger.sqlite")
    costs = dict.fromkeys(range(2, 30), 20_000_000) | {1: 2_000_000_000}
    rows = [
        Row(f"att_{back}", "req_1", 1, (hour - back * 3600) * 1_000_000, status="ok", organisation="acme", cost=cost)
        for back, cost in costs.items()
    ]
    sink.write(rows, ())
    sink.close()
    try:
        running = gateway(config(upstream.url, receiver.url), env={"SLUICEGATE_STATE_DIR": str(state)})
        await asyncio.to_thread(receiver.wait, 1)
        assert told(receiver) == [("spending.anomaly", None)]
        found = json.loads(receiver.got[0][1])["data"]
        assert (found["organisation"], found["cost_usd"]) == ("acme", 2.0)
        assert 'sluicegate_alerts_total{kind="anomaly"} 1.0' in running.get("/metrics")[1].decode()
    finally:
        receiver.close()
