"""The ledger of one process: opened with it, read for what limits still count of the past, told of by ``/readyz``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from proxy.ledger.books import Books
from proxy.ledger.export import Source, open_source
from proxy.ledger.history import Past, history
from proxy.ledger.postgres import PostgresSink
from proxy.ledger.sqlite import NAME as FILE
from proxy.ledger.sqlite import SqliteSink
from proxy.ledger.writer import Sink, replay
from proxy.limits.limit import Gauge
from proxy.runtime import Runtime


class Settings(msgspec.Struct, frozen=True):
    """What the file says. ``url`` "": the file in the state directory; ``retention`` in seconds."""

    enabled: bool = True
    url: str = ""
    max_backlog: int = 100_000
    needs_price: bool = False
    retention: float | None = None
    zone: str = "UTC"


class Accounting:
    """Of a process whose state is in ``directory``. Which database it is stays as it was at the start."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._directory = directory
        self._settings = settings
        self.books: Books | None = None
        if settings.enabled:
            self.books = Books(directory, self._sink, max_backlog=settings.max_backlog)

    def _sink(self) -> Sink:
        if self._settings.url:
            return PostgresSink(self._settings.url)
        return SqliteSink(self._directory / FILE)

    def start(self, runtime: Runtime) -> None:
        """Take up what was there before, then keep the books of ``runtime``. Nothing is served yet.

        Raises:
            OSError, NoLedger, SinkFailed: the past cannot be read, so limits could not be kept.
        """
        if self.books is None:
            return
        sink = self._sink()
        try:
            sink.write((), ())  # makes a database that is new
            replay(self._directory, sink, time.time_ns() // 1000)
        finally:
            sink.close()
        for gauges, past in self._past(runtime, time.time()):
            runtime.counters.memory.replay(gauges, past.amounts, past.at)
        self.books.start()
        self.attach(runtime)

    def attach(self, runtime: Runtime) -> None:
        """``runtime`` serves now."""
        if self.books is not None:
            runtime.charges.ledger = self.books
            runtime.charges.needs_price = self._settings.needs_price
            # What a limit without end has counted is known by the rows alone.
            endless = any(
                rule.limit.window == "total" for quota in runtime.quotas.values() for rule in quota.all_rules()
            )
            self.books.keep(None if endless else self._settings.retention)

    async def follow(self, runtime: Runtime, settings: Settings) -> bool:
        """A reload: limits that are new count what was used before them. False: the database cannot change now."""
        same = (settings.enabled, settings.url) == (self._settings.enabled, self._settings.url)
        self._settings = msgspec.structs.replace(settings, enabled=self._settings.enabled, url=self._settings.url)
        self.attach(runtime)
        if self.books is not None:
            memory, now = runtime.counters.memory, time.time()
            known = memory.names()
            await self.books.flushed()
            for gauges, past in await asyncio.to_thread(lambda: list(self._past(runtime, now))):
                memory.replay([gauge for gauge in gauges if gauge.key not in known], past.amounts, past.at)
        return same

    def _past(self, runtime: Runtime, now: float) -> Iterator[tuple[Sequence[Gauge], Past]]:
        """What was used before ``now``, with the gauges that count it."""
        rules = [rule for quota in runtime.quotas.values() for rule in quota.all_rules()]
        if not rules:
            return
        tags, ever = any(rule.per for rule in rules), any(rule.limit.window == "total" for rule in rules)
        source = self.open()
        try:
            for past in history(source, now, self._settings.zone, tags=tags, ever=ever):
                quota = runtime.quotas.get(past.route)
                if quota is not None:
                    who = runtime.tenant(past.organisation, past.team, past.key)
                    yield quota.gauges(who, past.model, past.tags), past
        finally:
            source.close()

    def open(self) -> Source:
        """The ledger, to read it.

        Raises:
            NoLedger: it cannot be read.
        """
        return open_source(self._settings.url or self._directory / FILE)

    @property
    def problem(self) -> str:
        """What operators should know, "" while all is well."""
        return "" if self.books is None else self.books.problem

    async def aclose(self) -> None:
        """Write what waits."""
        if self.books is not None:
            await self.books.aclose()
