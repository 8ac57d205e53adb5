"""Alerts on disk: those that wait, in order, and the ids of those that were delivered."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from proxy.jobs.writer import StoreBroken, Writer

NAME = "alerts.sqlite"  # in the directory of state
LOCK = "alerts.lock"  # who holds it sends
MOST = 1000  # that wait
_REMEMBERED = 32 * 86400.0  # seconds for which an id that was delivered is known: longer than a month
_MOST_REMEMBERED = 20_000
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS alerts (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, scope TEXT NOT NULL, told REAL NOT NULL,
    body BLOB NOT NULL, delivered REAL)""",
    "CREATE INDEX IF NOT EXISTS alerts_waiting ON alerts (seq) WHERE delivered IS NULL",
)


class Alert(msgspec.Struct, frozen=True):
    """One message. ``told``: seconds since the epoch; ``body``: JSON, as it is sent."""

    id: str
    kind: str
    scope: str
    told: float
    body: bytes


class Found(msgspec.Struct, frozen=True):
    """The ``head`` of those that wait, None if this process sends none; how many wait; how many were given up now."""

    head: Alert | None = None
    waiting: int = 0
    expired: int = 0


class KeptAlerts:
    """A file that the processes of one machine share. Every method raises ``StoreBroken`` if it cannot be used."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._lock_path = directory / LOCK
        self._writer = Writer(self._path, _prepare)
        self._lock: int | None = None

    async def add(self, fresh: Sequence[Alert], done: dict[str, float]) -> None:
        """Keep ``fresh`` ones that are not known, and that those in ``done`` were delivered, and when. Beyond ``MOST``
        the oldest goes that is of the same kind and scope, else the oldest of all."""

        def work(database: sqlite3.Connection) -> None:
            for one in fresh:
                _add(database, one)
            for key, at in done.items():
                database.execute("UPDATE alerts SET delivered = ?, body = x'' WHERE id = ?", (at, key))

        await self._writer.write(work)

    async def first(self, oldest: float) -> Found:
        """What is to be sent next. What was told before ``oldest`` is given up."""
        if self._lock is None and not self._path.exists():
            return Found()  # nothing was ever told here
        if not self._leads():
            return Found()
        head, waiting = await self._writer.read(_first)
        if head is None or head.told >= oldest:
            return Found(head, waiting)

        def give_up(database: sqlite3.Connection) -> int:
            database.execute("DELETE FROM alerts WHERE delivered < ?", (oldest - _REMEMBERED,))
            return database.execute("DELETE FROM alerts WHERE delivered IS NULL AND told < ?", (oldest,)).rowcount

        expired = await self._writer.write(give_up)
        head, waiting = await self._writer.read(_first)
        return Found(head, waiting, expired)

    async def aclose(self) -> None:
        """Let another process send."""
        await self._writer.aclose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _leads(self) -> bool:
        """Whether this process sends. The system frees the lock of whoever dies."""
        if self._lock is not None:
            return True
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreBroken(f"{self._lock_path}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True


def _prepare(database: sqlite3.Connection) -> None:
    for statement in _SCHEMA:
        database.execute(statement)


def _first(database: sqlite3.Connection) -> tuple[Alert | None, int]:
    row = database.execute(
        "SELECT id, kind, scope, told, body FROM alerts WHERE delivered IS NULL ORDER BY seq LIMIT 1"
    ).fetchone()
    return None if row is None else Alert(*row), _waiting(database)


def _waiting(database: sqlite3.Connection) -> int:
    ((count,),) = database.execute("SELECT count(*) FROM alerts WHERE delivered IS NULL")
    found: int = count
    return found


def _add(database: sqlite3.Connection, one: Alert) -> None:
    if database.execute("SELECT 1 FROM alerts WHERE id = ?", (one.id,)).fetchone():
        return
    if _waiting(database) >= MOST:
        database.execute(
            "DELETE FROM alerts WHERE seq = (SELECT seq FROM alerts WHERE delivered IS NULL"
            " ORDER BY kind = ? AND scope = ? DESC, seq LIMIT 1)",
            (one.kind, one.scope),
        )
    database.execute(
        "INSERT INTO alerts (id, kind, scope, told, body) VALUES (?, ?, ?, ?, ?)",
        (one.id, one.kind, one.scope, one.told, one.body),
    )
    database.execute("DELETE FROM alerts WHERE delivered < ?", (one.told - _REMEMBERED,))
    database.execute(
        "DELETE FROM alerts WHERE seq <= (SELECT max(seq) FROM alerts) - ? AND delivered IS NOT NULL",
        (_MOST_REMEMBERED,),
    )
