"""The ledger as a process uses it: nothing waits, nothing is lost, whatever the disk and the database do."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.ledger.books import Books, LedgerUnavailable
from proxy.ledger.journal import read
from proxy.ledger.row import PriceTerms
from proxy.ledger.writer import ABANDONED, Sink
from tests.support.environment import ROOT, clean_environment
from tests.support.ledger import in_sqlite, opened, settled

# Opens and settles rows until it is killed; says what was done, as soon as it is done.
_BUSY = """
import sys
from pathlib import Path
from proxy.ledger.books import Books
from tests.support.ledger import in_sqlite, opened, settled
directory, first = Path(sys.argv[1]), int(sys.argv[2])
books = Books(directory, in_sqlite(directory / "ledger.sqlite").make)
books.start()
for number in range(first, first + 1_000_000):
    row = opened(number)
    books.open(row)
    print("open", row.id, flush=True)
    if number % 7:
        books.settle(settled(row))
        print("ok", row.id, flush=True)
"""
# No file may grow beyond some bytes; then it may.
_FULL = """
import asyncio, resource, sys
from pathlib import Path
from proxy.ledger.books import Books, LedgerUnavailable
from tests.support.ledger import in_sqlite, opened, settled
directory = Path(sys.argv[1])
async def main():
    books = Books(directory, in_sqlite(directory / "ledger.sqlite").make)
    books.open(opened(0))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    count = 1
    try:
        while count < 10_000:
            books.open(opened(count))
            count += 1
    except LedgerUnavailable as error:
        assert (error.http_status, error.error_code) == (503, "ledger_unavailable"), error
    assert 5 < count < 5000, count
    books.settle(settled(opened(0)))
    assert "the journal cannot be written" in books.problem, books.problem
    books.start()
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    async with asyncio.timeout(10):
        while books.problem:
            await asyncio.sleep(0.01)
        books.open(opened(count))
        for number in range(1, count + 1):
            books.settle(settled(opened(number)))
        await books.flushed()
    print(count + 1)
    if sys.argv[2] == "close":
        await books.aclose()
asyncio.run(main())
"""


def _child(program: str, *arguments: object) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=clean_environment())


async def _until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_a_day_without_trouble(tmp_path: Path) -> None:
    """Rows and prices are in the file, and nothing is left of the journal."""
    ledger = in_sqlite(tmp_path / "ledger.sqlite")
    books = Books(tmp_path, ledger.make)
    books.start()
    books.start()
    for number in range(1200):
        row = opened(number, price="p1")
        books.price(PriceTerms("p1", b"{}"))
        books.open(row)
        books.settle(settled(row))
        books.settle(settled(row, status="error"))
    await asyncio.wait_for(books.flushed(), 10)
    assert (books.waiting, books.problem, books.is_full) == (0, "", False)
    assert list(ledger.statuses().values()) == ["ok"] * 1200
    assert ledger.select("SELECT version FROM prices") == [("p1",)]
    books.price(PriceTerms("p2", b"{}"))
    await books.aclose()
    assert len(ledger.select("SELECT version FROM prices")) == 2
    assert {path.name for path in tmp_path.iterdir()} <= {"ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"}


async def test_a_row_that_was_not_opened_is_left_alone(tmp_path: Path) -> None:
    """As its opening was refused."""
    books = Books(tmp_path, in_sqlite(tmp_path / "ledger.sqlite").make)
    books.settle(settled(opened(1)))
    assert books.waiting == 0
    await books.aclose()


async def test_what_has_cost_nothing_is_written_once(tmp_path: Path) -> None:
    """At once settled, and in the journal before it is in the database; too many of it are no reason to refuse."""
    ledger = in_sqlite(tmp_path / "ledger.sqlite")
    books = Books(tmp_path, ledger.make, max_backlog=2)
    row = settled(opened(1), cache="exact", saved=7)
    assert books.add(row)
    (journal,) = tmp_path.glob("*.journal")
    assert [found.status for found in read(journal)] == ["ok"]
    books.settle(settled(opened(1), cost=9))  # it was never open
    assert books.add(settled(opened(2), cache="stale"))
    assert not books.add(settled(opened(3), cache="exact"))
    books.start()
    await books.flushed()
    assert books.add(settled(opened(4), cache="exact"))
    await books.aclose()
    assert [found.id[-1] for found in ledger.rows()] == ["1", "2", "4"]
    assert ledger.rows()[0] == row


async def test_a_request_that_outlives_its_process_is_recovered(tmp_path: Path) -> None:
    """By another that is running already."""
    ledger = in_sqlite(tmp_path / "ledger.sqlite")
    first, second = Books(tmp_path, ledger.make), Books(tmp_path, ledger.make, now=lambda: 77.0, recover_every=0.1)
    first.start()
    first.open(opened(1))
    await asyncio.wait_for(first.flushed(), 10)
    second.open(opened(2))
    second.start()
    await asyncio.wait_for(second.flushed(), 10)
    assert list(ledger.statuses().values()) == ["open", "open"]  # neither takes the other's
    await first.aclose()
    await _until(lambda: list(ledger.statuses().values()) == ["unknown", "open"])
    assert ledger.rows()[0].settled == 77_000_000
    second.settle(settled(opened(2)))
    await second.aclose()
    assert list(ledger.statuses().values()) == ["unknown", "ok"]


async def test_a_database_that_another_one_holds(tmp_path: Path) -> None:
    """Requests do not notice; operators do."""
    ledger = in_sqlite(tmp_path / "ledger.sqlite")
    books = Books(tmp_path, ledger.make)
    books.start()
    books.open(opened(0))
    await asyncio.wait_for(books.flushed(), 10)
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    done = 1
    while not books.problem:  # the busy timeout passes in the thread: this loop runs meanwhile
        books.open(opened(done))
        books.settle(settled(opened(done)))
        done += 1
        await asyncio.sleep(0.001)
    assert done > 50
    assert books.problem == f"ledger: database is locked; {done - 1:,} rows wait"
    other.execute("ROLLBACK")
    other.close()
    await _until(lambda: not books.problem)
    books.settle(settled(opened(0)))
    await books.aclose()
    assert list(ledger.statuses().values()) == ["ok"] * done


async def test_no_more_wait_than_there_is_memory_for(tmp_path: Path) -> None:
    """What is open can still be settled, and is, when the database is back."""
    ledger = in_sqlite(tmp_path / "ledger.sqlite")
    books = Books(tmp_path, ledger.make, max_backlog=10)
    for number in range(10):
        books.open(opened(number))
    full = [books.is_full]
    with pytest.raises(LedgerUnavailable, match="too many records wait") as refused:
        books.open(opened(10))
    assert refused.value.http_status == 503
    for number in range(10):
        books.settle(settled(opened(number)))
    books.start()
    await asyncio.wait_for(books.flushed(), 10)
    full.append(books.is_full)
    assert full == [True, False]
    await books.aclose()
    assert list(ledger.statuses().values()) == ["ok"] * 10


async def test_what_was_not_written_at_the_end_is_written_at_the_next_beginning(tmp_path: Path) -> None:
    """Without its database, a process ends in some seconds and leaves its journal."""
    ledger = in_sqlite(tmp_path / "there" / "ledger.sqlite")
    (tmp_path / "there").write_text("in the way")
    books = Books(tmp_path / "state", ledger.make)
    books.open(opened(1))
    books.settle(settled(opened(1)))
    books.start()
    await _until(lambda: books.problem)
    await books.aclose(patience=0.2)
    (tmp_path / "there").unlink()
    books = Books(tmp_path / "state", ledger.make)
    books.start()
    await _until(lambda: ledger.statuses())
    await books.aclose()
    assert ledger.rows() == [settled(opened(1))]
    assert list((tmp_path / "state").iterdir()) == []


async def test_a_database_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    """As when a library is missing."""

    def make() -> Sink:
        raise LookupError("no library")

    books, told = Books(tmp_path, make), ""
    try:
        books.start()
    except LookupError as error:
        told = str(error)
    await books.aclose()
    assert told == "no library"


async def test_a_row_that_is_open_for_days_is_given_up(tmp_path: Path) -> None:
    """Its journal may be lost with its machine. One that is a little younger is left alone."""
    ledger = in_sqlite(tmp_path / "ledger.sqlite")
    books = Books(tmp_path, ledger.make, now=lambda: ABANDONED + 2, recover_every=0.1)
    books.open(opened(1, opened=1_999_999))
    books.open(opened(2, opened=2_000_000))
    books.start()
    await _until(lambda: "unknown" in ledger.statuses().values())
    await books.aclose()
    assert list(ledger.statuses().values()) == ["unknown", "open"]


async def test_processes_that_are_killed_while_they_write(tmp_path: Path) -> None:
    """Two at a time share directory and file. What each of them had settled is settled once; the rest is unknown."""
    said: dict[str, str] = {}
    ledger = in_sqlite(tmp_path / "ledger.sqlite")
    for turn in range(2):
        pair = [_child(_BUSY, tmp_path, 10_000_000 * (2 * turn + one)) for one in range(2)]
        for process in pair:
            assert process.stdout is not None
            for _ in range(3000 + 700 * turn):
                status, name = process.stdout.readline().split()
                said[name] = status
            process.kill()
            rest = process.communicate()[0].splitlines(keepends=True)
            said |= {line.split()[1]: line.split()[0] for line in rest if line.endswith("\n")}
    books = Books(tmp_path, ledger.make)
    books.start()
    await _until(lambda: not list(tmp_path.glob("*.journal"))[1:])
    await books.aclose()
    found = ledger.statuses()
    assert {name: found.get(name) for name, status in said.items() if status == "ok"} == {
        name: "ok" for name, status in said.items() if status == "ok"
    }
    left = [found[name] for name, status in said.items() if status == "open"]
    assert left.count("unknown") > 500
    assert left.count("unknown") >= len(left) - 4  # one of each process may have been settled and not said
    assert len(found) - len(said) <= 4
    assert "open" not in found.values()


@pytest.mark.parametrize("end", ["close", "die"])
async def test_a_disk_that_is_full_for_a_while(tmp_path: Path, end: str) -> None:
    """Nothing is begun that cannot be recorded; what was begun is settled; it heals by itself."""
    process = _child(_FULL, tmp_path, end)
    told = process.communicate(timeout=20)[0]
    assert process.returncode == 0
    ledger = in_sqlite(tmp_path / "ledger.sqlite")
    assert list(ledger.statuses().values()) == ["ok"] * int(told)
    books = Books(tmp_path, ledger.make)
    books.start()
    await _until(lambda: len(list(tmp_path.glob("*.journal"))) == 1)
    await books.aclose()
    assert list(ledger.statuses().values()) == ["ok"] * int(told)
