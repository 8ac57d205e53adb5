"""The issued keys in the memory of a gateway, as the file has them: what another process changes is seen at once.

Whoever calls is known without the disk. Each change of a key adds to the audit, so the number of its newest row tells
whether anything has changed; it is asked for twice in a second, which costs a look into an index.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from proxy.jobs.writer import StoreBroken, Writer
from proxy.keys import audit, store
from proxy.keys.record import MICRO, IssuedKey

T = TypeVar("T")
_EVERY = 0.5  # seconds


class Beside(Protocol):
    """What else is kept in the file, and audited with the keys."""

    def read(self, db: sqlite3.Connection) -> Any:
        """All of it. In a thread, after something was audited."""

    def take(self, found: Any) -> None:
        """What was read is what counts. On the loop, or before there is one."""


class KeyService:
    """The keys in ``folder``. ``now``: seconds since the epoch. ``on_change`` is called on the loop after keys have
    changed, here or elsewhere. ``beside`` is read with them."""

    def __init__(
        self,
        folder: Path,
        *,
        now: Callable[[], float] = time.time,
        on_change: Callable[[], None] | None = None,
        every: float = _EVERY,
        beside: Beside | None = None,
    ) -> None:
        self._beside = beside
        self._file = folder / store.FILE
        self._writer = Writer(self._file, store.prepare)
        self._now = now
        self._on_change = on_change
        self._every = every
        self._keys: dict[bytes, IssuedKey] = {}
        self._names: dict[tuple[str, str, str], bytes] | None = None
        self._seen = 0  # the newest row of the audit that `_keys` know of
        self._refreshing = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None

    @property
    def problem(self) -> str:
        """What is wrong with the file, "" while nothing is. The keys that were known stay good meanwhile."""
        return self._writer.problem

    @property
    def keys(self) -> Mapping[bytes, IssuedKey]:
        """All that are not revoked, by the SHA-256 of their secrets; those that have expired among them."""
        return MappingProxyType(self._keys)

    def find(self, digest: bytes) -> IssuedKey | None:
        """The key whose secret has that SHA-256, if it is good now."""
        key = self._keys.get(digest)
        if key is None or (key.expires is not None and key.expires <= self._now() * MICRO):
            return None
        return key

    def micros(self) -> int:
        """Now, in microseconds since the epoch."""
        return int(self._now() * MICRO)

    def load(self) -> None:
        """Read the keys now, where there is no loop yet. What goes wrong is found again by ``start``."""
        with contextlib.suppress(sqlite3.Error, OSError):
            if self._file.exists():
                uri = f"{self._file.absolute().as_uri()}?mode=ro"
                with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
                    self._seen, _, found, others = self._changes(db)
                self._keys, self._names = {digest: key for digest, key in found if key.revoked is None}, None
                if self._beside is not None and others is not None:
                    self._beside.take(others)

    def named(self, organisation: str, team: str, name: str) -> bytes | None:
        """The SHA-256 of the key of that name. After a change it looks at all keys: not for the request path."""
        if self._names is None:
            self._names = {(key.organisation, key.team, key.name): digest for digest, key in self._keys.items()}
        return self._names.get((organisation, team, name))

    async def start(self) -> None:
        """Read the keys, and keep looking. A file that cannot be read now is told by ``problem``, and tried again."""
        await self._look()
        self._watch = asyncio.create_task(self._watching())

    async def aclose(self) -> None:
        """Stop looking, finish what was asked for, and close the file."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self._writer.aclose()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` finds in the file.

        Raises:
            StoreBroken: the file cannot be read.
        """
        return await self._writer.read(work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in one transaction; when this returns, it is on the disk and counts here.

        Raises:
            StoreBroken: the file cannot be written; nothing was done.
        """
        done = await self._writer.write(work)
        await self._look()
        return done

    async def _watching(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            await self._look()

    async def _look(self) -> None:
        """Take in what has changed in the file. One that nobody has made yet is not made by looking."""
        async with self._refreshing:
            try:
                if not self._seen and not self._file.exists():
                    return
                seen, is_all, found, others = await self._writer.read(self._changes)
            except (StoreBroken, OSError):
                return  # said by `problem`
            if seen == self._seen:
                return
            self._seen, self._names = seen, None
            has_changed = bool(found or (is_all and self._keys))
            if is_all:
                self._keys.clear()
            for digest, key in found:
                if key.revoked is None:
                    self._keys[digest] = key
                else:
                    self._keys.pop(digest, None)
            if self._beside is not None:
                self._beside.take(others)
            if self._on_change is not None and has_changed:
                self._on_change()

    def _changes(self, db: sqlite3.Connection) -> tuple[int, bool, list[tuple[bytes, IssuedKey]], Any]:
        """In the thread: the newest row, whether all keys follow, those that have changed, and what is kept beside
        them. A file with fewer rows than were seen is another one."""
        newest, _ = audit.head(db)
        if newest == self._seen:
            return newest, False, [], None
        since = self._seen if newest > self._seen else 0
        others = None if self._beside is None else self._beside.read(db)
        return newest, not since, store.changed(db, since), others
