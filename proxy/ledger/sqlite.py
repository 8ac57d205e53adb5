"""The ledger in a SQLite file, which several processes of one machine may share."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.writer import SinkFailed, values

T = TypeVar("T")
NAME = "ledger.sqlite"  # in the directory of state
VERSION = 2  # of the tables, in `user_version`
_BUSY = 1.0  # seconds that another process may hold the file
_PASSES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)

_KINDS = {int: "INTEGER NOT NULL", bool: "INTEGER NOT NULL"}
# Columns that version 2 has added, as they are added to what there is.
SINCE_2 = {
    "cache": "TEXT NOT NULL DEFAULT ''",
    "saved": "BIGINT NOT NULL DEFAULT 0",
    "saved_input": "BIGINT NOT NULL DEFAULT 0",
    "saved_output": "BIGINT NOT NULL DEFAULT 0",
}
_COLUMNS = [f'"{name}"' for name in Row.__struct_fields__]
_GROUPS = """
CREATE INDEX attempts_groups ON attempts (team, model, "key", organisation, route, asked, opened, number, status, input,
    cached_read, cache_write_5m, cache_write_1h, input_audio, output, reasoning, output_audio, cost, cache, saved,
    saved_input, saved_output);
"""
_IS_CURRENT = " ".join(("PRAGMA user_version =", str(VERSION), ";"))
SCHEMA = """
CREATE TABLE attempts (
    seq INTEGER PRIMARY KEY,
    {}
);
CREATE INDEX attempts_opened ON attempts (opened);
CREATE INDEX attempts_several ON attempts (opened, request) WHERE number > 1;
{}
CREATE INDEX attempts_open ON attempts (opened) WHERE status = 'open';
CREATE TABLE prices (version TEXT PRIMARY KEY, terms BLOB NOT NULL, since INTEGER NOT NULL);
{}""".format(
    ",\n    ".join(
        '"{}" {}'.format(field.name, _KINDS.get(field.type, "TEXT NOT NULL") + " UNIQUE" * (field.name == "id"))
        for field in msgspec.structs.fields(Row)
    ),
    _GROUPS,
    _IS_CURRENT,
)
# A file of version 1 has rows of attempts alone.
_UPGRADE = (
    "".join("ALTER TABLE attempts ADD COLUMN " + name + " " + kind + ";" for name, kind in SINCE_2.items())
    + "DROP INDEX attempts_groups;"
    + _GROUPS
    + _IS_CURRENT
)
WRITE = "".join(
    [
        "INSERT INTO attempts (",
        ", ".join(_COLUMNS),
        ") VALUES (",
        ", ".join("?" for _ in _COLUMNS),
        ") ON CONFLICT (id) DO UPDATE SET ",
        ", ".join(column + " = excluded." + column for column in _COLUMNS[1:]),
        " WHERE attempts.status = 'open' AND excluded.status != 'open'",
    ]
)
_PRICE = "INSERT INTO prices VALUES (?, ?, unixepoch() * 1000000) ON CONFLICT (version) DO NOTHING"
RECOVER = """
UPDATE attempts SET status = 'unknown', settled = ?, cost = bound_cost, input = bound_input, output = bound_output,
    source = 'bound', flags = trim(flags || ' recovered')
WHERE status = 'open' AND opened < ?
"""
# With a row go later attempts of its request: what is left has no gaps.
PRUNE = """
DELETE FROM attempts WHERE seq IN (
    WITH old AS (SELECT seq, request FROM attempts WHERE opened < ? AND status <> 'open' ORDER BY opened LIMIT ?)
    SELECT seq FROM old UNION
    SELECT seq FROM attempts
    WHERE number > 1 AND opened < ? AND status <> 'open' AND request IN (SELECT request FROM old)
)
"""
LONGEST = 86_400 * 10**6  # microseconds that attempts of one request may be apart


def connect_readonly(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, for those who read while gateways write.

    Raises:
        sqlite3.OperationalError: there is no such file, or it cannot be read.
    """
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_BUSY)


class SqliteSink:
    """A ``proxy.ledger.writer.Sink``. The file is opened when it is first written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    def write(self, rows: Sequence[Row], prices: Sequence[PriceTerms]) -> None:
        """As ``Sink`` says."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_PRICE, [(terms.version, terms.terms) for terms in prices])
            connection.executemany(WRITE, [values(row) for row in rows])

        self._transact(work)

    def recover(self, open_before: int, now: int) -> int:
        """As ``Sink`` says."""
        return self._transact(lambda connection: connection.execute(RECOVER, (now, open_before)).rowcount)

    def prune(self, opened_before: int, most: int) -> int:
        """As ``Sink`` says."""
        bounds = (opened_before, most, opened_before + LONGEST)
        return self._transact(lambda connection: connection.execute(PRUNE, bounds).rowcount)

    def close(self) -> None:
        """As ``Sink`` says."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._open() if self._connection is None or self._is_gone() else self._connection
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._take_back(error)
            raise SinkFailed(str(error)) from error
        return result

    def _take_back(self, error: Exception) -> None:
        """Nothing was done. A file that is only busy or full stays open."""
        connection = self._connection
        if connection is None:
            return
        keep = getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSES
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            keep = False
        if not keep:
            self.close()

    def _is_gone(self) -> bool:
        """Whether somebody took the file away: what is written then would be lost with the process."""
        try:
            return self._path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _open(self) -> sqlite3.Connection:
        self.close()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # who asked is nobody else's
        # Used in one thread, closed in another where the first one ended.
        connection = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # the journal is no safer when the machine dies
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, self._path.stat().st_ino
        return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Create the tables, or bring them up to date, unless they are as they should be."""
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)
    for statement in {0: SCHEMA, 1: _UPGRADE}.get(version, "").split(";")[:-1]:
        connection.execute(statement)
    connection.execute("COMMIT")
    if version > VERSION:
        raise sqlite3.DatabaseError("the file was written by a newer version of the gateway")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version
