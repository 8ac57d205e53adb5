"""The root of a route's target tree: tries again, within bounds, what failed for a reason that may pass.

A tree tries its other targets first, at once and without waiting; only when it has failed as a whole is there a pause
and another try. So that an outage is not multiplied, the requests of a route that are being tried again are a bounded
share of those that wait for an answer: its retry budget.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import msgspec

from proxy.around import Around
from proxy.errors import NoTarget, RateLimited, TargetOff, UpstreamError
from proxy.exchange import Exchange
from proxy.policy import Answer, Target

_SPREAD = 0.25  # of a wait that a provider asked for: not everybody comes back in the same moment


class RetryRules(msgspec.Struct, frozen=True, kw_only=True):
    """``max``: tries after the first. ``on``: meanings of failure. Waits are drawn from 0…base·2ⁿ, at most
    ``max_delay`` (seconds; "full jitter"), or are what the provider asked for: a longer one is not waited for.

    ``budget``: share of a route's waiting requests that may be retries at once; ``budget_min`` may be in any case.
    """

    max: int = 2
    base: float = 0.25
    max_delay: float = 8.0
    on: frozenset[str] = frozenset({"rate_limited", "overloaded", "unavailable", "bad_answer"})
    budget: float = 0.2
    budget_min: int = 3


class Load:
    """One route's requests that wait for an answer, and how many of them are tries after the first."""

    __slots__ = ("retrying", "waiting")

    def __init__(self) -> None:
        self.waiting = 0
        self.retrying = 0


class Attempts(Around):
    """Sends to ``inner``, and again where that may help. Never after an answer has begun."""

    __slots__ = ("_draw", "_load", "_rules")

    def __init__(self, inner: Target, rules: RetryRules, load: Load, draw: Callable[[], float] = random.random) -> None:
        super().__init__(inner)
        self._rules = rules
        self._load = load
        self._draw = draw

    async def send(self, x: Exchange) -> Answer:
        """An answer, or the failure of the last try."""
        load = self._load
        load.waiting += 1
        try:
            try:
                return await self._once(x)
            except UpstreamError as error:
                wait = self._wait(x, error, 0)
                if wait is None:
                    raise
            load.retrying += 1
            try:
                return await self._again(x, wait)
            finally:
                load.retrying -= 1
        finally:
            load.waiting -= 1

    async def _once(self, x: Exchange) -> Answer:
        """One pass through the tree. If everything in it is ejected, another in which a target may be tried."""
        try:
            return await self.inner.send(x)
        except UpstreamError as error:
            if not error.skipped or isinstance(error, TargetOff):
                raise
            x.trial = True
            try:
                return await self.inner.send(x)
            finally:
                x.trial = False

    async def _again(self, x: Exchange, wait: float) -> Answer:
        number = 1
        while True:
            await asyncio.sleep(wait)
            try:
                return await self._once(x)
            except UpstreamError as error:
                later = self._wait(x, error, number)
                if later is None:
                    raise
                wait = later
            number += 1

    def _wait(self, x: Exchange, error: UpstreamError, tried: int) -> float | None:
        """Seconds until the next try; None if there is none."""
        rules, load = self._rules, self._load
        if tried >= rules.max or error.meaning not in rules.on or isinstance(error, NoTarget):
            return None
        if isinstance(error, RateLimited) and (error.is_quota or x.line is not None):
            return None  # no pause will help, or the line knows better when
        others = load.retrying - 1 if tried else load.retrying
        if others >= max(rules.budget_min, rules.budget * load.waiting):
            return None
        asked = error.retry_after
        if asked is None:
            wait = self._draw() * min(rules.max_delay, rules.base * 2.0**tried)
        elif asked > rules.max_delay:
            return None
        else:
            wait = asked * (1.0 + _SPREAD * self._draw())
        return wait if time.monotonic() + wait < x.deadline else None
