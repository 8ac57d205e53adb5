"""What can be found, and what it takes."""

from __future__ import annotations

import math

import pytest
from scipy import stats  # type: ignore[import-untyped]

from proxy.experiments.statistics import Estimate, Rule, detectable, subjects_needed
from proxy.experiments.statistics.sequential import bound

RULE = Rule(planned=2_000)
EVEN = (Estimate(10.0, 4.0, 2_000), Estimate(10.1, 4.0, 2_000))
UNEVEN = (Estimate(10.0, 4.0, 9_000), Estimate(10.0, 9.0, 1_000))


@pytest.mark.parametrize("arms", [EVEN, UNEVEN])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_a_fixed_test_has_the_power_of_scipy_at_the_smallest_effect(
    arms: tuple[Estimate, Estimate], power: float
) -> None:
    found = detectable(*arms, RULE, power=power)
    assert found is not None
    error = math.sqrt(sum(arm.variance / arm.subjects for arm in arms))
    reaches = stats.norm.sf(stats.norm.isf(0.025), loc=found.fixed / error)
    assert reaches == pytest.approx(power, abs=1e-6)
    harmonic = stats.hmean([arm.subjects for arm in arms])
    reaches = stats.norm.sf(bound(RULE.seen(harmonic), 0.05), loc=found.sequential / error)
    assert reaches == pytest.approx(power, abs=1e-6)
    assert found.fixed_lift == pytest.approx(found.fixed / 10)
    assert found.sequential_lift == pytest.approx(found.sequential / 10)
    assert found.fixed < found.sequential < 1.7 * found.fixed


@pytest.mark.parametrize("arms", [EVEN, UNEVEN])
@pytest.mark.parametrize("is_fixed", [True, False])
def test_what_is_needed_finds_what_is_wanted(arms: tuple[Estimate, Estimate], is_fixed: bool) -> None:
    """Arms of the size that is said detect the difference; one percent smaller, they do not."""
    wanted = 0.05
    size = subjects_needed(*arms, RULE, difference=-wanted, is_fixed=is_fixed)
    assert size is not None
    total = sum(arm.subjects for arm in arms)
    for factor, finds in ((1.0, True), (0.99, False)):
        grown = [Estimate(a.value, a.variance, round(a.subjects / total * size * factor)) for a in arms]
        found = detectable(grown[0], grown[1], RULE)
        assert found is not None
        assert ((found.fixed if is_fixed else found.sequential) <= wanted * 1.0005) is finds


def test_a_huge_effect_takes_the_minimum_all_the_same() -> None:
    assert subjects_needed(*EVEN, RULE, difference=100.0) == 200
    assert subjects_needed(*UNEVEN, RULE, difference=100.0, is_fixed=True) == 1_000


def test_what_cannot_be_said_is_none() -> None:
    single, negative = Estimate(1.0, 0.0, 1), Estimate(-1.0, 1.0, 100)
    assert detectable(single, EVEN[1], RULE) is None
    assert subjects_needed(single, EVEN[1], RULE, difference=1.0) is None
    assert subjects_needed(*EVEN, RULE, difference=0.0) is None
    assert subjects_needed(*EVEN, RULE, difference=1e-9) is None
    found = detectable(negative, EVEN[1], RULE)
    assert found is not None
    assert found.fixed_lift is None
