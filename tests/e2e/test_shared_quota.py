"""Limits that replicas and workers share through a store, and what they do without it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from tests.e2e.test_quota import ASKED, COST, KEY, ask, ask_many, config
from tests.support import books
from tests.support.gateway import Gateway
from tests.support.upstream import FakeUpstream
from tests.support.valkey import Valkey

OFF = "overload: {enabled: false}\n"


@pytest.mark.parametrize(
    "limit", ['limits: ["100/h"]', f'budget: "${100 * COST / 1e9:.6f}/day"'], ids=["requests", "money"]
)
async def test_four_workers_admit_exactly_what_fits(
    limit: str, gateway: Any, upstream: FakeUpstream, valkey: Valkey
) -> None:
    upstream.tell("fast")
    text = config(upstream.url, team=limit) + OFF + f"store: {valkey.url}\n"
    running = gateway(text, args=("--workers", "4"))
    statuses = await ask_many(running, 1000)
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) == 100
    assert len(upstream.journal().requests()) == 100
    assert books.cost(await books.settled(running, 100)) == 100 * COST


async def test_two_replicas_count_together(gateway: Any, upstream: FakeUpstream, valkey: Valkey) -> None:
    upstream.tell("fast")
    text = config(upstream.url, web=', limits: ["4/h"]') + f"store: {valkey.url}\n"
    one, two = gateway(text), gateway(text)
    assert [(await ask(at)).status_code for at in (one, two, one, two, one, two)] == [200] * 4 + [429] * 2


async def test_without_the_store_each_limit_does_as_it_says(
    gateway: Any, upstream: FakeUpstream, valkey: Valkey
) -> None:
    """Open by this process's own count, closed with 503; and as before once it is back."""
    upstream.tell("fast")
    limits = ", limits: [{limit: 1000/h, models: [other]}, {limit: 1000/h, models: [fast], store_down: closed}]"
    running: Gateway = gateway(config(upstream.url, web=limits) + f"store: {valkey.url}\n")
    assert [(await ask(running, model=model)).status_code for model in ("fast", "other")] == [200, 200]
    valkey.kill()
    async with httpx2.AsyncClient() as client:
        headers = {"authorization": f"Bearer {KEY}"}
        for model, status in (("other", 200), ("fast", 503), ("other", 200)):
            body = ASKED | {"model": model}
            found = await client.post(f"{running.url}/chat/completions", json=body, headers=headers)
            assert found.status_code == status, model
            if status == 503:
                assert found.json()["error"]["code"] == "limits_unavailable"
    assert b"store" in (await asyncio.to_thread(running.get, "/readyz"))[1]
