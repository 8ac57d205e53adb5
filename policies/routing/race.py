"""A second copy of a request that is slow to begin its answer: the first to produce something wins, the rest stop."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, ClassVar

from msgspec.structs import replace

from policies.routing._helpers import GO_ON
from proxy.choosing.capability import Needs
from proxy.choosing.effects import lasting
from proxy.choosing.heat import Heat, all_ended
from proxy.errors import UpstreamError, decisive
from proxy.exchange import Exchange
from proxy.policy import Answer, Choice, CompileContext, Config, Node, Target
from proxy.reports import NAME as REPORTS
from proxy.reports import Reports
from proxy.units import Duration, Percent

BURST = 5.0  # copies that may be sent beyond the share, where few were sent before
SAMPLES = 20  # first tokens that must be known before a quantile of them says anything
_QUANTILE = re.compile(r"p([1-9][0-9])")
_SHORTEST, _LONGEST = 0.001, 600.0  # seconds
_KEEP_DELAY = 0.1  # seconds in which a quantile is not looked up again


class RaceConfig(Config, frozen=True):
    """``after``: a duration, or the quantile (``p95``) of the child's times to the first token; ``fallback_after``
    while too few of those are known. ``max_extra``: copies as a share of this node's requests.

    A plain list stands for ``of``.
    """

    of: tuple[Any, ...]
    after: str = "p95"
    max_extra: Percent = Percent(0.05)
    fallback_after: Duration = Duration(2.0)


class Allowance:
    """How many copies may be sent: a bucket that each request fills by the share, and each copy empties by one.

    Outlives reloads. ``left``: beaten attempts that have not let go yet.
    """

    __slots__ = ("_tokens", "left")

    def __init__(self) -> None:
        self._tokens = BURST
        self.left: set[Any] = set()

    def earn(self, share: float) -> None:
        """A request has come."""
        self._tokens = min(BURST, self._tokens + share)

    def spend(self) -> bool:
        """Whether a copy may be sent, which then counts."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    async def aclose(self) -> None:
        """Wait for what has not let go."""
        await all_ended(self.left)


class Race(Node):
    """The first child answers; the next is started beside it when that takes too long, or instead of it if it fails.

    Whoever has an answer first (its first content, or all of it) wins, and the others are broken off.
    """

    __slots__ = (
        "_after",
        "_delays",
        "_otherwise",
        "_quantile",
        "_reports",
        "_route",
        "_share",
        "allowance",
        "below",
    )

    Config = RaceConfig
    shorthand: ClassVar[str] = "of"

    def __init__(
        self,
        children: tuple[Target, ...],
        after: float | None,
        quantile: float,
        otherwise: float,
        share: float,
        needs: Callable[[Exchange], Needs],
        *,
        route: str = "",
        allowance: Allowance | None = None,
        reports: Reports | None = None,
    ) -> None:
        super().__init__(children, needs)
        self._after = after  # seconds; None: by quantile
        self._quantile = quantile
        self._otherwise = otherwise
        self._share = share
        self._route = route
        self.allowance = allowance or Allowance()
        self._reports = reports or Reports()
        self.below = {id(child): child.healths() for child in children}
        self._delays: dict[int, tuple[float, float]] = {}  # child → until when, how long: quantiles cost a sort

    @classmethod
    def compile(cls, config: RaceConfig, context: CompileContext) -> Target | None:
        found = [context.target(value, f"of[{at}]") for at, value in enumerate(config.of)]
        children = tuple(child for child in found if child is not None)
        quantile = _QUANTILE.fullmatch(config.after)
        after = None if quantile else _seconds(config.after, context)
        if len(children) < 2:  # one cannot race; none is no target
            return children[0] if children else None
        names = "+".join(leaf for child in children for leaf in child.leaves())
        return cls(
            children,
            after,
            int(quantile[1]) / 100 if quantile else 0.0,
            float(config.fallback_after),
            float(config.max_extra),
            context.needs,
            route=context.route,
            allowance=context.shared(f"race {context.route} {names}", Allowance),
            reports=context.shared(REPORTS, Reports),
        )

    async def send(self, x: Exchange) -> Answer:
        self.allowance.earn(self._share)
        now = time.monotonic()
        able = self.able(x)
        usable = [child for child in able if self.is_usable(child, now)]
        order = [*usable, *[child for child in able if child not in usable]]
        if len(order) == 1:
            return await order[0].send(x)
        return await _Race(self, x, order).run()

    def is_usable(self, child: Target, now: float) -> bool:
        """Whether something below would be asked now."""
        return any(health.usable(now) for health in self.below[id(child)])

    def delay(self, child: Target, now: float) -> float:
        """Seconds after which an answer that has not begun is late. Of a child with several leaves, the middle one."""
        if self._after is not None:
            return self._after
        until, seconds = self._delays.get(id(child), (0.0, 0.0))
        if until <= now:
            known = [health.quantile(self._quantile, SAMPLES) for health in self.below[id(child)]]
            found = sorted(one for one in known if one is not None)
            seconds = found[(len(found) - 1) // 2] if found else self._otherwise
            self._delays[id(child)] = now + _KEEP_DELAY, seconds
        return seconds

    def may_copy(self) -> bool:
        """Whether the share has room for one more, which then counts."""
        return self._share > 0 and self.allowance.spend()

    def tell(self, result: str) -> None:
        """What became of a copy: won, lost, failed, or denied by the budget."""
        self._reports.tell("race.hedged", route=self._route, result=result)

    def explain(self, x: Exchange) -> Choice:
        now = time.monotonic()
        lacking = self.lacking(x)
        choices: list[Choice] = []
        before: Target | None = None  # the one that is chosen, or follows
        for at, child in enumerate(self.children):
            choice = child.explain(x)
            if at in lacking:
                choice = replace(choice, chosen=False, why=f"left out: {lacking[at]}")
            elif choice.chosen and before is not None:
                late = f"if there is nothing after {self.delay(before, now) * 1000:.0f} ms"
                choice = replace(choice, chosen=False, why=f"{late}, or those before it fail; {choice.why}")
                before = child
            elif choice.chosen:
                before = child
            choices.append(choice)
        after = (
            f"p{self._quantile * 100:.0f} of its first tokens" if self._after is None else f"{self._after * 1000:g} ms"
        )
        why = f"the first to begin its answer; a copy after {after}, for at most {self._share * 100:g}% of requests"
        return Choice("race", before is not None, why, tuple(choices))


class _Runner:
    """One child under way. ``late``: it took so long that another was started beside it."""

    __slots__ = ("child", "is_copy", "late", "x")

    def __init__(self, child: Target, x: Exchange, *, is_copy: bool) -> None:
        self.child = child
        self.x = x
        self.is_copy = is_copy
        self.late = False


class _Race:
    """One request's."""

    __slots__ = ("_all", "_due", "_failures", "_heat", "_node", "_rest", "_started", "_x")

    def __init__(self, node: Race, x: Exchange, order: list[Target]) -> None:
        self._node = node
        self._x = x
        self._rest = order
        self._heat: Heat[_Runner, Answer] = Heat(node.allowance.left)
        self._all: list[_Runner] = []
        self._failures: list[UpstreamError] = []
        self._due: float | None = None  # when a copy is to be sent
        self._started = time.monotonic()

    async def run(self) -> Answer:
        """The first answer. Whatever happens, nothing is left behind."""
        answer: Answer | None = None
        try:
            self._start(self._rest.pop(0), is_copy=False)
            answer = await self._first()
            self._tell_of_late()
            await self._heat.break_off()
            return answer
        except BaseException:
            if answer is not None:
                answer.discard()
            await self._heat.break_off()
            raise
        finally:
            self._join()

    def _start(self, child: Target, *, is_copy: bool) -> None:
        runner = _Runner(child, self._x.beside(), is_copy=is_copy)
        self._all.append(runner)
        self._heat.start(runner, child.send(runner.x))
        now = time.monotonic()
        self._due = now + self._node.delay(child, now) if self._rest else None

    async def _first(self) -> Answer:
        while True:
            through = await self._heat.next(None if self._due is None else max(0.0, self._due - time.monotonic()))
            if through is None:
                self._copy()
                continue
            runner, outcome = through
            if not isinstance(outcome, UpstreamError):
                self._won(runner, outcome)
                return outcome
            self._failures.append(outcome)
            if runner.is_copy:
                self._node.tell("failed")
            if not len(self._heat):
                self._next()

    def _won(self, winner: _Runner, answer: Answer) -> None:
        x, twin = self._x, winner.x
        copies = [runner for runner in self._all if runner.is_copy]
        if copies:
            waited = (time.monotonic() - self._started) * 1000
            x.notes["race"] = f"{answer.target} was first, after {waited:.0f} ms; {len(copies)} sent beside the first"
        x.notes.update(twin.notes)
        x.degraded = twin.degraded or x.degraded
        x.chat, x.read, x.needs = twin.chat, twin.read, twin.needs
        beaten = set(map(id, self._heat.running()))
        for runner in copies:
            if runner is winner or id(runner) in beaten:
                self._node.tell("won" if runner is winner else "lost")

    def _copy(self) -> None:
        """It is time for another one, if there is one, and it may be asked."""
        now = time.monotonic()
        self._due = None
        child = next((child for child in self._rest if self._node.is_usable(child, now)), None)
        if child is None or now >= self._x.deadline:
            return
        reason = lasting(self._x)
        if reason is not None:
            self._x.notes["race"] = f"not sent twice: {reason}"
            return
        if not self._node.may_copy():
            self._x.notes["race"] = "no copy was sent: the share for that is used up"
            self._node.tell("denied")
            return
        for runner in self._heat.running():
            runner.late = True
        self._rest.remove(child)
        self._start(child, is_copy=True)

    def _next(self) -> None:
        """Everybody that was started has failed."""
        last = self._failures[-1]
        on = last.skipped or last.meaning in GO_ON
        if not self._rest or not on or time.monotonic() >= self._x.deadline:
            raise decisive(self._failures)
        self._start(self._rest.pop(0), is_copy=False)

    def _tell_of_late(self) -> None:
        """Without this, what is slow would leave no trace, and everything would seem ever quicker."""
        now = time.monotonic()
        for runner in self._heat.running():
            known = {health.name: health for health in self._node.below[id(runner.child)]} if runner.late else {}
            for attempt in runner.x.attempts:
                if attempt.outcome == "open" and attempt.target in known:
                    known[attempt.target].outlasted(now, now - attempt.started)

    def _join(self) -> None:
        """What was noted apart belongs to the one request."""
        x = self._x
        attempts = [attempt for runner in self._all for attempt in runner.x.attempts]
        x.attempts += sorted(attempts, key=lambda attempt: attempt.started)
        for runner in self._all:
            x.skipped += runner.x.skipped
            x.notes = {**runner.x.notes, **x.notes}
        x.upstream_wait += time.monotonic() - self._started  # once, however many have waited


def _seconds(text: str, context: CompileContext) -> float:
    try:
        seconds = float(Duration.parse(text))
    except ValueError:
        seconds = 0.0
    if not _SHORTEST <= seconds <= _LONGEST:
        context.fail(f"{text!r} is neither a quantile such as p95 nor a duration from 1ms to 10m", "after")
        return _SHORTEST
    return seconds
