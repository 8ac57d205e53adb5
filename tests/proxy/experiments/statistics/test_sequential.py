"""Bounds that hold at all looks together, against the mixture they come from."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import integrate, stats  # type: ignore[import-untyped]

from proxy.experiments.statistics import Estimate, Interval, Rule, interval
from proxy.experiments.statistics.sequential import bound, bound_above, is_enough, p_value, p_value_above

SEEN = some.floats(1e-3, 1e3)
ALPHA = some.floats(1e-4, 0.2)


@pytest.mark.parametrize("r", [0.05, 1.0, 8.0, 200.0])
@pytest.mark.parametrize("z", [1.0, 2.5, 4.0])
def test_the_p_value_is_one_by_the_mixture_of_likelihood_ratios(z: float, r: float) -> None:
    """Integrated by scipy: of a normal z with mean m against 0, over m normal with variance r."""

    def ratio(m: float) -> float:
        return float(math.exp(m * z - m * m / 2) * stats.norm.pdf(m, scale=math.sqrt(r)))

    middle, wide = r / (1 + r) * z, 12 * math.sqrt(r / (1 + r))
    two_sided = integrate.quad(ratio, middle - wide, middle + wide)[0]
    assert p_value(z, r) == pytest.approx(min(1, 1 / two_sided), rel=1e-6)
    one_sided = 2 * integrate.quad(ratio, 0, max(middle, 0) + wide)[0]
    assert p_value_above(z, r) >= min(1, 1 / one_sided) * (1 - 1e-9), "the closed form is on the safe side"
    assert p_value_above(z, r) <= min(1, 1.7 / one_sided)


@given(SEEN, ALPHA)
def test_a_p_value_is_alpha_just_at_the_bound(r: float, alpha: float) -> None:
    assert p_value(bound(r, alpha), r) == pytest.approx(alpha, rel=1e-6)
    assert p_value_above(bound_above(r, alpha), r) == pytest.approx(alpha, rel=1e-6)
    assert bound_above(r, alpha) <= bound(r, alpha)


@given(some.floats(-40, 40), SEEN)
def test_p_values_lie_between_zero_and_one(z: float, r: float) -> None:
    assert 0 <= p_value(z, r) == p_value(-z, r) <= 1
    assert 0 <= p_value_above(z, r) <= 1
    assert z > 0 or p_value_above(z, r) == 1


def test_what_is_certain_is_no_overflow() -> None:
    assert p_value(math.inf, 1.0) == 0
    assert p_value_above(math.inf, 1.0) < 1e-300


@pytest.mark.parametrize("planned", [200, 5_000, 1_000_000])
def test_the_interval_is_narrowest_at_the_planned_size(planned: int) -> None:
    """Compared with other plans at that size."""
    here, *others = (bound(Rule(planned=planned).seen(planned * factor), 0.05) for factor in (1, 0.1, 0.8, 1.25, 10))
    assert here < min(others)
    assert [round(other / here, 2) for other in others] == [1.27, 1.0, 1.0, 1.07]


def test_before_the_minimum_nothing_is_claimed() -> None:
    rule = Rule(minimum=100)
    assert interval(Estimate(5.0, 1.0, 99), rule) is None
    found = interval(Estimate(5.0, 1.0, 100), rule)
    assert found is not None
    assert 5.0 in found
    assert found.low + found.high == pytest.approx(10)
    assert interval(Estimate(5.0, 1.0, 100, is_steady=False), rule) is None


@pytest.mark.parametrize(("value", "enough"), [(0.0, False), (0.009, False), (0.02, True), (0.98, True), (1.0, False)])
def test_a_rare_outcome_is_waited_for(value: float, enough: bool) -> None:
    """Ten of the rarer are wanted of a proportion; other figures have no rarer one."""
    assert is_enough(Rule(), Estimate(value, 0.01, 500, is_binary=True)) is enough
    assert is_enough(Rule(), Estimate(value, 0.01, 500))


def test_the_smaller_arm_decides_what_is_rare() -> None:
    many, few = Estimate(0.01, 0.01, 9_000, is_binary=True), Estimate(0.01, 0.01, 900, is_binary=True)
    assert not is_enough(Rule(), many, few)
    assert is_enough(Rule(), many, many)


def test_an_interval_holds_its_ends() -> None:
    assert 1.0 in Interval(1.0, 2.0)
    assert 2.0 in Interval(1.0, math.inf)
    assert 0.9 not in Interval(1.0, 2.0)


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"alpha": 1.0}, {"planned": 0}, {"minimum": 1}, {"events": -1}])
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        Rule(**wrong)  # type: ignore[arg-type]
