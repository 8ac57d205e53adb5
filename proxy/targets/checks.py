"""Checks of accounts: each is asked something cheap from time to time, so that an outage is known before a request.

A check ejects every target of an account that fails it, and readmits those that it ejected itself. What the breakers
of targets, limits or operators have decided is left as it is.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol

from proxy.choosing.health import Health
from proxy.errors import UpstreamError
from proxy.providers.capabilities import CheckConfig
from proxy.reports import Reports
from proxy.upstream import Upstream

_JITTER = 0.1  # share of the interval, so that replicas do not ask in step
_LIMITED = 429  # a limit is no outage
_CONNECTIONS = 1  # of its own: one that waited behind requests would tell of the gateway's load


class Account(Protocol):
    """What can be checked."""

    async def probe(self, through: Upstream, path: str, within: float) -> int:
        """The status of a GET with the account's credentials, or an ``UpstreamError``."""


class Check:
    """One account's. It outlives generations: ``follow`` tells it what the current one holds."""

    __slots__ = (
        "_account",
        "_clock",
        "_ejected",
        "_failed",
        "_healths",
        "_random",
        "_reports",
        "_settings",
        "_task",
        "_upstream",
        "name",
    )

    def __init__(
        self,
        name: str,
        settings: CheckConfig,
        reports: Reports,
        *,
        clock: Callable[[], float] = time.monotonic,
        seed: int | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._reports = reports
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311 - jitter
        self._upstream = Upstream(max_connections=_CONNECTIONS)
        self._account: Account | None = None
        self._healths: tuple[Health, ...] = ()
        self._ejected: dict[Health, float] = {}  # until when, as this check has set it
        self._failed = 0  # rounds in a row
        self._task: asyncio.Task[None] | None = None

    @property
    def failing(self) -> bool:
        """Whether the account's targets are left alone because of this check."""
        return self._failed >= self._settings.failures

    def follow(self, account: Account, healths: tuple[Health, ...]) -> None:
        """Look after these from now on."""
        self._account, self._healths = account, healths
        self._readmit([health for health in self._ejected if health not in healths])

    def start(self) -> None:
        """Begin, on the running loop; nothing happens if it has begun."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.run(), name=f"check {self.name}")

    def stop(self) -> None:
        """No generation wants it: what it ejected is readmitted, as nobody would do it later."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._failed = 0
        self._readmit(list(self._ejected))

    async def aclose(self) -> None:
        """Stop, and wait until it has."""
        task = self._task
        self.stop()
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)
        await self._upstream.aclose()

    async def run(self, sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep) -> None:
        """Round after round until cancelled."""
        while True:
            await self.round()
            await sleep(self._settings.interval * self._random.uniform(1 - _JITTER, 1 + _JITTER))

    async def round(self) -> None:
        """Ask once, and draw the conclusions."""
        assert self._account is not None
        reason = await self._ask(self._account)
        self._reports.tell("check.round", provider=self.name, result="failed" if reason else "ok")
        now, was_failing = self._clock(), self.failing
        if not reason:
            self._failed = 0
            self._readmit(list(self._ejected))
            if was_failing:
                self._reports.tell("check.recovered", provider=self.name)
            return
        self._failed += 1
        if self.failing:
            self._eject(now)
            if not was_failing:
                self._reports.tell("check.failing", provider=self.name, reason=reason, rounds=self._failed)

    async def _ask(self, account: Account) -> str:
        """What is wrong; empty if nothing is."""
        seconds = float(self._settings.timeout)
        try:
            async with asyncio.timeout(seconds):
                status = await account.probe(self._upstream, self._settings.path, seconds)
        except TimeoutError:
            return "timeout"
        except UpstreamError as error:
            return error.meaning
        except Exception as error:  # credentials that cannot be got, for example; a check never ends by itself
            return type(error).__name__
        wanted = self._settings.status
        good = status in wanted if wanted else status < 400 or status == _LIMITED
        return "" if good else f"status {status}"

    def _eject(self, now: float) -> None:
        settings = self._settings
        until = now + settings.interval * (settings.failures + 1) + settings.timeout
        for health in self._healths:
            if health.open_until > now and self._ejected.get(health) != health.open_until:
                self._ejected.pop(health, None)  # its breaker's, or an operator's
                continue
            health.eject(until)
            health.last_failure = "check"
            self._ejected[health] = until

    def _readmit(self, healths: list[Health]) -> None:
        now = self._clock()
        for health in healths:
            if self._ejected.pop(health) == health.open_until:  # else somebody has decided otherwise meanwhile
                health.readmit(now)


class Watch(NamedTuple):
    """What one generation wants checked."""

    check: Check
    account: Account
    healths: tuple[Health, ...]


def take_over(watches: tuple[Watch, ...], before: tuple[Watch, ...] = ()) -> None:
    """The generation of ``watches`` is the current one, in the place of that of ``before``."""
    wanted = {watch.check for watch in watches}
    for watch in before:
        if watch.check not in wanted:
            watch.check.stop()
    for watch in watches:
        watch.check.follow(watch.account, watch.healths)
        watch.check.start()
