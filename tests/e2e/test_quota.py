"""Limits as callers meet them: nobody gets through who should not, nobody is refused who should not be."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx2
import openai
import pytest

from tests.support import books
from tests.support.gateway import Gateway
from tests.support.nursery import sluicegate
from tests.support.upstream import FakeUpstream


@pytest.fixture(autouse=True)
def _plain(upstream: FakeUpstream) -> None:
    """What another test has told the upstream is forgotten."""
    upstream.tell("fast")


KEY, OTHER = "sk-web-0123456789-0123456789-abcdef", "sk-app-0123456789-0123456789-abcdef"
ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
PRICE = "{input: $0, output: $10}"  # for a million tokens
COST = 5 * 10_000  # nano-dollars: the upstream says 5 tokens, which is also the most that is asked for


def config(url: str, *, web: str = "", team: str = "", acme: str = "", quota: str = "quota", more: str = "") -> str:
    """One route, two keys of one team."""
    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up, models: {{"*": {{price: {PRICE}}}}}}}
tenants:
  acme:
    {acme}
    teams:
      search:
        {team}
        keys:
          web: {{hash: "{books.hashed(KEY)}"{web}}}
          app: {{hash: "{books.hashed(OTHER)}"}}
routes:
  chat: {{models: [fast, other], policies: [authenticate, tags: {{accept: [user]}}, {quota}], target: up/fast}}
  cheap: {{models: [cheap], policies: [authenticate, quota], target: up/cheap}}
{more}
"""


async def ask(running: Gateway, key: str = KEY, model: str = "fast", tags: str = "", **more: Any) -> httpx2.Response:
    """One question."""
    headers = {"authorization": f"Bearer {key}", **({"x-sluicegate-tags": tags} if tags else {})}
    async with httpx2.AsyncClient(timeout=20) as client:
        return await client.post(
            f"{running.url}/chat/completions", json=ASKED | {"model": model} | more, headers=headers
        )


async def ask_many(running: Gateway, count: int, at_once: int = 64, **more: Any) -> list[int]:
    """Statuses of as many questions, over few connections."""
    headers = {"authorization": f"Bearer {KEY}"}
    room = asyncio.Semaphore(at_once)
    async with httpx2.AsyncClient(timeout=30, limits=httpx2.Limits(max_connections=at_once)) as client:

        async def one() -> int:
            async with room:
                body = ASKED | {"model": "fast"} | more
                return (await client.post(f"{running.url}/chat/completions", json=body, headers=headers)).status_code

        return await asyncio.gather(*(one() for _ in range(count)))


@pytest.mark.parametrize(
    ("limits", "admitted"),
    [
        ('web: limits: ["100/min"]', 100),
        ('team: limits: ["100/h", "1000/min"]', 100),
        (f'acme: budget: "${100 * COST / 1e9:.6f}/month"', 100),
    ],
    ids=["requests", "team", "money"],
)
async def test_exactly_what_fits_is_admitted(limits: str, admitted: int, gateway: Any, upstream: FakeUpstream) -> None:
    """A thousand at once; the provider sees as many as the limit has room for, and no more."""
    level, _, text = limits.partition(": ")
    text = f", {text}" if level == "web" else text
    running = gateway(config(upstream.url, **{level: text}) + "overload: {enabled: false}\n")
    statuses = await ask_many(running, 1000)
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) == admitted
    assert len(upstream.journal().requests()) == admitted
    found = await books.settled(running, admitted)
    assert books.cost(found) == admitted * COST


async def test_a_refusal_says_what_and_when(gateway: Any, upstream: FakeUpstream) -> None:
    running = gateway(config(upstream.url, web=', limits: ["2/min", "100k tokens/min"]'))
    first = await ask(running)
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert first.headers["ratelimit-policy"] == '"requests";q=2;w=60, "tokens";q=100000;w=60'
    assert first.headers["ratelimit"].startswith('"requests";r=1;t=60, "tokens";r=99')
    assert first.headers["x-sluicegate-cost"] == f"0.{COST:09d}"
    assert (await ask(running)).status_code == 200
    refused = await ask(running)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limited"
    assert "2/min of this key" in refused.json()["error"]["message"]
    assert 50 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert (await ask(running, OTHER)).status_code == 200


async def test_the_official_client_knows_it(gateway: Any, upstream: FakeUpstream, client: Any) -> None:
    running = gateway(config(upstream.url, web=', budget: "$0.00005 total"'))
    asker = client(running.url, KEY)
    await asker.chat.completions.create(model="fast", **ASKED)
    with pytest.raises(openai.RateLimitError) as refused:
        await asker.chat.completions.create(model="fast", **ASKED)
    assert refused.value.code == "budget_exhausted"


async def test_what_failed_is_given_back(gateway: Any, upstream: FakeUpstream) -> None:
    running = gateway(config(upstream.url, web=', limits: ["2/h", "$1/h"]'))
    upstream.tell("fast", status=503)
    assert [(await ask(running)).status_code for _ in range(5)] == [503] * 5
    upstream.tell("fast")
    assert [(await ask(running)).status_code for _ in range(3)] == [200, 200, 429]
    found = await books.settled(running, 7)
    assert [row.status for row in found].count("error") == 5
    assert books.cost(found) == 2 * COST


async def test_who_leaves_pays_for_what_was_emitted(gateway: Any, upstream: FakeUpstream) -> None:
    """And the next request finds the rest of the reservation free again."""
    running = gateway(config(upstream.url, web=', limits: ["1 concurrent", "10k tokens/h"]'))
    pieces = [f" word{number}" for number in range(40)]
    upstream.tell("fast", tokens=pieces, gap_ms=50)
    body = ASKED | {"model": "fast", "stream": True, "max_tokens": 4000}
    headers = {"authorization": f"Bearer {KEY}"}
    address = f"{running.url}/chat/completions"
    seen = 0
    async with (
        httpx2.AsyncClient(timeout=20) as client,
        client.stream("POST", address, json=body, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            seen += '"content":" word' in line.replace(": ", ":")
            if seen == 5:
                break
    (row,) = await books.settled(running, 1)
    assert row.status == "cancelled"
    assert row.source == "counted"
    assert row.output >= 5 * 2  # " word" and its number
    assert row.output < 40 * 2
    assert row.cost > 0
    upstream.tell("fast")
    assert (await ask(running)).status_code == 200


async def test_limits_of_models_and_users(gateway: Any, upstream: FakeUpstream) -> None:
    limits = ", limits: [{limit: 1/h, models: [other]}, {limit: 2/h, per: user}]"
    running = gateway(config(upstream.url, web=limits))
    assert [(await ask(running, model="other", tags="user=a")).status_code for _ in range(2)] == [200, 429]
    assert [(await ask(running, tags="user=a")).status_code for _ in range(2)] == [200, 429]
    assert [(await ask(running, tags="user=b")).status_code for _ in range(3)] == [200, 200, 429]


async def test_what_happens_over_a_limit(gateway: Any, upstream: FakeUpstream) -> None:
    """Warned, tried out, sent elsewhere, or kept waiting: as each limit says."""
    limits = """, limits: [{limit: 1/h, over_limit: shadow}, {limit: 2/h, over_limit: warn},
      {limit: 3/h, over_limit: {downgrade: cheap}}, {limit: 2/s, over_limit: queue}]"""
    running = gateway(config(upstream.url, web=limits.replace("\n", " ")))
    began = time.monotonic()
    answers = [await ask(running) for _ in range(5)]
    assert time.monotonic() - began >= 1.99  # the third waits for the first to be a second old, the fifth for the third
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [answer.headers["x-sluicegate-target"] for answer in answers] == ["up/fast"] * 3 + ["up/cheap"] * 2
    assert answers[-1].headers["x-sluicegate-degraded"] == "over_limit"
    told = running.log("limit.over")
    assert [entry["action"] for entry in told].count("shadow") == 4
    assert [entry["action"] for entry in told].count("warn") == 3


async def test_spending_survives_a_restart(gateway: Any, upstream: FakeUpstream) -> None:
    text = config(upstream.url, web=', limits: ["3/h", "$1/day"]', team=f'budget: "${10 * COST / 1e9:.6f}/month"')
    running = gateway(text)
    assert [(await ask(running)).status_code for _ in range(2)] == [200, 200]
    assert running.stop() == 0
    again = Gateway(running.folder, text)
    try:
        assert [(await ask(again)).status_code for _ in range(2)] == [200, 429]
        assert [(await ask(again, OTHER)).status_code for _ in range(8)] == [200] * 7 + [429]
    finally:
        again.stop()


async def test_a_new_budget_knows_what_was_spent(gateway: Any, upstream: FakeUpstream) -> None:
    running = gateway(config(upstream.url) + "log: {level: debug}\n")
    assert [(await ask(running)).status_code for _ in range(3)] == [200] * 3
    await books.settled(running, 3)
    running.write(config(upstream.url, acme=f'budget: "${4 * COST / 1e9:.6f}/day"') + "log: {level: debug}\n")
    await running.reloaded(2)
    await running.logged("ledger.followed", generation=2)
    assert [(await ask(running)).status_code for _ in range(2)] == [200, 429]


async def test_alerts_and_unknown_prices(gateway: Any, upstream: FakeUpstream) -> None:
    text = config(upstream.url, web=", limits: [{limit: 4/h, alerts: [50%, 100%]}]")
    running = gateway(text)
    for _ in range(4):
        assert (await ask(running)).status_code == 200
    assert [entry["share"] for entry in running.log("limit.alert")] == [0.5, 1.0]
    running.write(config(upstream.url, web=', budget: "$1/day"').replace(f', models: {{"*": {{price: {PRICE}}}}}', ""))
    await running.reloaded(2)
    refused = await ask(running)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "unknown_price")


async def test_who_has_little_left_is_sent_to_a_cheaper_model(gateway: Any, upstream: FakeUpstream) -> None:
    """`budget_left` falls with each request; a caller without a budget has all of it."""
    tree = "{when: [{if: budget_left >= 50, target: up/fast}, {else: up/cheap}]}"
    text = config(upstream.url, web=', budget: "$0.001/day"').replace("target: up/fast}", f"target: {tree}}}")
    running = gateway(text)
    models = [(await ask(running)).headers["x-sluicegate-target"] for _ in range(12)]
    assert models[0] == "up/fast"
    assert models == sorted(models, reverse=True)
    assert models[-1] == "up/cheap"
    assert (await ask(running, OTHER)).headers["x-sluicegate-target"] == "up/fast"


async def test_explain_says_what_would_be_reserved(gateway: Any, upstream: FakeUpstream) -> None:
    running = gateway(config(upstream.url, web=', limits: ["60/min", "100k tokens/min", "$5/day"]'))
    words = ("explain", "--config", str(running.config), "--model", "fast", "--key", KEY)
    said = (await asyncio.to_thread(sluicegate, *words)).stdout
    assert "reserves 1 request in 3 limits" in said
    assert "60/min (key)" in said
