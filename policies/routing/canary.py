"""A new target takes over step by step, as long as it is no worse than the one before it; or goes back by itself."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from itertools import pairwise
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from proxy.canaries.guard import Guard, Limit, Outcome
from proxy.canaries.release import Name, Plan, Release
from proxy.choosing.capability import Needs
from proxy.choosing.sticky import unit
from proxy.errors import UpstreamError, decisive
from proxy.exchange import Attempt, Exchange
from proxy.policy import Answer, Choice, CompileContext, Config, Node, Target
from proxy.units import Duration, Money, Percent

_TIMES = re.compile(r"([0-9]+(?:\.[0-9]+)?)x")
_MOST_TIMES = 1000
_SHADOW = "mirror"  # copies of requests answer nobody, so nobody says anything of them
# The request may be at fault. It says something only where the other side takes the same request.
_OF_REQUEST = frozenset({"context_too_long", "content_refused", "model_not_found", "unsupported", "rejected"})
# After these another target is not second best.
_NO_LESS = frozenset({"context_too_long", "unsupported", "content_refused"})


class ErrorRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``at_most`` in all; ``worse_by``: beyond the stable side's."""

    at_most: Percent | None = None
    worse_by: Percent | None = None


class Slowness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``at_most``: a duration, or times the stable side's (``1.5x``)."""

    at_most: str
    quantile: Literal["p50", "p75", "p90", "p95", "p99"] = "p95"


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``at_most``: dollars a request on average, or times the stable side's (``1.2x``)."""

    at_most: str


class OutcomeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``name`` of the feedback, of which at most ``worse_by`` fewer answers are good; ``good`` labels, beside true."""

    name: str
    worse_by: Percent
    good: tuple[str, ...] = ()
    sample: int = 30


class GuardConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the canary must not be. ``errors_in_a_row``: 0 for any number."""

    error_rate: ErrorRate = ErrorRate(worse_by=Percent(0.01))
    latency: Slowness | None = None
    first_token: Slowness | None = None
    cost: Cost | None = None
    errors_in_a_row: int = 5
    outcome: OutcomeConfig | None = None


class CanaryConfig(Config, frozen=True):
    """``canary`` takes over from ``stable`` by ``steps``. ``name``: else it is the route's; ``sticky``: the tag by
    which callers keep their side; ``fallback``: what the canary fails, ``stable`` answers."""

    stable: Any
    canary: Any
    name: str | None = None
    steps: tuple[Percent, ...] = (Percent(0.05), Percent(0.25), Percent(0.5), Percent(1.0))
    every: Duration = Duration(600)
    sample: int = 100
    sticky: str | None = None
    guard: GuardConfig = GuardConfig()
    on_failure: Literal["rollback", "pause"] = "rollback"
    fallback: bool = True


class Canary(Node):
    """Two children, the stable one first. How far the other has come is the release's to say, which outlives this."""

    __slots__ = ("_below", "_canary", "_draw", "_fallback", "_name", "_stable", "_sticky", "release")

    Config = CanaryConfig

    def __init__(
        self,
        stable: Target,
        canary: Target,
        release: Release,
        needs: Callable[[Exchange], Needs],
        *,
        sticky: str | None = None,
        fallback: bool = True,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__((stable, canary), needs)
        self._stable = stable
        self._canary = canary
        self.release = release
        self._name = release.plan.name
        self._below = frozenset(self.leaves())
        self._sticky = sticky
        self._fallback = fallback
        self._draw = draw

    @classmethod
    def compile(cls, config: CanaryConfig, context: CompileContext) -> Target | None:
        stable, canary = context.target(config.stable, "stable"), context.target(config.canary, "canary")
        plan = _plan(config, context)
        if config.sticky is not None:
            provided = context.provided_tags()
            if provided is not None and config.sticky not in provided:
                context.fail(f"no `tags` policy of this route sets the tag {config.sticky!r}", "sticky")
        if stable is None or canary is None:  # with nobody to compare with, there is nothing to find out
            return stable or canary
        release = context.release(plan)
        return cls(stable, canary, release, context.needs, sticky=config.sticky, fallback=config.fallback)

    async def send(self, x: Exchange) -> Answer:
        if x.begun is not None or any(attempt.target in self._below for attempt in x.attempts):
            return await self._send_again(x)
        able = self.able(x)
        if len(able) == 1:  # one cannot do it, which is nobody's failure
            return await self._pass(x, "stable" if able[0] is self._stable or not self.release.share else "canary")
        if self._point(x) >= self.release.share:
            return await self._send_stable(x)
        return await self._send_canary(x)

    def _point(self, x: Exchange) -> float:
        """Where the request stands, from 0 to 1. A caller keeps its place, so it changes sides once at most."""
        subject = x.tags.get(self._sticky) if self._sticky is not None else None
        if subject is None:
            return self._draw()
        return unit(subject.encode(), self._name.encode()[:64])

    async def _send_stable(self, x: Exchange) -> Answer:
        era, began, before = self.release.era, time.monotonic(), len(x.attempts)
        try:
            answer = await self._pass(x, "stable")
        except UpstreamError as error:
            if not (self._fallback and error.meaning in _OF_REQUEST):  # the canary might have refused it as well
                self._failed(x, "stable", era, began, error)
            raise
        except BaseException:
            self.release.left("stable", era, time.monotonic() - began)
            raise
        self._watch(x, answer, "stable", era, began, before)
        return answer

    async def _send_canary(self, x: Exchange) -> Answer:
        """If it fails, the stable side answers: who calls does not take part in this."""
        era, began, before = self.release.era, time.monotonic(), len(x.attempts)
        try:
            answer = await self._pass(x, "canary")
        except UpstreamError as error:
            if not error.skipped and (not self._fallback or time.monotonic() >= x.deadline):
                self._failed(x, "canary", era, began, error)
                raise
            return await self._instead(x, error, era, began)
        except BaseException:
            self.release.left("canary", era, time.monotonic() - began)
            raise
        self._watch(x, answer, "canary", era, began, before)
        return answer

    async def _instead(self, x: Exchange, error: UpstreamError, era: int, began: float) -> Answer:
        """The stable side's answer, after the canary's failure."""
        try:
            answer = await self._pass(x, "stable", f" after the canary: {error.meaning}")
        except UpstreamError as second:
            if error.meaning not in _OF_REQUEST:  # what both refuse is the request's own
                self._failed(x, "canary", era, began, error, alone=False)
            raise decisive([error, second]) from second
        self._failed(x, "canary", era, began, error)
        if error.meaning not in _NO_LESS:
            x.degraded = error.meaning
        return answer

    async def _send_again(self, x: Exchange) -> Answer:
        """Another try, or the rest of a stream that broke off: that says nothing new, and is not counted."""
        sides: tuple[Name, Name] = ("canary", "stable") if self.release.share == 1 else ("stable", "canary")
        try:
            return await self._pass(x, sides[0])
        except UpstreamError as error:
            if not error.skipped or not self.release.share:
                raise
            return await self._pass(x, sides[1])

    async def _pass(self, x: Exchange, side: Name, why: str = "") -> Answer:
        own = f"{self._name}/"
        if not x.variant or x.variant.startswith(own):
            x.variant = own + side
        x.notes["canary"] = f"{own}{side}{why}, {self.release.share:.0%} to the canary"
        return await (self._stable if side == "stable" else self._canary).send(x)

    # What becomes of it

    def _failed(
        self, x: Exchange, side: Name, era: int, began: float, error: UpstreamError, *, alone: bool | None = None
    ) -> None:
        """Before anything of an answer was there."""
        if error.skipped:
            return
        now = time.monotonic()
        if error.meaning == "timeout" and now >= x.deadline:  # its caller's patience may have been short
            self.release.left(side, era, now - began)
            return
        if alone is None:
            alone = self._fallback or error.meaning not in _OF_REQUEST
        self.release.failed(side, era, error.meaning, alone=alone)

    def _watch(self, x: Exchange, answer: Answer, side: Name, era: int, began: float, before: int) -> None:
        """Wait for the end of the answer, which is that of its attempt."""
        first = time.monotonic() - began if x.stream else None
        if self.release.plan.guard.outcome is not None and era and era == self.release.era and x.variant != _SHADOW:
            x.releases[self._name] = side, self.release.mark
        attempt = answer.attempt
        if attempt is None or attempt.ends is None or answer.socket is not None:  # a session lasts as long as it likes
            self.release.succeeded(side, era, time.monotonic() - began, first)
            return
        attempts = x.attempts[before:]
        attempt.ends = partial(self._ended, attempt.ends, attempt, attempts, side, era, began, first)

    def _ended(
        self,
        ends: Callable[[str | None], None],
        attempt: Attempt,
        attempts: list[Attempt],
        side: Name,
        era: int,
        began: float,
        first: float | None,
        failure: str | None,
    ) -> None:
        ends(failure)  # which may find that it has failed
        seconds, reason = time.monotonic() - began, attempt.reason or ""
        if attempt.outcome == "ok":
            self.release.succeeded(side, era, seconds, first)
            if attempt.charge is not None:
                attempt.charge.then(partial(self._paid, attempts, side, era))
        elif attempt.outcome == "error" and reason.startswith(("upstream_", "bad_upstream_")):
            self.release.failed(side, era, reason, alone=True)
        else:
            self.release.left(side, era, seconds)

    def _paid(self, attempts: list[Attempt], side: Name, era: int) -> None:
        """All that it took to answer."""
        cost = sum(attempt.charge.cost for attempt in attempts if attempt.charge is not None)
        self.release.cost(side, era, cost / 1e9)

    def explain(self, x: Exchange) -> Choice:
        share, lacking = self.release.share, self.lacking(x)
        subject = x.tags.get(self._sticky) if self._sticky is not None else None
        choices = []
        for at, (child, part) in enumerate(zip(self.children, (1 - share, share), strict=True)):
            choice = child.explain(x)
            if at in lacking:
                choices.append(replace(choice, chosen=False, why=f"left out: {lacking[at]}"))
                continue
            is_here = part > 0
            why = f"{part:.0%} of requests"
            if subject is not None and 0 < share < 1:
                is_here = (self._point(x) < share) == (at == 1)
                why += f"; {self._sticky}={subject!r} falls {'here' if is_here else 'elsewhere'}"
            elif at == 0 and not is_here and self._fallback:
                why = "what the canary fails"
            choices.append(replace(choice, chosen=choice.chosen and is_here, why=f"{why}; {choice.why}"))
        return Choice("canary", any(choice.chosen for choice in choices), self._stands(), tuple(choices))

    def _stands(self) -> str:
        plan, progress = self.release.plan, self.release.progress
        step = f"step {progress.step + 1} of {len(plan.steps)}"
        reason = f": {progress.reason}" if progress.reason else ""
        return f"{plan.name} is {progress.state.replace('_', ' ')}, {step}{reason}"


def _plan(config: CanaryConfig, context: CompileContext) -> Plan:
    steps = tuple(float(step) for step in config.steps)
    if steps[-1:] != (1.0,):
        context.fail("the last step must be 100%, so that it comes to an end", f"steps[{len(steps) - 1}]")
    for at, (before, step) in enumerate(pairwise(steps), 1):
        if step <= before:
            context.fail("each step must be larger than the one before it", f"steps[{at}]")
    if steps[0] <= 0:
        context.fail("a step of 0% would never end", "steps[0]")
    whole = msgspec.json.encode([config.stable, config.canary, steps], order="deterministic")
    return Plan(
        config.name or context.route,
        context.route,
        blake2b(whole, digest_size=16).hexdigest(),
        steps,
        float(config.every),
        config.sample,
        _guard(config.guard, context),
        config.on_failure,
    )


def _guard(config: GuardConfig, context: CompileContext) -> Guard:
    rate = config.error_rate
    if rate.at_most is None and rate.worse_by is None:
        context.fail("say `at_most`, `worse_by` or both", "guard.error_rate")

    def times(name: str, found: Slowness | None) -> Limit | None:
        if found is None:
            return None
        limit = _limit(found.at_most, Duration.parse, "a duration such as 2s", f"guard.{name}.at_most", context)
        return replace(limit, quantile=int(found.quantile[1:]) / 100)

    cost = None
    if config.cost is not None:
        kind, at = "money such as $0.01", "guard.cost.at_most"
        cost = _limit(config.cost.at_most, lambda text: Money.parse(text) / 1e9, kind, at, context)
    told = config.outcome
    return Guard(
        error_rate=None if rate.at_most is None else float(rate.at_most),
        worse_by=None if rate.worse_by is None else float(rate.worse_by),
        latency=times("latency", config.latency),
        first_token=times("first_token", config.first_token),
        cost=cost,
        in_a_row=config.errors_in_a_row,
        outcome=None if told is None else Outcome(told.name, float(told.worse_by), told.good, told.sample),
    )


def _limit(text: str, parse: Callable[[str], float], kind: str, at: str, context: CompileContext) -> Limit:
    """``1.5x``, or what ``parse`` reads."""
    found = _TIMES.fullmatch(text)
    if found is not None:
        times = float(found[1])
        if not 1 <= times <= _MOST_TIMES:
            context.fail(f"{text!r} is not from 1x to {_MOST_TIMES}x what the stable side has", at)
        return Limit(times=times)
    try:
        value = float(parse(text))
    except ValueError:
        value = 0.0
    if value <= 0:
        context.fail(f"{text!r} is neither {kind} nor times what the stable side has, such as 1.5x", at)
    return Limit(value=value)
