"""A kept answer in the place of a target: it flows like any other, so that filters, limits and receipts see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Self

from policies.caching._asked import Whole
from proxy.caching.broadcast import Reader
from proxy.caching.entry import Entry
from proxy.caching.replay import AtOnce, Paced, Renewed, body_of, identity_of, new_id, renewed
from proxy.caching.savings import Kind, Saved, Savings
from proxy.caching.stats import Stats
from proxy.chat import Usage
from proxy.choosing.capability import Reach
from proxy.choosing.health import Health
from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, CompileContext, Target
from proxy.reports import Reports

HEADER = b"x-sluicegate-cache"
OK = 200
Pace = Literal["at_once", "paced"]


class Kept(Target):
    """Stands where nobody needs to be asked."""

    __slots__ = ()

    def explain(self, x: Exchange) -> Choice:
        """It answers."""
        return Choice("cache", True, "answers from the cache")

    def leaves(self) -> tuple[str, ...]:
        """None."""
        return ()

    def healths(self) -> tuple[Health, ...]:
        """None."""
        return ()

    def reaches(self) -> frozenset[Reach]:
        """Whatever was asked."""
        return frozenset({Reach()})


class Replayed(Kept):
    """``entry``, as the answer to whoever asks, streamed or not as they ask. ``wants_usage``: a stream tells its
    usage. ``savings`` hears of it, as of a hit of this ``kind``."""

    __slots__ = ("_context", "_entry", "_kind", "_pace", "_savings", "_wants_usage")

    def __init__(
        self,
        entry: Entry,
        context: CompileContext,
        savings: Savings,
        pace: Pace = "at_once",
        *,
        wants_usage: bool = False,
        kind: Kind = "exact",
    ) -> None:
        self._entry = entry
        self._savings = savings
        self._kind = kind
        self._context = context
        self._pace = pace
        self._wants_usage = wants_usage

    async def send(self, x: Exchange) -> Answer:
        """At no cost."""
        return self.answer(x)

    def answer(self, x: Exchange) -> Answer:
        """The same, now."""
        entry = self._entry
        body = self._body(x)
        headers: list[Header] = [(b"content-type", entry.content_type)]
        if body is None:
            body, headers = self._translated(x)
        answer = Answer(OK, headers, is_sse=x.stream, target=entry.target)
        answer.dropped = entry.dropped
        saved = Saved(entry.cost, entry.input_tokens, entry.output_tokens)
        self._savings.saved(x, self._kind, entry.target, saved)
        if not x.stream:
            answer.body = body
        else:
            answer.chunks = AtOnce(body) if self._pace == "at_once" else Paced(body, entry.seconds)
        return answer

    def _body(self, x: Exchange) -> bytes | None:
        """As it was kept; None where the caller wants another form."""
        entry = self._entry
        if entry.is_sse != x.stream:
            return None
        if x.stream and x.endpoint.dialect == "openai_chat" and entry.tells_usage != self._wants_usage:
            return None
        return body_of(x, entry, self._context.now())

    def _translated(self, x: Exchange) -> tuple[bytes, list[Header]]:
        entry = self._entry
        completion = self._context.completion(x, entry.body, is_sse=entry.is_sse)
        assert completion is not None  # it was read when it was kept
        completion.id = new_id(x, entry.id) if entry.id else ""
        completion.created = 0
        if completion.usage is None:
            completion.usage = Usage(input=entry.input_tokens, output=entry.output_tokens)
        reply = self._context.reply(x, completion, stream=x.stream)
        assert reply is not None
        return reply.body, list(reply.headers)


class Followed(Kept):
    """What another request, equal and in flight, has got: all of it, or its stream from the beginning."""

    __slots__ = ("_context", "_head", "_reader", "_savings")

    def __init__(self, head: Whole, reader: Reader | None, context: CompileContext, savings: Savings) -> None:
        self._head = head
        self._savings = savings
        self._reader = reader
        self._context = context

    async def send(self, x: Exchange) -> Answer:
        """Also if it is a failure."""
        head, reader, now = self._head, self._reader, self._context.now()
        answer = Answer(head.status, list(head.headers), is_sse=reader is not None, code=head.code, target=head.target)
        answer.dropped = head.dropped
        if reader is not None:
            answer.chunks, answer.close = _Counted(Renewed(x, reader, now), x, head, self._savings), reader.close
        elif head.status == OK:
            answer.body = renewed(x, head.body, *identity_of(head.body, is_sse=False), now)
            self._savings.saved(x, "shared", head.target, Saved.of(head.attempts))
        else:
            answer.body = head.body
        return answer


class Followers:
    """``savings`` for who follows another request: what that has cost is known late, so it is counted here."""

    __slots__ = ("_reports", "_savings", "_stats")

    def __init__(self, savings: Savings, stats: Stats, reports: Reports) -> None:
        self._savings = savings
        self._stats = stats
        self._reports = reports

    def saved(self, x: Exchange, kind: Kind, target: str, saved: Saved) -> None:
        """See ``Savings``."""
        self._stats.saved_cost += saved.cost
        self._stats.saved_tokens += saved.input + saved.output
        self._reports.tell("cache.saved", route=x.route, saved=saved.cost)
        self._savings.saved(x, kind, target, saved)


class _Counted:
    """The stream of a request in flight. What it has cost is known when it has ended; who leaves before has saved what
    nobody can tell."""

    __slots__ = ("_chunks", "_head", "_is_told", "_savings", "_x")

    def __init__(self, chunks: AsyncIterator[bytes], x: Exchange, head: Whole, savings: Savings) -> None:
        self._chunks = chunks
        self._x = x
        self._head = head
        self._savings = savings
        self._is_told = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            if not self._is_told:
                self._is_told = True
                self._savings.saved(self._x, "shared", self._head.target, Saved.of(self._head.attempts))
            raise
