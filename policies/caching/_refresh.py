"""A stale answer is given at once, and asked for anew behind its back."""

from __future__ import annotations

import time
from itertools import count

from policies.caching._asked import Asked
from policies.caching._replay import OK, Replayed
from policies.caching._saving import Saving
from proxy.caching.room import Room
from proxy.choosing.capability import Reach
from proxy.choosing.health import Health
from proxy.errors import GatewayError
from proxy.exchange import Exchange
from proxy.kept import within
from proxy.policy import Answer, Choice, CompileContext, Target


class Refresh:
    """Asks the route's own target, once at a time for one key."""

    __slots__ = ("_context", "_limit", "_room", "_saving")

    def __init__(self, room: Room, context: CompileContext, saving: Saving, limit: int) -> None:
        self._room = room
        self._context = context
        self._saving = saving
        self._limit = limit

    def behind(self, replayed: Replayed, asked: Asked) -> Target:
        """``replayed``, which begins it when it is sent: then the request is as it would have been sent."""
        return _Refreshing(replayed, asked, self)

    def begin(self, x: Exchange, asked: Asked) -> None:
        """Unless it is going on already."""
        refreshing = self._room.refreshing
        if asked.key in refreshing or asked.control.no_store:
            return
        refreshing.add(asked.key)
        if not self._room.background.start(self._run(x.beside(), asked), "refresh an answer"):
            refreshing.discard(asked.key)

    async def _run(self, x: Exchange, asked: Asked) -> None:
        """The whole life of it, with a time and attempts of its own."""
        patience = self._context.timeouts.total
        x.request_id += "-refresh"
        x.deadline, x.numbers = time.monotonic() + patience, count(1)
        x.trial, x.line, x.jobs, x.detour, x.reply_headers, x.state = False, None, None, None, [], list(x.state)
        anew = Asked(asked.key, asked.control, wants_usage=asked.wants_usage, ttl=asked.ttl)
        anew.moment = asked.moment
        failed: str | None = "upstream_timeout"
        try:
            await within(patience, self._ask(x, anew))
            failed = None
        except TimeoutError:
            x.notes["cache"] = "refresh: too late"
        except GatewayError as error:
            failed = error.error_code
        finally:
            self._room.refreshing.discard(asked.key)
            for attempt in x.attempts:
                if attempt.ends is not None:
                    attempt.end(*((None, None) if failed is None else ("error", failed)))
        if failed is None and anew.head is not None:
            self._saving.save(x, anew)

    async def _ask(self, x: Exchange, anew: Asked) -> None:
        answer: Answer = await self._context.root().send(x)
        try:
            if answer.status == OK and (answer.body is not None or answer.is_sse):
                anew.take(x, answer, self._limit)
                if answer.chunks is not None:
                    async for _ in answer.chunks:
                        pass
        finally:
            if answer.close is not None:
                answer.close()


class _Refreshing(Target):
    """See ``Refresh.behind``."""

    __slots__ = ("_asked", "_inner", "_refresh")

    def __init__(self, inner: Replayed, asked: Asked, refresh: Refresh) -> None:
        self._inner = inner
        self._asked = asked
        self._refresh = refresh

    async def send(self, x: Exchange) -> Answer:
        """The stale answer."""
        self._refresh.begin(x, self._asked)
        return await self._inner.send(x)

    def explain(self, x: Exchange) -> Choice:
        """It answers."""
        return self._inner.explain(x)

    def leaves(self) -> tuple[str, ...]:
        """None."""
        return ()

    def healths(self) -> tuple[Health, ...]:
        """None."""
        return ()

    def reaches(self) -> frozenset[Reach]:
        """Whatever was asked."""
        return self._inner.reaches()
