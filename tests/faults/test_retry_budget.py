"""FLT-03: an outage is not multiplied on its way to the provider."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from tests.support.gateway import Gateway
from tests.support.traffic import CHAT, HEADERS, ask, code_of
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

CLIENTS = 16
SECONDS = 2.5
FILE = """
listen: 127.0.0.1:8080
health: {{{health}}}
retries: {{{retries}}}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
routes:
  chat: {{models: [fast], target: up/dead}}
"""


async def flood(gateway: Gateway) -> Counter[tuple[int, str]]:
    """How often which status and code came, from clients that ask again as soon as they are answered."""
    found: Counter[tuple[int, str]] = Counter()
    end = time.monotonic() + SECONDS

    async def one() -> None:
        wire = await Wire.open(gateway.port)
        try:
            while time.monotonic() < end:
                status, body = await wire.exchange("POST", CHAT, ask(), HEADERS)
                found[status, code_of(body)] += 1
        finally:
            wire.close()

    await asyncio.gather(*(one() for _ in range(CLIENTS)))
    return found


async def test_retries_add_at_most_a_fifth(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> None:
    """Every answer is a 503 and the target is asked every time: what comes on top are retries within their budget."""
    upstream.tell("dead", fails="overloaded")
    found = await flood(gateway(FILE.format(url=upstream.url, health="enabled: false", retries="max: 2")))
    sent, asked = len(upstream.journal().requests()), found.total()
    assert found.keys() == {(503, "upstream_overloaded")}
    assert asked < sent <= asked * 1.2


async def test_what_is_known_to_be_dead_is_hardly_asked(
    gateway: Callable[..., Gateway], upstream: FakeUpstream
) -> None:
    """After five failures one request a second tries it; the others are told at once."""
    upstream.tell("dead", fails="overloaded")
    found = await flood(gateway(FILE.format(url=upstream.url, health="", retries="max: 0")))
    sent = len(upstream.journal().requests())
    # Those that were on their way when it was ejected, and a try each second.
    assert sent <= 5 + CLIENTS + SECONDS + 1
    assert found[503, "no_target_available"] == found.total() - sent


async def test_it_is_back_as_soon_as_it_works(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> None:
    """Not after thirty seconds: while there is nothing else, it is tried each second."""
    upstream.tell("dead", fails="overloaded")
    running = gateway(FILE.format(url=upstream.url, health="", retries="max: 0"))
    wire = await Wire.open(running.port)
    statuses = [(await wire.exchange("POST", CHAT, ask(), HEADERS))[0] for _ in range(10)]
    assert statuses == [503] * 10
    assert wire.header("retry-after") is not None
    upstream.tell("dead", text="back")
    async with asyncio.timeout(5):
        while (await wire.exchange("POST", CHAT, ask(), HEADERS))[0] != 200:
            await asyncio.sleep(0.02)
    wire.close()


async def test_a_deadline_that_is_none_is_refused(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> None:
    """Nothing is sent."""
    running = gateway(FILE.format(url=upstream.url, health="", retries=""))
    wire = await Wire.open(running.port)
    for given in ("0", "-5", "soon", "1.5", "9" * 20):
        status, body = await wire.exchange("POST", CHAT, ask(), HEADERS | {"x-deadline-ms": given})
        assert (status, code_of(body)) == (400, "invalid_deadline"), given
    wire.close()
    assert len(upstream.journal().requests()) == 0


async def test_the_callers_deadline_holds_over_all_attempts(
    gateway: Callable[..., Gateway], upstream: FakeUpstream
) -> None:
    """The provider takes a second, the caller has 300 ms; that is no failure of the provider."""
    upstream.tell("dead", ttft_ms=1000)
    running = gateway(FILE.format(url=upstream.url, health="failures: 1", retries=""))
    wire = await Wire.open(running.port)
    began = time.monotonic()
    status, body = await wire.exchange("POST", CHAT, ask(), HEADERS | {"x-deadline-ms": "300"})
    assert (status, code_of(body)) == (504, "upstream_timeout")
    assert time.monotonic() - began < 0.95
    status, body = await wire.exchange("POST", CHAT, ask(), HEADERS)
    wire.close()
    assert status == 200
