"""Alerts: operators are told at an address of their own, by signed messages that survive a crash.

What the log and the metrics are told as well is kept in a file before it is sent. Of the processes that share a state
directory one sends, the one that holds a lock. While the file cannot be used, alerts are sent from memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from yarl import URL

from proxy.alerting.kept import MOST, Alert, Found, KeptAlerts
from proxy.errors import GatewayError, Header
from proxy.jobs.signature import signed
from proxy.jobs.writer import StoreBroken
from proxy.ledger.anomaly import Anomaly, anomalies
from proxy.ledger.export import NoLedger, Source
from proxy.policy import Timeouts
from proxy.reports import Listener
from proxy.telemetry.log import Logger
from proxy.units import Duration
from proxy.upstream import Upstream

LONGEST = Duration.parse("24h")  # that an alert is worth to be tried again
_FIRST, _SLOWEST, _JITTER = 1.0, 300.0, 0.2  # seconds between tries, and the share by which they differ
_LOOK = 1.0  # seconds until what another process has kept is found, and until a problem is
_ROUND = 300.0  # seconds between looks for anomalies
_TIMEOUTS = Timeouts(connect=5.0, first_token=15.0, gap=15.0, total=15.0)
_JSON: list[Header] = [(b"content-type", b"application/json"), (b"user-agent", b"sluicegate")]
_MOST_TOLD = 10_000
_SINCE = {"day": "%Y-%m-%d", "month": "%Y-%m", "total": ""}  # windows that have a name of their own
_HOUR = "%Y-%m-%dT%H"
# By which fields an alert is the same alert again; the first ones are its scope.
_SAME = {
    "limit.alert": (("level", "scope"), ("limit", "models", "share")),
    "ledger.unpriced": (("provider", "model"), ()),
    "spending.anomaly": (("organisation",), ("hour",)),
    "ledger.problem": ((), ()),
    "canary.rolled_back": (("canary",), ("run", "step")),
    "canary.held": (("canary",), ("run", "step", "era")),
}


class Settings(msgspec.Struct, frozen=True):
    """What the file says. ``url`` "": nobody is told but log and metrics. ``secret`` b"": messages are not signed.
    ``factor``: how many times its usual hour an organisation may spend, 0 for whatever it likes."""

    url: str = ""
    secret: bytes = b""
    factor: float = 5.0
    zone: str = "UTC"


def delay(tries: int, draw: Callable[[], float] = random.random) -> float:
    """Seconds until the next try after so many that failed."""
    spread = 1 - _JITTER + 2 * _JITTER * draw()
    return min(_SLOWEST, _FIRST * 2.0 ** min(tries - 1, 30)) * spread


def alert(kind: str, fields: dict[str, Any], now: float, zone: str) -> Alert:
    """What is told of an event. The same limit and share have the same id within a period of the limit, everywhere."""
    of, more = _SAME[kind]
    scope = " ".join(str(fields[name]) for name in of)
    known = [kind, *(str(fields[name]) for name in (*of, *more)), _period(fields.get("window", ""), now, zone)]
    identity = hashlib.sha256(msgspec.json.encode(known)).hexdigest()[:32]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    body = msgspec.json.encode({"type": kind, "timestamp": stamp, "data": fields})
    return Alert(f"alert_{identity}", kind, scope, now, body)


def _period(window: str, now: float, zone: str) -> str:
    """The day or month of a limit that has one, else the hour: what slides tells once an hour at most."""
    return datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).strftime(_SINCE.get(window, _HOUR))


class Alerts:
    """Of one process. ``told`` takes what is reported; ``report`` is called with what is found here.

    ``source`` opens the ledger, None if there is none; ``problem`` says what is wrong with it.
    """

    def __init__(
        self,
        directory: Path,
        settings: Settings,
        *,
        report: Listener,
        undelivered: Callable[[int], object],
        log: Callable[[], Logger],
        source: Callable[[], Source] | None = None,
        problem: Callable[[], str] = str,
        now: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._report = report
        self._undelivered = undelivered
        self._log = log
        self._source = source
        self._problem = problem
        self._now = now
        self._draw = draw
        self._kept = KeptAlerts(directory)
        self._upstream = Upstream(max_connections=1)
        self._fresh: dict[str, Alert] = {}  # not kept yet
        self._done: dict[str, float] = {}  # delivered, and when; not written down yet
        self._found: dict[tuple[str, int], None] = {}  # organisations and hours that have been told
        self._woken = asyncio.Event()
        self._tries = 0  # since something was delivered

    async def run(self) -> None:
        """Send what waits, and look for what nobody reports, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send())
            group.create_task(self._watch())

    def follow(self, settings: Settings) -> None:
        """A reload: another address is tried at once."""
        if settings != self._settings:
            self._settings, self._tries = settings, 0
            self._woken.set()

    def told(self, kind: str, fields: dict[str, Any]) -> None:
        """Something was reported. What concerns no operator is left out, and so is what has been told."""
        if kind not in _SAME or not self._settings.url:
            return
        made = alert(kind, fields, self._now(), self._settings.zone)
        if made.id not in self._fresh and len(self._fresh) < MOST:
            self._fresh[made.id] = made
            self._woken.set()

    async def aclose(self) -> None:
        """Keep what has been told since it was run."""
        try:
            await self._keep()
        except StoreBroken as error:
            self._log().warning("alerts.lost", count=len(self._fresh), error=str(error))
        await self._kept.aclose()
        await self._upstream.aclose()

    # Sending

    async def _send(self) -> None:
        """In order, one at a time."""
        while True:
            self._woken.clear()
            head = await self._head()
            pause = _LOOK if head is None else await self._try(head, self._settings)
            if pause:
                await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        """What is told meanwhile is kept at once, and does not make a receiver that fails be tried earlier."""
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):  # `wait_for` may swallow a cancellation
                    await self._woken.wait()
            except TimeoutError:
                return
            if not self._tries:
                return
            self._woken.clear()
            await self._head()

    async def _head(self) -> Alert | None:
        """The one that has waited longest, of those that this process sends."""
        if not self._settings.url:
            return None
        oldest = self._now() - LONGEST
        try:
            await self._keep()
            found = await self._kept.first(oldest)
        except StoreBroken:
            gone = [key for key, one in self._fresh.items() if key in self._done or one.told < oldest]
            for key in gone:
                del self._fresh[key]
            found = Found(next(iter(self._fresh.values()), None), len(self._fresh))
        if found.expired:
            self._log().warning("alerts.expired", count=found.expired)
        self._undelivered(found.waiting)
        return found.head

    async def _keep(self) -> None:
        """Write down what has been told and delivered."""
        fresh, done = list(self._fresh.values()), dict(self._done)
        if not fresh and not done:
            return
        await self._kept.add(fresh, done)
        for one in fresh:
            self._fresh.pop(one.id, None)
        for key in done:
            self._done.pop(key, None)

    async def _try(self, head: Alert, settings: Settings) -> float:
        """Send one; seconds until the next may be sent."""
        result = await self._deliver(head, settings)
        if isinstance(result, int) and 200 <= result < 300:
            if self._tries:
                self._log().info("alerts.delivered", tries=self._tries + 1)
            self._tries = 0
            if len(self._done) >= MOST:
                self._done.pop(next(iter(self._done)))
            self._done[head.id] = self._now()
            return 0.0
        self._tries += 1
        if self._tries == 1:
            self._log().warning("alerts.undelivered", result=result)
        return delay(self._tries, self._draw)

    async def _deliver(self, head: Alert, settings: Settings) -> int | str:
        """One try: the receiver's status, or why there is none. Redirects are not followed."""
        now = int(self._now())
        proof = signed(settings.secret, head.id, now, head.body)
        try:
            answer = await self._upstream.request(
                "POST",
                URL(settings.url),
                [*_JSON, *(proof if settings.secret else proof[:2])],
                head.body,
                timeouts=_TIMEOUTS,
                ends=(),
                expect_json=False,
                deadline=time.monotonic() + _TIMEOUTS.total,
            )
        except GatewayError as error:
            return error.error_code
        if answer.close is not None:
            answer.close()
        return answer.status

    # Looking

    async def _watch(self) -> None:
        """Report what goes wrong with the ledger, and spending unlike its own past."""
        due, known = 0.0, ""
        while True:
            problem = self._problem()
            if problem and not known:
                self._report("ledger.problem", {"problem": problem})
            known = problem
            if time.monotonic() >= due:
                due = time.monotonic() + _ROUND
                await self._compare()
            await asyncio.sleep(_LOOK)

    async def _compare(self) -> None:
        factor, source = self._settings.factor, self._source
        if source is None or not factor:
            return
        try:
            found = await asyncio.to_thread(_read, source, self._now(), factor)
        except (NoLedger, sqlite3.Error) as error:  # who keeps it tells of it
            self._log().debug("alerts.not_compared", error=str(error))
            return
        for one in found:
            key = (one.organisation, one.hour)
            if key in self._found:
                continue
            if len(self._found) >= _MOST_TOLD:
                self._found.clear()
            self._found[key] = None
            self._report("spending.anomaly", _shown(one))


def _read(open_: Callable[[], Source], now: float, factor: float) -> list[Anomaly]:
    source = open_()
    try:
        return anomalies(source, now, factor)
    finally:
        source.close()


def _shown(found: Anomaly) -> dict[str, Any]:
    return {
        "organisation": found.organisation,
        "hour": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found.hour)),
        "cost_usd": found.cost / 1e9,
        "usual_usd": found.usual / 1e9,
    }
