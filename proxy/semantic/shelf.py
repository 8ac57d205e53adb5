"""Where the questions of one route lie: in this process, or in the store that replicas share.

A store that does not answer in time is a miss, or what this process knows by itself, as its owner wants it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from proxy.caching.entry import Damaged, Entry
from proxy.caching.room import Given, Moment, Room
from proxy.semantic.guard import Question
from proxy.semantic.memory import Found, Kept, Memory, Vector, nearest
from proxy.semantic.record import name_of, place_of, seal, unseal
from proxy.semantic.served import Hit, Served

_JUDGED_FOR = 3600.0  # seconds for which all replicas know what was given, or as long as it may be given


class Looked(NamedTuple):
    """What says the same as a question. ``shared``: that of the store, None for what this process has; ``moment``: of
    the look, for whoever keeps an answer that is asked for after it, () where the store could not be asked."""

    is_any: bool
    shared: tuple[Kept, ...] | None
    moment: Moment


class Shelf:
    """``room``: that of the answers. ``model``: tells who makes the vectors. ``otherwise_here``: whether this process
    remembers by itself while the store cannot be asked."""

    __slots__ = ("_memory", "_model", "_now", "_otherwise_here", "_room", "_served")

    def __init__(
        self,
        room: Room,
        memory: Memory,
        served: Served,
        model: bytes,
        *,
        otherwise_here: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._room = room
        self._memory = memory
        self._served = served
        served.is_used = True
        self._model = model
        self._otherwise_here = otherwise_here
        self._now = now

    async def look(self, partition: bytes, question: Question, tags: Sequence[str]) -> Looked:
        """One round trip to the store. ``tags``: of the answer that would be kept."""
        if self._room.is_local:
            return self._look_here(partition, question)
        place = place_of(partition, question)
        found = await self._room.of_questions(lambda store: store.look(place, tags))
        if found is None:
            return self._look_here(partition, question) if self._otherwise_here else Looked(False, None, ())
        now, alike = self._now(), []
        for name, data in found[0]:
            kept = await self._opened(place, name, data, partition, question)
            if kept is not None and kept.until > now:
                alike.append(kept)
        return Looked(bool(alike), tuple(alike), found[1])

    def nearest(self, looked: Looked, partition: bytes, question: Question, vector: Vector) -> Found | None:
        """Of what was found; None if nothing is near at all."""
        if looked.shared is None:
            return self._memory.find(partition, question, vector)
        if any(len(kept.vector) != len(vector) for kept in looked.shared):
            self._room.damaged("model")
        return nearest(looked.shared, vector)

    async def add(self, kept: Kept, moment: Moment, lifetime: float) -> None:
        """Keep it, for ``lifetime`` seconds, where its answer is: see ``Room.keep``."""
        if self._is_here(moment):
            self._memory.add(kept)
            return
        place = place_of(kept.partition, kept.question)
        data = seal(place, self._model, kept)
        await self._room.of_questions(lambda store: store.keep(place, self._name(kept), data, lifetime))

    async def answer(self, kept: Kept, moment: Moment) -> Entry | None:
        """What is kept for it. Where there is nothing any more, the question is forgotten too."""
        found = self._room.look(kept.key) if self._is_here(moment) else await self._room.find(kept.key, kept.tags)
        if found.entry is None and found.moment:
            await self._forget(kept, moment)
        return found.entry

    async def given(self, request_id: str, near: Found, moment: Moment, route: str, scope: str) -> None:
        """Its answer was given again; somebody may say that it was wrong."""
        kept = near.kept
        if self._is_here(moment):
            self._served.add(request_id, Hit(route, scope, kept.key, near.similarity, self._memory))
            return
        hit = Given(route, scope, near.similarity, place_of(kept.partition, kept.question), self._name(kept), kept.key)
        lifetime = max(_JUDGED_FOR, kept.until - self._now())
        await self._room.of_questions(lambda store: store.note(request_id, hit, lifetime))

    async def _forget(self, kept: Kept, moment: Moment) -> None:
        if self._is_here(moment):
            self._memory.evict(kept.key)
            return
        place = place_of(kept.partition, kept.question)
        await self._room.of_questions(lambda store: store.forget(place, self._name(kept)))

    def _look_here(self, partition: bytes, question: Question) -> Looked:
        return Looked(self._memory.has(partition, question), None, (self._room.memory.moment,))

    def _is_here(self, moment: Moment) -> bool:
        """Whether what was found at that moment was found in this process."""
        return len(moment) == 1

    def _name(self, kept: Kept) -> bytes:
        return name_of(self._model, kept.key)

    async def _opened(
        self, place: bytes, name: bytes, data: bytes, partition: bytes, question: Question
    ) -> Kept | None:
        """What others made, of another version or with another model, is theirs; what is of use to nobody goes."""
        try:
            return unseal(place, self._model, data, partition, question)
        except Damaged as damage:
            reason = str(damage)
            self._room.damaged(reason)
            if reason not in ("version", "model"):
                await self._room.of_questions(lambda store: store.forget(place, name))
            return None
