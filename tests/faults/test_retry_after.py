"""FLT-04: how long a provider asks to wait is obeyed, within reason, whether requests wait in line or not."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any, NamedTuple

import pytest

from tests.support.gateway import Gateway
from tests.support.traffic import CHAT, code_of
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

HEADERS = {"content-type": "application/json"}
CAP = 300  # seconds: the most that is believed


class Case(NamedTuple):
    """What the provider says, and within which times it may be asked again."""

    headers: Callable[[], dict[str, str]]
    least: float
    most: float


CASES = {
    "seconds": Case(lambda: {"retry-after": "1"}, 0.99, 2.5),
    "milliseconds": Case(lambda: {"retry-after-ms": "400"}, 0.39, 1.9),
    "date": Case(lambda: {"retry-after": formatdate(time.time() + 2, usegmt=True)}, 0.9, 3.5),
    "past": Case(lambda: {"retry-after": formatdate(time.time() - 60, usegmt=True)}, 0.0, 1.5),
    "reset": Case(lambda: {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "600ms"}, 0.59, 2.1),
    "garbage": Case(lambda: {"retry-after": "soon, or -1e9"}, 0.2, 2.5),
    "zero": Case(lambda: {"retry-after": "0"}, 0.0, 1.5),
}
ENDLESS = {
    "endless": {"retry-after": "1000000000"},
    "endless-date": {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
    "endless-ms": {"retry-after-ms": "999999999999"},
}


def config(url: str) -> str:
    """For each case a model of its own, in line, out of it, and with the file's own retries alone."""
    routes = "".join(
        f"  {kind}-{name}: {{models: [{kind}-{name}], {policies}target: up/{kind}-{name}}}\n"
        for kind, policies in (("line", "policies: [queue: {on_long_wait: refuse}], "), ("plain", ""))
        for name in (*CASES, *ENDLESS)
    )
    return f"""
listen: 127.0.0.1:8080
health: {{enabled: true}}
retries: {{max: 2, base: 1ms}}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
routes:
{routes}"""


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file."""
    return module_gateway(config(upstream_process.url))


async def ask(running: Gateway, model: str) -> tuple[int, str | None, bytes]:
    """Status, the wait that is told, and the body."""
    wire = await Wire.open(running.port)
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    try:
        await wire.request("POST", CHAT, json.dumps(body).encode(), HEADERS)
        status = await wire.head()
        return status, wire.header("retry-after"), await wire.whole()
    finally:
        wire.close()


def times(upstream: FakeUpstream) -> list[float]:
    """When the provider was asked."""
    return [entry["at"] for entry in upstream.journal().requests()]


@pytest.mark.parametrize("name", CASES)
async def test_in_line(running: Gateway, upstream: FakeUpstream, name: str) -> None:
    """Four that wait are all answered; the provider is asked in time, and not once more than needed."""
    model, case = f"line-{name}", CASES[name]
    refusal = {"status": 429, "headers": case.headers(), "body": {"error": {"message": "slow down"}}}
    upstream.tell(model, id=model, steps=[refusal, {"status": 200}])
    answers = await asyncio.gather(ask(running, model), *(late(running, upstream, model) for _ in range(3)))
    assert [status for status, _, _ in answers] == [200] * 4
    limit, *asked = times(upstream)
    assert len(asked) == 4
    assert case.least <= asked[0] - limit <= case.most


async def late(running: Gateway, upstream: FakeUpstream, model: str) -> tuple[int, str | None, bytes]:
    """A request that comes when the limit has been told."""
    await upstream.journal().wait("finished")
    return await ask(running, model)


@pytest.mark.parametrize("name", CASES)
async def test_out_of_line(running: Gateway, upstream: FakeUpstream, name: str) -> None:
    """Without a line one request tries again, as late as it was asked to; there is no busy loop."""
    model, case = f"plain-{name}", CASES[name]
    refusal = {"status": 429, "headers": case.headers(), "body": {"error": {"message": "slow down"}}}
    upstream.tell(model, id=model, steps=[refusal, {"status": 200}])
    status, _, body = await ask(running, model)
    asked = times(upstream)
    if status == 200:
        assert len(asked) == 2
        assert case.least <= asked[1] - asked[0] <= case.most
    else:  # its tries were over before the rest was
        assert (status, code_of(body)) == (429, "rate_limited")
        assert len(asked) == 1
        assert case.least == 0.2


@pytest.mark.parametrize("kind", ["line", "plain"])
@pytest.mark.parametrize("name", ENDLESS)
async def test_endless(running: Gateway, upstream: FakeUpstream, kind: str, name: str) -> None:
    """Nobody waits for ever: the caller is told at once, with a wait that is capped, and the provider is left alone."""
    model = f"{kind}-{name}"
    upstream.tell(model, status=429, headers=ENDLESS[name], body={"error": {"message": "slow down"}})
    async with asyncio.timeout(5):
        answers = [await ask(running, model) for _ in range(5)]
    for status, told, body in answers:
        assert (status, code_of(body)) == (429, "rate_limited")
        assert told is not None
        # Capped where it is the provider's; of a line it is the wait for a place in it.
        assert CAP - 5 <= int(told) <= CAP + 1
    assert len(times(upstream)) == 1


async def test_limited_for_ever(running: Gateway, upstream: FakeUpstream) -> None:
    """A provider that always says "again at once" is asked less and less, however many wait."""
    upstream.tell("line-zero", status=429, headers={"retry-after": "0"}, body={"error": {"message": "slow down"}})
    tasks = [asyncio.create_task(ask(running, "line-zero")) for _ in range(6)]
    await asyncio.wait(tasks, timeout=2.5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    asked = times(upstream)
    assert len(asked) < 6 + 8  # those that came before the limit was known, and one for each doubling
    gaps = [later - sooner for sooner, later in itertools.pairwise(asked[6:])]
    assert not gaps or max(gaps) > 0.3
