"""What the cache knows of one request, and of the answer that it gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from proxy.caching.broadcast import Broadcast, Reader
from proxy.caching.control import Control
from proxy.caching.entry import Entry
from proxy.caching.flight import Flight
from proxy.caching.replay import signature_of, tells_usage
from proxy.caching.room import Moment
from proxy.caching.savings import Saved
from proxy.cassettes.taper import end_mark
from proxy.errors import Header
from proxy.exchange import Attempt, Exchange
from proxy.policy import Answer

ALONE = object()  # what a leader has got is for nobody else


class Whole:
    """An answer that is all there, good or bad. ``attempts``: what it has taken."""

    __slots__ = ("attempts", "body", "code", "dropped", "headers", "status", "target")

    def __init__(self, answer: Answer, attempts: list[Attempt]) -> None:
        self.attempts = attempts
        self.status = answer.status
        self.headers: list[Header] = answer.headers
        self.body = answer.body or b""
        self.code = answer.code
        self.target = answer.target
        self.dropped = answer.dropped


class Asked:
    """A request whose answer may be kept. ``key``: under which it would be; ``ttl``: for how long at most, in seconds,
    None for what its policy says. ``leads``: others wait for its answer.

    ``found``: what was found that is too old, as long as it is of use. ``reader``: of a stream that several have.
    """

    __slots__ = (
        "began",
        "control",
        "flight",
        "flow",
        "found",
        "head",
        "is_answered",
        "is_left",
        "key",
        "leads",
        "moment",
        "reader",
        "told_failure",
        "ttl",
        "wants_usage",
        "whole",
    )

    def __init__(self, key: bytes, control: Control, *, wants_usage: bool, ttl: float | None = None) -> None:
        self.key = key
        self.ttl = ttl
        self.control = control
        self.wants_usage = wants_usage
        self.began = time.monotonic()
        self.moment: Moment = ()
        self.found: Entry | None = None
        self.flight: Flight[Any] | None = None
        self.leads = False
        self.is_answered = False  # from the cache, or by a request in flight
        self.is_left = False  # while others read on
        self.head: Whole | None = None  # of the answer to keep
        self.told_failure: Callable[[], bool] | None = None  # whether the stream tells of one
        self.whole: bytes | None = None
        self.flow: Broadcast | None = None
        self.reader: Reader | None = None

    def flight_key(self, x: Exchange) -> bytes:
        """Requests in flight are one only in one form."""
        return self.key + bytes((x.stream, self.wants_usage))

    def take(self, x: Exchange, answer: Answer, limit: int) -> None:
        """The answer that may be kept: all of it, or a stream that is seen as it passes."""
        self.head, self.told_failure = Whole(answer, x.attempts), answer.told_failure
        if answer.body is not None:
            self.whole = answer.body if len(answer.body) <= limit else None
        elif answer.chunks is not None:
            mark = end_mark(x.endpoint.ends)
            flow = Broadcast(x, self.head, answer.chunks, answer.close, limit, mark=mark, over=self._over)
            self.flow, self.reader = flow, flow.reader()
            answer.chunks, answer.close = self.reader, lambda: self._left(answer)

    def _left(self, answer: Answer) -> None:
        """The caller reads no more. Where others do, the attempt is none of the caller's from now on."""
        flow, reader = self.flow, self.reader
        assert flow is not None
        assert reader is not None
        reader.close()
        if flow.outlive():
            self.is_left = True
            answer.attempt = None

    def _over(self) -> None:
        """The stream has ended, or was broken off, whoever still reads it."""
        if self.is_left and self.flight is not None:
            self.flight.land()

    def body(self) -> bytes | None:
        """All of the answer; None where it broke off, or was too long."""
        if self.flow is None:
            return self.whole
        return None if self.told_failure is not None and self.told_failure() else self.flow.whole

    def entry(self, x: Exchange, body: bytes, now: float, ttl: float) -> Entry:
        """The answer as it is kept."""
        head = self.head
        assert head is not None
        is_sse = self.flow is not None
        name, created, version = signature_of(body, is_sse=is_sse)
        cost, input_tokens, output_tokens = Saved.of(x.attempts)
        return Entry(
            stored=now,
            ttl=ttl,
            content_type=dict(head.headers).get(b"content-type", b""),
            body=body,
            is_sse=is_sse,
            id=name,
            created=created,
            target=head.target,
            model=x.model,
            cost=cost,
            seconds=time.monotonic() - self.began,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            tells_usage=is_sse and tells_usage(body),
            dropped=head.dropped,
            marks=self.moment,
            version=version,
        )
