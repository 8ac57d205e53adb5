"""The thread that owns the file: commits, failures, and what comes after them."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.jobs.writer import StoreBroken, Writer


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS kept (value INTEGER UNIQUE)")


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    """One on a file of its own."""
    made = Writer(tmp_path / "store" / "file.sqlite", _prepare)
    yield made
    await made.aclose()


def _values(path: Path) -> list[int]:
    database = sqlite3.connect(path)
    found = [value for (value,) in database.execute("SELECT value FROM kept ORDER BY value")]
    database.close()
    return found


async def test_what_was_written_is_there_for_others(writer: Writer, tmp_path: Path) -> None:
    """As soon as it is said to be."""
    assert not (tmp_path / "store").exists()
    for value in range(3):
        await writer.write(lambda db, value=value: db.execute("INSERT INTO kept VALUES (?)", (value,)))  # type: ignore[misc]
        assert _values(tmp_path / "store" / "file.sqlite") == list(range(value + 1))
    assert (tmp_path / "store" / "file.sqlite").stat().st_mode & 0o077 == 0


async def test_one_of_many_takes_back_only_its_own(writer: Writer, tmp_path: Path) -> None:
    """In one transaction with others, what raises has changed nothing."""

    def odd(db: sqlite3.Connection, value: int) -> int:
        db.execute("INSERT INTO kept VALUES (?)", (value,))
        if value % 2:
            raise ValueError(value)
        return value

    asked = [writer.write(lambda db, value=value: odd(db, value)) for value in range(10)]  # type: ignore[misc]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [one for one in found if isinstance(one, int)] == [0, 2, 4, 6, 8]
    assert all(isinstance(one, ValueError) for one in found[1::2])
    assert _values(tmp_path / "store" / "file.sqlite") == [0, 2, 4, 6, 8]


async def test_a_file_that_is_no_database(writer: Writer, tmp_path: Path) -> None:
    """Is told as such, and forgotten when it is replaced."""
    path = tmp_path / "store" / "file.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"certainly no database" * 100)
    with pytest.raises(StoreBroken, match="not a database"):
        await writer.write(lambda db: None)
    assert "not a database" in writer.problem
    path.unlink()
    await writer.write(lambda db: db.execute("INSERT INTO kept VALUES (1)"))
    assert writer.problem == ""


async def test_a_file_that_is_held_is_still_read(writer: Writer, tmp_path: Path) -> None:
    """By another program, while what would write has failed; reading mends nothing."""
    await writer.write(lambda db: db.execute("INSERT INTO kept VALUES (1)"))
    holder = sqlite3.connect(tmp_path / "store" / "file.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBroken, match="locked"):
        await writer.write(lambda db: db.execute("INSERT INTO kept VALUES (2)"))
    assert await writer.read(lambda db: db.execute("SELECT count(*) FROM kept").fetchone()) == (1,)
    assert "locked" in writer.problem
    holder.execute("ROLLBACK")
    holder.close()
    await writer.write(lambda db: db.execute("INSERT INTO kept VALUES (2)"))
    assert writer.problem == ""


async def test_a_file_that_was_taken_away(writer: Writer, tmp_path: Path) -> None:
    """Is made anew, instead of writing into what nobody will ever read."""
    path = tmp_path / "store" / "file.sqlite"
    await writer.write(lambda db: db.execute("INSERT INTO kept VALUES (1)"))
    shutil.rmtree(path.parent)
    await writer.write(lambda db: db.execute("INSERT INTO kept VALUES (2)"))
    assert _values(path) == [2]


async def test_too_much_at_once_and_too_late(tmp_path: Path) -> None:
    """The queue is bounded; after the end nothing is taken."""
    writer = Writer(tmp_path / "file.sqlite", _prepare, max_waiting=0)
    with pytest.raises(StoreBroken, match="keep up"):
        await writer.read(lambda db: None)
    await writer.aclose()
    with pytest.raises(StoreBroken, match="closed"):
        await writer.read(lambda db: None)
