"""The jobs of one process: what the inbound side and policies talk to."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from proxy.errors import BadRequest, GatewayError
from proxy.exchange import Exchange, Reply
from proxy.inbound import DEADLINE_HEADER
from proxy.jobs.hooks import WEBHOOK_HEADER, allowed
from proxy.jobs.kept import IDEMPOTENCY, digest_of, keep, names_kept
from proxy.jobs.record import Job, Kind, Response, Settings
from proxy.jobs.runner import Answering, Runner
from proxy.jobs.store import Full, Store
from proxy.jobs.view import place_of, view
from proxy.jobs.writer import StoreBroken
from proxy.runtime import Runtime
from proxy.server.draining import Draining
from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import Metrics
from proxy.translation.attempt import scope_of

_MAX_IDEMPOTENCY = 255
_LARGE = 512 << 10  # bytes that take milliseconds to be read
_LONGEST_ESTIMATE = 86_400.0  # seconds; whoever estimates may not know
_SOON = 10  # seconds after which to come back where nothing better is known
_FULL = {
    "too_many_jobs": (429, "The gateway keeps as many jobs as it may (`jobs.max_jobs`); try again later."),
    "too_many_jobs_of_key": (429, "This key has as many unfinished jobs as it may (`jobs.max_per_key`)."),
    "job_store_full": (429, "The gateway's jobs take all the space that they may (`jobs.max_size`); try again later."),
    "job_too_large": (413, "The request is larger than everything that may be kept (`jobs.max_size`)."),
}


class Unavailable(GatewayError):
    """Jobs cannot be kept or read now; everything else is served."""

    status = 503
    code = "jobs_unavailable"

    def __init__(self) -> None:
        super().__init__("The store of jobs cannot be used now; see the gateway's log. Try again later.")
        self.headers = ((b"retry-after", b"%d" % _SOON),)


class Jobs:
    """Accepts, shows and cancels jobs. Nothing touches the disk before the first of them."""

    def __init__(
        self,
        folder: Path,
        answer: Answering,
        settings: Settings,
        *,
        runtime: Callable[[], Runtime],
        log: Logger,
        metrics: Metrics,
    ) -> None:
        self._runtime = runtime  # the generation of now
        self._store = Store(folder)
        self.runner = Runner(self._store, answer, settings, log, metrics)
        self._names: tuple[object, frozenset[bytes]] = (None, frozenset())

    @property
    def settings(self) -> Settings:
        """What the file says; replaced by a reload."""
        return self.runner.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self.runner.settings = settings
        self._names = (None, frozenset())

    @property
    def problem(self) -> str:
        """What is wrong with the store, "" while nothing is."""
        return self._store.problem

    def start(self, draining: Draining, tasks: set[asyncio.Task[None]]) -> None:
        """Go on with what is there, if there is anything. ``tasks`` are waited for, and cancelled, by the server."""
        self.runner.draining, self.runner.tasks = draining, tasks
        if self._store.exists():
            self.runner.start()

    async def aclose(self) -> None:
        """Stop, and close the file."""
        await self.runner.aclose()
        await self._store.aclose()

    async def accept(self, x: Exchange, *, kind: Kind = "queue", estimate: float) -> Reply | None:
        """For policies: take ``x`` over, to be answered later. ``estimate``: seconds until it may have its answer.

        The reply is a 202 that tells where to ask, and it is true: the request is kept on disk. None if that is not
        possible now; the caller has to be told something else.

        Raises:
            BadRequest: what the caller wants of it (its webhook, its idempotency key) cannot be done.
        """
        if not self.settings.enabled or x.method != "POST":
            return None
        try:
            job = await self.add(x, kind, estimate=estimate)
        except (Full, StoreBroken):
            return None
        return accepted(job, time.time())

    async def add(self, x: Exchange, kind: Kind, *, estimate: float | None = None) -> Job:
        """Keep the request of ``x``, whose caller is known, and begin to work on it.

        Raises:
            BadRequest: its webhook is not allowed, or its idempotency key was used for something else.
            Full, StoreBroken: it is not kept.
        """
        settings, now = self.settings, time.time()
        request = keep(x, self._kept() - {DEADLINE_HEADER} if kind == "queue" else self._kept())
        if len(request.body) > settings.max_size:
            raise Full("job_too_large")
        asked = x.header(WEBHOOK_HEADER)
        hook = None if asked is None else allowed(asked.decode("latin-1"), settings.webhooks.allow)
        large = len(request.body) > _LARGE
        digest = await asyncio.to_thread(digest_of, request) if large else digest_of(request)
        job = Job(
            id=f"{kind}_{os.urandom(16).hex()}",
            kind=kind,
            scope=scope_of(x),
            proof=x.proof,
            path=x.path,
            model=x.model,
            idempotency=_idempotency(x, kind),
            digest=digest,
            created=now,
            answer_at=None if estimate is None else now + min(estimate, _LONGEST_ESTIMATE),
            webhook=hook,
        )
        kept = await self._store.add(job, request, settings)
        if kept.digest != job.digest:
            message = "This Idempotency-Key was used for another request; take a new one."
            raise BadRequest(message, status=409, code="idempotency_key_reused", param="Idempotency-Key")
        self.runner.start()
        self.runner.wake()
        return kept

    async def get(self, identity: str, kind: Kind, scope: str) -> tuple[Job, Response | None] | None:
        """A job of that caller.

        Raises:
            Unavailable: the store cannot be read.
        """
        if not self._store.exists():
            return None
        try:
            return await self._store.get(identity, kind, scope)
        except StoreBroken:
            raise Unavailable from None

    async def newest(self, scope: str, limit: int, before: str | None) -> list[Job]:
        """The newest jobs of that caller.

        Raises:
            Unavailable: the store cannot be read.
        """
        if not self._store.exists():
            return []
        try:
            return await self._store.newest("job", scope, limit, before)
        except StoreBroken:
            raise Unavailable from None

    async def cancel(self, identity: str, kind: Kind, scope: str) -> tuple[Job, Response | None] | None:
        """Cancel a job of that caller, if it is not over; what it is then.

        Raises:
            Unavailable: the store cannot be written.
        """
        if not self._store.exists():
            return None
        try:
            job = await self._store.cancel(identity, kind, scope, time.time(), self.settings.lifetime)
            if job is None:
                return None
            self.runner.cancel(identity)
            self.runner.wake()  # for its webhook
            return job, await self._store.response(identity)
        except StoreBroken:
            raise Unavailable from None

    def _kept(self) -> frozenset[bytes]:
        """Names of the headers that are kept, found out once per generation."""
        runtime = self._runtime()
        if self._names[0] is not runtime:
            self._names = (runtime, names_kept(runtime, self.settings.headers))
        return self._names[1]


def accepted(job: Job, now: float) -> Reply:
    """The 202 to whoever has made a job, or asks for one that still waits."""
    told = view(job, None)
    headers = [(b"content-type", b"application/json"), (b"location", place_of(job).encode())]
    if job.kind == "queue":
        left = max(1, math.ceil((job.answer_at or now) - now))
        told |= {"queue_id": job.id, "estimated_wait_seconds": left}
        headers.append((b"retry-after", b"%d" % left))
    return Reply(202, msgspec.json.encode(told), tuple(headers))


def no_room(x: Exchange, full: Full) -> Reply:
    """The refusal of a job for which there is no room."""
    status, message = _FULL[full.code]
    headers = ((b"retry-after", b"%d" % _SOON),) if status == 429 else ()
    return x.refuse(status, full.code, message, headers=headers)


def _idempotency(x: Exchange, kind: Kind) -> str | None:
    """The caller's key for one effect; each kind has its own."""
    given = x.header(IDEMPOTENCY)
    if given is None:
        return None
    if not 0 < len(given) <= _MAX_IDEMPOTENCY:
        message = f"Idempotency-Key must have 1 to {_MAX_IDEMPOTENCY} characters."
        raise BadRequest(message, code="invalid_idempotency_key", param="Idempotency-Key")
    return f"{kind} {given.decode('latin-1')}"
