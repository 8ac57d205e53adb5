"""Receipts on disk, for as long as the file says: one SQLite file that the processes of one machine share.

They are written a moment after their requests, many at a time, by a thread; no request waits for that, and what a full
disk or a crash takes away is not written again. What must not be lost is in the ledger.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from proxy.jobs.writer import StoreBroken, Writer
from proxy.telemetry.receipt import Ended
from proxy.telemetry.receipts import Filter, Receipts

NAME = "receipts.sqlite"  # in the directory of state
_EVERY = 0.5  # seconds between writes
_BATCH = 200
_MAX_WAITING = 5000
_PURGE_EVERY = 30.0  # seconds
_PURGED, _PURGES = 1000, 100  # rows that are deleted at a time; how many times in a row
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS receipts (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ended REAL NOT NULL, route TEXT NOT NULL, model TEXT NOT NULL,
    status INTEGER NOT NULL, organisation TEXT NOT NULL, team TEXT NOT NULL, "key" TEXT NOT NULL,
    receipt BLOB NOT NULL, texts BLOB)""",
    "CREATE INDEX IF NOT EXISTS receipts_ended ON receipts (ended)",
)
_INSERT = "INSERT OR REPLACE INTO receipts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_MEANT = """ FROM receipts WHERE (:route = '' OR route = :route) AND (:model = '' OR model = :model)
    AND (:low = 0 OR status BETWEEN :low AND :high) AND (:organisation = '' OR organisation = :organisation)
    AND (:team = '' OR team = :team) AND (:key = '' OR "key" = :key)"""
_FIND = "SELECT receipt, texts" + _MEANT + " AND id = :id"
_LATEST = "SELECT receipt" + _MEANT + " ORDER BY seq DESC LIMIT :limit"
_PURGE = """DELETE FROM receipts WHERE seq IN (
    SELECT seq FROM receipts WHERE ended < ? OR seq <= (SELECT max(seq) FROM receipts) - ? LIMIT ?)"""


class KeptReceipts:
    """See ``proxy.telemetry.receipts.Keeper``. Methods that wait raise ``StoreBroken`` if the file cannot be used.

    ``lost`` hears how many were not written. JSON is made in the thread of the file.
    """

    def __init__(
        self,
        directory: Path,
        receipts: Receipts,
        lost: Callable[[int], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._lost = lost
        self._writer = Writer(directory / NAME, _prepare)
        self._receipts = receipts
        self._clock = clock
        self._waiting: list[Ended] = []
        self._purged = 0.0

    def add(self, one: Ended) -> None:
        """Write it down soon."""
        if len(self._waiting) >= _MAX_WAITING:
            self._lost(1)
        else:
            self._waiting.append(one)

    async def run(self) -> None:
        """Write what comes, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits."""
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            try:
                await self._writer.write(partial(self._insert, batch))
            except Exception:  # whatever it is, those to come may be written
                self._lost(len(batch))
        settings, now = self._receipts.settings, self._clock()
        if settings.keep is not None and now >= self._purged + _PURGE_EVERY:
            self._purged = now
            await self._purge(now - settings.keep, settings.max_kept)

    async def find(self, id: str, meant: Filter, *, bodies: bool) -> bytes | None:
        """The receipt with this id, as JSON."""
        await self.flush()
        row = await self._writer.read(lambda db: db.execute(_FIND, _asked(meant) | {"id": id}).fetchone())
        return None if row is None else (row[1] if bodies and row[1] is not None else row[0])

    async def latest(self, meant: Filter, limit: int) -> list[bytes]:
        """At most so many, the newest first, without texts."""
        await self.flush()
        rows = await self._writer.read(lambda db: db.execute(_LATEST, _asked(meant) | {"limit": limit}).fetchall())
        return [row[0] for row in rows]

    async def aclose(self) -> None:
        """Write what waits, and close."""
        await self.flush()
        await self._writer.aclose()

    # In the thread

    def _insert(self, batch: list[Ended], db: sqlite3.Connection) -> None:
        db.executemany(_INSERT, [self._row(one) for one in batch])

    def _row(self, one: Ended) -> tuple[str | float | bytes | None, ...]:
        who = one.identity
        place = ("", "", "") if who is None else (who.organisation, who.team, who.key)
        has_texts = one.request is not None or one.response is not None
        texts = self._receipts.write(one, bodies=True) if has_texts else None
        return (
            one.id,
            one.ended,
            one.route,
            one.model,
            one.status,
            *place,
            self._receipts.write(one, bodies=False),
            texts,
        )

    async def _purge(self, before: float, most: int) -> None:
        """A thousand at a time, so that nobody waits long for the file."""

        def work(db: sqlite3.Connection) -> int:
            return db.execute(_PURGE, (before, most, _PURGED)).rowcount

        try:
            for _ in range(_PURGES):
                if await self._writer.write(work) < _PURGED:
                    return
        except StoreBroken:
            return  # the next look at the file says so too


def _asked(meant: Filter) -> dict[str, str | int]:
    """What the conditions of a query are asked with."""
    low, high = 0, 0
    if meant.status:
        low, high = int(meant.status.replace("x", "0")), int(meant.status.replace("x", "9"))
    return {
        "route": meant.route,
        "model": meant.model,
        "low": low,
        "high": high,
        "organisation": meant.organisation,
        "team": meant.team,
        "key": meant.key,
    }


def _prepare(db: sqlite3.Connection) -> None:
    for statement in _SCHEMA:
        db.execute(statement)
