"""Rows for tests of the ledger, and the databases that they go to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from proxy.ledger.postgres import PostgresSink
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink, connect_readonly
from proxy.ledger.writer import Sink

_LATE = 4_000_000_000_000_000  # microseconds since the epoch: no row of a test is so old that it is given up
_NOT_YET = ("unable to open database file", "no such table: attempts")
# What makes tables of version 1 of those of version 2.
AS_VERSION_1 = (
    "DROP INDEX attempts_groups",
    *(f"ALTER TABLE attempts DROP COLUMN {name}" for name in ("cache", "saved", "saved_input", "saved_output")),
    "CREATE INDEX attempts_groups ON attempts (team, model)",
)
_ALL = "SELECT * FROM attempts ORDER BY id"


def opened(number: int, **more: Any) -> Row:
    """An open row whose id is made of ``number``."""
    fields: dict[str, Any] = {
        "id": f"att_{number:024}",
        "request": f"req_{number}",
        "number": 1,
        "opened": _LATE + number,
    }
    return Row(**fields | {"bound_input": 100, "bound_output": 50, "bound_cost": 7000, "user": "Zoë"} | more)


def settled(row: Row, **more: Any) -> Row:
    """The same row at its end."""
    ended: dict[str, Any] = {"status": "ok", "settled": row.opened + 5, "input": 10, "cost": 300, "source": "reported"}
    return msgspec.structs.replace(row, **ended | more)


class Ledger:
    """A database: what the gateway writes it with, and what it holds."""

    def __init__(self, make: Callable[[], Sink], select: Callable[[str], list[tuple[Any, ...]]]) -> None:
        self.make = make
        self.select = select

    def rows(self) -> list[Row]:
        """All of them, by id."""
        return [msgspec.convert(found[1:], Row, strict=False) for found in self.select(_ALL)]

    def statuses(self) -> dict[str, str]:
        """By id; each id is there once."""
        rows = self.rows()
        found: dict[str, str] = {row.id: row.status for row in rows}
        assert len(found) == len(rows)
        return found


def in_sqlite(path: Path) -> Ledger:
    """In this file."""

    def select(statement: str) -> list[tuple[Any, ...]]:
        try:
            with closing(connect_readonly(path)) as connection:
                return connection.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            if str(error) not in _NOT_YET:
                raise
            return []

    return Ledger(lambda: SqliteSink(path), select)


def in_postgres(url: str) -> Ledger:
    """In this database."""

    def select(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(url) as connection:
            return connection.execute(statement.encode()).fetchall()

    return Ledger(lambda: PostgresSink(url), select)
