"""Where the answers of one route are kept: in this process, or in a store that replicas share.

A store that does not answer in time is no reason for anybody to wait: it is left alone for a moment, and told of.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from proxy.background import Background
from proxy.caching.entry import COMPRESS_FROM, Damaged, Entry, seal, unseal
from proxy.caching.flight import Flights
from proxy.caching.memory import Memory
from proxy.caching.stats import Stats
from proxy.caching.tags import shared_tag, version_tags

T = TypeVar("T")
NAME = "cache"  # under which what replicas share is known
Moment = tuple[int, ...]


class StoreFailed(Exception):
    """The shared store cannot be used now. The text is for operators."""


class SharedStore(Protocol):
    """Entries that several processes see. Every method raises ``StoreFailed`` where it cannot be done in time."""

    async def find(self, key: bytes, tags: Sequence[str]) -> tuple[bytes | None, Moment]:
        """What is kept under ``key``, and how often each of ``tags`` was invalidated so far."""

    async def keep(self, key: bytes, data: bytes, lifetime: float) -> None:
        """Keep ``data`` for ``lifetime`` seconds."""

    async def invalidate(self, tag: str) -> None:
        """What has this tag is not given any more."""

    async def discard(self, key: bytes) -> None:
        """Forget one."""


class SharedQuestions(Protocol):
    """Questions with their vectors that several processes see, some at one place; and what was given for them. Raises
    as ``SharedStore`` does."""

    async def look(self, place: bytes, tags: Sequence[str]) -> tuple[list[tuple[bytes, bytes]], Moment]:
        """All that lies at ``place`` with its names, and how often each of ``tags`` was invalidated so far."""

    async def keep(self, place: bytes, name: bytes, data: bytes, lifetime: float) -> None:
        """Keep ``data`` for ``lifetime`` seconds, in place of what was there under ``name``; the oldest makes room."""

    async def forget(self, place: bytes, name: bytes) -> None:
        """Forget one."""

    async def note(self, request_id: str, hit: Given, lifetime: float) -> None:
        """Remember for ``lifetime`` seconds what was given."""

    async def judge(self, request_id: str, scope: str, *, is_wrong: bool) -> tuple[str, float] | None:
        """See ``proxy.semantic.served``: route and likeness of what was given; what is wrong is forgotten."""


class Given(NamedTuple):
    """An answer that was given again. ``place``: of its question, ``name``: by which others see it there; ``key``: of
    the answer."""

    route: str
    scope: str
    similarity: float
    place: bytes
    name: bytes
    key: bytes


class Found(NamedTuple):
    """What a look-up came to. ``moment``: of the look, for whoever keeps an answer that was asked for after it."""

    entry: Entry | None
    moment: Moment


class Caches:
    """Of one process. ``shared``, ``questions``: set before they are used, None where replicas share nothing."""

    def __init__(self) -> None:
        self.shared: SharedStore | None = None
        self.questions: SharedQuestions | None = None

    async def aclose(self) -> None:
        """Let go of the store."""
        close = getattr(self.shared, "aclose", None)
        if close is not None:
            await close()


class Room:
    """Of one route; outlives reloads. ``told`` hears of damaged entries (``damaged``) and of a store that fails
    (``store``), with a reason."""

    def __init__(
        self,
        route: str,
        caches: Caches,
        memory: Memory,
        told: Callable[[str, str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.route = route
        self.memory = memory
        self.stats = Stats()
        self.flights: Flights[Entry | object] = Flights()
        self.refreshing: set[bytes] = set()
        self.background = Background()
        self._caches = caches
        self._told = told
        self._now = now

    @property
    def is_local(self) -> bool:
        """Whether only this process looks here."""
        return self._caches.shared is None

    def look(self, key: bytes) -> Found:
        """In this process."""
        found = self.memory.find(key)
        if isinstance(found, bytes):
            entry = self._opened(key, found)
            if entry is None:
                self.memory.discard(key)
            found = entry
        return Found(found, (self.memory.moment,))

    async def find(self, key: bytes, tags: Sequence[str], *, otherwise_here: bool = False) -> Found:
        """Where replicas share what they have; here where they do not, or cannot now and ``otherwise_here``."""
        shared = self._caches.shared
        if shared is None:
            return self.look(key)
        try:
            data, moment = await shared.find(key, tags)
        except StoreFailed as error:
            self._told("store", str(error))
            return self.look(key) if otherwise_here else Found(None, ())
        entry = None if data is None else self._opened(key, data)
        if entry is not None and entry.marks != moment:
            entry = None
        return Found(entry, moment)

    async def keep(self, key: bytes, entry: Entry, tags: Sequence[str], lifetime: float) -> bool:
        """Keep ``entry``, whose ``marks`` are the moment of the look before it was asked for; whether it is kept."""
        shared = self._caches.shared
        if shared is None or len(entry.marks) == 1:
            return self.keep_here(key, entry, tags, lifetime)
        if not entry.marks:  # the store could not be asked
            return False
        try:
            await shared.keep(key, seal(key, entry), lifetime)
        except StoreFailed as error:
            self._told("store", str(error))
            return False
        return True

    def keep_here(self, key: bytes, entry: Entry, tags: Sequence[str], lifetime: float) -> bool:
        """The same in this process."""
        is_long = len(entry.body) >= COMPRESS_FROM
        named = (*tags, *version_tags(entry.version))
        return self.memory.keep(key, seal(key, entry) if is_long else entry, named, entry.marks[0], lifetime)

    async def invalidate(self, tag: str) -> int:
        """Forget all that has this tag; how many there were in this process.

        Raises:
            StoreFailed: replicas may still have some.
        """
        count = self.memory.invalidate(tag)
        if self._caches.shared is not None:
            await self._caches.shared.invalidate(shared_tag(tag))
        return count

    async def of_questions(self, work: Callable[[SharedQuestions], Awaitable[T]]) -> T | None:
        """What ``work`` finds out of questions that replicas share; None where it cannot be done now."""
        questions = self._caches.questions
        try:
            return None if questions is None else await work(questions)
        except StoreFailed as error:
            self._told("store", str(error))
            return None

    def damaged(self, reason: str) -> None:
        """Something was found that is not used, for ``reason``."""
        self._told("damaged", reason)

    def _opened(self, key: bytes, data: bytes) -> Entry | None:
        try:
            return unseal(key, data)
        except Damaged as damage:
            self.damaged(str(damage))
            return None

    async def aclose(self) -> None:
        """End what goes on beside requests."""
        await self.background.aclose()
