"""The thread that brings rows of the ledger into its database, and the rows that wait for it.

The thread alone uses the database, which may be slow, locked or away: rows wait meanwhile, in memory and in the
journal. What a process left behind that died is brought in by any other that shares its directory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Protocol

import msgspec

from proxy.ledger.journal import Journal, orphans, packed, unpacked
from proxy.ledger.row import PriceTerms, Row

EVERY = 0.1  # seconds between flushes
ENOUGH = 500  # rows that are written without waiting any longer
MAX_BATCH = 2000  # rows of one transaction
RECOVER_EVERY = 5.0  # seconds between looks for what others left behind
ABANDONED = 86_400.0  # seconds after which an open row is nobody's, whose journal was lost with its machine
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds between tries while the database fails
_PRUNED_AT_ONCE = 1000  # rows that are deleted in one transaction, so that nobody waits long for it
_CHUNK = 100  # rows that are copied to a new segment while requests wait
_MAX_NUMBER = 2**63 - 1
Value = str | int | bool


class SinkFailed(Exception):
    """The database did not take what it was given, all of it. The text is for operators and holds no secret."""


class Sink(Protocol):
    """A database of rows. Each method is one transaction, and is called in one thread only."""

    def write(self, rows: Sequence[Row], prices: Sequence[PriceTerms]) -> None:
        """Insert rows, or settle those that are open. What is settled stays as it is; so does a known price.

        Raises:
            SinkFailed: nothing was written.
        """

    def recover(self, open_before: int, now: int) -> int:
        """Settle as unknown what was opened before and is still open; return how many. Times in microseconds.

        Raises:
            SinkFailed: nothing was changed.
        """

    def prune(self, opened_before: int, most: int) -> int:
        """Delete ``most`` settled rows that were opened before, the oldest first; return how many. In microseconds.

        Raises:
            SinkFailed: nothing was deleted.
        """

    def close(self) -> None:
        """Let go of the database. ``write`` opens it again."""


_FIELDS = msgspec.structs.fields(Row)
_texts = itemgetter(*(at for at, field in enumerate(_FIELDS) if field.type not in (int, bool)))
_numbers = itemgetter(*(at for at, field in enumerate(_FIELDS) if field.type is int))


def values(row: Row) -> Sequence[Value]:
    """The fields of a row in their order, with nothing in them that a database refuses."""
    found: tuple[Value, ...] = msgspec.structs.astuple(row)
    numbers = _numbers(found)
    if "\x00" not in "".join(_texts(found)) and min(numbers) >= -_MAX_NUMBER and max(numbers) <= _MAX_NUMBER:
        return found  # nearly every row
    return [_accepted(value) for value in found]


def _accepted(value: Value) -> Value:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    return value if isinstance(value, bool) else max(-_MAX_NUMBER, min(value, _MAX_NUMBER))


def as_unknown(row: Row, now: int) -> Row:
    """What is settled for a row whose end nobody saw: as much as it may have used at most. ``now`` in microseconds."""
    return msgspec.structs.replace(
        row,
        status="unknown",
        settled=now,
        cost=row.bound_cost,
        input=row.bound_input,
        output=row.bound_output,
        source="bound",
        flags=f"{row.flags} recovered".strip(),
    )


def replay(directory: Path, sink: Sink, now: int) -> int:
    """Bring in what dead processes left in ``directory``; return how many rows. ``now`` in microseconds.

    Raises:
        SinkFailed: what is left is tried again next time.
        OSError: the directory cannot be used.
    """
    count = 0
    for orphan in orphans(directory):
        rows = [as_unknown(row, now) if row.status == "open" else row for row in orphan.rows()]
        for begin in range(0, len(rows), MAX_BATCH):
            sink.write(rows[begin : begin + MAX_BATCH], ())
        orphan.delete()
        count += len(rows)
    return count


class _Awaited:
    """Ids that have to be in the database before something is done, in the thread."""

    def __init__(self, ids: set[str], then: Callable[[], None]) -> None:
        self.ids = ids
        self.then = then


class Backlog:
    """The journal, and the rows that the database does not hold yet, packed: nobody changes them under way.

    Requests add to it, the thread takes from it. ``journal_problem`` says why the journal cannot be written, "" while
    it can.

    Raises:
        OSError: the directory cannot be written.
    """

    def __init__(self, directory: Path, *, max_segment: int = 4 * 2**20) -> None:
        self.journal = Journal(directory, max_segment=max_segment)
        self.journal_problem = ""
        self._lock = threading.Lock()
        self._rows: dict[str, bytes] = {}
        self._prices: dict[str, PriceTerms] = {}
        self._known_prices: set[str] = set()
        self._open: dict[str, bytes] = {}
        self._unjournaled: dict[str, bytes] = {}
        self._awaited: list[_Awaited] = []
        self._is_retiring = False

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_empty(self) -> bool:
        """Whether the database holds everything."""
        return not (self._rows or self._prices)

    @property
    def open_count(self) -> int:
        """Rows that were opened here and not settled."""
        return len(self._open)

    def open(self, row: Row) -> None:
        """Add an open row.

        Raises:
            OSError: it could not be written, and was not added.
        """
        payload = packed(row)
        with self._lock:
            self._append(payload)
            self._open[row.id] = self._rows[row.id] = payload

    def settle(self, row: Row) -> None:
        """Settle an open row. Without room for it in the journal, it waits for that in memory."""
        payload = packed(row)
        with self._lock:
            if self._open.pop(row.id, None) is None:
                return  # it was settled before
            self._keep(row.id, payload)

    def add(self, row: Row) -> None:
        """Add a row that is settled and was never open. As ``settle`` says, where there is no room."""
        payload = packed(row)
        with self._lock:
            self._keep(row.id, payload)

    def _keep(self, id: str, payload: bytes) -> None:
        self._rows[id] = payload
        try:
            self._append(payload)
        except OSError:
            self._unjournaled[id] = payload

    def price(self, terms: PriceTerms) -> None:
        """Add a price, unless it was added before."""
        if terms.version not in self._known_prices:
            with self._lock:
                self._known_prices.add(terms.version)
                self._prices[terms.version] = terms

    def _append(self, payload: bytes) -> None:
        try:
            self.journal.append(payload)
        except OSError as error:
            self.journal_problem = f"the journal cannot be written: {error.strerror}"
            raise
        self.journal_problem = ""

    def when_written(self, then: Callable[[], None]) -> None:
        """Call ``then`` in the thread, once the database holds what was added so far."""
        with self._lock:
            awaited = _Awaited(self._rows.keys() | self._prices.keys(), then)
            if awaited.ids:
                self._awaited.append(awaited)
                return
        then()

    # In the thread

    def take(self) -> tuple[dict[str, bytes], list[PriceTerms]]:
        """The oldest that wait. They stay until ``done``."""
        with self._lock:
            return dict(islice(self._rows.items(), MAX_BATCH)), list(self._prices.values())

    def done(self, rows: dict[str, bytes], prices: Sequence[PriceTerms]) -> None:
        """What was taken is in the database. A row that was settled meanwhile still waits."""
        with self._lock:
            gone = {name for name, payload in rows.items() if self._rows.get(name) is payload}
            for name in gone:
                del self._rows[name]
                self._unjournaled.pop(name, None)
            for terms in prices:
                del self._prices[terms.version]
                gone.add(terms.version)
            for awaited in self._awaited:
                awaited.ids -= gone
            ready = [awaited for awaited in self._awaited if not awaited.ids]
            self._awaited = [awaited for awaited in self._awaited if awaited.ids]
        for awaited in ready:
            awaited.then()

    def mend(self) -> None:
        """Write to the journal what it had no room for, or see whether it has room again."""
        try:
            while self._unjournaled:
                with self._lock:
                    for name, payload in [*islice(self._unjournaled.items(), _CHUNK)]:
                        self._append(payload)
                        del self._unjournaled[name]
            if self.journal_problem:
                with self._lock:
                    self.journal.probe()
                    self.journal_problem = ""
        except OSError:
            return  # the problem is known

    def retire(self) -> None:
        """Begin a new segment of a large journal. The old ones go when the database holds their rows.

        Rows that are open are copied: only the journal tells others whose they were.
        """
        if self._is_retiring or not self.journal.is_large:
            return
        try:
            with self._lock:
                old, names = self.journal.rotate(), list(self._open)
            for begin in range(0, len(names), _CHUNK):
                with self._lock:
                    for name in names[begin : begin + _CHUNK]:
                        if name in self._open:
                            self._append(self._open[name])
        except OSError:
            return  # the old segments stay until the next ones are retired

        def drop() -> None:
            self._is_retiring = False
            with suppress(OSError):  # the next time, then
                self.journal.drop(old)

        self._is_retiring = True
        self.when_written(drop)

    def close(self) -> None:
        """Let go of the journal, and delete it if nobody needs it."""
        with self._lock:
            self.journal.close(is_done=self.is_empty and not self._open)


class Writer:
    """Runs the thread. ``failure`` says what is wrong with the database, "" while nothing is."""

    def __init__(
        self,
        directory: Path,
        backlog: Backlog,
        make_sink: Callable[[], Sink],
        now: Callable[[], float] = time.time,
        recover_every: float = RECOVER_EVERY,
    ) -> None:
        self.failure = ""
        self.retention: float | None = None  # seconds after which a row is deleted; None: never
        self.wake = threading.Event()
        self._directory = directory
        self._backlog = backlog
        self._make_sink = make_sink
        self._now = now
        self._recover_every = recover_every
        self._failures = 0
        self._recover_at = 0.0
        self._end: float | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. May be called again."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(self._make_sink(),), name="ledger", daemon=True)
            self._thread.start()

    def stop(self, patience: float) -> None:
        """Write what waits, for ``patience`` seconds at most. Blocks as long."""
        self._end = time.monotonic() + patience
        self.wake.set()
        if self._thread is not None:
            self._thread.join(patience)

    def _run(self, sink: Sink) -> None:
        while self._goes_on():
            self._turn(sink)
            self._backlog.mend()
            self._backlog.retire()
            self.wake.wait(self._pause())
            self.wake.clear()
        sink.close()

    def _goes_on(self) -> bool:
        return self._end is None or (not self._backlog.is_empty and time.monotonic() < self._end)

    def _pause(self) -> float:
        if not self._failures:
            return EVERY if self._end is None else 0.0
        return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures - 1, 10)))

    def _turn(self, sink: Sink) -> None:
        """Write all that waits; now and then, what others left behind."""
        try:
            self._flush(sink)
            if self._end is None and time.monotonic() >= self._recover_at:
                self._recover(sink)
        except Exception as error:  # the thread goes on, whatever it was: rows wait for it
            self._failures += 1
            self.failure = str(error) if isinstance(error, SinkFailed) else type(error).__name__
        else:
            self._failures, self.failure = 0, ""

    def _flush(self, sink: Sink) -> None:
        while True:
            rows, prices = self._backlog.take()
            if not rows and not prices:
                return
            sink.write([unpacked(payload) for payload in rows.values()], prices)
            self._backlog.done(rows, prices)

    def _recover(self, sink: Sink) -> None:
        now = self._now()
        replay(self._directory, sink, int(now * 1e6))
        sink.recover(int((now - ABANDONED) * 1e6), int(now * 1e6))
        self._recover_at = time.monotonic() + self._recover_every
        if self.retention is not None and sink.prune(int((now - self.retention) * 1e6), _PRUNED_AT_ONCE):
            self._recover_at = 0.0  # there may be more: in the next turn
