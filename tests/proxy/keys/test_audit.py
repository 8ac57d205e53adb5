"""Rows that are only added: whoever touches one is found out."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proxy.keys import store
from proxy.keys.audit import START, Actor, append, entries, head, verify_chain

ADA = Actor("ada", "owner")
_TRIGGERS = ("audit_is_not_changed", "audit_is_not_deleted", "audit_is_not_replaced")
_COLUMNS = ("at", "who", "role", "action", "object", "before", "after", "previous", "hash")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A file with eight rows."""
    with closing(sqlite3.connect(tmp_path / "keys.sqlite", isolation_level=None)) as connection:
        store.prepare(connection)
        for number in range(8):
            before = None if number % 3 == 0 else {"n": number}
            append(connection, ADA, "key.update", f"key_{number}", before, {"n": "é"}, now=number)
        yield connection


def _without_triggers(db: sqlite3.Connection) -> None:
    for name in _TRIGGERS:
        db.execute(f"DROP TRIGGER {name}")


def test_rows_follow_each_other(db: sqlite3.Connection) -> None:
    """Each with what was before and after."""
    assert verify_chain(db) is None
    found = entries(db, 6, 10)
    assert [(one.seq, one.who, one.role, one.object) for one in found] == [
        (7, "ada", "owner", "key_6"),
        (8, "ada", "owner", "key_7"),
    ]
    assert (found[0].before, found[1].before, found[1].after) == (None, {"n": 7}, {"n": "é"})
    assert (found[1].seq, found[1].hash) == (head(db)[0], head(db)[1].hex())
    assert len(entries(db, 0, 3)) == 3


def test_an_empty_one_is_in_order(tmp_path: Path) -> None:
    """And has the head that its first row follows."""
    with closing(sqlite3.connect(tmp_path / "x", isolation_level=None)) as db:
        store.prepare(db)
        assert verify_chain(db) is None
        assert head(db) == (0, START)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'eve'",
        "DELETE FROM audit WHERE seq = 8",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 8",
        "INSERT INTO audit SELECT 0, at, who, role, action, object, before, after, previous, hash FROM audit LIMIT 1",
    ],
)
def test_the_file_itself_refuses_changes(db: sqlite3.Connection, statement: str) -> None:
    """Whoever writes them by mistake hears of it."""
    with pytest.raises(sqlite3.IntegrityError, match="only added to"):
        db.execute(statement)
    assert verify_chain(db) is None


def test_any_byte_of_any_row(db: sqlite3.Connection) -> None:
    """Changed behind the triggers' back, in every column, at every place: found where it was done."""
    _without_triggers(db)
    chosen = random.Random(5)
    tried = 0
    for seq in range(1, 9):
        for column in _COLUMNS:
            (value, kind) = db.execute(
                f"SELECT CAST({column} AS BLOB), typeof({column}) FROM audit WHERE seq = ?", (seq,)
            ).fetchone()
            for place in range(len(value or b"")):
                other = bytearray(value)
                other[place] ^= chosen.randrange(1, 256)
                cast = "?" if kind == "blob" else "CAST(? AS TEXT)"  # what is no UTF-8 too
                db.execute("BEGIN")
                db.execute(f"UPDATE audit SET {column} = {cast} WHERE seq = ?", (bytes(other), seq))
                assert verify_chain(db) == seq, (seq, column, place, bytes(other))
                db.execute("ROLLBACK")
                tried += 1
    assert tried > 8 * 64
    assert verify_chain(db) is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq > 5", 6),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET seq = 99 WHERE seq = 8", 8),
        ("UPDATE audit SET before = NULL WHERE seq = 2", 2),
        ("UPDATE audit SET before = 'null' WHERE seq = 1", 1),
        ("UPDATE audit SET who = 'adao', role = 'wner' WHERE seq = 3", 3),
    ],
)
def test_rows_that_are_gone_or_moved(db: sqlite3.Connection, statement: str, broken: int) -> None:
    """Also at the end, and what looks the same when it is run together."""
    _without_triggers(db)
    db.execute(statement)
    assert verify_chain(db) == broken


def test_a_row_that_was_made_anew(db: sqlite3.Connection) -> None:
    """With a hash that fits it: the next row tells."""
    _without_triggers(db)
    later = db.execute("SELECT * FROM audit WHERE seq > 4").fetchall()
    db.execute("DELETE FROM audit WHERE seq > 3")
    append(db, Actor("eve", "owner"), "key.update", "key_3", None, None, now=3)
    db.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", later)
    assert verify_chain(db) == 5


_WRITES = """
import sys
from pathlib import Path
from proxy.keys import store
from proxy.keys.audit import Actor
number = 0
while True:
    with store.writing(Path(sys.argv[1])) as db:
        store.create(db, Actor("child", "owner"), ("acme", "search", f"k{number}"), {}, now=number + 1)
    number += 1
    print(number, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_writer_that_is_killed(tmp_path: Path, seed: int) -> None:
    """In the middle of writing: what it said was done is there, each key with its row, and the chain is whole."""
    lines = random.Random(seed).randrange(5, 40)
    child = subprocess.Popen([sys.executable, "-c", _WRITES, str(tmp_path)], stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        for _ in range(lines):
            assert child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        said = lines + len(child.stdout.read().splitlines())
    with store.writing(tmp_path) as db:
        assert verify_chain(db) is None
        created = [one.object for one in entries(db, 0, 1000)]
        assert sorted(created) == [key.id for key in store.keys(db)]
        assert said <= len(created) <= said + 1
        store.create(db, ADA, ("acme", "search", "after"), {}, now=1)
        assert verify_chain(db) is None
