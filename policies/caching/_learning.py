"""What becomes of an answer: it is kept for questions that mean the same, and in shadow mode compared first."""

from __future__ import annotations

import time

from policies.caching._alike import Alike
from policies.caching._saving import flaw_of, why_not
from proxy.caching.entry import Entry
from proxy.caching.room import Room
from proxy.caching.rules import Rules
from proxy.exchange import Exchange
from proxy.kept import aside
from proxy.policy import CompileContext
from proxy.semantic.embedder import Embedder
from proxy.semantic.judging import is_equal, is_same, text_of
from proxy.semantic.memory import Kept
from proxy.semantic.shelf import Shelf

_PATIENCE = 60.0  # seconds for the vectors of what nobody waits for


class Learning:
    """Works when the caller has its answer."""

    __slots__ = ("_context", "_embedder", "_room", "_rules", "_shelf", "_ttl")

    def __init__(
        self, context: CompileContext, embedder: Embedder, shelf: Shelf, room: Room, rules: Rules, ttl: float
    ) -> None:
        self._context = context
        self._embedder = embedder
        self._shelf = shelf
        self._room = room
        self._rules = rules
        self._ttl = ttl

    def begin(self, x: Exchange, alike: Alike) -> None:
        """In the background, if there is room for that."""
        body = alike.asked.body()
        if body is None or why_not(x, alike.asked) is not None:
            return
        entry = self._entry(x, alike, body)
        twin = x.beside()
        twin.deadline = time.monotonic() + _PATIENCE
        self._room.background.start(self._learn(twin, alike, entry), "learn an answer")

    def _entry(self, x: Exchange, alike: Alike, body: bytes) -> Entry:
        most = alike.asked.control.max_age
        ttl = self._ttl if most is None else min(self._ttl, most)
        return alike.asked.entry(x, body, self._context.now(), ttl)

    async def _learn(self, x: Exchange, alike: Alike, entry: Entry) -> None:
        flaw = await aside(flaw_of, x, entry.body, self._rules, self._context, is_sse=entry.is_sse)
        if flaw is not None:
            return
        if alike.would is not None:
            await self._compare(x, alike, alike.would, entry)
        vector = alike.vector or await self._embedder.embed(x, alike.question.text)
        key, tags = alike.asked.key, alike.tags
        if vector is not None and await self._room.keep(key, entry, tags, entry.ttl):
            kept = Kept(key, alike.partition, alike.question, vector, entry.stored + entry.ttl, tags)
            await self._shelf.add(kept, entry.marks, entry.ttl)

    async def _compare(self, x: Exchange, alike: Alike, would: Entry, entry: Entry) -> None:
        """What would have been served with what was."""
        one, other = [await aside(self._text, x, found) for found in (would, entry)]
        is_right = is_same(one, other, None)
        if is_right is None and not is_equal(one, other):
            vectors = [await self._embedder.embed(x, text) for text in (one, other)]
            first, second = vectors
            if first is not None and second is not None and len(first) == len(second):
                is_right = is_same(one, other, (first, second))
        self.sample(x, None if alike.near is None else alike.near.similarity, is_right)

    def _text(self, x: Exchange, entry: Entry) -> str:
        completion = self._context.completion(x, entry.body, is_sse=entry.is_sse)
        return "" if completion is None else text_of(completion)

    def sample(self, x: Exchange, similarity: float | None, is_right: bool | None) -> None:
        """For the curve of `sluicegate cache tune`."""
        self._context.tell(
            "cache_semantic.sample",
            route=x.route,
            request_id=x.request_id,
            source="shadow",
            similarity=similarity,
            is_right=is_right,
        )
