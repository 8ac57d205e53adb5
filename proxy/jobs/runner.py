"""Runs jobs: each is one request through the gateway's own pipeline, in the generation of that moment.

A job is claimed in the file before anything is asked upstream, and it is over in the file before anybody is told. What
this process cannot finish goes back when it ends; what it leaves behind when it is killed is found by the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from proxy.errors import Header
from proxy.jobs.collector import TOO_LARGE, Collector
from proxy.jobs.hooks import Sender, delay
from proxy.jobs.record import Job, Request, Response, Settings
from proxy.jobs.store import Claimed, Store
from proxy.jobs.writer import StoreBroken
from proxy.server.draining import Draining
from proxy.stream import Outcome, Send
from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import Metrics

PULSE = 0.25  # seconds between looks at the file while something is in hand
REST = 1.0  # and while nothing is
_COUNTED_EVERY = 1.0
_RETRY_WRITE = 1.0
_MAX_HOOKS = 16  # at a time
CANCELLED = "job_cancelled"
SHUTTING_DOWN = "server_shutting_down"
_LIMITED = (429, 503, 529)

# The gateway's pipeline: an ASGI scope, the two ends, and what came of it.
Answering = Callable[[dict[str, Any], Callable[[], Awaitable[dict[str, Any]]], Send], Awaitable[Outcome | None]]


class Origin:
    """Marks a request that comes from here. It stands in the ASGI scope, where nothing from the network can put it."""

    __slots__ = ("job", "proof")

    def __init__(self, job: str, proof: bytes | None) -> None:
        self.job = job
        self.proof = proof


class Runner:
    """Begins jobs while there is room, stops those that were cancelled, and delivers webhooks.

    ``tasks`` are what the server waits for when it ends, and cancels then; ``settings`` may be replaced.
    """

    def __init__(self, store: Store, answer: Answering, settings: Settings, log: Logger, metrics: Metrics) -> None:
        self.settings = settings
        self.log = log
        self.tasks: set[asyncio.Task[None]] = set()
        self.draining = Draining()  # the server's, once there is one
        self._store = store
        self._answer = answer
        self._metrics = metrics
        self._running: dict[str, asyncio.Task[None]] = {}
        self._hooks: set[asyncio.Task[None]] = set()
        self._sender = Sender()
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._problem = ""
        self._changed = True
        self._counted = 0.0

    def start(self) -> None:
        """Begin to look for work, if that was not done yet."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._work(), name="jobs")

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def cancel(self, identity: str) -> None:
        """The file says that this job is over: stop it if it runs here."""
        task = self._running.get(identity)
        if task is not None:
            task.cancel(CANCELLED)

    async def aclose(self) -> None:
        """Stop. Jobs have been cancelled by the server before; webhooks are tried again by the next process."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        left = [*self._running.values(), *self._hooks]
        for task in self._hooks:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1.0)
        await self._sender.aclose()

    # The round

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._round(time.time())
            except StoreBroken:
                self._tell()
            except Exception:
                self.log.exception("jobs.failed")
            busy = bool(self._running or self._hooks)
            try:
                async with asyncio.timeout(PULSE if busy else REST):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _round(self, now: float) -> None:
        """Do what there is to do."""
        self._tell()
        if self._store.problem:
            await self._store.probe()
            self._tell()
        view = await self._store.look(now)
        for identity in self._running.keys() - view.mine:
            self.cancel(identity)
        if view.dead:
            for job in await self._store.reclaim(view.dead, now, self.settings):
                self._interrupted(job)
        room = self.settings.max_in_flight - len(self._running)
        if view.due and room > 0 and not self.draining.active:
            for claimed in await self._store.claim(room, now):
                self._begin(claimed)
        if view.hooks and len(self._hooks) < _MAX_HOOKS and not self.draining.active:
            for job in await self._store.claim_hooks(_MAX_HOOKS - len(self._hooks), now):
                self._keep(asyncio.create_task(self._deliver(job), name=f"webhook {job.id}"))
        if view.expired:
            await self._store.purge(now)
        self._changed = self._changed or view.due or view.expired
        if self._changed and now - self._counted >= _COUNTED_EVERY:
            self._changed, self._counted = False, now
            self._metrics.jobs_kept(await self._store.counts())

    def _tell(self) -> None:
        """Say once that the file has failed, and once that it is well again."""
        problem = self._store.problem
        if problem and not self._problem:
            self.log.error("jobs.store_broken", problem=problem)
        elif self._problem and not problem:
            self.log.info("jobs.store_mended")
        self._problem = problem

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._hooks.add(task)
        task.add_done_callback(self._hooks.discard)
        task.add_done_callback(lambda _: self._wake.set())

    # One job

    def _begin(self, claimed: Claimed) -> None:
        identity = claimed.job.id
        task = asyncio.create_task(self._run(claimed.job, claimed.request), name=identity)
        self._running[identity] = task
        self.tasks.add(task)

        def over(done: asyncio.Task[None]) -> None:
            self.tasks.discard(done)
            self._running.pop(identity, None)
            self._changed = True
            self._wake.set()
            if not done.cancelled() and (error := done.exception()) is not None:
                self.log.error("jobs.failed", job=identity, exc_info=error)

        task.add_done_callback(over)

    async def _run(self, job: Job, request: Request) -> None:
        """Answer the request, and write down what came of it."""
        collector = Collector(self.settings.max_result)
        outcome: Outcome | None = None
        try:
            outcome = await self._answer(_scope(job, request), _receiver(request.body), collector.send)
        except asyncio.CancelledError as cancelled:
            if CANCELLED in cancelled.args:
                self.log.info("job.finished", job=job.id, status="cancelled", attempts=job.starts)
                return
            if not collector.too_large:
                await self._go_back(job, None)
                return
        if outcome is not None and outcome.code == SHUTTING_DOWN:
            await self._go_back(job, collector.response())
            return
        response = collector.response()
        now = time.time()
        until = self._until(job, response, now)
        if until is not None:
            await self._write(lambda: self._store.put_off(job.id, until, begun=True))
            self.log.info("job.put_off", job=job.id, seconds=round(until - now, 3))
            return
        code = _failure(outcome, response, collector.too_large)
        await self._finish(job, code, None if collector.too_large else response)

    async def _finish(self, job: Job, code: str | None, response: Response | None) -> None:
        now = time.time()
        lifetime = self.settings.lifetime
        done = await self._write(lambda: self._store.finish(job.id, code, response, now, lifetime))
        if done is None:
            return
        self._metrics.job_finished(done.kind, done.status)
        fields = {"job": job.id, "status": done.status, "attempts": done.starts, "interruptions": done.interruptions}
        if code is not None:
            fields["code"] = code
        self.log.info("job.finished", seconds=round(now - job.created, 3), **fields)

    def _until(self, job: Job, response: Response | None, now: float) -> float | None:
        """When to try again what is limited; None if it is not, or the patience is over."""
        if response is None or response.status not in _LIMITED:
            return None
        text = (response.header(b"retry-after") or b"").decode("latin-1")
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            return None
        until = now + max(1, int(text))
        return until if until <= job.created + self.settings.patience else None

    async def _go_back(self, job: Job, response: Response | None) -> None:
        """The process ends: the job goes back to the others. One that has asked nobody was not interrupted."""
        if response is not None and response.header(b"x-sluicegate-attempts") == b"0":
            await self._store.put_off(job.id, 0.0, begun=False)
            return
        found = await self._store.interrupted(job.id, time.time(), self.settings)
        if found is not None:
            self._interrupted(found)

    def _interrupted(self, job: Job) -> None:
        if job.is_over:
            self._metrics.job_finished(job.kind, job.status)
        self.log.warning("job.interrupted", job=job.id, status=job.status, interruptions=job.interruptions)

    async def _write(self, write: Callable[[], Awaitable[Any]]) -> Any:
        """Write what must not be lost; as long as the file fails, try again."""
        while True:
            try:
                return await write()
            except StoreBroken:
                self._tell()
                await asyncio.sleep(_RETRY_WRITE)

    # Webhooks

    async def _deliver(self, job: Job) -> None:
        """One try at a webhook."""
        webhooks = self.settings.webhooks
        found = await self._sender.deliver(job, await self._store.response(job.id), webhooks, time.time())
        delivered = isinstance(found, int) and 200 <= found < 300
        wait = None if delivered else delay(job.webhook_tries, webhooks.retry_after)
        state = "delivered" if delivered else "failed" if wait is None or found == "not_allowed" else "pending"
        again = time.time() + wait if state == "pending" and wait is not None else None
        status = found if isinstance(found, int) else None
        await self._write(lambda: self._store.told(job.id, state, status, again))
        self._metrics.webhook_sent("delivered" if delivered else "retried" if again else "failed")
        level = self.log.info if delivered else self.log.warning
        level("job.webhook", job=job.id, state=state, result=found, tries=job.webhook_tries)


def _failure(outcome: Outcome | None, response: Response | None, too_large: bool) -> str | None:
    """Why the job has failed; None if it has not."""
    if too_large:
        return TOO_LARGE
    if outcome is None or response is None:
        return "internal_error"
    if not outcome.complete or response.status >= 400:
        return outcome.code or ("incomplete" if response.status < 400 else "upstream_error")
    return outcome.code


def _scope(job: Job, request: Request) -> dict[str, Any]:
    """The request as the server would hand it over."""
    headers: list[Header] = list(request.headers)
    if not any(name == b"idempotency-key" for name, _ in headers):
        headers.append((b"idempotency-key", job.id.encode()))  # a provider that knows it charges a second run once
    return {
        "type": "http",
        "method": request.method,
        "raw_path": request.path.encode("latin-1"),
        "path": request.path,
        "query_string": request.query,
        "headers": headers,
        "client": None,
        "job": Origin(job.id, job.proof),
    }


def _receiver(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
