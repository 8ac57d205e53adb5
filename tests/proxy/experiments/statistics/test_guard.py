"""Guards: worse by more than the margin, or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from proxy.experiments.statistics import Estimate, Rule, compare, guard

RULE = Rule()
CONTROL = Estimate(1.0, 1.0, 20_000)


def _at(value: float, variance: float = 1.0) -> Estimate:
    return Estimate(value, variance, 20_000)


@pytest.mark.parametrize(
    ("value", "worse", "verdict"),
    [
        (1.20, "higher", "broken"),
        (1.10, "higher", "open"),
        (1.00, "higher", "kept"),
        (0.50, "higher", "kept"),
        (0.80, "lower", "broken"),
        (0.90, "lower", "open"),
        (1.00, "lower", "kept"),
        (1.50, "lower", "kept"),
    ],
)
@pytest.mark.parametrize("is_relative", [True, False])
def test_a_guard_looks_to_the_worse_side(value: float, worse: str, verdict: str, is_relative: bool) -> None:
    """The control is 1, so that a tenth of it is a tenth."""
    found = guard(CONTROL, _at(value), RULE, margin=0.1, worse=worse, is_relative=is_relative)  # type: ignore[arg-type]
    assert found.verdict == verdict
    assert found.harm is not None
    assert found.harm == pytest.approx(value - 1 if worse == "higher" else 1 - value)
    assert found.harm_low is not None
    assert found.harm_high is not None
    assert found.harm_low < found.harm < found.harm_high


def test_a_difference_within_the_margin_may_be_significant_and_harmless() -> None:
    variant = _at(1.05)
    assert compare(CONTROL, variant, RULE).is_significant
    assert guard(CONTROL, variant, RULE, margin=0.1, worse="higher").verdict == "kept"


@given(some.floats(0.5, 2.0), some.floats(0.0, 0.5), some.sampled_from(["higher", "lower"]), some.booleans())
def test_verdict_and_bounds_never_contradict_each_other(value: float, margin: float, worse: str, share: bool) -> None:
    found = guard(CONTROL, _at(value), RULE, margin=margin, worse=worse, is_relative=share)  # type: ignore[arg-type]
    assert found.harm_low is not None
    assert found.harm_high is not None
    if min(abs(found.broken_p_value - 0.05), abs(found.kept_p_value - 0.05)) > 1e-9:
        assert (found.verdict == "broken") == (found.harm_low > margin)
        assert (found.verdict == "kept") == (found.harm_high < margin)


def test_what_cannot_be_said_is_open() -> None:
    few, negative = Estimate(1.0, 1.0, 50), Estimate(-1.0, 1.0, 5_000)
    assert guard(CONTROL, few, RULE, margin=0.1, worse="higher").verdict == "open"
    found = guard(negative, _at(1.0), RULE, margin=0.1, worse="higher")
    assert (found.verdict, found.harm, found.harm_low, found.harm_high) == ("open", None, None, None)
    assert guard(negative, _at(1.0), RULE, margin=0.1, worse="higher", is_relative=False).verdict == "broken"
