"""The runner on a real store, with an answer that the test gives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from proxy.jobs.record import Job, Request, Settings, Webhooks
from proxy.jobs.runner import CANCELLED, SHUTTING_DOWN, Answering, Origin, Runner
from proxy.jobs.store import Store
from proxy.stream import Outcome, Send
from proxy.telemetry.metrics import Metrics
from tests.support.jobs import Receiver

REQUEST = Request("POST", "/v1/messages", b"a=b", [(b"x-team", b"t")], b'{"model":"m"}')
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Lines:
    """A log that keeps its events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        """Keep."""
        self.events.append((event, fields))

    warning = error = exception = info


class Scene:
    """A runner, its store, and what it was asked to answer."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.log = Lines()
        self.scopes: list[dict[str, Any]] = []
        self.replies: list[Callable[[Send], Awaitable[Outcome | None]]] = []
        self.runner = self.make(self.answer)
        self.metrics: Metrics

    def make(self, answer: Answering, settings: Settings | None = None) -> Runner:
        """Another runner on the same store."""
        self.metrics = Metrics()
        return Runner(self.store, answer, settings or Settings(), self.log, self.metrics)

    async def answer(self, scope: dict[str, Any], receive: Receive, send: Send) -> Outcome | None:
        """The pipeline, as the runner sees it."""
        self.scopes.append(scope)
        assert await receive() == {"type": "http.request", "body": REQUEST.body, "more_body": False}
        return await self.replies.pop(0)(send)

    async def add(self, name: str = "one", **more: Any) -> None:
        """A job that waits."""
        await self.store.add(Job(id=name, proof=b"p", created=9e9, **more), REQUEST, Settings())
        self.runner.start()
        self.runner.wake()

    async def until(self, status: str, name: str = "one") -> Job:
        """The job, as soon as it is of that status."""
        async with asyncio.timeout(10):
            while (found := await self.store.get(name, "job", "")) is None or found[0].status != status:
                await asyncio.sleep(0.01)
        return found[0]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """One, closed in the end."""
    made = Scene(tmp_path)
    yield made
    await made.runner.aclose()
    await made.store.aclose()


def replied(
    status: int, body: bytes = b"{}", code: str | None = None, *, whole: bool = True, **headers: str
) -> Callable[[Send], Awaitable[Outcome]]:
    """An answer of the pipeline."""

    async def reply(send: Send) -> Outcome:
        told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body})
        outcome = Outcome(status, code)
        outcome.complete = whole
        return outcome

    return reply


async def test_a_job_is_one_request(scene: Scene) -> None:
    """As it came, with its caller's proof, and with an idempotency key that stays the same."""
    scene.replies = [replied(200)]
    await scene.add()
    job = await scene.until("succeeded")
    (scope,) = scene.scopes
    origin: Origin = scope["job"]
    assert (origin.job, origin.proof) == ("one", b"p")
    assert (scope["method"], scope["raw_path"], scope["query_string"]) == ("POST", b"/v1/messages", b"a=b")
    assert scope["headers"] == [(b"x-team", b"t"), (b"idempotency-key", b"one")]
    assert job.starts == 1
    assert b'sluicegate_jobs_finished_total{kind="job",status="succeeded"} 1.0' in scene.metrics.render()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (replied(401, code="invalid_api_key"), "invalid_api_key"),
        (replied(502), "upstream_error"),
        (replied(200, whole=False), "incomplete"),
        (replied(200, code="upstream_timeout", whole=False), "upstream_timeout"),
        (replied(429, code="rate_limited"), "rate_limited"),
        (replied(503, code="x", retry_after="soon"), "x"),
    ],
)
async def test_what_is_a_failure(scene: Scene, reply: Any, code: str) -> None:
    """An error, whoever made it; a body that broke off; never a reason to ask again."""
    scene.replies = [reply]
    await scene.add()
    assert (await scene.until("failed")).code == code
    assert len(scene.scopes) == 1


async def test_the_end_of_the_process_takes_jobs_back(scene: Scene) -> None:
    """One that asked nobody was never begun; one that had is interrupted."""
    scene.replies = [
        replied(503, code=SHUTTING_DOWN, x_sluicegate_attempts="0"),
        replied(503, code=SHUTTING_DOWN, x_sluicegate_attempts="1"),
        replied(200),
    ]
    await scene.add()
    job = await scene.until("succeeded")
    assert (job.starts, job.interruptions) == (2, 1)
    assert [event for event, _ in scene.log.events].count("job.interrupted") == 1


async def test_nothing_begins_while_the_server_ends(scene: Scene) -> None:
    """What waits is left to the next process."""
    scene.runner.draining.begin(0.0)
    await scene.add()
    await scene.runner._round(9e9)
    assert not scene.scopes
    assert (await scene.until("queued")).starts == 0


async def test_a_job_that_was_cancelled_elsewhere_is_stopped(scene: Scene) -> None:
    """As soon as the file is looked at."""
    stopped = asyncio.Event()
    why: list[str] = []

    async def hang(send: Send) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            why.extend(cancelled.args)
            stopped.set()
            raise

    scene.replies = [hang]
    await scene.add()
    await scene.until("running")
    now = time.time()
    await scene.store.cancel("one", "job", "", now, 10.0)
    async with asyncio.timeout(1.0):
        await stopped.wait()
    assert (await scene.until("cancelled")).finished == now
    assert why == [CANCELLED]


async def test_no_more_than_the_file_allows(scene: Scene) -> None:
    """At a time; the next begins when one is over."""
    gate = asyncio.Semaphore(0)
    most = 0
    running = 0

    async def slow(send: Send) -> Outcome:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await gate.acquire()
        running -= 1
        return await replied(200)(send)

    scene.runner.settings = msgspec.structs.replace(Settings(), max_in_flight=2)
    scene.replies = [slow] * 5
    for number in range(5):
        await scene.add(f"job{number}")
    for _ in range(5):
        gate.release()
    for number in range(5):
        await scene.until("succeeded", f"job{number}")
    assert most == 2


async def test_a_webhook_that_is_never_taken(scene: Scene) -> None:
    """Is given up where the file no longer allows it, and tried again where it is not taken."""
    receiver = Receiver(500)
    try:
        hooks = Webhooks(allow=(receiver.url,), secret=b"s" * 24, retry_after=0.01)
        scene.runner.settings = Settings(webhooks=hooks)
        scene.replies = [replied(200), replied(200)]
        await scene.add(webhook=receiver.url)
        await scene.add("two", webhook="http://127.0.0.1:9/")
        async with asyncio.timeout(10):
            while (await scene.until("succeeded")).webhook_tries < 2:
                await asyncio.sleep(0.02)
            while (await scene.until("succeeded", "two")).webhook_state != "failed":
                await asyncio.sleep(0.02)
    finally:
        receiver.close()
    assert b'sluicegate_job_webhooks_total{result="failed"} 1.0' in scene.metrics.render()
