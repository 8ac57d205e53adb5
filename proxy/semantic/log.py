"""Look-ups of shadow mode, and what people say of hits, on disk, for `sluicegate cache tune`. No text is kept."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proxy.jobs.writer import StoreBroken, Writer
from proxy.semantic.curve import Sample

FILE = "semantic.sqlite"  # in the directory of state
EVENT = "cache_semantic.sample"  # under which policies tell of one
MOST = 200_000  # that are kept
_MOST_WAITING = 10_000  # in memory; beyond that new ones are dropped
_PAUSE = 0.5  # seconds between two writes
_TRIM_EVERY = 1000  # rows
_TABLE = """CREATE TABLE IF NOT EXISTS samples (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, route TEXT NOT NULL, request TEXT NOT NULL, source TEXT NOT NULL,
    similarity REAL, is_right INTEGER)"""
_ADD = "INSERT INTO samples (at, route, request, source, similarity, is_right) VALUES (?, ?, ?, ?, ?, ?)"
_ROUTES = "SELECT DISTINCT route FROM samples ORDER BY route"
_READ = "SELECT similarity, is_right, source FROM samples WHERE route = ? AND at >= ? ORDER BY seq"
_Row = tuple[float, str, str, str, float | None, bool | None]


class Samples:
    """Nothing touches the disk before the first sample."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._writer = Writer(folder / FILE, _prepare)
        self._waiting: list[_Row] = []
        self._now = now
        self._since_trim = 0

    def add(self, fields: dict[str, Any]) -> None:
        """One that a policy tells of: ``route request_id source similarity is_right``."""
        if len(self._waiting) < _MOST_WAITING:
            names = ("route", "request_id", "source", "similarity", "is_right")
            self._waiting.append((self._now(), *(fields[name] for name in names)))

    async def run(self) -> None:
        """Write what comes, until cancelled. What cannot be written is tried again."""
        while True:
            with contextlib.suppress(StoreBroken):
                await self.flush()
            await asyncio.sleep(_PAUSE)

    async def flush(self) -> None:
        """Write down what waits.

        Raises:
            StoreBroken: it could not be written, and waits on.
        """
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        self._since_trim += len(rows)
        trims = self._since_trim >= _TRIM_EVERY

        def work(database: sqlite3.Connection) -> None:
            database.executemany(_ADD, rows)
            if trims:
                database.execute("DELETE FROM samples WHERE seq <= (SELECT max(seq) FROM samples) - ?", (MOST,))

        try:
            await self._writer.write(work)
        except StoreBroken:
            self._waiting = [*rows, *self._waiting][:_MOST_WAITING]
            raise
        if trims:
            self._since_trim = 0

    async def aclose(self) -> None:
        """Write the last of them."""
        with contextlib.suppress(StoreBroken):
            await self.flush()
        await self._writer.aclose()


def read_samples(folder: Path, route: str, since: float = 0.0) -> list[Sample]:
    """What was seen on ``route`` since then (seconds since the epoch); nothing where there is no file.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    rows = _rows(folder, _READ, route, since)
    return [
        Sample(similarity, None if is_right is None else bool(is_right), source)
        for similarity, is_right, source in rows
    ]


def routes_of(folder: Path) -> list[str]:
    """Routes of which something is known.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    return [route for (route,) in _rows(folder, _ROUTES)]


def _rows(folder: Path, query: str, *values: object) -> list[Any]:
    """What is found in the file; nothing where there is none."""
    file = folder / FILE
    if not file.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
        return database.execute(query, values).fetchall()


def _prepare(database: sqlite3.Connection) -> None:
    database.execute(_TABLE)
