"""A canary over the wire: it takes over by itself, or goes back by itself, and no caller fails with it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.journal import body_of
from tests.support.traffic import CHAT
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

STEPS = "steps: [20%, 50%, 100%], every: 10ms"
_numbers = itertools.count(1)


class World:
    """A gateway with one canary for each thing that may become of it, and the models behind them."""

    def __init__(self, gateway: Gateway, upstream: FakeUpstream) -> None:
        self.gateway = gateway
        self.upstream = upstream

    def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        """An operator's request; status and answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=10)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(
                "GET" if body is None else "POST", path, content, {"content-type": "application/json"} if body else {}
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def canary(self, name: str) -> dict[str, Any]:
        """How it stands."""
        status, found = self.call(f"/admin/canaries/{name}")
        assert status == 200, found
        seen: dict[str, Any] = found
        return seen

    def do(self, name: str, action: str, status: int = 200) -> dict[str, Any]:
        """As an operator; how it stands then."""
        got, found = self.call(f"/admin/canaries/{name}", {"action": action, "reason": "a test"})
        assert got == status, found
        seen: dict[str, Any] = found
        return seen

    async def ask(self, name: str, count: int, *, stream: bool = False) -> list[tuple[int, bytes]]:
        """So many requests, one after the other; what came back."""
        body = {"model": name, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
        wire = await Wire.open(self.gateway.port)
        found = []
        try:
            for _ in range(count):
                await wire.request("POST", CHAT, json.dumps(body).encode(), {"content-type": "application/json"})
                found.append(await wire.answer())
        finally:
            wire.close()
        return found

    async def ask_until(self, name: str, state: str, *, stream: bool = False, most: int = 600) -> dict[str, Any]:
        """Requests until the canary is in that state. Whole ones must all be answered."""
        for _ in range(0, most, 20):
            answers = await self.ask(name, 20, stream=stream)
            assert {status for status, _ in answers} == {200}
            if (found := self.canary(name))["state"] == state:
                return found
        raise AssertionError(f"still {found}")

    def asked(self, *models: str) -> list[int]:
        """How many requests each model has had since the journal was marked."""
        found = Counter(json.loads(body_of(one))["model"] for one in self.upstream.journal().requests())
        return [found[model] for model in models]


def _config(upstream: FakeUpstream, routes: str) -> str:
    return f"""
health: {{failures: 1000}}
retries: {{max: 0}}
providers:
  up: {{kind: openai, base_url: "{upstream.url}", api_key: sk-upstream}}
routes:
{routes}"""


def _route(name: str, more: str = "", steps: str = STEPS) -> str:
    of = f"stable: up/{name}-stable, canary: up/{name}-canary, {steps}"
    return f"  {name}: {{models: [{name}], open: true, target: {{canary: {{{of}{more}}}}}}}\n"


@pytest.fixture(scope="module")
def world(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> World:
    """All that need no restart."""
    routes = (
        _route("good", ", sample: 10, guard: {latency: {at_most: 10x}}")
        + _route("failing")
        + _route("cut")
        + _route("slow", ", sample: 1000, guard: {latency: {at_most: 20ms, quantile: p50}}")
        + _route("held", ", on_failure: pause")
        + _route("plain", ", fallback: false, guard: {errors_in_a_row: 3}")
        + _route("manual", ", sample: 1000")
        + _route("refused")
        + _route("told", ", sample: 1000, guard: {outcome: {name: solved, worse_by: 2%}}", "steps: [50%, 100%]")
    )
    return World(module_gateway(_config(upstream_process, routes)), upstream_process)


@pytest.fixture
def fake(world: World, upstream: FakeUpstream) -> FakeUpstream:
    """The upstream, from now on."""
    upstream.journal().mark()
    return upstream


async def test_a_good_one_takes_over(world: World, fake: FakeUpstream) -> None:
    """Through all steps; then everything goes to it. The log tells each."""
    found = await world.ask_until("good", "promoted")
    assert (found["share"], found["waits_for"]) == (1.0, None)
    assert [(one["state"], one["share"]) for one in found["history"]] == [
        ("running", 0.2),
        ("running", 0.5),
        ("running", 1.0),
        ("promoted", 1.0),
    ]
    assert [line["share"] for line in world.gateway.log("canary.step", canary="good")] == [0.5, 1.0]
    fake.journal().mark()
    await world.ask("good", 5)
    assert world.asked("good-stable", "good-canary") == [0, 5]


async def test_a_failing_one_goes_back(world: World, fake: FakeUpstream) -> None:
    """After very few requests, and nobody saw it fail. Then it is left alone, and operators hear why in figures."""
    fake.tell("failing-canary", fails="unavailable")
    found = await world.ask_until("failing", "rolled_back")
    asked = world.asked("failing-canary")[0]
    assert 3 <= asked <= 6
    assert f"{asked} of {asked} failed ({asked} unavailable)" in found["reason"] or "errors in a row" in found["reason"]
    line = await world.gateway.logged("canary.rolled_back", canary="failing")
    assert (line["level"], line["reason"], line["by"]) == ("warning", found["reason"], "(gateway)")
    fake.journal().mark()
    await world.ask("failing", 30)
    assert world.asked("failing-stable", "failing-canary") == [30, 0]
    metrics = world.gateway.get("/metrics")[1].decode()
    assert 'sluicegate_canary_share{canary="failing"} 0.0' in metrics
    assert 'sluicegate_canary_state{canary="failing",state="rolled_back"} 1.0' in metrics
    assert f'sluicegate_canary_requests_total{{canary="failing",outcome="failed",side="canary"}} {asked}.0' in metrics


async def test_streams_that_break_off_count(world: World, fake: FakeUpstream) -> None:
    """Nobody can take those back, so they are few."""
    fake.tell("cut-canary", tokens=20, die_after=3)
    broken = 0
    for _ in range(40):
        answers = await world.ask("cut", 5, stream=True)
        broken += sum(not body.endswith(b"data: [DONE]\n\n") for _, body in answers)
        if (found := world.canary("cut"))["state"] == "rolled_back":
            break
    assert found["state"] == "rolled_back"
    assert 3 <= broken <= 6
    assert "upstream" in found["reason"] or "errors in a row" in found["reason"]


async def test_a_slow_one_goes_back(world: World, fake: FakeUpstream) -> None:
    """By its times alone."""
    fake.tell("slow-canary", ttft_ms=40)
    found = await world.ask_until("slow", "rolled_back")
    assert found["reason"].startswith("latency: p50 4")
    assert "at most 20 ms" in found["reason"]


async def test_it_may_only_be_stopped(world: World, fake: FakeUpstream) -> None:
    """With `on_failure: pause` its share stays, until an operator lets it count anew."""
    fake.tell("held-canary", fails="unavailable")
    found = await world.ask_until("held", "paused")
    assert found["share"] == 0.2
    assert (await world.gateway.logged("canary.held", canary="held"))["level"] == "warning"
    resumed = world.do("held", "resume")
    assert (resumed["state"], resumed["canary"]["requests"]) == ("running", 0)


async def test_failures_are_shown_if_the_file_says_so(world: World, fake: FakeUpstream) -> None:
    """Without `fallback` its callers see them."""
    fake.tell("plain-canary", fails="overloaded")
    statuses = Counter(status for status, _ in await world.ask("plain", 60))
    assert world.canary("plain")["state"] == "rolled_back"
    assert 3 <= statuses[503] <= 5


async def test_what_both_refuse_is_nobodys_failure(world: World, fake: FakeUpstream) -> None:
    """A request that is wrong itself says nothing of a model."""
    for side in ("stable", "canary"):
        fake.tell(f"refused-{side}", fails="rejected")
    assert {status for status, _ in await world.ask("refused", 30)} == {400}
    found = world.canary("refused")
    assert (found["canary"]["requests"], found["stable"]["requests"]) == (0, 0)
    fake.tell("refused-stable")
    assert (await world.ask_until("refused", "rolled_back"))["reason"]


async def test_one_that_helps_less_goes_back(world: World, fake: FakeUpstream) -> None:
    """By what applications say of its answers, which are as quick and whole as the others."""
    helped = {"up/told-stable": True, "up/told-canary": False}
    said = 0
    wire = await Wire.open(world.gateway.port)
    body = json.dumps({"model": "told", "messages": [{"role": "user", "content": "Hi"}]}).encode()
    try:
        for _ in range(200):
            await wire.request("POST", CHAT, body, {"content-type": "application/json"})
            status, _ = await wire.answer()
            assert status == 200
            good = helped[wire.header("x-sluicegate-target") or ""]
            told = {"request_id": wire.header("x-request-id"), "name": "solved", "value": good}
            status, answer = world.call("/v1/feedback", told)
            assert status == 200, answer
            (joined,) = answer["experiments"]
            assert joined["experiment"] == "canary/told"
            said += joined["declared"]
            if world.canary("told")["state"] == "rolled_back":
                break
    finally:
        wire.close()
    found = world.canary("told")
    assert (found["state"], found["canary"]["good"], found["stable"]["good"]) == ("rolled_back", 0.0, 1.0)
    assert found["reason"].startswith("solved: 0 of")
    assert said == found["canary"]["outcomes"] + found["stable"]["outcomes"]


async def test_operators_steer(world: World, fake: FakeUpstream) -> None:
    """Pause, resume, promote, roll back, restart: each at once, audited, and refused where it makes no sense."""
    assert world.do("manual", "pause")["state"] == "paused"
    assert world.do("manual", "pause", 409)["error"]["code"] == "not_possible"
    assert world.do("manual", "resume")["state"] == "running"
    assert world.do("manual", "promote")["share"] == 1.0
    await world.ask("manual", 3)
    assert world.asked("manual-stable", "manual-canary") == [0, 3]
    assert world.do("manual", "rollback")["share"] == 0.0
    await world.ask("manual", 3)
    assert world.asked("manual-stable", "manual-canary") == [3, 3]
    found = world.do("manual", "restart")
    assert (found["state"], found["share"], found["by"]) == ("running", 0.2, "(loopback)")
    audited = [one for one in world.call("/admin/audit")[1]["audit"] if one["object"] == "manual"]
    assert [one["action"] for one in audited] == [
        f"canary.{action}" for action in ("pause", "resume", "promote", "rollback", "restart")
    ]
    assert audited[0]["after"] == {"reason": "a test"}
    assert world.call("/admin/canaries/nobody")[0] == 404
    names = [one["name"] for one in world.call("/admin/canaries")[1]["canaries"]]
    assert names == ["good", "failing", "cut", "slow", "held", "plain", "manual", "refused", "told"]


async def test_it_goes_on_where_it_was(gateway: Callable[..., Gateway], upstream: FakeUpstream, tmp_path: Path) -> None:
    """After a reload with other settings and after kill -9; with another target or steps it begins anew."""
    upstream.tell("kept-canary", fails="unavailable")
    state = {"SLUICEGATE_STATE_DIR": str(tmp_path / "state")}
    steps, counted = "steps: [50%, 100%], every: 10ms", _route("counted", ", sample: 1000")
    world = World(gateway(_config(upstream, counted + _route("kept", steps=steps)), env=state), upstream)
    await world.ask("counted", 20)
    assert (await world.ask_until("kept", "rolled_back"))["share"] == 0.0
    upstream.tell("kept-canary")
    world.gateway.write(_config(upstream, counted + _route("kept", ", sample: 7", steps)))
    world.gateway.signal(signal.SIGHUP)
    await world.gateway.reloaded(2)
    before, figures = world.canary("kept"), world.canary("counted")
    assert (before["state"], figures["stable"]["requests"] + figures["canary"]["requests"]) == ("rolled_back", 20)
    async with asyncio.timeout(5):
        while _kept(tmp_path / "state", "counted") != 20:  # a change of state is kept at once, counts within a second
            await asyncio.sleep(0.01)
    os.kill(world.gateway.pid, signal.SIGKILL)
    world.gateway.wait()
    again = World(gateway(world.gateway.config.read_text(), env=state), upstream)
    assert again.canary("kept") == before
    assert [again.canary("counted")[side] for side in ("stable", "canary")] == [figures["stable"], figures["canary"]]
    upstream.journal().mark()
    await again.ask("kept", 5)
    assert again.asked("kept-canary") == [0]
    again.gateway.write(_config(upstream, counted + _route("kept", ", sample: 7", "steps: [60%, 100%]")))
    await again.gateway.reloaded(2)
    found = again.canary("kept")
    assert (found["state"], found["share"], found["reason"]) == ("running", 0.6, "another target or other steps")


def _kept(state: Path, name: str) -> int:
    """Requests of a canary that are on disk."""
    with contextlib.closing(sqlite3.connect(f"{(state / 'canaries.sqlite').as_uri()}?mode=ro", uri=True)) as database:
        ((saved,),) = database.execute("SELECT progress FROM canaries WHERE name = ?", (name,))
    progress = json.loads(saved)
    return int(progress["stable"]["requests"] + progress["canary"]["requests"])
