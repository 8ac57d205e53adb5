"""The file: its tables, who may read it, and what comes after its failures."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from proxy.ledger.export import NoLedger, open_source
from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.sqlite import VERSION, SqliteSink, connect_readonly
from proxy.ledger.writer import SinkFailed
from tests.support.ledger import AS_VERSION_1, in_sqlite, opened, settled


def test_a_new_file(tmp_path: Path) -> None:
    """In a directory that did not exist, for nobody else, with a column for each field in their order."""
    path = tmp_path / "state" / "ledger.sqlite"
    sink = SqliteSink(path)
    sink.write([opened(1)], [PriceTerms("p1", b"{}")])
    assert path.stat().st_mode & 0o777 == 0o600
    connection = connect_readonly(path)
    columns = [column[1] for column in connection.execute("PRAGMA table_info(attempts)")]
    assert columns == ["seq", *Row.__struct_fields__]
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("SELECT version, terms FROM prices").fetchall() == [("p1", b"{}")]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM attempts")
    connection.close()
    sink.close()


def test_a_file_that_is_there(tmp_path: Path) -> None:
    """It goes on, for two at once as well."""
    path = tmp_path / "ledger.sqlite"
    first, second = SqliteSink(path), SqliteSink(path)
    first.write([opened(1)], [])
    second.write([settled(opened(1)), opened(2)], [])
    first.write([opened(1), settled(opened(2))], [])
    first.close()
    second.close()
    assert set(in_sqlite(path).statuses().values()) == {"ok"}


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """Nothing is lost: the rows wait for the right program."""
    path = tmp_path / "ledger.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    sink = SqliteSink(path)
    for _ in range(2):
        with pytest.raises(SinkFailed, match="newer version"):
            sink.write([opened(1)], [])


def test_a_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """By whoever writes it next: its rows are attempts. Who reads it before that is told."""
    path = tmp_path / "ledger.sqlite"
    sink = SqliteSink(path)
    sink.write([settled(opened(1)), opened(2)], [])
    sink.close()
    connection = sqlite3.connect(path)
    for statement in (*AS_VERSION_1, "PRAGMA user_version = 1"):
        connection.execute(statement)
    connection.close()
    with pytest.raises(NoLedger, match="of an older version"):
        open_source(path)
    sink.write([settled(opened(2)), settled(opened(3), cache="exact", saved=7)], [])
    sink.close()
    assert in_sqlite(path).rows() == [
        settled(opened(1)),
        settled(opened(2)),
        settled(opened(3), cache="exact", saved=7),
    ]
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    (index,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'attempts_groups'").fetchone()
    assert "cost, cache, saved, saved_input, saved_output" in " ".join(index.split())
    connection.close()
    open_source(path).close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is said, and mended by taking it away."""
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(b"something else entirely" * 100)
    sink = SqliteSink(path)
    with pytest.raises(SinkFailed, match="not a database"):
        sink.write([opened(1)], [])
    path.unlink()
    sink.write([opened(1)], [])
    sink.close()
    assert len(in_sqlite(path).rows()) == 1


def test_a_file_that_was_taken_away_is_made_anew(tmp_path: Path) -> None:
    """What is written next is not lost with the old one."""
    path = tmp_path / "ledger.sqlite"
    sink = SqliteSink(path)
    sink.write([opened(1)], [])
    for file in tmp_path.iterdir():
        file.unlink()
    sink.write([opened(2)], [])
    sink.close()
    assert in_sqlite(path).rows() == [opened(2)]


def test_a_path_with_signs_that_mean_something_in_an_address(tmp_path: Path) -> None:
    """A question mark is part of the name."""
    path = tmp_path / "what?mode=rw#%41.sqlite"
    sink = SqliteSink(path)
    sink.write([opened(1)], [])
    sink.close()
    assert in_sqlite(path).rows() == [opened(1)]
