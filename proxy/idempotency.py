"""One effect for one idempotency key: who came first with it, and the answer that others get.

A key belongs to its first comer, whose claim is in the store before anything is sent to a provider. What ends well is
kept for those who come again; what fails is forgotten. Where it is not known how the first comer ended, as its process
is gone, nobody may try again under this key: that could be a second charge.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, Literal, Protocol, TypeVar

import msgspec

T = TypeVar("T")
State = Literal["started", "kept", "too_large", "unknown"]
NAME = "idempotency"  # under which it is shared
POLL = 0.2  # seconds after which it is looked again what has become of another process's request
_MAX_IN_MEMORY = 10_000
_LAST = 5.0  # seconds in which what is still to be written has to be


class Unavailable(Exception):
    """The store cannot be used now. The text is for operators."""


class Replay(msgspec.Struct, frozen=True):
    """An answer as it was handed over."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Found(msgspec.Struct, frozen=True):
    """What the store knows of a key. ``owner`` is the claim of the first comer; ``unknown``: its process is gone."""

    state: State
    fingerprint: bytes
    owner: str
    replay: Replay | None = None


class Store(Protocol):
    """Where claims and answers are kept. Every method raises ``Unavailable`` where it cannot be done.

    An owner is ``<process>-<number>``: a store tells by the process whether it still lives.
    """

    boot: str  # of this process

    async def claim(self, key: bytes, fingerprint: bytes, owner: str, lifetime: float) -> Found | None:
        """Make ``key`` the owner's, atomically; None if it is now, else what was there."""

    async def look(self, key: bytes) -> Found | None:
        """What is there; None if the key is free."""

    async def keep(self, key: bytes, owner: str, found: Found, lifetime: float) -> None:
        """In the place of the owner's claim, for ``lifetime`` seconds."""

    async def release(self, key: bytes, owner: str) -> None:
        """The key is free, if it is still the owner's and nothing is kept."""

    async def aclose(self) -> None:
        """Let go of it."""


class MemoryStore:
    """Of this process alone, and as long as it lives: for `check`, `explain` and tests."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.boot = os.urandom(6).hex()
        self._now = now
        self._entries: dict[bytes, tuple[Found, float]] = {}

    async def claim(self, key: bytes, fingerprint: bytes, owner: str, lifetime: float) -> Found | None:
        """Nothing else runs meanwhile."""
        found = await self.look(key)
        if found is not None:
            return found
        if len(self._entries) >= _MAX_IN_MEMORY:
            now = self._now()
            self._entries = {name: entry for name, entry in self._entries.items() if entry[1] > now}
            if len(self._entries) >= _MAX_IN_MEMORY:
                raise Unavailable("the memory for idempotency keys is full")
        self._entries[key] = Found("started", fingerprint, owner), self._now() + lifetime
        return None

    async def look(self, key: bytes) -> Found | None:
        """What is there."""
        found, until = self._entries.get(key, (None, 0.0))
        return found if until > self._now() else None

    async def keep(self, key: bytes, owner: str, found: Found, lifetime: float) -> None:
        """In the place of the claim."""
        known = self._entries.get(key)
        if known is not None and known[0].owner == owner:
            self._entries[key] = found, self._now() + lifetime

    async def release(self, key: bytes, owner: str) -> None:
        """Free again."""
        known = self._entries.get(key)
        if known is not None and known[0].owner == owner and known[0].state == "started":
            del self._entries[key]

    async def aclose(self) -> None:
        """Nothing is held."""


class Claim:
    """The right to send the one request of a key. It ends with ``keep`` or with ``release``, whichever comes first.
    What is kept may be put right by another ``keep``."""

    __slots__ = ("_fingerprint", "_key", "_lifetime", "_of", "is_over", "owner")

    def __init__(self, of: Idempotency, key: bytes, fingerprint: bytes, owner: str, lifetime: float) -> None:
        self._of = of
        self._key = key
        self._fingerprint = fingerprint
        self._lifetime = lifetime
        self.owner = owner
        self.is_over = False

    async def keep(self, replay: Replay | None) -> None:
        """This is the answer; None: it is too large to be kept. Goes on where the caller is cancelled.

        Raises:
            Unavailable: it is not kept, and nobody will know how the request ended.
        """
        self.is_over = True
        state: State = "too_large" if replay is None else "kept"
        found = Found(state, self._fingerprint, self.owner, replay)
        store = self._of.store
        await self._of.finish(self.owner, store.keep(self._key, self.owner, found, self._lifetime))

    def release(self) -> None:
        """Nothing is kept: the key is free as soon as the store knows."""
        if not self.is_over:
            self.is_over = True
            self._of.free(self._key, self.owner)


class Idempotency:
    """Hands out claims, and lets who comes second wait for who came first. ``store`` may be set before it is used."""

    def __init__(self, store: Store | None = None) -> None:
        self.store: Store = store or MemoryStore()
        self._flights: dict[str, asyncio.Event] = {}  # by owner: claims of this process that are not over
        self._numbers = count(1)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def begin(self, key: bytes, fingerprint: bytes, lifetime: float, wait: float) -> Claim | Found:
        """A claim; or what is known of the key after waiting for its owner, ``wait`` seconds at most: it is
        ``started`` still, or was meant for something else (``fingerprint``), or is over.

        Raises:
            Unavailable: the store cannot be asked. Nothing may be sent.
        """
        until = time.monotonic() + wait
        while True:
            owner = f"{self.store.boot}-{next(self._numbers)}"
            self._flights[owner] = asyncio.Event()
            found = await self._claim(key, fingerprint, owner, lifetime)
            if found is None:
                return Claim(self, key, fingerprint, owner, lifetime)
            settled = await self._settled(key, found, fingerprint, until)
            if settled is not None:
                return settled

    async def _claim(self, key: bytes, fingerprint: bytes, owner: str, lifetime: float) -> Found | None:
        """Ask for it. If nobody waits for the outcome any more, or it is not known, the claim is taken back."""
        asked = self._start(self.store.claim(key, fingerprint, owner, lifetime))
        try:
            found = await asyncio.shield(asked)
        except BaseException:
            self._start(self._take_back(asked, key, owner))
            raise
        if found is not None:
            self._over(owner)
        return found

    async def _take_back(self, asked: asyncio.Task[Found | None], key: bytes, owner: str) -> None:
        await asyncio.wait([asked])
        self.free(key, owner)

    async def _settled(self, key: bytes, found: Found | None, fingerprint: bytes, until: float) -> Found | None:
        """What becomes of a request that has started; None if its key is free again."""
        while found is not None and found.state == "started" and found.fingerprint == fingerprint:
            left = until - time.monotonic()
            if left <= 0:
                return found
            flight = self._flights.get(found.owner)
            if flight is not None:
                try:
                    async with asyncio.timeout(left):
                        await flight.wait()
                except TimeoutError:
                    return found
            elif found.owner.startswith(f"{self.store.boot}-"):
                again = await self.store.look(key)  # it may have ended since
                if again == found:
                    return msgspec.structs.replace(found, state="unknown")
                found = again
                continue
            else:
                await asyncio.sleep(min(POLL, left))
            found = await self.store.look(key)
        return found

    # The end of a claim

    async def finish(self, owner: str, work: Coroutine[Any, Any, None]) -> None:
        """Do the last of a claim, whoever waits for it."""

        async def last() -> None:
            try:
                await work
            finally:
                self._over(owner)

        await asyncio.shield(self._start(last()))

    def free(self, key: bytes, owner: str) -> None:
        """Give a key back, in the background."""
        self._start(self.finish(owner, self.store.release(key, owner)))

    def _over(self, owner: str) -> None:
        flight = self._flights.pop(owner, None)
        if flight is not None:
            flight.set()

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name="idempotency")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # was told to who waited; a key that could not be freed stays taken

    async def aclose(self) -> None:
        """Write what is still to be written, and close the store."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST)
        await self.store.aclose()
