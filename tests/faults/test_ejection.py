"""FLT-05, FLT-06: who fails is left alone and comes back; when all fail, refusals are quick and nothing multiplies."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.scale import PATIENCE
from tests.support.traffic import CHAT, at_once, code_of, told
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

FAILURES = 3
CONNECTIONS = 6
_names = itertools.count(1)


class Seen(NamedTuple):
    """One answer as its client saw it."""

    status: int
    body: bytes
    end: str
    target: str
    attempts: int
    retry_after: str | None


class Pool:
    """A gateway that balances over models of the fake upstream, which are told by their place how to fail."""

    def __init__(
        self, gateway: Callable[..., Gateway], upstream: FakeUpstream, *, size: int, by: str, health: str
    ) -> None:
        number = next(_names)  # the upstream remembers what it was told of a model
        self.models = [f"pool{number}-{at}" for at in range(size)]
        self.upstream = upstream
        leaves = ", ".join(f"up/{model}" for model in self.models)
        self.gateway = gateway(f"""
health: {{failures: {FAILURES}, {health}}}
retries: {{}}
timeouts: {{first_token: 2s, gap: 2s}}
providers:
  up: {{kind: openai, base_url: "{upstream.url}", api_key: sk-upstream}}
routes:
  chat: {{models: [chat], open: true, target: {{balance: {{by: {by}, of: [{leaves}]}}}}}}
""")

    def tell(self, *places: int, **script: Any) -> None:
        for at in places:
            self.upstream.tell(self.models[at], **script)

    def repair(self, *places: int) -> None:
        for at in places:
            self.upstream.tell(self.models[at])

    async def ask(self, count: int, *, stream: bool = False) -> list[Seen]:
        """So many requests over a few connections."""
        body = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}], "stream": stream}

        async def one(wire: Wire, _: int) -> Seen:
            await wire.request("POST", CHAT, dict(body))
            status, answer, end = await told(wire)
            return Seen(
                status,
                answer,
                end,
                wire.header("x-sluicegate-target") or "",
                int(wire.header("x-sluicegate-attempts") or 0),
                wire.header("retry-after"),
            )

        return await at_once(self.gateway.port, range(count), one, connections=CONNECTIONS)

    async def ask_until(self, done: Callable[[], bool], what: str) -> list[Seen]:
        """A few requests at a time until the upstream's journal shows it."""
        seen: list[Seen] = []
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end, f"not within {PATIENCE} s: {what}; {self.asked()}"
            seen += await self.ask(4)
            await asyncio.sleep(0.05)
        return seen

    def asked(self) -> list[int]:
        """Requests that reached each model, by the upstream's journal, since it was marked."""
        found: Counter[str] = Counter()
        for request in self.upstream.journal().requests():
            found[json.loads(body_of(request))["model"]] += 1
        return [found[model] for model in self.models]

    def mark(self) -> None:
        self.upstream.journal().mark()


def _bad(seen: list[Seen]) -> list[Seen]:
    return [one for one in seen if one.status != 200 or one.end != "whole"]


@pytest.mark.parametrize(
    ("script", "stream"),
    [({"status": 503}, False), ({"down": True}, False), ({"status": 500}, True), ({"die_after": 2, "tokens": 5}, True)],
    ids=["503", "refuses", "500 to a stream", "cuts streams"],
)
async def test_one_of_four_is_bad(
    script: dict[str, Any], stream: bool, gateway: Callable[..., Gateway], upstream: FakeUpstream
) -> None:
    """FLT-05: once it is ejected no caller sees an error or waits for a second attempt; repaired, it is probed back."""
    pool = Pool(gateway, upstream, size=4, by="round_robin", health="eject: 1s")
    pool.tell(0, **script)
    first = await pool.ask(60, stream=stream)
    # Before its ejection others answer for it. A stream that was cut in the middle can only be told.
    cut = "die_after" in script
    assert len(_bad(first)) <= (FAILURES + CONNECTIONS if cut else 0)
    assert pool.asked()[0] <= FAILURES + CONNECTIONS

    pool.mark()
    after = await pool.ask(40, stream=stream)
    probes = pool.asked()[0]
    assert probes <= 2, "its ejection may just be over: one probe, and then it is left alone for longer"
    assert len(_bad(after)) <= (probes if cut else 0)
    assert sum(one.attempts for one in after) == 40 + (0 if cut else probes)

    pool.repair(0)
    pool.mark()
    back = await pool.ask_until(lambda: pool.asked()[0] >= 4, "requests for the target that was repaired")
    assert not _bad(back)


async def test_all_are_bad(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> None:
    """FLT-06: quick and typed refusals with a time to wait, hardly any load on the upstreams, back when repaired."""
    pool = Pool(gateway, upstream, size=4, by="latency", health="eject: 300s")
    pool.tell(0, 1, 2, 3, status=503)
    seen = await pool.ask(300)
    assert all(one.status in (502, 503) and one.end == "whole" for one in seen)
    refused = [one for one in seen if one.attempts == 0]
    assert len(refused) > 200, "most are refused without asking anybody"
    assert {code_of(one.body) for one in refused} == {"no_target_available"}
    assert all(one.retry_after is not None and 1 <= int(one.retry_after) <= 300 for one in refused)
    assert sum(pool.asked()) <= 1.2 * len(seen)

    # Nothing is given up for its 300 s: every target is tried about once a second, and no more often.
    pool.mark()
    started = time.monotonic()
    await pool.ask_until(lambda: min(pool.asked()) >= 2, "two tries of each target")
    assert max(pool.asked()) <= time.monotonic() - started + 2

    pool.repair(0, 1, 2, 3)
    pool.mark()
    await pool.ask_until(lambda: sorted(pool.asked())[2] >= 2, "requests for at least half of them")
    assert not _bad(await pool.ask(20))


async def test_never_more_than_half_of_a_pool_is_left_out(
    gateway: Callable[..., Gateway], upstream: FakeUpstream
) -> None:
    """FLT-06: three of four are ejected for 300 s, yet a repaired one is back in about a second, and nobody notices."""
    pool = Pool(gateway, upstream, size=4, by="round_robin", health="eject: 300s")
    pool.tell(0, 1, 2, status=503)
    assert not _bad(await pool.ask(80))

    pool.mark()
    started = time.monotonic()
    seen = await pool.ask_until(lambda: min(pool.asked()[:3]) >= 2, "tries of those that are ejected")
    assert not _bad(seen)
    assert max(pool.asked()[:3]) <= time.monotonic() - started + 2, "each is tried once a second at most"

    pool.repair(1)
    pool.mark()
    seen = await pool.ask_until(lambda: pool.asked()[1] >= 6, "requests for the one that was repaired")
    assert not _bad(seen)


async def test_the_account_with_more_left_is_asked(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> None:
    """What good answers tell of their limits decides, and news are believed."""
    pool = Pool(gateway, upstream, size=2, by="headroom", health="enabled: true")

    def left(at: int, remaining: int) -> None:
        kinds = {"limit": "1000", "remaining": str(remaining), "reset": "600s"}
        pool.tell(at, headers={f"x-ratelimit-{kind}-tokens": value for kind, value in kinds.items()})

    left(0, 200)
    left(1, 800)
    await pool.ask_until(lambda: min(pool.asked()) >= 1, "a request for each")
    pool.mark()
    await pool.ask(20)
    assert pool.asked() == [0, 20]
    left(1, 100)
    await pool.ask(CONNECTIONS)
    await asyncio.sleep(0.15)  # headers are read ten times a second
    pool.mark()
    await pool.ask(20)
    assert pool.asked() == [20, 0]
