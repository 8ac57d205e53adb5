"""What operators have set, in the file of the issued keys: with the audit, so that a change and its row are one.

The functions work in a transaction that is open, as those of ``proxy.keys.store`` do. A gateway that knows nothing of
flags leaves their table alone.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from proxy.errors import GatewayError
from proxy.flags.flag import DEFAULT, Flags, Setting
from proxy.keys import audit
from proxy.keys.audit import Actor

MAX_FLAGS = 10_000
MAX_REASON = 200  # characters
_TABLE = """CREATE TABLE IF NOT EXISTS flags (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL
)"""
_KNOWN = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'flags'"
_SELECT = "SELECT name, value, reason, at, who FROM flags ORDER BY name"
_REPLACE = "INSERT OR REPLACE INTO flags VALUES (?, ?, ?, ?, ?)"


class Kept(msgspec.Struct, frozen=True):
    """What is set for one name. ``at``: microseconds since the epoch."""

    name: str
    value: str
    reason: str
    at: int
    who: str


def kept(db: sqlite3.Connection) -> list[Kept]:
    """All that is set, by name."""
    if db.execute(_KNOWN).fetchone() is None:
        return []
    return [Kept(*row) for row in db.execute(_SELECT)]


def change(db: sqlite3.Connection, actor: Actor, name: str, setting: Setting | None, reason: str, *, now: int) -> None:
    """Set it, or with None leave it to the file; also where that changes nothing, as somebody meant it.

    Raises:
        GatewayError: there are too many.
    """
    db.execute(_TABLE)
    found = {one.name: one for one in kept(db)}
    before = found.get(name)
    if before is None and setting is not None and len(found) >= MAX_FLAGS:
        message = f"{MAX_FLAGS} flags are set, and there is no room for more."
        raise GatewayError(message, status=409, code="too_many_flags")
    value = DEFAULT if setting is None else setting.text
    if setting is None:
        db.execute("DELETE FROM flags WHERE name = ?", (name,))
    else:
        db.execute(_REPLACE, (name, value, reason, now, actor.name))
    was = {"value": DEFAULT if before is None else before.value}
    audit.append(db, actor, "flag.set", name, was, {"value": value, "reason": reason}, now=now)


def read_reason(written: Any) -> str:
    """A reason stands in the log and in the audit, so it is one short line.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(written, str) or len(written) > MAX_REASON or not written.isprintable():
        raise ValueError(f"`reason` must be text of one line, at most {MAX_REASON} characters")
    return written


class KeptFlags:
    """The flags of a process, as the file has them (``proxy.keys.service.Beside``)."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags

    def read(self, db: sqlite3.Connection) -> dict[str, Setting]:
        """In the thread. What this version cannot read counts as not set."""
        found: dict[str, Setting] = {}
        for one in kept(db):
            try:
                setting = Setting.parse(one.value)
            except ValueError:
                continue
            if setting is not None:
                found[one.name] = setting
        return found

    def take(self, found: Any) -> None:
        """On the loop: from now on these count."""
        self._flags.take(found)
