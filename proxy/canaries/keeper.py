"""How far canaries have come, on disk: a restart goes on where the process was, to a second."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path

from proxy.canaries.release import GATEWAY, Plan, Release
from proxy.jobs.writer import StoreBroken, Writer

FILE = "canaries.sqlite"  # in the directory of state
EVERY = 1.0  # seconds between looks at what has changed
Found = Mapping[str, tuple[Release, Plan]]
_TABLE = """CREATE TABLE IF NOT EXISTS canaries (
    name TEXT PRIMARY KEY, identity TEXT NOT NULL, progress BLOB NOT NULL)"""
_READ = "SELECT name, identity, progress FROM canaries"
_WRITE = """INSERT INTO canaries (name, identity, progress) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET identity = excluded.identity, progress = excluded.progress"""
_UNREADABLE = "what was kept of it cannot be read, so it may have failed before; `restart` begins anew"


class Keeper:
    """The canaries of the current generation. Until something is to be kept there is no file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._writer = Writer(self._file, _prepare)
        self._current: dict[str, Release] = {}
        self._gone: dict[str, Release] = {}  # from the file, and perhaps not kept yet
        self._saved: dict[str, tuple[str, bytes]] = {}  # by name: of what, and how far
        self._is_unreadable = False
        self._woken = asyncio.Event()

    @property
    def problem(self) -> str:
        """What is wrong with the file, "" while nothing is."""
        return self._writer.problem

    def load(self) -> None:
        """Read what is kept, where there is no loop yet."""
        if not self._file.exists():
            return
        try:
            uri = f"{self._file.absolute().as_uri()}?mode=ro"
            with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
                self._saved = {name: (identity, progress) for name, identity, progress in database.execute(_READ)}
        except (sqlite3.Error, ValueError):
            self._is_unreadable = True

    def follow(self, found: Found) -> None:
        """A generation has become the current one. A canary of the same targets and steps goes on, another one begins.
        One whose past cannot be read gets no requests."""
        before, self._current = self._current, {name: release for name, (release, _) in found.items()}
        for name, (release, plan) in found.items():
            release.plan = plan
            release.woken = self._woken.set
            if before.get(name) is not release:
                self._begin(name, release)
            release.tell()
        for name in before.keys() - found.keys():
            self._gone[name] = before[name]
            self._saved[name] = before[name].plan.identity, before[name].saved()
            before[name].forget()

    def _begin(self, name: str, release: Release) -> None:
        identity, progress = self._saved.get(name, ("", b""))
        is_unreadable = self._is_unreadable
        if identity == release.plan.identity:
            try:
                release.restore(progress)
                return
            except ValueError:
                is_unreadable = True
        release.begin("another target or other steps" if identity else "", GATEWAY)
        if is_unreadable:
            release.act("rollback", _UNREADABLE, GATEWAY)

    async def run(self) -> None:
        """Keep what changes, and let time pass for those that no request moves, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._woken.wait()
            self._woken.clear()
            for release in self._current.values():
                release.look()
            with contextlib.suppress(StoreBroken):  # `problem` says it; it is tried again
                await self.keep()

    async def keep(self) -> None:
        """Write what has changed.

        Raises:
            StoreBroken: it could not be written.
        """
        gone, self._gone = self._gone, {}
        changed = [(name, release) for name, release in {**gone, **self._current}.items() if release.is_changed]
        if not changed:
            return
        rows = []
        for name, release in changed:
            release.is_changed = False
            self._saved[name] = release.plan.identity, release.saved()
            rows.append((name, *self._saved[name]))
        try:
            await self._writer.write(lambda database: database.executemany(_WRITE, rows).rowcount)
        except StoreBroken:
            self._gone = {**gone, **self._gone}
            for _, release in changed:
                release.is_changed = True
            raise

    async def aclose(self) -> None:
        """Keep the last of it."""
        with contextlib.suppress(StoreBroken):
            await self.keep()
        await self._writer.aclose()


def _prepare(database: sqlite3.Connection) -> None:
    database.execute(_TABLE)


def judged_apart(found: Collection[str], workers: int) -> str:
    """What to know of canaries that several workers judge; empty if there is nothing."""
    if workers == 1 or not found:
        return ""
    return "each worker judges a canary by its own requests, and `/admin/canaries` is of the one that answers"
