"""One canary's way from its first step to all requests, or back.

The share of requests grows step by step. A step ends well when it has lasted long enough, the canary has answered
enough, and none of its figures is beyond its limit. It ends badly as soon as one is worse beyond doubt. Each step
counts anew: its shares are constant, so a bad hour that hits both sides makes neither look worse.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from proxy.canaries.figures import Outcomes, Side
from proxy.canaries.guard import Finding, Guard, findings, is_run
from proxy.reports import Reports

State = Literal["running", "paused", "promoted", "rolled_back"]
Name = Literal["stable", "canary"]
Value = bool | float | str
Action = Literal["pause", "resume", "promote", "rollback", "restart"]
MAX_HISTORY = 50
GATEWAY = "(gateway)"  # who decided, where nobody did
PATIENCE = 10  # times the sample, for which a step waits while a figure is beyond its limit
_LOOK = 1.05  # the counts grow by so much between two looks at them


class Plan(msgspec.Struct, frozen=True):
    """What the file says. ``identity``: of what it is a canary; another one begins anew. ``steps``: shares, the last
    one 1; ``every``: seconds that a step lasts at least; ``sample``: requests that the canary has answered by then."""

    name: str
    route: str
    identity: str
    steps: tuple[float, ...]
    every: float
    sample: int
    guard: Guard
    on_failure: Literal["rollback", "pause"] = "rollback"


class Passage(msgspec.Struct, frozen=True):
    """Something that happened. ``at``: seconds since the epoch."""

    at: float
    state: State
    share: float
    reason: str
    by: str


class Progress(msgspec.Struct):
    """All that is kept. ``run``: how often it was begun; ``era``: counts of another era do not count any more;
    ``since``: when the step began, seconds since the epoch; ``lasted``: seconds that it had lasted when it was paused;
    ``held``: paused by the guard."""

    run: int = 0
    era: int = 1
    state: State = "running"
    step: int = 0
    since: float = 0.0
    lasted: float = 0.0
    held: bool = False
    in_a_row: int = 0
    reason: str = ""
    by: str = GATEWAY
    stable: Side = msgspec.field(default_factory=Side)
    canary: Side = msgspec.field(default_factory=Side)
    history: list[Passage] = []


class NotPossible(Exception):
    """What somebody wants of a canary makes no sense now. The text says why."""


class Release:
    """Outlives reloads; on the loop only. ``woken`` is called when something has to be kept soon."""

    __slots__ = ("_looked", "_now", "_reports", "is_changed", "plan", "progress", "share", "woken")

    def __init__(self, plan: Plan, reports: Reports | None = None, now: Callable[[], float] = time.time) -> None:
        self.plan = plan
        self._reports = reports or Reports()
        self._now = now
        self.progress = Progress(since=now())
        self.share = plan.steps[0]
        self.is_changed = False  # since it was kept
        self.woken: Callable[[], None] | None = None
        self._looked = 0  # requests of the canary when they were looked at last

    # What requests bring

    @property
    def era(self) -> int:
        """Given back with what becomes of a request; 0: nothing is counted."""
        progress = self.progress
        return progress.era if progress.state in ("running", "paused") and not progress.held else 0

    def succeeded(self, side: Name, era: int, seconds: float, first: float | None) -> None:
        """An answer was whole after ``seconds``, and had begun after ``first`` if it was a stream."""
        found = self._of(side, era, "ok")
        if found is None:
            return
        found.requests += 1
        found.latency.add(seconds)
        if first is not None:
            found.first_token.add(first)
        if side == "canary":
            self.progress.in_a_row = 0
            self._judge_soon()

    def failed(self, side: Name, era: int, reason: str, *, alone: bool) -> None:
        """A request failed. ``alone``: as far as is known the other side would have answered it."""
        found = self._of(side, era, "failed")
        if found is None:
            return
        found.failed(reason)
        if side == "canary":
            self.progress.in_a_row += alone
            self._judge_soon()

    def left(self, side: Name, era: int, seconds: float) -> None:
        """Nobody waited longer than ``seconds``: it would have taken at least that."""
        found = self._of(side, era, "left")
        if found is not None:
            found.latency.add(seconds)
            if side == "canary":
                self._judge_soon()

    def cost(self, side: Name, era: int, dollars: float) -> None:
        """What an answer has cost."""
        if era and era == self.era:
            getattr(self.progress, side).cost.add(dollars)
            self.is_changed = True

    @property
    def mark(self) -> str:
        """Names the era wherever its answers are kept, also after a restart; "" if nothing is counted."""
        return f"{self.plan.identity} {self.era}" if self.era else ""

    def heard(self, side: str, mark: str, now: Value, before: Value | None) -> bool:
        """What an application says of an answer of that era, ``before`` being what it had said of it. Whether it
        counts."""
        outcome = self.plan.guard.outcome
        good = None if outcome is None else outcome.is_good(now)
        if outcome is None or good is None or side not in ("stable", "canary") or not mark or mark != self.mark:
            return False
        found: Outcomes = getattr(self.progress, side).outcome
        was = None if before is None else outcome.is_good(before)
        found.count += was is None
        found.good += good - bool(was)
        self.is_changed = True
        self._judge_soon()
        return True

    def _of(self, side: Name, era: int, outcome: str) -> Side | None:
        self._reports.tell("canary.counted", canary=self.plan.name, side=side, outcome=outcome)
        if not era or era != self.era:
            return None
        self.is_changed = True
        progress = self.progress
        if side == "stable":
            # Beside a canary that has everything only what went before tells what is usual.
            return progress.stable if self.share < 1 else None
        return progress.canary

    # What follows

    def look(self) -> None:
        """Go on, if it is time: requests are looked at as they come, but time passes without them."""
        if self.progress.state == "running" and self.waits_for() == ("", 0.0):
            self._judge()

    def waits_for(self) -> tuple[str, float]:
        """What a step that goes well still waits for: words, and seconds."""
        progress, plan = self.progress, self.plan
        missing = plan.sample - progress.canary.requests
        words = f"{missing} more requests of the canary" if missing > 0 else ""
        outcome = plan.guard.outcome
        if not words and outcome is not None and (missing := outcome.sample - progress.canary.outcome.count) > 0:
            words = f"{outcome.name} of {missing} more answers of the canary"
        lasted = progress.lasted if progress.state == "paused" else self._now() - progress.since
        return words, max(0.0, plan.every - lasted)

    def findings(self) -> list[Finding]:
        """What the guard makes of the figures now."""
        progress = self.progress
        return list(findings(self.plan.guard, progress.canary, progress.stable, len(self.plan.steps)))

    def _judge_soon(self) -> None:
        """Looking at every request costs more than it brings, once there are many."""
        progress = self.progress
        if is_run(self.plan.guard, progress.in_a_row, progress.canary, progress.stable):
            self._trip(f"errors in a row: {progress.in_a_row}, where stable answered")
        elif _seen(progress.canary) >= self._looked * _LOOK:
            self._judge()

    def _judge(self) -> None:
        progress, plan = self.progress, self.plan
        self._looked = _seen(progress.canary)
        found = self.findings()
        worse = [f"{one.aspect}: {one.words}" for one in found if one.verdict == "worse"]
        if worse:
            self._trip("; ".join(worse))
            return
        # What is beyond its limit may be so by chance: more requests tell, or else it matters little.
        is_good = all(one.verdict == "good" for one in found) or progress.canary.requests >= PATIENCE * plan.sample
        if is_good and progress.state == "running" and self.waits_for() == ("", 0.0):
            self._advance("; ".join(f"{one.aspect}: {one.words}" for one in found))

    def _trip(self, reason: str) -> None:
        if self.plan.on_failure == "rollback":
            self._pass("rolled_back", "canary.rolled_back", reason, GATEWAY)
        else:
            self.progress.held = True
            self._pass("paused", "canary.held", reason, GATEWAY)

    def _advance(self, reason: str) -> None:
        if self.progress.step + 1 == len(self.plan.steps):
            self._pass("promoted", "canary.promoted", reason, GATEWAY)
            return
        self.progress.step += 1
        self._anew(keep_stable=self.plan.steps[self.progress.step] == 1)
        self._pass("running", "canary.step", reason, GATEWAY)

    def _anew(self, *, keep_stable: bool = False) -> None:
        """Count from here."""
        progress = self.progress
        progress.era += 1
        progress.canary, progress.in_a_row, self._looked = Side(), 0, 0
        if not keep_stable:
            progress.stable = Side()
        progress.since, progress.lasted, progress.held = self._now(), 0.0, False

    def _pass(self, state: State, event: str, reason: str, by: str) -> None:
        progress = self.progress
        progress.state, progress.reason, progress.by = state, reason, by
        self._set_share()
        progress.history.append(Passage(self._now(), state, self.share, reason, by))
        del progress.history[:-MAX_HISTORY]
        fields = {"canary": self.plan.name, "route": self.plan.route, "run": progress.run, "era": progress.era}
        step = progress.step + 1
        self._reports.tell(event, **fields, step=step, share=self.share, state=state, reason=reason, by=by)
        self.tell()
        self.is_changed = True
        if self.woken is not None:
            self.woken()

    def _set_share(self) -> None:
        state, steps = self.progress.state, self.plan.steps
        self.share = 0.0 if state == "rolled_back" else 1.0 if state == "promoted" else steps[self.progress.step]

    def tell(self) -> None:
        """How it stands, for the metrics."""
        state = self.progress.state
        self._reports.tell("canary.stands", canary=self.plan.name, state=state, share=self.share)

    def forget(self) -> None:
        """It is not in the file any more."""
        self._reports.tell("canary.gone", canary=self.plan.name)

    # What operators want

    def check(self, action: Action) -> None:
        """Whether ``act`` could do it now.

        Raises:
            NotPossible: it makes no sense now.
        """
        state = self.progress.state
        if state in ("promoted", "rolled_back") and (action in ("pause", "resume") or state == _END.get(action)):
            raise NotPossible(f"It is {state.replace('_', ' ')}; `restart` begins anew.")
        if action == "pause" and state == "paused":
            raise NotPossible("It is paused already.")
        if action == "resume" and state != "paused":
            raise NotPossible("It is not paused.")

    def act(self, action: Action, reason: str, by: str) -> None:
        """Do it.

        Raises:
            NotPossible: it makes no sense now.
        """
        self.check(action)
        progress = self.progress
        if action == "restart":
            self.begin(reason, by)
        elif action == "pause":
            progress.lasted = self._now() - progress.since
            self._pass("paused", "canary.paused", reason, by)
        elif action == "resume":
            if progress.held:  # the figures that have stopped it would stop it again
                self._anew()
            progress.since = self._now() - progress.lasted
            self._pass("running", "canary.resumed", reason, by)
        else:
            self._pass(_END[action], f"canary.{_END[action]}", reason, by)

    def begin(self, reason: str, by: str) -> None:
        """From the first step."""
        self.progress.run += 1
        self.progress.step = 0
        self._anew()
        self._pass("running", "canary.begun", reason, by)

    # What is kept

    def saved(self) -> bytes:
        """All of it."""
        return msgspec.json.encode(self.progress)

    def restore(self, saved: bytes) -> None:
        """As it was.

        Raises:
            ValueError: it cannot be read, or is of other steps.
        """
        found = msgspec.json.decode(saved, type=Progress)
        if not 0 <= found.step < len(self.plan.steps):
            raise ValueError("there is no such step")
        self.progress = found
        self._looked = 0
        self._set_share()


def _seen(side: Side) -> int:
    """Whatever has come of it."""
    return side.failures + side.latency.count + side.outcome.count


_END: dict[str, State] = {"promote": "promoted", "rollback": "rolled_back"}
