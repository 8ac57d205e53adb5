"""When a canary is beyond a limit, and when that is beyond doubt."""

from __future__ import annotations

import pytest

from proxy.canaries.figures import Side
from proxy.canaries.guard import Guard, Limit, Outcome, Verdict, findings, is_run


def _side(requests: int = 0, failures: int = 0, *, seconds: float = 0.1, dollars: float = 0.0) -> Side:
    side = Side()
    for _ in range(failures):
        side.failed("unavailable")
    side.requests = requests
    for at in range(requests - failures):
        wobble = 1 + (at % 10) / 100
        side.latency.add(seconds * wobble)
        side.first_token.add(seconds * wobble)
        if dollars:
            side.cost.add(dollars * wobble)
    return side


def _verdict(guard: Guard, canary: Side, stable: Side) -> Verdict:
    (found,) = findings(guard, canary, stable, 4)
    assert found.words
    return found.verdict


@pytest.mark.parametrize(
    ("canary", "stable", "verdict"),
    [
        ((0, 0), (0, 0), "good"),
        ((100, 1), (100, 0), "good"),
        ((100, 3), (100, 1), "beyond"),
        ((1, 1), (1000, 0), "beyond"),
        ((2, 2), (1000, 0), "beyond"),  # so few may be an accident
        ((4, 4), (100, 0), "worse"),
        ((4, 4), (4, 0), "beyond"),
        ((100, 20), (1000, 5), "worse"),
        ((100, 20), (1000, 190), "good"),
    ],
)
def test_errors_beside_those_of_the_stable_side(
    canary: tuple[int, int], stable: tuple[int, int], verdict: Verdict
) -> None:
    """By one percentage point."""
    assert _verdict(Guard(worse_by=0.01), _side(*canary), _side(*stable)) == verdict


@pytest.mark.parametrize(("failures", "verdict"), [(2, "good"), (4, "beyond"), (20, "worse")])
def test_errors_in_all(failures: int, verdict: Verdict) -> None:
    """Whatever the stable side does."""
    assert _verdict(Guard(error_rate=0.02), _side(100, failures), _side()) == verdict


@pytest.mark.parametrize("aspect", ["latency", "first_token"])
@pytest.mark.parametrize(
    ("limit", "seconds", "verdict"),
    [
        (Limit(times=1.5), 0.1, "good"),
        (Limit(times=1.5), 0.152, "beyond"),
        (Limit(times=1.5), 0.3, "worse"),
        (Limit(value=0.2), 0.15, "good"),
        (Limit(value=0.2), 0.21, "worse"),
        (Limit(value=0.1, quantile=0.5), 0.097, "beyond"),
    ],
)
def test_times(aspect: str, limit: Limit, seconds: float, verdict: Verdict) -> None:
    """Beside those of the stable side, or in all."""
    guard = Guard(**{aspect: limit})  # type: ignore[arg-type]
    assert _verdict(guard, _side(100, seconds=seconds), _side(1000)) == verdict


def test_a_quantile_of_few_proves_nothing() -> None:
    """The stable side has too few answers for its 95th percentile to be known."""
    assert _verdict(Guard(latency=Limit(times=1.5)), _side(100, seconds=9.0), _side(50)) == "beyond"
    assert _verdict(Guard(latency=Limit(times=1.5)), _side(100), _side()) == "good"


@pytest.mark.parametrize(
    ("limit", "dollars", "count", "verdict"),
    [
        (Limit(times=1.2), 0.01, 200, "good"),
        (Limit(times=1.2), 0.0121, 60, "beyond"),
        (Limit(times=1.2), 0.03, 200, "worse"),
        (Limit(times=1.2), 0.03, 40, "beyond"),
        (Limit(value=0.02), 0.03, 200, "worse"),
    ],
)
def test_costs(limit: Limit, dollars: float, count: int, verdict: Verdict) -> None:
    """On average."""
    assert _verdict(Guard(cost=limit), _side(count, dollars=dollars), _side(1000, dollars=0.01)) == verdict


def test_costs_that_nobody_knows_are_not_judged() -> None:
    """Of the stable side, or of both."""
    assert _verdict(Guard(cost=Limit(times=1.2)), _side(100, dollars=1.0), _side(100)) == "good"
    assert _verdict(Guard(cost=Limit(times=1.2)), _side(100), _side(100, dollars=1.0)) == "good"


def test_a_run_of_failures() -> None:
    """Enough of them, unless the stable side fails so often that it may be chance."""
    guard = Guard(in_a_row=5)
    assert not is_run(guard, 4, _side(4, 4), _side(100))
    assert is_run(guard, 5, _side(5, 5), _side(100))
    assert not is_run(guard, 5, _side(50, 20), _side(100, 40))
    assert not is_run(guard, 5, _side(5, 5), _side())
    assert not is_run(Guard(), 50, _side(50, 50), _side(100))


def test_all_that_is_looked_at_is_told() -> None:
    """In words with the figures."""
    limit = Limit(times=2)
    guard = Guard(error_rate=0.02, worse_by=0.01, latency=limit, first_token=limit, cost=limit)
    assert guard.count == 5
    found = list(findings(guard, _side(50, 1, dollars=0.01), _side(100, dollars=0.01), 1))
    assert [one.aspect for one in found] == ["error rate", "error rate", "latency", "first token", "cost"]
    assert found[1].words == "1 of 50 failed (1 unavailable), of stable 0 of 100 failed"
    assert found[2].words.startswith("p95 110 ms of 49, of stable 110 ms ")
    assert found[2].words.endswith("of 100; at most 2 times that")


@pytest.mark.parametrize(
    ("canary", "stable", "verdict"),
    [
        ((0, 0), (100, 90), "good"),
        ((100, 90), (0, 0), "good"),
        ((100, 88), (100, 90), "good"),
        ((100, 80), (100, 90), "beyond"),
        ((2, 0), (1000, 990), "beyond"),
        ((200, 80), (1000, 900), "worse"),
        ((200, 198), (1000, 500), "good"),
    ],
)
def test_what_became_of_answers(canary: tuple[int, int], stable: tuple[int, int], verdict: Verdict) -> None:
    """By two percentage points."""
    sides = _side(), _side()
    for side, (count, good) in zip(sides, (canary, stable), strict=True):
        side.outcome.count, side.outcome.good = count, good
    guard = Guard(outcome=Outcome("solved", 0.02))
    assert guard.count == 1
    assert _verdict(guard, *sides) == verdict


def test_which_values_are_good() -> None:
    """True, and labels where the file names good ones; numbers say nothing here."""
    plain, labelled = Outcome("solved", 0.02), Outcome("solved", 0.02, ("up",))
    assert [plain.is_good(value) for value in (True, False, "up", 1.0)] == [True, False, None, None]
    assert [labelled.is_good(value) for value in (True, "up", "down")] == [True, True, False]
