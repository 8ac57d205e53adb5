"""Rows out of the ledger: where they are read, which of them, and all of them as a file.

Every statement is written for SQLite and PostgreSQL alike. Rows are read in pages, so that memory does not grow with
the ledger, and no page holds back whoever writes it.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

import msgspec

from proxy.ledger.row import Row
from proxy.ledger.shown import decimal

COLUMNS: tuple[str, ...] = Row.__struct_fields__
NAMES = ", ".join(f'"{column}"' for column in COLUMNS)  # "user" and "key" are words of SQL
# Columns that a selection may ask for.
TEXTS = tuple(name for name, kind in Row.__annotations__.items() if kind in ("str", "Status", "Source", "Cache"))
_MONEY = {"cost": "cost_usd", "saved": "saved_usd"}  # a column → the one beside it, in dollars
_PAGE = 5000  # rows
_BUSY = 10.0  # seconds to wait while another process holds the file
_DAY = 86_400_000_000  # microseconds
_CURRENT = "SELECT cache, saved FROM attempts LIMIT 0"  # fails for the tables of an older version
_LACKS = "no such column"
_OLD_TABLES = "the ledger is of an older version; a gateway of this version brings it up to date when it starts"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


class NoLedger(Exception):
    """There is no ledger to read, or it cannot be read; the message is for people."""


class Source(Protocol):
    """A ledger that can be asked. Parameters are written ``?``."""

    def each(self, sql: str, params: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows one after another."""

    def query(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows."""

    def execute(self, sql: str, params: Sequence[object] = ()) -> int:
        """Change, and commit; the number of rows that were changed."""

    def close(self) -> None:
        """Nothing is asked any more."""


class SqliteSource:
    """A ledger in a file, read-only unless it is to be changed.

    Raises:
        NoLedger: there is no such file, or it is no ledger.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        if not path.is_file():
            raise NoLedger(f"{path}: there is no ledger yet; it is begun with the first request that is sent")
        mode = "rw" if writable else "ro"
        try:
            self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=_BUSY)
        except sqlite3.Error as error:
            raise NoLedger(f"{path}: {error}") from error
        try:
            self._database.execute("SELECT seq FROM attempts LIMIT 1").fetchall()
            self._database.execute(_CURRENT).fetchall()
        except sqlite3.Error as error:
            self._database.close()
            if _LACKS in str(error):
                raise NoLedger(f"{path}: {_OLD_TABLES}") from error
            raise NoLedger(f"{path}: this is no ledger ({error})") from error

    def each(self, sql: str, params: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """See ``Source``."""
        yield from self._database.execute(sql, tuple(params))

    def query(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See ``Source``."""
        return self._database.execute(sql, tuple(params)).fetchall()

    def execute(self, sql: str, params: Sequence[object] = ()) -> int:
        """See ``Source``."""
        with self._database:
            return self._database.execute(sql, tuple(params)).rowcount

    def close(self) -> None:
        """See ``Source``."""
        self._database.close()


class PostgresSource:
    """A ledger that replicas share.

    Raises:
        NoLedger: the server cannot be reached, has no ledger, or the extra ``postgres`` is not installed.
    """

    def __init__(self, url: str, *, writable: bool = False) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise NoLedger("a ledger in PostgreSQL needs the extra: pip install 'sluicegate[postgres]'") from error
        try:
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
        except psycopg.Error as error:  # its text may repeat the address, and that holds a password
            raise NoLedger("PostgreSQL cannot be reached, or refuses this user") from error
        self._error = psycopg.Error
        try:
            if not writable:
                self.execute("SET default_transaction_read_only = on")
            self.query("SELECT seq FROM attempts LIMIT 1")
        except NoLedger as error:
            self._connection.close()
            raise NoLedger("PostgreSQL has no ledger yet; it is begun with the first request that is sent") from error
        try:
            self.query(_CURRENT)
        except NoLedger as error:
            self._connection.close()
            raise NoLedger(f"PostgreSQL: {_OLD_TABLES}") from error

    def each(self, sql: str, params: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """See ``Source``."""
        with self._told(), self._connection.transaction(), self._connection.cursor(name="each") as cursor:
            cursor.itersize = _PAGE
            yield from cursor.execute(_translated(sql), tuple(params))

    def query(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See ``Source``."""
        with self._told(), self._connection.cursor() as cursor:
            return cursor.execute(_translated(sql), tuple(params)).fetchall()

    def execute(self, sql: str, params: Sequence[object] = ()) -> int:
        """See ``Source``."""
        with self._told(), self._connection.cursor() as cursor:
            return cursor.execute(_translated(sql), tuple(params)).rowcount

    def close(self) -> None:
        """See ``Source``."""
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the server says is for people."""
        try:
            yield
        except self._error as error:
            raise NoLedger(f"PostgreSQL: {error}") from error


def _translated(sql: str) -> bytes:
    """As psycopg writes parameters. Bytes, as it takes no text that is not a literal."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


def open_source(address: Path | str, *, writable: bool = False) -> Source:
    """The ledger at the path of a file, or at a postgresql:// URL.

    Raises:
        NoLedger: it cannot be read.
    """
    if isinstance(address, Path):
        return SqliteSource(address, writable=writable)
    return PostgresSource(address, writable=writable)


class Selection(msgspec.Struct, frozen=True):
    """Rows opened from ``since`` to before ``until`` (microseconds; 0: no end) whose columns have one of the texts that
    ``where`` names for them."""

    since: int = 0
    until: int = 0
    where: Mapping[str, tuple[str, ...]] = {}

    def condition(self, *, scans: bool = False) -> tuple[str, list[object]]:
        """What stands after WHERE, and its parameters. ``scans``: not by the index of times, as most rows are meant.

        Raises:
            ValueError: a column that may not be asked for.
        """
        opened = "+opened" if scans else "opened"
        parts, params = [f"{opened} >= ?"], [self.since]
        values: list[object] = [*params]
        if self.until:
            parts.append(f"{opened} < ?")
            values.append(self.until)
        for column, texts in self.where.items():
            if column not in TEXTS:
                raise ValueError(f"{column}: no column of texts")
            parts.append(f'"{column}" IN ({", ".join("?" * len(texts))})')
            values += texts
        return " AND ".join(parts), values


def is_most(source: Source, since: int, until: int) -> bool:
    """Whether a period has so many of all rows that it is quicker to read all: groups come sorted out of an index."""
    ((last,),) = source.query("SELECT coalesce(max(seq), 0) FROM attempts")
    ((first,),) = source.query(
        "SELECT coalesce(min(seq), 0) FROM attempts WHERE opened >= ? AND opened < ?", (since, until)
    )
    return bool(0 < first <= last // 2)


def pages(source: Source, selection: Selection) -> Iterator[list[tuple[int, Row]]]:
    """Rows with their ``seq``, in its order."""
    condition, params = selection.condition()
    sql = " ".join(("SELECT seq,", NAMES, "FROM attempts WHERE seq > ? AND", condition, "ORDER BY seq LIMIT ?"))
    last = -1
    while True:
        found = source.query(sql, (last, *params, _PAGE))
        if found:
            last = found[-1][0]
            yield [(values[0], _row(values[1:])) for values in found]
        if len(found) < _PAGE:
            return


def _row(values: Sequence[Any]) -> Row:
    """As it is kept, also what should not be there."""
    row = Row(*values)
    row.stream = bool(row.stream)
    return row


def write(
    source: Source, selection: Selection, format: str, file: TextIO, progress: Callable[[int], object] | None = None
) -> int:
    """All columns of all selected rows as ``csv`` (with a head) or ``jsonl``; how many rows. Beside each column of
    nano-dollars stands one of dollars. ``progress`` is told the number of rows after every page."""
    writer = csv.writer(file, lineterminator="\n")
    if format == "csv":
        writer.writerow([*COLUMNS, *_MONEY.values()])
    done = 0
    for page in pages(source, selection):
        for _, row in page:
            values = {column: getattr(row, column) for column in COLUMNS}
            values |= {beside: decimal(values[column]) for column, beside in _MONEY.items()}
            if format == "csv":
                writer.writerow([_cell(value) for value in values.values()])
            else:
                file.write(msgspec.json.encode(values).decode() + "\n")
        done += len(page)
        if progress is not None:
            progress(done)
    return done


def _cell(value: object) -> object:
    """Callers choose some texts, and a spreadsheet runs what looks like a formula: an apostrophe stops it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


# A request is kept or pruned as a whole: of one that lies across the border, all attempts are kept.
_OLD = """opened < ? AND status <> 'open' AND NOT (opened >= ? AND request IN
(SELECT request FROM attempts WHERE opened >= ? AND opened < ? AND number > 1))"""


def _old(before: int) -> tuple[int, ...]:
    return before, before - _DAY, before, before + _DAY


def prunable(source: Source, before: int) -> tuple[int, int]:
    """How many settled rows were opened before that time (microseconds), and what they cost (nano-dollars)."""
    sql = " ".join(("SELECT count(*), coalesce(sum(cost), 0) FROM attempts WHERE", _OLD))
    rows, cost = source.query(sql, _old(before))[0]
    return int(rows), int(cost)


def prune(source: Source, before: int) -> int:
    """Delete them, in many small steps that hold up nobody for long; how many."""
    select = " ".join(("SELECT seq FROM attempts WHERE", _OLD, "LIMIT ?"))
    sql = " ".join(("DELETE FROM attempts WHERE seq IN (", select, ")"))
    deleted = 0
    while changed := source.execute(sql, (*_old(before), _PAGE)):
        deleted += changed
    return deleted
