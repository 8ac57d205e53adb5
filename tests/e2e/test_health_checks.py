"""Accounts are checked: one whose ``/models`` fails gets no requests, and gets them again when it is well."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

from tests.support.gateway import Gateway
from tests.support.journal import header_of
from tests.support.upstream import FakeUpstream

CHAT = "/v1/chat/completions"
CHECK = "{interval: 100ms, timeout: 5s, failures: 2}"
_names = itertools.count(1)


class World:
    """A gateway with two accounts, ``sick`` and ``well``, of which the first is checked. Its key tells it apart."""

    def __init__(self, gateway: Callable[..., Gateway], upstream: FakeUpstream, check: str = CHECK) -> None:
        number = next(_names)  # the upstream remembers what it was told of a key
        self.sick, self.well = f"sk-sick-{number}", f"sk-well-{number}"
        self.upstream = upstream
        self.gateway = gateway(self.file(check))

    def file(self, check: str = CHECK, more: str = "") -> str:
        """Its file; with an empty ``check`` nothing is checked."""
        checked = f", check: {check}" if check else ""
        return f"""
health: {{failures: 1000}}
providers:
  sick: {{kind: openai, base_url: "{self.upstream.url}", api_key: {self.sick}{checked}}}
  well: {{kind: openai, base_url: "{self.upstream.url}", api_key: {self.well}}}
routes:
  chat: {{models: [chat{more}], open: true, target: {{fallback: [sick/m, well/m]}}}}
"""

    def seen(self, key: str, method: str) -> list[dict[str, Any]]:
        """Requests with that key: GETs are checks, POSTs are callers'."""
        found = self.upstream.journal().requests(method=method)
        return [entry for entry in found if header_of(entry, "authorization") == f"Bearer {key}"]

    async def rounds(self, count: int) -> None:
        """Wait for so many more checks."""
        end = len(self.seen(self.sick, "GET")) + count
        await self.upstream.journal().until(lambda: len(self.seen(self.sick, "GET")) >= end, f"{count} checks", 10)

    def state(self) -> dict[str, Any]:
        """What ``/readyz`` says; it is ready, whatever it knows of its providers."""
        status, body = self.gateway.get("/readyz")
        assert status == 200
        found: dict[str, Any] = json.loads(body)
        return found


async def ask(world: World, client: Callable[..., Any], count: int) -> None:
    ai = client(world.gateway.url)
    for _ in range(count):
        await ai.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello"}])


async def test_a_failing_account_is_left_alone_until_it_is_well(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, client: Callable[..., Any]
) -> None:
    """No request has to fail for that: all go to the other account, and come back after the first good round."""
    world = World(gateway, upstream)
    await world.rounds(2)
    await ask(world, client, 2)
    assert (len(world.seen(world.sick, "POST")), len(world.seen(world.well, "POST"))) == (2, 0)
    upstream.tell(world.sick, status=503)
    line = await world.gateway.logged("check.failing", provider="sick")
    assert line["reason"] == "status 503"
    assert world.state()["checks"] == {"sick": "failing"}
    targets = json.loads(world.gateway.get("/admin/targets")[1])["targets"]
    assert {one["name"]: (one["state"], one["check"]) for one in targets} == {
        "sick/m": ("open", "failing"),
        "well/m": ("closed", None),
    }
    await ask(world, client, 5)
    assert (len(world.seen(world.sick, "POST")), len(world.seen(world.well, "POST"))) == (2, 5)
    await world.rounds(3)
    upstream.tell(world.sick)
    await world.gateway.logged("check.recovered", provider="sick")
    assert world.state()["checks"] == {"sick": "ok"}
    await ask(world, client, 3)
    assert (len(world.seen(world.sick, "POST")), len(world.seen(world.well, "POST"))) == (5, 5)
    assert len(world.gateway.log("check.failing")) == len(world.gateway.log("check.recovered")) == 1
    metrics = world.gateway.get("/metrics")[1].decode()
    assert 'sluicegate_health_checks_total{provider="sick",result="failed"}' in metrics
    assert 'sluicegate_health_checks_total{provider="sick",result="ok"}' in metrics


async def test_a_reload_with_the_same_settings_keeps_what_a_check_knows(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, client: Callable[..., Any]
) -> None:
    """The account is still left alone by the new generation; one without the check asks it again, and never checks."""
    world = World(gateway, upstream)
    upstream.tell(world.sick, status=503)
    await world.gateway.logged("check.failing", provider="sick")
    world.gateway.write(world.file(more=", other"))
    await world.gateway.reloaded(2)
    assert world.state()["checks"] == {"sick": "failing"}
    await ask(world, client, 3)
    assert not world.seen(world.sick, "POST")
    await world.rounds(3)
    assert len(world.gateway.log("check.failing")) == 1
    upstream.tell(world.sick)
    await world.gateway.logged("check.recovered", provider="sick")
    world.gateway.write(world.file(check=""))
    await world.gateway.reloaded(3)
    assert "checks" not in world.state()
    await asyncio.sleep(0.2)  # a round that had begun
    checks = len(world.seen(world.sick, "GET"))
    await asyncio.sleep(0.5)
    assert len(world.seen(world.sick, "GET")) == checks


async def test_removing_a_check_ends_what_it_has_ejected(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, client: Callable[..., Any]
) -> None:
    """Requests try the targets at once, also while the generation before is kept by one that takes long."""
    world = World(gateway, upstream, "{path: /nowhere, interval: 10m, failures: 1}")
    await world.gateway.logged("check.failing", provider="sick")
    upstream.tell(world.well, latency=20_000)
    slow = asyncio.create_task(ask(world, client, 1))
    await upstream.journal().until(lambda: world.seen(world.well, "POST"), "the slow request")
    assert not world.seen(world.sick, "POST")
    world.gateway.write(world.file(check=""))
    await world.gateway.reloaded(2)
    await ask(world, client, 1)
    assert len(world.seen(world.sick, "POST")) == 1
    assert not slow.done()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


async def test_an_account_without_a_check_is_never_asked(
    gateway: Callable[..., Gateway], upstream: FakeUpstream, client: Callable[..., Any]
) -> None:
    """While its neighbour is checked many times, it sees callers' requests only."""
    world = World(gateway, upstream)
    await world.rounds(5)
    await ask(world, client, 1)
    assert not world.seen(world.well, "GET")
    assert {entry["path"] for entry in world.seen(world.sick, "GET")} == {"/v1/models"}
