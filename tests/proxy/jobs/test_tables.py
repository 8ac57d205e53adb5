"""The file's tables: made once, of one version, counted by themselves."""

from __future__ import annotations

import sqlite3

import pytest

from proxy.jobs.record import Job
from proxy.jobs.tables import FIELDS, VERSION, columns, prepare, read, write


def test_a_job_is_read_as_it_was_written() -> None:
    """Every field; and the totals follow."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    prepare(db)
    prepare(db)
    job = Job(id="job_1", proof=b"\0\xff", digest=b"d", created=1.5, webhook="https://a/", answer_at=2.0)
    marks = ", ".join("?" * len(FIELDS))
    db.execute(f"INSERT INTO jobs ({columns()}, size) VALUES ({marks}, 10)", write(job))
    assert read(db.execute(f"SELECT {columns()} FROM jobs").fetchone()) == job
    assert db.execute("SELECT * FROM totals").fetchone() == (1, 10)
    db.execute("UPDATE jobs SET size = 3")
    assert db.execute("SELECT * FROM totals").fetchone() == (1, 3)
    db.execute("DELETE FROM jobs")
    assert db.execute("SELECT * FROM totals").fetchone() == (0, 0)
    db.close()


def test_a_file_of_another_version_is_left_alone() -> None:
    """It may be one of a newer gateway."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(sqlite3.DatabaseError, match=f"version {VERSION + 1}"):
        prepare(db)
    assert db.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    db.close()
