"""Variants against the control."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats  # type: ignore[import-untyped]

from proxy.experiments.statistics import Estimate, Rule, compare, compare_all, estimate, holm
from proxy.experiments.statistics.sequential import p_value
from tests.proxy.experiments.statistics.arms import arm, shares

RULE = Rule()
P_VALUES = some.lists(some.floats(0, 1), min_size=1, max_size=6)
VALUES, VARIANCES, SUBJECTS = some.floats(0.5, 5), some.floats(0.01, 20), some.integers(100, 100_000)


def test_the_fixed_test_is_welchs() -> None:
    """As scipy has it; the smaller arm's variance is raised a little, and so is the p-value."""
    rng = np.random.default_rng(1)
    control, variant = rng.exponential(1.0, 20_000), rng.exponential(1.02, 20_000)
    found = compare(estimate(arm(control.tolist())), estimate(arm(variant.tolist())), RULE)
    expected = stats.ttest_ind(variant, control, equal_var=False)
    assert found.fixed_p_value == pytest.approx(expected.pvalue, rel=0.01)
    assert found.fixed_interval is not None
    assert found.fixed_interval.low == pytest.approx(expected.confidence_interval().low, rel=0.01)
    assert found.fixed_interval.high == pytest.approx(expected.confidence_interval().high, rel=0.01)


def test_a_difference_that_is_there_is_found() -> None:
    found = compare(estimate(shares(500, 5_000)), estimate(shares(650, 5_000)), RULE)
    assert found.difference == pytest.approx(0.03)
    assert found.lift == pytest.approx(0.3)
    assert found.is_significant
    assert found.interval is not None
    assert found.lift_interval is not None
    assert found.fixed_interval is not None
    assert 0 < found.interval.low < found.fixed_interval.low < 0.03 < found.fixed_interval.high < found.interval.high
    assert 0 < found.lift_interval.low < 0.3 < found.lift_interval.high
    assert found.fixed_p_value < found.p_value < 0.05


@given(VALUES, VALUES, VARIANCES, VARIANCES, SUBJECTS, SUBJECTS, some.integers(1, 4))
def test_intervals_and_p_value_never_contradict_each_other(
    a: float, b: float, first: float, second: float, n: int, m: int, among: int
) -> None:
    found = compare(Estimate(a, first, n), Estimate(b, second, m), RULE, among=among)
    assert found.interval is not None
    if abs(found.p_value - found.alpha) > 1e-9:
        assert (0 in found.interval) == (found.p_value > found.alpha) == (not found.is_significant)
        assert found.lift_interval is None or (0 in found.lift_interval) == (0 in found.interval)
    assert found.lift is not None
    assert found.lift_interval is None or found.lift in found.lift_interval


def test_the_lift_of_a_control_that_may_be_zero_has_no_bound() -> None:
    found = compare(Estimate(0.1, 100.0, 1_000), Estimate(0.2, 100.0, 1_000), RULE)
    assert found.lift == pytest.approx(1.0)
    assert found.lift_interval is None
    assert found.interval is not None
    assert compare(Estimate(-1.0, 1.0, 1_000), Estimate(1.0, 1.0, 1_000), RULE).lift is None


def test_before_the_minimum_nothing_is_claimed() -> None:
    """However large the difference."""
    found = compare(estimate(shares(1, 90)), estimate(shares(89, 90)), RULE)
    assert (found.is_enough, found.p_value, found.is_significant) == (False, 1.0, False)
    assert found.interval is found.lift_interval is found.fixed_interval is None
    assert compare(Estimate(0.0, 0.0, 0), Estimate(0.0, 0.0, 0), RULE).p_value == 1.0


def test_a_small_arm_that_has_not_seen_the_rare_yet_is_not_believed() -> None:
    """Of 200 subjects with a tenth of the traffic none had an error, where two were due: nothing to conclude."""
    control, variant = estimate(arm([1.0, 2.0] * 10 + [0.0] * 1_780)), estimate(arm([0.0] * 200))
    naive = compare(control, variant, Rule(planned=200, minimum=2))
    found = compare(control, variant, Rule(planned=200))
    assert found.is_enough
    assert naive.is_significant
    assert not found.is_significant


def test_what_never_varies_is_compared_without_a_division_by_zero() -> None:
    same, other = Estimate(2.0, 0.0, 500), Estimate(3.0, 0.0, 500)
    assert compare(same, same, RULE).p_value == 1.0
    assert compare(same, other, RULE).p_value == 0.0


def test_of_several_variants_the_intervals_hold_together() -> None:
    control = Estimate(1.0, 1.0, 5_000)
    one = compare(control, Estimate(1.05, 1.0, 5_000), RULE)
    three = compare_all(control, [Estimate(1.05, 1.0, 5_000)] * 3, RULE)
    assert one.interval is not None
    assert three[0].interval is not None
    assert three[0].interval.low < one.interval.low
    assert three[0].alpha == pytest.approx(0.05 / 3)
    assert three[0].adjusted_p_value == min(1.0, 3 * one.p_value)
    assert compare_all(control, [], RULE) == []


def test_holm_finds_more_than_bonferroni() -> None:
    """Once the clearest is found, the next is held against fewer."""
    control = Estimate(1.0, 1.0, 5_000)
    alone = compare(control, Estimate(1.063, 1.0, 5_000), RULE)
    assert alone.p_value < 0.05 < 2 * alone.p_value
    found = compare_all(control, [Estimate(1.063, 1.0, 5_000), Estimate(1.2, 1.0, 5_000)], RULE)
    assert [one.is_significant for one in found] == [True, True]


def test_holms_own_example() -> None:
    """The definition by hand: times 4, 3, 2, 1 in order of size, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == [pytest.approx(p) for p in (0.03, 0.06, 0.06, 0.02)]


@given(P_VALUES)
def test_holm_lies_between_nothing_and_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= min(1.0, p * len(p_values)) for p, q in zip(p_values, adjusted, strict=True))
    assert sorted(adjusted) == [q for _, q in sorted(zip(p_values, adjusted, strict=True))]


def test_the_clock_is_the_harmonic_mean_of_both_sizes() -> None:
    """9,000 and 1,000 subjects know as much of a difference as 1,800 in each arm."""
    uneven = compare(Estimate(1.0, 1.0, 9_000), Estimate(1.1, 1.0, 1_000), RULE)
    even = compare(Estimate(1.0, 1.0, 1_800), Estimate(1.1, 1.0, 1_800), RULE)
    assert uneven.p_value == pytest.approx(even.p_value)
    assert even.p_value == pytest.approx(p_value(0.1 / (2 / 1_800) ** 0.5, RULE.seen(1_800)))


def test_an_arm_that_varies_more_is_taken_at_its_word() -> None:
    """Its variance is raised where it seems too low, and never lowered."""
    found = compare(Estimate(1.0, 1.0, 10_000_000), Estimate(1.0, 9.0, 100), RULE)
    assert found.fixed_interval is not None
    assert found.fixed_interval.high == pytest.approx(1.96 * 0.3, rel=1e-3)
