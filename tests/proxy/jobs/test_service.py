"""What policies and the inbound side ask of jobs, in an application in this process."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.app import App, Current
from proxy.exchange import Exchange, Reply
from proxy.jobs.record import Settings
from proxy.jobs.service import Jobs
from proxy.policy import Policy
from proxy.server.draining import Draining
from proxy.telemetry.metrics import Metrics
from tests.proxy.jobs.test_runner import Lines
from tests.support.compiled import Call, Canned, make_rule, make_runtime

ASK = {"model": "fast", "messages": []}


class Later(Policy):
    """Puts every request off, as a queue does that is long."""

    async def on_request(self, x: Exchange) -> Reply | None:
        """Hand over, unless it is a job already."""
        if x.jobs is None:
            return None
        estimate = math.inf if x.header(b"x-forever") else 7.2
        found: Reply | None = await x.jobs.accept(x, kind="queue", estimate=estimate)
        return found


class Scene:
    """An application whose only route puts off what it is asked."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.provider = Canned()
        log, metrics = Lines(), Metrics()
        current = Current(make_runtime(make_rule(self.provider, policies=[("later", Later())])))
        self.app = App(current, metrics, log)
        self.jobs = Jobs(folder, self.app.run_job, settings, runtime=lambda: current.runtime, log=log, metrics=metrics)
        self.app.jobs = self.jobs
        self.jobs.start(Draining(), set())

    async def call(self, path: str, body: Any = b"", method: str = "POST", **headers: str) -> Call:
        """One request."""
        sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return await Call(path, body, method=method, headers=sent).run(self.app)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """One, closed in the end."""
    made = Scene(tmp_path / "state", Settings())
    yield made
    await made.jobs.aclose()


async def test_a_request_that_is_put_off(scene: Scene) -> None:
    """202 with an estimate and a place; while it waits the place says so, then it gives the answer itself."""
    scene.jobs.runner.draining.begin(0.0)  # nothing begins yet
    call = await scene.call("/v1/chat/completions", ASK)
    told = call.json
    assert (call.status, told["status"], told["estimated_wait_seconds"]) == (202, "queued", 8)
    assert call.headers[b"location"].decode() == told["poll_url"] == f"/v1/queue/{told['queue_id']}"
    waiting = await scene.call(told["poll_url"], method="GET")
    assert (waiting.status, waiting.json["queue_id"]) == (202, told["queue_id"])
    assert 1 <= int(waiting.headers[b"retry-after"]) <= 8
    scene.jobs.runner.draining = Draining()
    scene.jobs.runner.wake()
    async with asyncio.timeout(10):
        while (answer := await scene.call(told["poll_url"], method="GET")).status == 202:
            await asyncio.sleep(0.01)
    assert (answer.status, answer.answer) == (200, b"{}")
    assert answer.headers[b"x-sluicegate-target"] == b"up/gpt-4o"
    assert len(scene.provider.asked) == 1
    assert (await scene.call(f"/v1/jobs/{told['queue_id']}", method="GET")).status == 404


async def test_a_wait_that_nobody_knows(scene: Scene) -> None:
    """Is told as a day."""
    scene.jobs.runner.draining.begin(0.0)
    call = await scene.call("/v1/chat/completions", ASK, x_forever="1")
    assert (call.status, call.json["estimated_wait_seconds"]) == (202, 86_400)


async def test_a_request_that_is_put_off_can_be_cancelled(scene: Scene) -> None:
    """It is never sent, and says so in the dialect in which it was asked."""
    scene.jobs.runner.draining.begin(0.0)
    place = (await scene.call("/v1/chat/completions", ASK)).json["poll_url"]
    assert (await scene.call(place, method="DELETE")).json["status"] == "cancelled"
    gone = await scene.call(place, method="GET")
    assert (gone.status, gone.json["error"]["code"]) == (410, "cancelled")
    assert not scene.provider.asked


async def test_what_cannot_be_put_off(scene: Scene, tmp_path: Path) -> None:
    """Goes on as if there were no jobs: where they are turned off, full, or the disk is broken."""
    scene.jobs.settings = Settings(enabled=False)
    assert (await scene.call("/v1/chat/completions", ASK)).status == 200
    scene.jobs.settings = Settings(max_size=1)
    assert (await scene.call("/v1/chat/completions", ASK)).status == 200
    assert not (tmp_path / "state").exists()
    scene.jobs.settings = Settings()
    (tmp_path / "state").write_text("in the way")
    assert (await scene.call("/v1/chat/completions", ASK)).status == 200
    assert scene.jobs.problem
    ready = await scene.call("/readyz", method="GET")
    assert (ready.status, len(ready.json["reasons"])) == (200, 1)


async def test_the_deadline_of_who_no_longer_waits(scene: Scene) -> None:
    """Is forgotten for what is put off, and kept for a job that asks for it."""
    scene.jobs.runner.draining.begin(0.0)
    for path in ("/v1/chat/completions", "/v1/jobs"):
        await scene.call(path, ASK, x_deadline_ms="60000")
    claimed = await scene.jobs._store.claim(2, 9e12)
    kept = {one.job.kind: dict(one.request.headers) for one in claimed}
    assert (b"x-deadline-ms" in kept["job"], b"x-deadline-ms" in kept["queue"]) == (True, False)


async def test_wrong_wishes_are_told(scene: Scene) -> None:
    """A webhook that is not allowed, an idempotency key that is none or was used."""
    hooked = await scene.call("/v1/chat/completions", ASK, x_sluicegate_webhook="http://127.0.0.1/")
    assert (hooked.status, hooked.json["error"]["code"]) == (400, "webhook_not_allowed")
    long = await scene.call("/v1/chat/completions", ASK, idempotency_key="k" * 256)
    assert long.json["error"]["code"] == "invalid_idempotency_key"
    first = await scene.call("/v1/chat/completions", ASK, idempotency_key="k")
    again = await scene.call("/v1/chat/completions", ASK, idempotency_key="k")
    assert json.loads(again.answer)["queue_id"] == json.loads(first.answer)["queue_id"]
    other = await scene.call("/v1/chat/completions", {**ASK, "n": 1}, idempotency_key="k")
    assert (other.status, other.json["error"]["code"]) == (409, "idempotency_key_reused")
