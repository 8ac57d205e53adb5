"""The ASGI callable: takes one reference to the runtime per request, and answers from that generation to the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any

import msgspec

from proxy.admin.api import PREFIX as ADMIN
from proxy.admin.api import answer as answer_operator
from proxy.admin.asked import Desk, Feed
from proxy.admission.control import Admission
from proxy.admission.control import state as load_state
from proxy.canaries.keeper import Keeper
from proxy.errors import GatewayError
from proxy.exchange import Exchange, Reply
from proxy.experiments.endpoint import PATH as FEEDBACK
from proxy.experiments.endpoint import FeedbackDesk
from proxy.inbound import Receive, admit
from proxy.jobs.endpoints import answer as answer_of_jobs
from proxy.jobs.endpoints import is_of_jobs
from proxy.jobs.runner import Origin
from proxy.jobs.service import Jobs
from proxy.ledger.accounting import Accounting
from proxy.pipeline import Deliver, Pipeline, failure, local, standard_headers
from proxy.request_ids import RequestIds
from proxy.runtime import Runtime
from proxy.server.draining import Draining
from proxy.stream import DRAINING, SHUTTING_DOWN, AnswerCut, Outcome, Send, pump
from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import CONTENT_TYPE, Metrics
from proxy.wire.realtime import Relay

Scope = dict[str, Any]
OVERLOADED_AFTER = 2.0  # seconds of shedding


# The request, what became of its answer if there was one, why it ended early, seconds that it took.
Listener = Callable[[Exchange, Outcome | None, str | None, float], None]


class Current:
    """The one reference that a reload changes, and what it has to say about the file on disk."""

    __slots__ = ("draining", "problems", "runtime")

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.problems: tuple[str, ...] = ()  # of the file on disk, when it is not the one in use
        self.draining = Draining()  # the server's, once there is one


class App:
    """Inbound HTTP: operations (``/healthz`` …), model list, and everything that a route answers."""

    def __init__(self, current: Current, metrics: Metrics, log: Logger) -> None:
        self.current = current
        self.metrics = metrics
        self.log = log
        self.admission: Admission | None = None  # what the server asks before a request comes here
        self.desk: Desk | None = None  # what operators may change
        self.accounting: Accounting | None = None  # where what requests cost is written down
        self.listeners: tuple[Listener, ...] = ()  # of requests that have ended
        self.copy: Callable[[Exchange, Send], Send] | None = None  # what sends an answer, where its text is kept
        self.feedback: FeedbackDesk | None = None  # what applications say of answers
        self._ids = RequestIds()
        self._preparing: asyncio.Task[None] | None = None
        self.canaries: Keeper | None = None  # how far they have come
        self.jobs: Jobs | None = None  # what is answered later, where there is a place to keep it
        self._operations: dict[bytes, Callable[[], Awaitable[Reply]]] = {  # by raw path: one spelling each
            b"/healthz": self._healthz,
            b"/readyz": self._readyz,
            b"/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            relay = Relay(receive)
            await self._exchange(scope, receive, send, relay.deliver)
            return
        operation = self._operations.get(scope["raw_path"])
        if operation is not None:
            await _send_reply(send, await operation())
        elif scope["raw_path"].startswith(ADMIN):
            await _send_reply(send, await answer_operator(self.current.runtime, scope, receive, self.log, self.desk))
        else:
            await self._exchange(scope, receive, send, pump)

    def hold(self, preparation: Coroutine[Any, Any, None]) -> None:
        """Let requests wait for ``preparation``: what would keep the loop busy if the first of them did it."""
        self._preparing = asyncio.create_task(preparation)
        self._preparing.add_done_callback(self._prepared)

    @property
    def is_preparing(self) -> bool:
        """Whether requests wait."""
        return self._preparing is not None

    def _prepared(self, task: asyncio.Task[None]) -> None:
        self._preparing = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log.error("background.failed", task="prepare for requests", exc_info=error)

    async def run_job(self, scope: Scope, receive: Receive, send: Send) -> Outcome | None:
        """A request that was accepted before: like any other, but that ``scope["job"]`` says who has asked."""
        return await self._exchange(scope, receive, send, pump)

    async def _exchange(self, scope: Scope, receive: Receive, send: Send, deliver: Deliver) -> Outcome | None:
        """One request from its first line to its accounts."""
        if self._preparing is not None:
            await asyncio.wait((self._preparing,))
        runtime = self.current.runtime
        x = Exchange(
            self._ids.new(),
            scope.get("method", "WEBSOCKET"),
            scope["raw_path"].decode("latin-1"),
            scope["query_string"],
            scope["headers"],
            time.monotonic(),
            0,
        )
        x.generation = runtime.generation
        x.client = scope["client"][0] if scope.get("client") else ""
        origin: Origin | None = scope.get("job")
        if origin is not None:
            x.proof, x.notes["job"] = origin.proof, origin.job
        else:
            x.jobs = self.jobs
        runtime.enter()
        x.meter = self.metrics
        self.metrics.started()
        outcome: Outcome | None = None
        end: str | None = None
        if self.copy is not None:
            send = self.copy(x, send)
        try:
            outcome = await _answer(runtime, x, receive, send, deliver, self.feedback)
        except asyncio.CancelledError as cancelled:
            end = cancelled.args[0] if cancelled.args else "cancelled"
            # Cancelled by the server's shutdown before anything was sent: the caller gets a word instead of a cut line.
            if end != DRAINING:
                raise
            outcome = await _reply(send, x, x.refuse(503, "server_shutting_down", SHUTTING_DOWN), deliver)
        except AnswerCut as cut:
            outcome = cut.outcome  # returning with the body unfinished tells the server to break the connection
        except Exception:
            end = "crashed"
            self.log.exception("request.crashed", request_id=x.request_id, route=x.route, path=x.path)
            with suppress(RuntimeError):  # the answer has begun: the server breaks it off
                reply = x.refuse(500, "internal_error", "The gateway failed; see its log.")
                outcome = await _reply(send, x, reply, deliver)
        finally:
            runtime.leave()
            if x.identity is not None and self.admission is not None and origin is None:
                self.admission.learn(scope["headers"], x.identity)
            self._account(x, outcome, end)
        return outcome

    def _account(self, x: Exchange, outcome: Outcome | None, end: str | None) -> None:
        """Metrics and the one log line of a request; what others make of it."""
        seconds = time.monotonic() - x.received
        status = outcome.status if outcome is not None else 499  # nginx's number for a client that left
        self.metrics.finished(x, status, outcome, seconds)
        fields: dict[str, Any] = {
            "request_id": x.request_id,
            "client": x.client,
            "route": x.route,
            "method": x.method,
            "path": x.path,
            "model": x.model,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "overhead_ms": round(x.overhead * 1000, 3),
            "generation": x.generation,
            "attempts": [
                [attempt.target, attempt.reason or attempt.outcome, round(attempt.duration * 1000, 3)]
                for attempt in x.attempts
            ],
        }
        charges = [attempt.charge for attempt in x.attempts if attempt.charge is not None]
        if charges:
            fields["cost_usd"] = sum(charge.cost for charge in charges) / 1e9
            fields["tokens"] = [sum(one.input_tokens for one in charges), sum(one.output_tokens for one in charges)]
        if x.skipped:
            fields["skipped"] = x.skipped
        if x.degraded:
            fields["degraded"] = x.degraded
        if end is not None:
            fields["end"] = end
        if outcome is not None:
            fields["bytes"] = outcome.bytes_sent
            if outcome.code is not None:
                fields["code"] = outcome.code
            if not outcome.complete and end is None:
                fields["end"] = "cut"
        if x.identity is not None:
            fields["key"] = f"{x.identity.organisation}/{x.identity.team}/{x.identity.key}"
        if x.tags:
            fields["tags"] = x.tags
        if x.notes:
            fields["notes"] = x.notes
        self.log.info("request", **fields)
        for listener in self.listeners:
            listener(x, outcome, end, seconds)

    async def _healthz(self) -> Reply:
        return Reply(200, b'{"status":"ok"}')

    async def _readyz(self) -> Reply:
        current = self.current
        state: dict[str, Any] = {
            "status": "draining" if current.draining.active else "ready",
            "generation": current.runtime.generation,
            "digest": current.runtime.digest,
        }
        if current.runtime.checks:
            checks = (watch.check for watch in current.runtime.checks)
            state["checks"] = {check.name: "failing" if check.failing else "ok" for check in checks}
        if current.problems:
            state["reasons"] = ["the file on disk has problems; the generation before it keeps serving"]
            state["problems"] = current.problems
        if self.jobs is not None and self.jobs.problem:
            state.setdefault("reasons", []).append("the store of jobs cannot be used; everything else is served")
        if self.feedback is not None and self.feedback.experiments.problem:
            state.setdefault("reasons", []).append(
                "records of experiments cannot be written; everything else is served"
            )
        if self.desk is not None and (problem := self.desk.service.problem):
            state.setdefault("reasons", []).append(problem)
        if self.accounting is not None and (problem := self.accounting.problem):
            state.setdefault("reasons", []).append(problem)
        if self.canaries is not None and self.canaries.problem:
            state.setdefault("reasons", []).append(f"what becomes of canaries is not kept: {self.canaries.problem}")
        sharing = current.runtime.sharing
        counters = current.runtime.shared_counters if current.runtime.quotas else None
        for shared in (sharing, counters):
            if shared is not None and shared.problem:
                state.setdefault("reasons", []).append(shared.problem)
        if self.admission is not None and self.admission.overloaded_for() >= OVERLOADED_AFTER:
            # Still 200: taken out of the balancer, this replica's load would fall on the others, one after the other.
            state.setdefault("reasons", []).append("overloaded: requests beyond what can be served are refused")
            state["overload"] = load_state(self.admission)
        return Reply(503 if current.draining.active else 200, msgspec.json.encode(state))

    async def _metrics(self) -> Reply:
        text = await asyncio.to_thread(self.metrics.render)
        return Reply(200, text, ((b"content-type", CONTENT_TYPE),))


async def _answer(
    runtime: Runtime, x: Exchange, receive: Receive, send: Send, deliver: Deliver, feedback: FeedbackDesk | None
) -> Outcome:
    """Route ``x`` and run its pipeline; whatever is wrong before that is answered here."""
    found: Pipeline | Reply
    try:
        if x.jobs is not None and is_of_jobs(x.path):
            found = await answer_of_jobs(x.jobs, runtime, x, receive)
        elif feedback is not None and x.path == FEEDBACK:
            found = await feedback.answer(runtime, x, receive)
        else:
            found = await admit(runtime, x, receive)
    except GatewayError as error:
        found = failure(x, error)
    if isinstance(found, Reply):
        return await _reply(send, x, found, deliver)
    return await found.run(x, send, deliver)


async def _reply(send: Send, x: Exchange, reply: Reply, deliver: Deliver) -> Outcome:
    answer = local(reply)
    return await deliver(send, answer, standard_headers(x, answer))


async def _send_reply(send: Send, reply: Reply) -> None:
    if isinstance(reply, Feed):
        await _send_feed(send, reply)
        return
    headers = [*reply.headers, (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _send_feed(send: Send, feed: Feed) -> None:
    """As it comes, until it ends or the client leaves."""
    await send({"type": "http.response.start", "status": feed.status, "headers": feed.headers})
    async with aclosing(feed.chunks) as chunks:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
