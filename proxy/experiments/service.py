"""The experiments of one process: records and feedback on their way to the disk, plans that are kept, bandits."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from proxy.canaries.release import Plan, Release
from proxy.errors import GatewayError
from proxy.exchange import Exchange
from proxy.experiments import mirrored, tables
from proxy.experiments.feedback import Feedback, Joined, UnknownRequest, join
from proxy.experiments.learning import learn
from proxy.experiments.mirrored import Comparison, comparison_of
from proxy.experiments.plan import Enrolled
from proxy.experiments.recorder import MOST_WAITING, Recorder
from proxy.jobs.writer import StoreBroken, Writer
from proxy.stream import Outcome
from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import Metrics

_PAUSE = 0.5  # seconds between two writes
_PURGE_EVERY = 600.0  # seconds
_PURGED_AT_ONCE = 5000
_ENDING = 0.2  # seconds: a stream's last event is with the caller before its request has ended here
_MICRO = 10**6
RETENTION = 90 * 86_400.0  # seconds
Of = Literal["experiments", "all"]


class Settings(msgspec.Struct, frozen=True):
    """What the file says. ``of``: whose answers feedback is taken for; ``retention`` in seconds."""

    of: Of = "experiments"
    retention: float = RETENTION


def _prepare(database: sqlite3.Connection) -> None:
    """Make all tables, if the file is new; those of mirrors came later."""
    tables.prepare(database)
    for statement in mirrored.SCHEMA:
        database.execute(statement)


class FeedbackUnavailable(GatewayError):
    """It cannot be kept now."""

    status = 503
    code = "feedback_unavailable"


class Experiments:
    """Nothing touches the disk before the first experiment or record. ``problem``: why nothing can be written."""

    def __init__(
        self,
        folder: Path,
        *,
        log: Callable[[], Logger],
        metrics: Metrics,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.path = folder / tables.NAME
        self.recorder = Recorder(metrics.experiments.dropped, now)
        self._compared: list[Comparison] = []  # by mirrors, not written yet
        self._writer = Writer(self.path, _prepare)
        self._known: Mapping[str, Enrolled] = {}
        self._dropped = metrics.experiments.dropped
        self._canaries: Mapping[str, tuple[Release, Plan]] = {}
        self._fresh: set[str] = set()  # experiments whose plans have not been written
        self._log = log
        self._now = now
        self._purged = 0.0
        self._told = ""
        self.settings = Settings()

    @property
    def problem(self) -> str:
        """What is wrong with the file, "" while nothing is."""
        return self._writer.problem

    @property
    def names(self) -> frozenset[str]:
        """Experiments of the file."""
        return frozenset(self._known)

    def follow(
        self,
        known: Mapping[str, Enrolled],
        of: Of = "experiments",
        retention: float = RETENTION,
        canaries: Mapping[str, tuple[Release, Plan]] | None = None,
    ) -> None:
        """The experiments of a new generation, what its file says of feedback, and the canaries that want to hear."""
        self._canaries = canaries or {}
        self._known, self.settings = known, Settings(of, retention)
        self._fresh = set(known)
        self.recorder.keeps_all = of == "all"

    def ended(self, x: Exchange, outcome: Outcome | None, end: str | None, seconds: float) -> None:
        """A request has ended."""
        self.recorder.ended(x, outcome, end, seconds)

    def compared(self, fields: dict[str, Any]) -> None:
        """A mirror has told of two answers (``mirror.compared``)."""
        if len(self._compared) >= MOST_WAITING:
            self._dropped(1)
            return
        self._compared.append(comparison_of(fields, self._micros()))

    async def run(self) -> None:
        """Write what comes, delete what is old, let bandits learn; until cancelled."""
        while True:
            try:
                await self.flush()
                await self._learn()
                await self._purge()
            except StoreBroken as error:
                self._tell(str(error))
            else:
                self._told = ""
            await asyncio.sleep(_PAUSE)

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            self._told = problem
            self._log().error("experiments.store", problem=problem)

    async def flush(self) -> None:
        """Write down what waits.

        Raises:
            StoreBroken: it cannot be written; it waits on.
        """
        records, fresh, compared = self.recorder.take(), self._fresh, self._compared
        if not records and not fresh and not compared:
            return
        self._fresh, self._compared = set(), []
        plans = [self._known[name].plan for name in fresh if name in self._known]
        now = self._micros()

        def work(database: sqlite3.Connection) -> None:
            for plan in plans:
                tables.keep_plan(database, plan, now)
            tables.add(database, records)
            mirrored.add(database, compared)

        try:
            await self._writer.write(work)
        except BaseException:
            self.recorder.put_back(records)
            self._fresh |= fresh
            self._compared[:0] = compared[: MOST_WAITING - len(self._compared)]
            raise

    async def say(self, said: Feedback, scope: str) -> list[Joined]:
        """Keep what an application says.

        Raises:
            Unknown: there is no such request of this caller.
            BadRequest: an experiment wants another value.
            FeedbackUnavailable: it cannot be kept.
        """
        for patience in (_ENDING, 0.0):
            try:
                await self.flush()
                if not self.path.exists():
                    raise UnknownRequest
                found = await self._writer.write(partial(join, said=said, scope=scope, now=self._micros()))
                return [self._heard(said, one) for one in found]
            except StoreBroken as error:
                self._tell(str(error))
                raise FeedbackUnavailable("Feedback cannot be kept now; try again later.") from None
            except UnknownRequest:
                if not patience:
                    raise
                await asyncio.sleep(patience)
        raise UnknownRequest

    def _heard(self, said: Feedback, joined: Joined) -> Joined:
        """What was joined, which a canary may count: then that is told by its side."""
        if not joined.experiment.startswith(tables.CANARY):
            return joined
        side, _, mark = joined.variant.partition(" ")
        release, _ = self._canaries.get(joined.experiment.removeprefix(tables.CANARY), (None, None))
        outcome = None if release is None else release.plan.guard.outcome
        counts = release is not None and outcome is not None and outcome.name == said.name
        if release is not None and counts:
            counts = release.heard(side, mark, said.value, joined.before)
        return msgspec.structs.replace(joined, variant=side, declared=counts)

    async def _learn(self) -> None:
        """Set the weights of bandits: by whoever comes first when it is time; the others take them over."""
        for one in self._known.values():
            plan, allocation = one.plan, one.allocation
            if plan.bandit is None or allocation is None or plan.state(self._now()) != "running":
                continue
            weights = await self._writer.write(partial(learn, plan=plan, now=self._micros()))
            allocation.weights = tuple(weights[arm] for arm in plan.arms)

    async def _purge(self) -> None:
        now = self._now()
        if now - self._purged < _PURGE_EVERY or not self.path.exists():
            return
        before = round((now - self.settings.retention) * _MICRO)

        def work(database: sqlite3.Connection) -> int:
            old = mirrored.purge(database, before, _PURGED_AT_ONCE)
            return old + tables.purge(database, before, _PURGED_AT_ONCE)

        if not await self._writer.write(work):
            self._purged = now

    def _micros(self) -> int:
        return round(self._now() * _MICRO)

    async def aclose(self) -> None:
        """Write the rest, and close the file."""
        try:
            await self.flush()
        except StoreBroken as error:
            self._tell(str(error))
        await self._writer.aclose()
