"""What reaches the database, in whatever order rows come and processes die; the same for both databases."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from proxy.ledger.journal import unpacked
from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.writer import MAX_BATCH, Backlog, Sink, Writer, as_unknown, replay
from tests.support.environment import ROOT, clean_environment
from tests.support.ledger import Ledger, in_postgres, in_sqlite, opened, settled
from tests.support.postgres import Postgres

_databases = itertools.count()
# Settles a row while no file may grow; mends the journal when it may, and dies without having written to a database.
_FULL = """
import resource, sys
from pathlib import Path
from proxy.ledger.writer import Backlog
from tests.support.ledger import opened, settled
backlog = Backlog(Path(sys.argv[1]), max_segment=1)  # it keeps no room ahead
backlog.open(opened(0))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (backlog.journal.size + 10, hard))
backlog.settle(settled(opened(0)))
backlog.mend()
print(backlog.journal_problem)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
backlog.mend()
print(backlog.journal_problem)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One for all of them; each has a database of its own."""
    made = Postgres()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """An empty one."""
    if request.param == "sqlite":
        return in_sqlite(tmp_path / "ledger.sqlite")
    server: Postgres = request.getfixturevalue("server")
    return in_postgres(server.fresh(f"ledger{next(_databases)}"))


@pytest.fixture
def sink(ledger: Ledger) -> Iterator[Sink]:
    """What writes it."""
    made = ledger.make()
    yield made
    made.close()


def _flush(backlog: Backlog, sink: Sink) -> None:
    """As the thread does it, once."""
    rows, prices = backlog.take()
    sink.write([unpacked(payload) for payload in rows.values()], prices)
    backlog.done(rows, prices)


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_writing_again_changes_nothing(ledger: Ledger, sink: Sink) -> None:
    """Open after settled, settled twice, all at once and one by one."""
    row = opened(1)
    end = settled(row, flags="partial", stream=True)
    for rows in ([row], [row], [row, end, row, settled(row, cost=1)], [row], [settled(row, status="error")], [end]):
        sink.write(rows, [PriceTerms("p1", b"\x00{}"), PriceTerms("p1", b"other")])
    assert ledger.rows() == [end]
    assert [bytes(terms) for (terms,) in ledger.select("SELECT terms FROM prices")] == [b"\x00{}"]


def test_what_a_database_refuses_is_replaced(ledger: Ledger, sink: Sink) -> None:
    """One row must not hold up all others."""
    sink.write([opened(1, user="a\x00b", input=2**64 - 1, output=-(2**70))], [])
    (row,) = ledger.rows()
    assert (row.user, row.input, row.output) == ("a\ufffdb", 2**63 - 1, 1 - 2**63)


def test_a_row_that_nobody_can_settle_any_more(ledger: Ledger, sink: Sink) -> None:
    """It has used as much as it may have; what is younger, and what is settled, stays as it is."""
    rows = [
        opened(1, opened=1, flags="mirror"),
        opened(2, opened=99),
        settled(opened(3, opened=3)),
        opened(4, opened=100),
    ]
    sink.write(rows, [])
    assert sink.recover(100, now=777) == 2
    assert sink.recover(100, now=888) == 0
    assert ledger.rows() == [as_unknown(rows[0], 777), as_unknown(rows[1], 777), rows[2], rows[3]]
    unknown = as_unknown(rows[0], 777)
    assert (unknown.status, unknown.settled, unknown.source) == ("unknown", 777, "bound")
    assert (unknown.input, unknown.output, unknown.cost) == (100, 50, 7000)
    assert unknown.flags == "mirror recovered"


def test_what_is_too_old_is_deleted(ledger: Ledger, sink: Sink) -> None:
    """The oldest first and no more than asked for; what is open stays, and so does what is as old as the limit."""
    rows = [opened(1, opened=1), *(settled(opened(number, opened=number)) for number in (2, 3, 4, 5))]
    sink.write(rows, [])
    assert sink.prune(5, 2) == 2
    assert ledger.rows() == [rows[0], *rows[3:]]
    assert [sink.prune(5, 2), sink.prune(5, 2)] == [1, 0]
    assert ledger.rows() == [rows[0], rows[4]]


def test_a_request_is_deleted_whole(ledger: Ledger, sink: Sink) -> None:
    """Its later attempts go with its first."""
    first, second = settled(opened(1, opened=1)), settled(opened(2, opened=7), request="req_1", number=2)
    other = settled(opened(3, opened=7), number=2)
    sink.write([first, second, other], [])
    sink.prune(5, 100)
    assert ledger.rows() == [other]


def test_the_thread_deletes_what_is_too_old(ledger: Ledger, sink: Sink, tmp_path: Path) -> None:
    """All of it, however many turns that takes; nothing before it is told to."""
    rows = [settled(opened(number, opened=number)) for number in range(2500)]
    young = settled(opened(9999, opened=90_000_000))
    sink.write([*rows, young], [])
    writer = Writer(tmp_path / "state", Backlog(tmp_path / "state"), ledger.make, now=lambda: 100.0, recover_every=0.02)
    writer.start()
    _until(lambda: not writer.failure and writer._recover_at > 0)
    assert len(ledger.rows()) == 2501
    writer.retention = 50.0
    _until(lambda: len(ledger.rows()) == 1)
    writer.stop(5)
    assert ledger.rows() == [young]


def test_a_row_that_is_settled_under_way_waits_again(ledger: Ledger, sink: Sink, tmp_path: Path) -> None:
    """The older text of it was taken; the newer one must follow. The caller may change its row at any time."""
    backlog, row, told = Backlog(tmp_path / "state"), opened(1), []
    backlog.open(row)
    rows, prices = backlog.take()
    backlog.settle(settled(row))
    backlog.when_written(lambda: told.append("written"))
    row.cost = 99
    backlog.done(rows, prices)
    assert (len(backlog), told) == (1, [])
    _flush(backlog, sink)
    assert (len(backlog), told) == (0, ["written"])
    backlog.settle(settled(row, cost=1))  # once is enough
    assert backlog.is_empty
    backlog.close()
    assert ledger.rows() == [settled(opened(1))]
    assert list((tmp_path / "state").iterdir()) == []


def test_a_large_journal_is_begun_anew(ledger: Ledger, sink: Sink, tmp_path: Path) -> None:
    """Segments go when their rows are written. A row that is open all the time is still known afterwards."""
    backlog, long = Backlog(tmp_path / "state", max_segment=5000), opened(0)
    backlog.open(long)
    for number in range(1, 500):
        row = opened(number)
        backlog.open(row)
        backlog.settle(settled(row))
        if number % 10 == 0:
            _flush(backlog, sink)
            backlog.retire()
            assert len(list((tmp_path / "state").glob("*.journal"))) <= 2
    _flush(backlog, sink)
    size = sum(path.stat().st_size for path in (tmp_path / "state").iterdir())
    assert size < 20_000
    backlog.journal.close()
    replay(tmp_path / "state", sink, 9)
    assert list((tmp_path / "state").iterdir()) == []
    assert list(ledger.statuses().values()) == ["unknown"] + ["ok"] * 499


def test_more_rows_than_a_transaction_takes(ledger: Ledger, sink: Sink, tmp_path: Path) -> None:
    """All are brought in, and then the journal is gone."""
    backlog = Backlog(tmp_path / "state")
    for number in range(MAX_BATCH + 10):
        backlog.open(opened(number))
    backlog.close()  # nothing was written: it stays
    assert replay(tmp_path / "state", sink, 9) == MAX_BATCH + 10
    assert list(ledger.statuses().values()) == ["unknown"] * (MAX_BATCH + 10)
    assert replay(tmp_path / "state", sink, 9) == 0


def test_what_the_journal_had_no_room_for_is_added_when_it_has(ledger: Ledger, sink: Sink, tmp_path: Path) -> None:
    """Though the database was away all the time, and the process died afterwards."""
    words = [sys.executable, "-c", _FULL, str(tmp_path)]
    told = subprocess.run(words, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=clean_environment(), check=True)
    full, healed = told.stdout.splitlines()
    assert full.startswith("the journal cannot be written: ")
    assert healed == ""
    replay(tmp_path, sink, 9)
    assert ledger.rows() == [settled(opened(0))]


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_things_and_deaths(ledger: Ledger, sink: Sink, tmp_path: Path, seed: int) -> None:
    """Opening, settling, writing, beginning a segment, dying at any moment, also between writing and noting it."""
    chosen, directory = random.Random(seed), tmp_path / "state"
    expected: dict[str, Row] = {}
    alive: dict[str, Row] = {}
    backlog, numbers = Backlog(directory, max_segment=2000), itertools.count()
    for now in range(1000):
        turn = chosen.random()
        if turn < 0.45:
            row = opened(next(numbers))
            backlog.open(row)
            alive[row.id] = row
        elif turn < 0.85 and alive:
            row = alive.pop(chosen.choice(list(alive)))
            expected[row.id] = settled(row, cost=now)
            backlog.settle(expected[row.id])
        elif turn < 0.95:
            _flush(backlog, sink)
        elif turn < 0.98:
            backlog.retire()
        else:
            if chosen.random() < 0.5:
                sink.write(list(alive.values()), [])
            backlog.journal.close()
            expected |= {row.id: as_unknown(row, now) for row in alive.values()}
            alive.clear()
            backlog = Backlog(directory, max_segment=2000)
            replay(directory, sink, now)
    _flush(backlog, sink)
    backlog.close()
    expected |= alive
    assert ledger.rows() == [expected[name] for name in sorted(expected)]
