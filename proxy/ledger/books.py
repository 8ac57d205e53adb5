"""The ledger as requests see it: a row is opened before a request is sent, and settled once when it has ended.

Either takes some microseconds and waits for nothing: the row goes to a journal, which survives the process, and to a
thread that brings it into the database (``proxy.ledger.writer``). What cannot be recorded is not begun; what was begun
is settled, however long that takes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from proxy.errors import GatewayError
from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.writer import ENOUGH, RECOVER_EVERY, Backlog, Sink, Writer

PATIENCE = 5.0  # seconds for the last flush


class LedgerUnavailable(GatewayError):
    status: ClassVar[int] = 503
    code: ClassVar[str] = "ledger_unavailable"


class Books:
    """Of one process; several may share ``directory``, and the database. ``now``: seconds since the epoch.

    ``max_backlog`` bounds the rows that wait for the database, and those that are open. ``recover_every``: seconds
    between looks for what dead processes left.

    Raises:
        OSError: ``directory`` cannot be written.
    """

    def __init__(
        self,
        directory: Path,
        make_sink: Callable[[], Sink],
        *,
        max_backlog: int = 100_000,
        recover_every: float = RECOVER_EVERY,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._backlog = Backlog(directory)
        self._writer = Writer(directory, self._backlog, make_sink, now, recover_every)
        self._max_backlog = max_backlog

    def start(self) -> None:
        """Write what waits from now on, and recover what dead processes left. May be called again.

        Raises what ``make_sink`` does.
        """
        self._writer.start()

    def keep(self, seconds: float | None) -> None:
        """Delete rows that are older, from now on; None: keep all."""
        self._writer.retention = seconds

    def open(self, row: Row) -> None:
        """Record that a request is about to be sent.

        Raises:
            LedgerUnavailable: it cannot be recorded, so it must not be sent.
        """
        if self.is_full:
            raise LedgerUnavailable(
                "The gateway records each request before it sends it, and too many records wait for its database. "
                "Nothing was sent. Try again later."
            )
        try:
            self._backlog.open(row)
        except OSError:
            raise LedgerUnavailable(
                "The gateway records each request before it sends it, and cannot write the record now. "
                "Nothing was sent. Try again later."
            ) from None
        self._hurry()

    def settle(self, row: Row) -> None:
        """Record how it ended. Only the first time counts; a row that was not opened is left alone."""
        self._backlog.settle(row)
        self._hurry()

    def add(self, row: Row) -> bool:
        """Record what is over already and has cost nothing. It is no reason to refuse anybody: False if too many rows
        wait, and it is not recorded."""
        if self.is_full:
            return False
        self._backlog.add(row)
        self._hurry()
        return True

    def price(self, terms: PriceTerms) -> None:
        """Record a price that rows will name. Each version is written once."""
        self._backlog.price(terms)

    def _hurry(self) -> None:
        if len(self._backlog) == ENOUGH:
            self._writer.wake.set()

    @property
    def waiting(self) -> int:
        """Rows that the database does not hold yet."""
        return len(self._backlog)

    @property
    def is_full(self) -> bool:
        """Whether no row can be opened until some are written, or settled."""
        return max(len(self._backlog), self._backlog.open_count) >= self._max_backlog

    @property
    def problem(self) -> str:
        """What operators should know, "" while all is well."""
        failure = self._backlog.journal_problem or self._writer.failure
        return f"ledger: {failure}; {self.waiting:,} rows wait" if failure else ""

    async def flushed(self) -> None:
        """Wait until the database holds everything so far, for as long as it takes."""
        loop, written = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            loop.call_soon_threadsafe(written.set)

        self._backlog.when_written(tell)
        self._writer.wake.set()
        await written.wait()

    async def aclose(self, *, patience: float = PATIENCE) -> None:
        """Write what waits, for ``patience`` seconds at most. What is left stays in the journal, for others."""
        await asyncio.to_thread(self._writer.stop, patience)
        self._backlog.close()
