"""Two gateways with one store: what one of them finds out about a target, the other knows."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import time
from collections.abc import Callable

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.scale import PATIENCE
from tests.support.traffic import CHAT, told
from tests.support.upstream import FakeUpstream
from tests.support.valkey import Valkey
from tests.support.wire import Wire

FAILURES = 10
PAUSE = 0.3  # seconds between requests; all of them take longer than the news
_names = itertools.count(1)


class _Pair:
    """Replicas of one file, which prefers `first`."""

    def __init__(
        self, gateway: Callable[..., Gateway], upstream: FakeUpstream, store: str, *, workers: tuple[str, ...] = ()
    ) -> None:
        number = next(_names)  # the upstream remembers what it was told of a model
        self.first, self.second = f"shared{number}-a", f"shared{number}-b"
        self.upstream = upstream
        config = f"""
store: {store}
health: {{failures: {FAILURES}, eject: 60s, max_eject: 60s}}
providers:
  up: {{kind: openai, base_url: "{upstream.url}", api_key: sk-upstream}}
routes:
  chat: {{models: [chat], open: true, target: {{fallback: [up/{self.first}, up/{self.second}]}}}}
  alone: {{models: [alone], open: true, target: up/{self.first}}}
"""
        self.a, self.b = gateway(config), gateway(config, args=workers)

    async def ask(self, one: Gateway, model: str = "chat") -> tuple[int, str]:
        """Status, and who answered."""
        wire = await Wire.open(one.port)
        try:
            await wire.request("POST", CHAT, {"model": model, "messages": [{"role": "user", "content": "Hello"}]})
            status, _, _ = await told(wire)
            return status, wire.header("x-sluicegate-target") or ""
        finally:
            wire.close()

    def asked_first(self) -> int:
        """How often the upstream saw `first`."""
        return sum(self.first.encode() in body_of(entry) for entry in self.upstream.journal().requests())

    async def eject(self, one: Gateway) -> None:
        """Let that one find out that `first` is broken."""
        self.upstream.tell(self.first, status=503)
        for _ in range(FAILURES):
            assert await self.ask(one) == (200, f"up/{self.second}")

    async def told_to(self, one: Gateway) -> int:
        """Ask that one until it leaves `first` alone; how often it asked it, too seldom to have found out itself."""
        misses = 0
        while True:
            before = self.asked_first()
            assert await self.ask(one) == (200, f"up/{self.second}")
            if self.asked_first() == before:
                return misses
            misses += 1
            assert misses < FAILURES, "it was told nothing"
            await asyncio.sleep(PAUSE)


async def test_what_one_leaves_alone_the_other_leaves_alone(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, valkey: Valkey
) -> None:
    """B sends nothing to what A has ejected; when a trial of B's is good, A goes back to it at once."""
    pair = _Pair(gateway, upstream, valkey.url)
    await pair.eject(pair.a)
    misses = await pair.told_to(pair.b)
    assert pair.asked_first() == FAILURES + misses
    upstream.tell(pair.first)
    assert (await pair.ask(pair.b, "alone"))[0] == 200  # there is nothing else, so it is tried
    end = time.monotonic() + PATIENCE
    while (await pair.ask(pair.a))[1] != f"up/{pair.first}":
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


def _order(one: Gateway, target: str, action: str) -> int:
    """An operator's, as curl sends it; the status."""
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=PATIENCE)
    try:
        body = json.dumps({"action": action})
        connection.request("POST", f"/admin/targets/{target}", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


async def test_what_is_drained_by_hand_is_drained_by_all(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, valkey: Valkey
) -> None:
    """One order to A; every worker of B follows, and follows again when it is taken back."""
    pair = _Pair(gateway, upstream, valkey.url, workers=("--workers", "2"))
    for action, answering in (("drain", pair.second), ("restore", pair.first)):
        assert _order(pair.a, f"up/{pair.first}", action) == 200
        assert await pair.ask(pair.a) == (200, f"up/{answering}")
        end, in_a_row = time.monotonic() + 2 * PATIENCE, 0
        while in_a_row < 12:  # on a connection each, so that either worker takes some
            assert time.monotonic() < end
            in_a_row = in_a_row + 1 if await pair.ask(pair.b) == (200, f"up/{answering}") else 0


async def test_both_go_on_without_the_store_and_agree_when_it_is_back(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, valkey: Valkey
) -> None:
    """What was found out meanwhile is told then."""
    pair = _Pair(gateway, upstream, valkey.url)
    valkey.kill()
    for one in (pair.a, pair.b):
        await one.logged("store.lost")
    await pair.eject(pair.a)
    assert (await pair.ask(pair.b)) == (200, f"up/{pair.second}")
    assert pair.asked_first() == FAILURES + 1  # it had to find out itself
    valkey.start()
    for one in (pair.a, pair.b):
        await one.logged("store.back", timeout=PATIENCE)
    await pair.told_to(pair.b)
