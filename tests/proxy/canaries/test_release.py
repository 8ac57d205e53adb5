"""A canary's way: forward when it is good, back when it is not, and where operators want it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from proxy.canaries.guard import Guard, Limit, Outcome
from proxy.canaries.release import MAX_HISTORY, Action, Name, NotPossible, Plan, Release
from proxy.reports import Reports

STEPS = (0.05, 0.25, 0.5, 1.0)
GUARD = Guard(worse_by=0.01, latency=Limit(times=1.5), cost=Limit(times=1.2), in_a_row=5)


class Driven:
    """A release with a clock and whatever it reports."""

    def __init__(self, **plan: Any) -> None:
        self.clock = 1000.0
        self.events: list[tuple[str, dict[str, Any]]] = []
        reports = Reports()
        reports.listener = lambda event, fields: self.events.append((event, fields))
        settings: dict[str, Any] = {"steps": STEPS, "every": 60.0, "sample": 10, "guard": Guard(worse_by=0.01)}
        self.plan = Plan("next", "chat", "identity", **(settings | plan))
        self.release = Release(self.plan, reports, lambda: self.clock)

    def good(self, count: int = 1, side: Name = "canary") -> None:
        for _ in range(count):
            self.release.succeeded(side, self.release.era, 0.1, 0.05)

    def bad(self, count: int = 1, side: Name = "canary", *, alone: bool = True) -> None:
        for _ in range(count):
            self.release.failed(side, self.release.era, "unavailable", alone=alone)

    def told(self) -> list[str]:
        """The events worth a line."""
        return [event for event, _ in self.events if event not in ("canary.counted", "canary.stands")]

    @property
    def stands(self) -> tuple[str, float]:
        return self.release.progress.state, self.release.share


def test_a_step_ends_with_its_time_and_its_sample() -> None:
    """Both. The last step is followed by the end."""
    driven = Driven()
    driven.good(500, "stable")
    driven.good(20)
    assert driven.stands == ("running", 0.05)
    assert driven.release.waits_for() == ("", 60.0)
    driven.clock += 60
    driven.release.look()
    assert driven.stands == ("running", 0.25)
    assert driven.release.waits_for() == ("10 more requests of the canary", 60.0)
    driven.clock += 60
    driven.good(9)
    assert driven.stands == ("running", 0.25)
    driven.good()
    assert driven.stands == ("running", 0.5)
    for _ in range(2):
        driven.clock += 60
        driven.good(10)
    assert driven.stands == ("promoted", 1.0)
    assert driven.told() == ["canary.step"] * 3 + ["canary.promoted"]
    assert driven.events[-2][1]["reason"] == "error rate: 0 of 10 failed, of stable 0 of 0 failed"


def test_each_step_counts_anew() -> None:
    """What began in the step before does not count, and at 100% the stable side is what it was."""
    driven = Driven(steps=(0.5, 1.0))
    driven.good(100, "stable")
    era = driven.release.era
    driven.clock += 60
    driven.good(10)
    assert driven.stands == ("running", 1.0)
    progress = driven.release.progress
    driven.release.succeeded("canary", era, 0.1, None)
    driven.release.cost("canary", era, 1.0)
    assert (progress.canary.requests, progress.canary.cost.count) == (0, 0)
    driven.good(5, "stable")
    assert progress.stable.requests == 100


def test_what_is_worse_goes_back_at_once() -> None:
    """Why is told in figures; nothing is counted any more."""
    driven = Driven()
    driven.good(80, "stable")
    driven.bad(10)
    assert driven.stands == ("rolled_back", 0.0)
    assert driven.release.progress.canary.requests == 3
    assert driven.release.progress.reason == "error rate: 3 of 3 failed (3 unavailable), of stable 0 of 80 failed"
    ((_, fields),) = [one for one in driven.events if one[0] == "canary.rolled_back"]
    assert (fields["canary"], fields["step"], fields["share"], fields["by"]) == ("next", 1, 0.0, "(gateway)")
    assert driven.release.era == 0


def test_failures_in_a_row_go_back_at_once() -> None:
    """Unless the stable side has failed as well, or one was answered in between."""
    driven = Driven(guard=Guard(in_a_row=3))
    driven.good(30, "stable")
    driven.bad(2)
    driven.good()
    driven.bad(2)
    driven.bad(5, alone=False)
    assert driven.stands == ("running", 0.05)
    driven.bad()
    assert driven.release.progress.reason == "errors in a row: 3, where stable answered"


def test_what_is_beyond_a_limit_waits() -> None:
    """Until more requests tell; at last it matters little."""
    driven = Driven(sample=10)
    driven.good(1000, "stable")
    driven.bad(2)
    driven.clock += 60
    driven.good(90)
    assert driven.stands == ("running", 0.05)
    driven.good(12)
    assert driven.stands == ("running", 0.25)
    assert "error rate: 2 of 10" in driven.release.progress.history[-1].reason


def test_it_may_only_be_held() -> None:
    """Its share stays, nothing is judged, and resuming counts anew."""
    driven = Driven(on_failure="pause")
    driven.good(80, "stable")
    driven.bad(9)
    assert driven.stands == ("paused", 0.05)
    assert driven.told() == ["canary.held"]
    assert driven.release.era == 0
    driven.release.act("resume", "mended", "ann")
    assert driven.release.progress.canary.requests == 0
    driven.clock += 60
    driven.good(10)
    assert driven.stands == ("running", 0.25)


def test_a_pause_holds_the_step_and_its_time() -> None:
    """The guard still looks."""
    driven = Driven()
    driven.good(80, "stable")
    driven.clock += 50
    driven.release.act("pause", "", "ann")
    driven.clock += 1000
    driven.good(50)
    assert driven.stands == ("paused", 0.05)
    assert driven.release.waits_for() == ("", 10.0)
    driven.release.act("resume", "", "ann")
    assert driven.release.waits_for() == ("", 10.0)
    driven.release.act("pause", "", "ann")
    driven.bad(3)
    assert driven.stands == ("paused", 0.05)  # three of fifty-three may be chance
    driven.bad(30)
    assert driven.stands == ("rolled_back", 0.0)


@pytest.mark.parametrize(
    ("before", "action", "words"),
    [
        ("pause", "pause", "paused already"),
        ("", "resume", "not paused"),
        ("promote", "promote", "is promoted"),
        ("promote", "pause", "`restart` begins anew"),
        ("rollback", "rollback", "is rolled back"),
        ("rollback", "resume", "`restart` begins anew"),
    ],
)
def test_what_makes_no_sense_is_refused(before: Action, action: Action, words: str) -> None:
    """With what to do."""
    driven = Driven()
    if before:
        driven.release.act(before, "", "ann")
    with pytest.raises(NotPossible, match=words):
        driven.release.act(action, "", "ann")


def test_a_restart_begins_anew() -> None:
    """From wherever it was, and who wanted it is known."""
    driven = Driven()
    driven.bad(5)
    driven.release.act("promote", "we are sure", "ann")
    assert driven.stands == ("promoted", 1.0)
    driven.release.act("rollback", "we are not", "ann")
    driven.release.act("restart", "again", "bob")
    assert driven.stands == ("running", 0.05)
    progress = driven.release.progress
    assert (progress.run, progress.canary.requests, progress.by, progress.reason) == (1, 0, "bob", "again")
    assert [one.by for one in progress.history] == ["ann", "ann", "bob"]


def test_its_history_is_bounded() -> None:
    """The oldest goes."""
    driven = Driven()
    for number in range(MAX_HISTORY + 5):
        driven.release.act("restart", f"{number}", "ann")
    assert [driven.release.progress.history[at].reason for at in (0, -1)] == ["5", str(MAX_HISTORY + 4)]


def test_what_was_kept_goes_on() -> None:
    """As if nothing had happened; what does not fit is refused."""
    driven, again = Driven(), Driven()
    driven.good(80, "stable")
    driven.bad(2)
    again.release.restore(driven.release.saved())
    assert again.release.progress == driven.release.progress
    again.bad()
    assert again.stands == ("rolled_back", 0.0)
    last = Driven()
    last.release.restore(again.release.saved())
    assert last.stands == ("rolled_back", 0.0)
    for saved in (b"", b"{}}", b'{"step": 4}', b'{"step": -1}'):
        with pytest.raises(ValueError, match=r".+"):
            last.release.restore(saved)


def test_who_left_tells_of_time_alone() -> None:
    """It would have taken at least that."""
    driven = Driven(guard=Guard(latency=Limit(value=1.0, quantile=0.5)))
    for _ in range(30):
        driven.release.left("canary", driven.release.era, 20.0)
    assert driven.release.progress.canary.requests == 0
    assert driven.release.progress.reason.startswith("latency: p50 ")


def _simulate(seed: int, *, failing: float = 0.02, slower: float = 1.0, dearer: float = 1.0) -> Release:
    """One way through all steps beside a stable side that fails two of a hundred; times and costs are spread widely."""
    rng = random.Random(seed)
    driven = Driven(every=0.0, sample=50, guard=GUARD)
    release = driven.release
    while release.progress.state == "running":
        side: Name = "canary" if rng.random() < release.share else "stable"
        is_new, era = side == "canary", release.era
        if rng.random() < (failing if is_new else 0.02):
            release.failed(side, era, "unavailable", alone=rng.random() >= 0.02)
        else:
            release.succeeded(side, era, rng.lognormvariate(0, 0.7) * (slower if is_new else 1), None)
            release.cost(side, era, rng.lognormvariate(0, 0.8) * (dearer if is_new else 1))
    return release


def test_an_equal_one_is_promoted() -> None:
    """Two thousand of them gave the figure in the reference; here there are a few."""
    assert [_simulate(seed).progress.state for seed in range(12)].count("rolled_back") <= 1


@pytest.mark.parametrize("worse", [{"failing": 0.3}, {"slower": 4.0}, {"dearer": 3.0}], ids=str)
def test_a_bad_one_goes_back(worse: dict[str, float]) -> None:
    """Before it has everything."""
    for seed in range(4):
        progress = _simulate(seed, **worse).progress
        assert (progress.state, progress.step < 2) == ("rolled_back", True)


def test_one_that_always_fails_goes_back_after_a_few() -> None:
    """Four or five requests, at a share of five percent."""
    assert all(_simulate(seed, failing=1.0).progress.canary.requests <= 6 for seed in range(50))


def _told(driven: Driven, good: int, bad: int, side: Name = "canary") -> None:
    for number in range(good + bad):
        assert driven.release.heard(side, driven.release.mark, number < good, None)


def test_outcomes_count_in_their_own_era() -> None:
    """Each answer once, by what was said of it last; nothing of another step, of another canary or of another type."""
    driven = Driven(guard=Guard(outcome=Outcome("solved", 0.02)), sample=2)
    old = driven.release.mark
    _told(driven, 2, 1)
    assert driven.release.heard("canary", old, False, True)
    outcome = driven.release.progress.canary.outcome
    assert (outcome.count, outcome.good) == (3, 1)
    for side, mark, value in (("canary", "", True), ("canary", "other 1", True), ("", old, True), ("canary", old, 1.0)):
        assert not driven.release.heard(side, mark, value, None)
    driven.clock += 60
    driven.good(3)
    assert driven.stands == ("running", 0.25)
    assert not driven.release.heard("canary", old, True, None)
    assert driven.release.mark != old


def test_a_step_waits_for_outcomes() -> None:
    """As many as the file says; those of the stable side do not count for that."""
    driven = Driven(guard=Guard(outcome=Outcome("solved", 0.02, sample=5)), sample=2)
    driven.clock += 60
    driven.good(3)
    assert driven.release.waits_for() == ("solved of 5 more answers of the canary", 0.0)
    _told(driven, 5, 0, "stable")
    _told(driven, 4, 0)
    assert driven.stands == ("running", 0.05)
    _told(driven, 1, 0)
    assert driven.stands == ("running", 0.25)


def test_worse_outcomes_go_back() -> None:
    driven = Driven(guard=Guard(outcome=Outcome("solved", 0.02)), sample=1000)
    _told(driven, 900, 100, "stable")
    while driven.release.heard("canary", driven.release.mark, False, None):
        assert driven.release.progress.canary.outcome.count < 60
    assert driven.stands == ("rolled_back", 0.0)
    assert driven.release.progress.reason.startswith("solved: ")
    assert driven.release.mark == "", "it is over"


def test_outcomes_are_kept() -> None:
    driven = Driven(guard=Guard(outcome=Outcome("solved", 0.02)))
    _told(driven, 2, 1)
    again = Driven(guard=Guard(outcome=Outcome("solved", 0.02)))
    again.release.restore(driven.release.saved())
    assert again.release.progress.canary.outcome.count == 3
    assert again.release.mark == driven.release.mark
