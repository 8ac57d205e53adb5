"""When every target is limited, requests wait in line: bounded, in a fair order, told honestly how long."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from typing import Literal, Self

import msgspec

from proxy.errors import GEMINI, BadAnswer, Overloaded, RateLimited, UpstreamError
from proxy.exchange import Exchange, Reply
from proxy.policy import Answer, CompileContext, Config, Policy, Target
from proxy.units import Duration
from proxy.waiting.pending import Pending
from proxy.waiting.room import SETTLED, Room, Ticket

KEEP_ALIVE = 5.0  # seconds between comments to a client that holds the line
_HALF_A_STEP = 2000  # tokens: such a request stands half a step of priority behind an empty one
_UNTOLD = "basic"  # the tier of who has none
_EVENT_STREAM = b"text/event-stream"


class PrioritiesConfig(Config, frozen=True):
    """Steps by tier. Who has none is like `basic`."""

    enterprise: int = 3
    premium: int = 2
    basic: int = 1
    free: int = 0


class QueueConfig(Config, frozen=True):
    """``max_size``: who waits; ``patience``: how long a caller is kept; ``max_in_flight``: of this route at once;
    ``ageing``: what a step of priority is worth."""

    max_size: int = 1000
    patience: Duration = Duration(30)
    max_in_flight: int | None = None
    priorities: PrioritiesConfig = PrioritiesConfig()
    ageing: Duration = Duration(10)
    on_long_wait: Literal["accept", "refuse"] = "accept"


class Queue(Policy):
    """Puts requests in line. The line is one for the route, and stays over reloads; what is looked at is the settings
    of the generation that a request has begun with."""

    __slots__ = ("_config", "_context", "_priorities", "_room", "_route")

    Config = QueueConfig

    def __init__(self, config: QueueConfig, room: Room, context: CompileContext) -> None:
        self._config = config
        self._room = room
        self._context = context
        self._route = context.route
        steps = config.priorities
        self._priorities = {name: getattr(steps, name) for name in steps.__struct_fields__}

    @classmethod
    def compile(cls, config: QueueConfig, context: CompileContext) -> Self:
        return cls(config, context.shared(f"queue {context.route}", Room), context)

    def on_request(self, x: Exchange) -> None:
        x.line = self

    async def send(self, x: Exchange, target: Target) -> Answer:
        """At once if nobody waits, else when it is this request's turn.

        Raises:
            UpstreamError: no target answers for another reason, or the wait would be too long.
        """
        room = self._room
        room.slots = self._config.max_in_flight
        ticket = Ticket(time.monotonic())
        kept = room.claim(x.notes["job"]) if _is_job(x) else None
        ticket.key = kept or (0.0, 0)
        error: UpstreamError | None = None
        if room.free:
            room.grant(ticket)
            try:
                return await self._ask(x, target, ticket)
            except UpstreamError as limited:
                if not _will_pass(limited):
                    raise
                error = limited
        return await self._join(x, target, ticket, error)

    async def _ask(self, x: Exchange, target: Target, ticket: Ticket) -> Answer:
        """Send it, whose turn it is. What it holds it holds until its answer is over."""
        room = self._room
        try:
            answer = await target.send(x)
        except UpstreamError as error:
            if _will_pass(error):
                room.limited(ticket, error, target.healths())
            else:
                room.ended(ticket)
            raise
        except BaseException:
            room.ended(ticket)
            raise
        room.passed(ticket)
        attempt = answer.attempt
        if attempt is None:
            room.ended(ticket, whole=True)
            return answer
        ends = attempt.ends

        def over(failure: str | None) -> None:
            room.ended(ticket, whole=failure is None)
            if ends is not None:
                ends(failure)

        attempt.ends = over
        return answer

    # Waiting

    async def _join(self, x: Exchange, target: Target, ticket: Ticket, error: UpstreamError | None) -> Answer:
        """Take a place in the line, if there is one and it is worth waiting at."""
        room = self._room
        if not ticket.key[1]:
            ticket.key = (self._rank(x, ticket.arrived), room.number())
        wait = room.estimate(room.ahead(ticket))
        if len(room) >= self._config.max_size:
            return self._refuse(x, ticket, error, room.estimate(len(room)), "refused_full")
        if wait > self._until(x, ticket) - time.monotonic():
            return await self._late(x, ticket, error, wait)
        room.join(ticket)
        turn = self._turn(x, target, ticket, error)
        if not _can_hold(x) or _is_job(x):
            return await turn
        pending = Pending(turn, f"queue {x.request_id}", lambda: room.leave(ticket))
        if wait <= SETTLED and await pending.within(SETTLED):
            return pending.result()
        return _Held(x, pending, room, ticket).answer

    async def _turn(self, x: Exchange, target: Target, ticket: Ticket, error: UpstreamError | None) -> Answer:
        """Wait and send, until it was not limited; its place is the same each time."""
        room, until, outcome = self._room, self._until(x, ticket), "left"
        waited: float | None = None  # before it was sent; the answer takes its own time
        x.meter.waiting(self._route, 1)
        try:
            while await _granted(x, room, ticket, until):
                self._note(x, ticket)
                waited = time.monotonic() - ticket.arrived
                try:
                    answer = await self._ask(x, target, ticket)
                except UpstreamError as again:
                    if not _will_pass(again):
                        outcome = "failed"
                        raise
                    error = again
                    if room.estimate(room.ahead(ticket)) > until - time.monotonic():
                        break
                    room.join(ticket)
                else:
                    outcome = "sent"
                    return answer
            outcome = ""  # it was too late, and that is told below
        finally:
            x.meter.waiting(self._route, -1)
            if outcome:
                self._told(x, ticket, outcome, waited if outcome in ("sent", "failed") else None)
        return await self._late(x, ticket, error, room.estimate(room.ahead(ticket)))

    def _rank(self, x: Exchange, arrived: float) -> float:
        """What the line is sorted by: who has come first, less what its priority is worth. Of equals the shorter: its
        length costs a request less than one step."""
        tier = (x.identity.tier if x.identity is not None else "") or _UNTOLD
        size = self._context.needs(x).input_tokens
        steps: float = self._priorities[tier] - size / (size + _HALF_A_STEP)
        return arrived - steps * float(self._config.ageing)

    def _until(self, x: Exchange, ticket: Ticket) -> float:
        """When the caller's patience is over. A stream can be kept, and a job has nobody who waits for it."""
        if _can_hold(x) or _is_job(x):
            return x.deadline
        return min(x.deadline, ticket.arrived + self._config.patience)

    # The end of patience

    async def _late(self, x: Exchange, ticket: Ticket, error: UpstreamError | None, wait: float) -> Answer:
        """It would take longer than the caller can wait: it is answered later, or not at all."""
        if self._config.on_long_wait == "accept" and x.jobs is not None and not x.stream:
            reply = await x.jobs.accept(x, kind="queue", estimate=wait)
            if reply is not None:
                self._told(x, ticket, "accepted")
                x.notes["queue"] = f"accepted, to be answered in about {wait:.1f} s"
                return self._accepted(reply, ticket, wait)
        return self._refuse(x, ticket, error, wait, "refused_wait")

    def _accepted(self, reply: Reply, ticket: Ticket, wait: float) -> Answer:
        """The 202. Its place is kept until it comes back as a job."""
        told = msgspec.json.decode(reply.body)
        told["position"] = self._room.ahead(ticket) + 1
        self._room.promise(str(told.get("id")), ticket.key, wait)
        return Answer(reply.status, list(reply.headers), body=msgspec.json.encode(told), code=reply.code)

    def _refuse(self, x: Exchange, ticket: Ticket, error: UpstreamError | None, wait: float, outcome: str) -> Answer:
        self._told(x, ticket, outcome)
        if _is_job(x) and outcome == "refused_wait":
            self._room.promise(x.notes["job"], ticket.key, wait)  # it comes back by itself
        x.notes["queue"] = f"refused: the wait is about {wait:.1f} s"
        x.notes["refused_by"] = "queue"
        if isinstance(error, RateLimited) and error.is_quota:
            raise error  # which no wait will mend: its provider's own words
        if outcome == "refused_full":
            message = f"Every target is limited or busy, and {len(self._room)} requests wait already; try again later."
        else:
            message = f"Every target is limited or busy; the wait would be about {math.ceil(wait)} s. Try again then."
        refusal: UpstreamError
        if isinstance(error, Overloaded):
            refusal = Overloaded(message)
            refusal.retry_after = wait
            refusal.headers = ((b"retry-after", b"%d" % max(1, math.ceil(wait))),)
        else:
            refusal = RateLimited(message, retry_after=wait)
        if outcome == "refused_full":
            refusal.error_code = "queue_full"
        raise refusal

    # What is told of it

    def _note(self, x: Exchange, ticket: Ticket) -> None:
        x.notes["queue"] = f"waited {time.monotonic() - ticket.arrived:.1f} s at position {ticket.position}"

    def _told(self, x: Exchange, ticket: Ticket, outcome: str, waited: float | None = None) -> None:
        x.meter.waited(self._route, outcome, time.monotonic() - ticket.arrived if waited is None else waited)

    def explain(self, x: Exchange) -> str:
        tier = (x.identity.tier if x.identity is not None else "") or _UNTOLD
        said = f"waits up to {self._until(x, Ticket(time.monotonic())) - time.monotonic():.0f} s when all is limited"
        said += f", with priority {self._priorities[tier]} ({tier})"
        if self._config.max_in_flight is not None:
            said += f"; at most {self._config.max_in_flight} at once"
        if len(self._room):
            said += f"; {len(self._room)} wait now, for about {self._room.estimate(len(self._room)):.0f} s"
        return said


class _Held:
    """The answer to a streaming client that holds the line: comments until the stream is there, then the stream."""

    __slots__ = ("_chunks", "_inner", "_is_first", "_pending", "_room", "_ticket", "_x", "answer")

    def __init__(self, x: Exchange, pending: Pending[Answer], room: Room, ticket: Ticket) -> None:
        self._x = x
        self._pending = pending
        self._room = room
        self._ticket = ticket
        self._is_first = True
        self._inner: Answer | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        headers = [(b"content-type", _EVENT_STREAM), (b"cache-control", b"no-cache")]
        self.answer = Answer(200, headers, chunks=self, close=self.close, is_sse=True)

    def __aiter__(self) -> _Held:
        return self

    async def __anext__(self) -> bytes:
        if self._chunks is not None:
            return await anext(self._chunks)
        if self._inner is not None:
            raise StopAsyncIteration
        if not self._is_first:
            await self._pending.within(KEEP_ALIVE)
        if not self._pending.done:
            self._is_first = False
            if self._x.style is GEMINI:
                return b"\n\n"  # Google's client takes a comment for the beginning of an error
            return b": waiting, position %d\n\n" % (self._room.ahead(self._ticket) + 1)
        return await self._begin(self._pending.result())

    async def _begin(self, inner: Answer) -> bytes:
        """The answer is there: from now on its body is this one's."""
        self._inner = inner
        self.answer.attempt, self.answer.target = inner.attempt, inner.target
        if inner.dropped:
            self._x.notes["dropped"] = ", ".join(inner.dropped)
        is_stream = inner.is_sse or any(
            name == b"content-type" and value.startswith(_EVENT_STREAM) for name, value in inner.headers
        )
        if not is_stream or inner.status != 200:
            raise BadAnswer("the provider answered a request for a stream with something else")
        if inner.body is not None:
            return inner.body
        assert inner.chunks is not None
        self._chunks = inner.chunks
        return await anext(self._chunks)

    def close(self) -> None:
        """Nobody wants it any longer: the place in the line is free, or the provider's answer is broken off."""
        if self._inner is None:
            self._pending.give_up()
        elif self._inner.close is not None:
            self._inner.close()


async def _granted(x: Exchange, room: Room, ticket: Ticket, until: float) -> bool:
    """Wait for the ticket's turn; False when ``until`` has come before it."""
    since = time.monotonic()
    try:
        return await room.granted(ticket, until - since)
    finally:
        x.upstream_wait += time.monotonic() - since  # no time of the gateway's own


def _will_pass(error: UpstreamError) -> bool:
    """Whether waiting helps. Targets that have failed are no matter of waiting: their breaker looks after them."""
    return error.meaning in ("rate_limited", "overloaded")


def _can_hold(x: Exchange) -> bool:
    """Whether the caller reads an event stream, in which comments may stand."""
    return x.stream and (x.endpoint.dialect is not None or bool(x.endpoint.ends))


def _is_job(x: Exchange) -> bool:
    """Whether it is answered later already."""
    return x.jobs is None and "job" in x.notes
