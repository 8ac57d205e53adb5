"""Who changed what: rows that are only ever added, each bound to the one before it by a hash.

Whoever changes, removes or inserts a row breaks the chain from there on, and ``verify_chain`` finds the place. It also
finds that the newest rows were cut off, unless whoever did it knew to change SQLite's own count of them: note the
``head`` elsewhere from time to time.
"""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any

import msgspec

START = bytes(32)  # what the first row follows
MAX_ROWS = 1000  # that are read at once
TABLES = (
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL,
        action TEXT NOT NULL, object TEXT NOT NULL, before TEXT, after TEXT, previous BLOB NOT NULL, hash BLOB NOT NULL
    )""",
    """CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END""",
    """CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END""",
    # REPLACE deletes without asking the trigger above.
    """CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN NEW.seq <= (SELECT max(seq) FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END""",
)
# As bytes, because what somebody wrote into the file need not be text.
_RAW = """SELECT seq, CASE typeof(at) WHEN 'integer' THEN at END,
    CAST(who AS BLOB), CAST(role AS BLOB), CAST(action AS BLOB), CAST(object AS BLOB),
    CAST(before AS BLOB), CAST(after AS BLOB), CAST(previous AS BLOB), CAST(hash AS BLOB) FROM audit ORDER BY seq"""


class Actor(msgspec.Struct, frozen=True):
    """Who does something, and as what."""

    name: str
    role: str


class Entry(msgspec.Struct, frozen=True):
    """One row. ``at``: microseconds since the epoch; ``before`` and ``after``: the object then, None where there was
    none; ``hash``: in hexadecimal digits."""

    seq: int
    at: int
    who: str
    role: str
    action: str
    object: str
    before: Any
    after: Any
    hash: str


def append(db: sqlite3.Connection, actor: Actor, action: str, object: str, before: Any, after: Any, *, now: int) -> int:
    """Add a row within the transaction that is open; its number. ``before`` and ``after`` must hold no secret."""
    last, previous = head(db)
    row = (last + 1, now, actor.name, actor.role, action, object, _json(before), _json(after))
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, previous, _hash(previous, row)))
    return last + 1


def head(db: sqlite3.Connection) -> tuple[int, bytes]:
    """Number and hash of the newest row; 0 and zeros if there is none."""
    found = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, START) if found is None else (int(found[0]), bytes(found[1]))


def entries(db: sqlite3.Connection, after: int, limit: int) -> list[Entry]:
    """Rows after that number, oldest first."""
    sql = "SELECT seq, at, who, role, action, object, before, after, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"
    rows = db.execute(sql, (after, max(1, min(limit, MAX_ROWS))))
    return [
        Entry(seq, at, who, role, action, object, _value(before), _value(after), bytes(hash).hex())
        for seq, at, who, role, action, object, before, after, hash in rows
    ]


def verify_chain(db: sqlite3.Connection) -> int | None:
    """The number of the first row that is not what was written, or is missing; None if all are in order."""
    previous, expected = START, 1
    for seq, at, *texts, before, found in db.execute(_RAW):
        try:
            row = (seq, at, *(None if text is None else text.decode() for text in texts))
        except UnicodeDecodeError:
            return expected
        if seq != expected or before != previous or found != _hash(previous, row):
            return expected
        previous, expected = found, expected + 1
    counted = db.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'audit'").fetchone()[0] or 0
    return expected if expected <= counted else None


def _hash(previous: bytes, row: tuple[Any, ...]) -> bytes:
    """SHA-256 of the hash before it and of the row as a JSON array: no two rows have the same."""
    return hashlib.sha256(previous + msgspec.json.encode(row)).digest()


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value, order="deterministic").decode()


def _value(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
