"""What operators have done: rows that are only ever added, each bound to the one before by a hash.

Whoever changes, removes or inserts a row breaks the chain from there on, and ``verify_chain`` says where. Rows hold no
secret and no hash of one.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

GENESIS = bytes(32)  # what the first row is bound to
# AUTOINCREMENT remembers the highest number ever given, so rows that are cut off at the end are missed too.
TABLE = """
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    before TEXT,
    after TEXT,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_whole BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
"""
_COLUMNS = "seq, at, who, role, action, object, before, after, previous, hash"
_ALL = f"SELECT {_COLUMNS} FROM audit ORDER BY seq"  # noqa: S608 - constants
_PAGE = """
SELECT seq, at, who, role, action, object, before, after, previous, hash FROM audit
WHERE seq > :after
  AND (:organisation = '' OR json_extract(coalesce(after, before), '$.organisation') = :organisation)
  AND (:team = '' OR json_extract(coalesce(after, before), '$.team') = :team)
ORDER BY seq LIMIT :limit
"""


class Actor(msgspec.Struct, frozen=True):
    """Who does something, and as what."""

    name: str
    role: str


class Entry(msgspec.Struct, frozen=True):
    """One row. ``at``: microseconds since the epoch; ``before`` and ``after``: the object's state; ``hash``: in
    hexadecimal digits, to be written down elsewhere."""

    seq: int
    at: int
    who: str
    role: str
    action: str
    object: str
    before: Any
    after: Any
    hash: str


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing of what is done inside, also within a transaction of the caller's.

    A transaction of its own begins as a writer: the last row of the chain must not change after it was read.
    """
    inner = connection.in_transaction
    connection.execute("SAVEPOINT change" if inner else "BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("RELEASE change" if inner else "COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO change" if inner else "ROLLBACK")
            if inner:
                connection.execute("RELEASE change")
        raise


def record(
    connection: sqlite3.Connection,
    actor: Actor,
    now: float,
    action: str,
    what: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> int:
    """Add a row, in the transaction of what it tells of; its number. ``now``: seconds since the epoch."""
    with atomic(connection):
        seq = latest(connection) + 1
        last = connection.execute("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        previous = GENESIS if last is None else bytes(last[0])
        texts = tuple(None if state is None else canonical(state) for state in (before, after))
        rest = (seq, round(now * 1_000_000), actor.name, actor.role, action, what, *texts)
        row = (*rest, previous, _hash(previous, rest))
        connection.execute(f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608
    return seq


def latest(connection: sqlite3.Connection) -> int:
    """The highest number that a row ever had; 0 if there was none."""
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    return 0 if found is None else int(found[0])


def entries(
    connection: sqlite3.Connection, *, after: int = 0, limit: int = 100, organisation: str = "", team: str = ""
) -> list[Entry]:
    """Rows behind ``after``, the oldest first; with an organisation or team only those about its keys."""
    asked = {"after": after, "limit": limit, "organisation": organisation, "team": team}
    found = []
    for row in connection.execute(_PAGE, asked):
        before, later = (None if text is None else json.loads(text) for text in row[6:8])
        found.append(Entry(*row[:6], before, later, bytes(row[9]).hex()))
    return found


def verify_chain(connection: sqlite3.Connection) -> int | None:
    """The number of the first row that is missing or not as it was written; None if all are."""
    previous, expected = GENESIS, 1
    for row in connection.execute(_ALL):
        *rest, bound, found = row
        if rest[0] != expected or bound != previous or found != _hash(previous, tuple(rest)):
            return expected
        previous, expected = found, expected + 1
    return expected if expected <= latest(connection) else None


def canonical(value: Any) -> str:
    """One spelling for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _hash(previous: bytes, rest: tuple[Any, ...]) -> bytes:
    return hashlib.sha256(previous + canonical(rest).encode()).digest()
