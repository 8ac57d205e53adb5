"""Plays one case: real policies and targets, providers that follow a script, a clock of its own, and fresh state.

What differs from a served request: nothing is sent, pauses take no time, and each pause is measured by itself, as the
time that a request has taken altogether goes by the machine's clock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec

from proxy.errors import GatewayError, Header
from proxy.exchange import Exchange, Reply
from proxy.idempotency import NAME as IDEMPOTENCY
from proxy.idempotency import Idempotency, MemoryStore
from proxy.inbound import admit
from proxy.limits.memory import MemoryCounters
from proxy.limits.switch import NAME as LIMITS
from proxy.limits.switch import Switch
from proxy.pipeline import Pipeline, failure, local, standard_headers
from proxy.policy import Answer
from proxy.rehearsal.cases import Case, Request, Sent
from proxy.rehearsal.explain import Explanation, explain
from proxy.rehearsal.quick_loop import QuickLoop
from proxy.rehearsal.stand_in import Asked, Script
from proxy.runtime import Runtime, Shared
from proxy.stream import AnswerCut, Outcome, pump

T = TypeVar("T")
_ADDRESS = "127.0.0.1"
_GREETING = [{"role": "user", "content": "Hello"}]
_UNKNOWN = b"\0" * 32


class Clock:
    """Seconds since the epoch: where it was set, and the pauses since."""

    __slots__ = ("_began", "_loop", "_start")

    def __init__(self, loop: QuickLoop) -> None:
        self._loop = loop
        self._began = loop.time()
        self._start = 0.0

    def __call__(self) -> float:
        return self._start + self._loop.time() - self._began

    def set(self, now: float) -> None:
        """It is ``now``; it never goes back."""
        self._start += max(0.0, now - self())


class Got(msgspec.Struct, frozen=True):
    """What became of a request. ``sent``: what the last target was sent, None if none was; ``cost`` in nano-dollars."""

    route: str
    target: str
    attempts: tuple[tuple[str, str], ...]
    status: int
    code: str
    refused_by: str
    message: str
    policies: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    answer: bytes
    sent: bytes | None
    cost: int
    dropped: tuple[str, ...]
    degraded: str


# A configuration, compiled for a run: with its shared state, its clock, and who stands in for its providers.
Compile = Callable[[Shared, Clock, Script], Runtime]


Last = Callable[[Runtime, Script, Sent], Coroutine[Any, Any, T]]


def rehearse(compile: Compile, case: Case, now: float) -> Got:
    """Play the case; without a time of its own it is ``now`` (seconds since the epoch).

    Raises:
        Stuck: the request never ends.
    """
    return _on_stage(compile, case, now, _play)


def fresh_state(clock: Clock) -> Shared:
    """What generations share, with nothing used yet; limits are counted in memory by ``clock``."""
    shared = Shared()
    counters = shared.take(LIMITS, Switch)
    counters.memory = counters.current = MemoryCounters(monotonic=clock, wall=clock)
    return shared


def explained(compile: Compile, case: Case, now: float) -> Explanation:
    """What ``sluicegate explain`` says of the case, after what came before it."""

    async def show(runtime: Runtime, script: Script, sent: Sent) -> Explanation:
        method, path, headers, body = _wire(sent)
        return await explain(runtime, method, path, headers, body, proof=_proof(runtime, sent))

    return _on_stage(compile, case, now, show)


def _on_stage(compile: Compile, case: Case, now: float, last: Last[T]) -> T:
    """Everything that the case needs, made for it and taken down after it. ``last`` plays its own request."""
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, QuickLoop)
        clock, script = Clock(loop), Script()
        shared = fresh_state(clock)
        shared.take(IDEMPOTENCY, lambda: Idempotency(MemoryStore(clock)))
        clock.set(min([now if one.at is None else one.at for one in (*case.before, case.given)]))
        runtime = compile(shared, clock, script)

        async def run() -> T:
            for one in case.before:
                clock.set(now if one.at is None else one.at)
                script.begin(one.upstream)
                for _ in range(one.times):
                    await _play(runtime, script, one)
            clock.set(now if case.given.at is None else case.given.at)
            script.begin(case.given.upstream)
            return await last(runtime, script, case.given)

        return runner.run(until_the_end(loop, runtime, shared, run()))


async def until_the_end(loop: QuickLoop, runtime: Runtime, shared: Shared, work: Coroutine[Any, Any, T]) -> T:
    """Do ``work``, then close what it has used; from then on a pause is a pause."""
    try:
        return await work
    finally:
        loop.skips = False
        await runtime.charges.aclose()
        await shared.aclose()


async def _play(runtime: Runtime, script: Script, sent: Sent) -> Got:
    """One request, from its first line to its accounts, as ``proxy.app`` does it."""
    method, path, headers, body = _wire(sent)
    path, _, query = path.partition("?")
    x = Exchange("req_rehearsed", method, path, query.encode(), headers, time.monotonic(), 0)
    x.generation, x.client, x.proof = runtime.generation, _ADDRESS, _proof(runtime, sent)
    caught = _Caught()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    script.asked.clear()
    pipeline: Pipeline | None = None
    try:
        found = await admit(runtime, x, receive)
        if isinstance(found, Pipeline):
            pipeline = found
            outcome = await found.run(x, caught.send)
        else:
            outcome = await _reply(x, found, caught)
    except GatewayError as error:
        outcome = await _reply(x, failure(x, error), caught)
    except AnswerCut as cut:
        outcome = cut.outcome
    await _settled(x)
    return _got(x, pipeline, outcome, caught, script.asked)


async def _reply(x: Exchange, reply: Reply, caught: _Caught) -> Outcome:
    answer: Answer = local(reply)
    return await pump(caught.send, answer, standard_headers(x, answer))


async def _settled(x: Exchange) -> None:
    """Wait until it is known what everything has cost: tokens may have to be counted."""
    for attempt in x.attempts:
        if attempt.charge is not None:
            done = asyncio.Event()
            attempt.charge.then(done.set)
            await done.wait()


class _Caught:
    """What the caller gets."""

    def __init__(self) -> None:
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body = b""

    async def send(self, message: dict[str, Any]) -> None:
        """As the server would be told."""
        if message["type"] == "http.response.start":
            self.headers = tuple((name.decode(), value.decode("latin-1")) for name, value in message["headers"])
        else:
            self.body += message.get("body", b"")


def _got(x: Exchange, pipeline: Pipeline | None, outcome: Outcome, caught: _Caught, asked: list[Asked]) -> Got:
    headers = dict(caught.headers)
    refused = outcome.code or ("" if outcome.status < 400 else "upstream_rejected")
    return Got(
        route=x.route,
        target=headers.get("x-sluicegate-target", ""),
        attempts=tuple((one.target, one.reason or one.outcome) for one in x.attempts),
        status=outcome.status,
        code=refused,
        refused_by=x.notes.get("refused_by", ""),
        message=_message(caught.body) if refused else "",
        policies=() if pipeline is None else tuple(name for name, _ in pipeline.policies),
        headers=caught.headers,
        answer=caught.body,
        sent=_sent_to(headers.get("x-sluicegate-target", ""), asked),
        cost=sum(one.charge.cost for one in x.attempts if one.charge is not None),
        dropped=tuple(name for name in headers.get("x-sluicegate-dropped", "").split(",") if name),
        degraded=x.degraded,
    )


def _sent_to(target: str, asked: list[Asked]) -> bytes | None:
    """The body for whoever answered; for the last that was asked, if nobody did."""
    bodies = [one.body for one in asked if one.target == target] or [one.body for one in asked]
    return bodies[-1] if bodies else None


def _message(body: bytes) -> str:
    """Of an error object, in any dialect; the whole text where there is none."""
    try:
        error = msgspec.json.decode(body)["error"]
        return str(error["message"])
    except (msgspec.DecodeError, LookupError, TypeError):
        return body.decode("utf-8", "replace")


def _proof(runtime: Runtime, sent: Sent) -> bytes | None:
    """The SHA-256 of the caller's key, as the file has it: whose name is known needs no secret."""
    if not sent.key or runtime.identities is None:
        return None
    return runtime.identities.names().get(sent.key, _UNKNOWN)


def _wire(sent: Sent) -> tuple[str, str, list[Header], bytes]:
    """Method, path, headers and body as they would come in."""
    request = sent.request
    headers: list[Header] = [(b"content-type", b"application/json")]
    headers += [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in request.headers.items()]
    if request.tags:
        listed = ",".join(f"{name}={value}" for name, value in request.tags.items())
        headers.append((b"x-sluicegate-tags", listed.encode()))
    if sent.secret:
        headers.append((b"authorization", b"Bearer " + sent.secret.encode()))
    return request.method, request.path, headers, _body(request)


def _body(request: Request) -> bytes:
    if isinstance(request.body, str):
        return request.body.encode()
    if request.method != "POST":
        return b""
    body: dict[str, Any] = {} if request.model is None else {"model": request.model}
    body |= {"messages": request.messages or _GREETING} if request.body is None else request.body
    return msgspec.json.encode(body | ({"stream": True} if request.stream else {}))
