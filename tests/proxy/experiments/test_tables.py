"""The file: made once, written twice without harm, and shortened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from proxy.experiments import tables
from tests.support.experiments import PLAN, open_file, record


def test_a_record_is_written_once(tmp_path: Path) -> None:
    """Also if a batch comes again."""
    with closing(open_file(tmp_path)) as database:
        for _ in range(2):
            tables.add(database, [record(), record(number=1)])
        assert database.execute("SELECT count(*) FROM requests").fetchone() == (2,)
        assert dict(database.execute("SELECT name, id FROM names")) == {"short": 1, "control": 2}
    with closing(open_file(tmp_path)) as database:  # what is there stays
        assert database.execute("SELECT count(*) FROM requests").fetchone() == (2,)


def test_a_plan_is_kept_when_it_changes(tmp_path: Path) -> None:
    """With the time from which on it holds."""
    other = replace(PLAN, weights=(0.9, 0.1))
    with closing(open_file(tmp_path)) as database:
        for since, plan in ((1, PLAN), (2, PLAN), (3, other), (4, other)):
            tables.keep_plan(database, plan, since)
        assert tables.phases(database, "short") == [(1, PLAN), (3, other)]
        assert tables.plan_of(database, "short") == other
        assert tables.plan_of(database, "other") is None


def test_what_is_old_is_deleted_bit_by_bit(tmp_path: Path) -> None:
    """Requests and feedback; what is newer stays."""
    with closing(open_file(tmp_path)) as database:
        tables.add(database, [record(number=number, at=number) for number in range(10)])
        database.execute(tables.TELL, (1, "solved", b"x", 2, "req", 1.0, "true", None, "", 3))
        assert [tables.purge(database, 5, 3) for _ in range(3)] == [4, 2, 0]
        assert database.execute("SELECT min(at), count(*) FROM requests").fetchone() == (5, 5)


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """Nothing is written to it."""
    with closing(sqlite3.connect(tmp_path / tables.NAME, isolation_level=None)) as database:
        database.execute("PRAGMA user_version = 9")
        with pytest.raises(sqlite3.DatabaseError, match="version 9"):
            tables.prepare(database)
        assert not database.execute("SELECT * FROM sqlite_master").fetchall()
