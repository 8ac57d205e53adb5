"""Whether an answer is kept, and for how long: looked into when its caller has it."""

from __future__ import annotations

from policies.caching._asked import Asked
from proxy.caching.entry import Entry
from proxy.caching.legacy import flaw_of_text
from proxy.caching.room import Room
from proxy.caching.rules import TEXT_COMPLETION, Rules
from proxy.caching.tags import tags_of
from proxy.exchange import Exchange
from proxy.kept import aside
from proxy.policy import CompileContext
from proxy.reports import Reports

_QUICK = 16 << 10  # bytes that are read and packed at once
_OBJECT = b"{"


class Saving:
    """``stale``: seconds for which an entry is of use when it is not fresh any more. ``template``: see ``tags_of``."""

    __slots__ = ("_context", "_reports", "_room", "_rules", "_stale", "_template")

    def __init__(
        self, room: Room, context: CompileContext, rules: Rules, reports: Reports, stale: float, template: str
    ) -> None:
        self._room = room
        self._context = context
        self._rules = rules
        self._reports = reports
        self._stale = stale
        self._template = template

    def save(self, x: Exchange, asked: Asked) -> None:
        """The exchange has ended. What takes longer is done in the background, and nobody else asks meanwhile."""
        body = asked.body()
        if body is None:
            self._end(x, asked, "broken off or too long")
            return
        reason = why_not(x, asked)
        if reason is not None:
            self._end(x, asked, reason)
        elif self._room.is_local and len(body) <= _QUICK:
            reason = flaw_of(x, body, self._rules, self._context, is_sse=asked.flow is not None)
            if reason is None:
                entry = self._entry(x, asked, body)
                tags = tags_of(x, asked.key, self._template)
                if not self._room.keep_here(asked.key, entry, tags, entry.ttl + self._stale):
                    reason = "no room, or forgotten meanwhile"
            self._end(x, asked, reason)
        elif not self._room.background.start(self._later(x, asked, body), "keep an answer"):
            self._end(x, asked, "too much is being kept")

    async def _later(self, x: Exchange, asked: Asked, body: bytes) -> None:
        reason: str | None = "failed"
        try:
            reason = await aside(flaw_of, x, body, self._rules, self._context, is_sse=asked.flow is not None)
            if reason is None:
                entry = self._entry(x, asked, body)
                tags = tags_of(x, asked.key, self._template)
                if not await self._room.keep(asked.key, entry, tags, entry.ttl + self._stale):
                    reason = "no room, or the store failed"
        finally:
            self._end(x, asked, reason)

    def _entry(self, x: Exchange, asked: Asked, body: bytes) -> Entry:
        most = asked.control.max_age
        assert asked.ttl is not None
        ttl = asked.ttl if most is None else min(asked.ttl, most)
        return asked.entry(x, body, self._context.now(), ttl)

    def _end(self, x: Exchange, asked: Asked, reason: str | None) -> None:
        if asked.leads and asked.flight is not None:
            asked.flight.land()
        result = "stored" if reason is None else "refused"
        self._room.stats.kept[result if reason is None else reason[:60]] += 1
        if reason is not None and "cache" in x.notes:
            x.notes["cache"] += f", not kept: {reason}"
        self._reports.tell("cache.kept", route=x.route, result=result)


def why_not(x: Exchange, asked: Asked) -> str | None:
    """Why it is not kept, by what is known of the exchange."""
    if asked.control.no_store:
        return "the caller said no-store"
    if x.unkept:
        return x.unkept
    for verdict in x.verdicts:
        if verdict.outcome != "clean":
            return f"a guard says: {verdict.outcome}"
    if "replaced_by" in x.notes:
        return f"`{x.notes['replaced_by']}` has put another in its place"
    if x.degraded:
        return "not the first choice has answered"
    if x.attempts[-1].outcome == "error":
        return "it failed"
    return None


def flaw_of(x: Exchange, body: bytes, rules: Rules, context: CompileContext, *, is_sse: bool) -> str | None:
    """The same by what is in the answer."""
    if x.endpoint.dialect == "openai_chat":
        return rules.of_chat_stream(body) if is_sse else rules.of_chat(body)
    if x.endpoint.operation == TEXT_COMPLETION:
        return flaw_of_text(body, is_sse=is_sse)
    if x.endpoint.dialect is None:
        return None if body.lstrip().startswith(_OBJECT) else "no JSON object"
    completion = context.completion(x, body, is_sse=is_sse)
    return "it cannot be read" if completion is None else rules.of_answer(completion)
