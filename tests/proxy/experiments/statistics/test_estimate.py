"""Means, proportions, ratios and CUPED, against numpy and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from proxy.experiments.statistics import Moments, adjusted, estimate
from tests.proxy.experiments.statistics.arms import arm, shares


def test_a_mean_has_the_standard_error_of_scipy() -> None:
    values = np.random.default_rng(1).lognormal(0, 1, 500)
    found = estimate(arm(values.tolist()))
    assert found.value == pytest.approx(values.mean(), rel=1e-12)
    assert found.standard_error == pytest.approx(stats.sem(values), rel=1e-9)
    assert not found.is_binary


def test_a_proportion_is_a_mean_of_ones_and_zeros() -> None:
    found = estimate(shares(30, 200))
    assert (found.value, found.is_binary) == (0.15, True)
    assert found.variance == pytest.approx(0.15 * 0.85 * 200 / 199)


def test_a_ratio_varies_as_its_resampled_self_does() -> None:
    """Requests of a subject resemble each other: to treat them as independent understates the error by half."""
    rng = np.random.default_rng(2)
    requests = 1.0 + rng.poisson(5, 2_000)
    delays = requests * rng.lognormal(0, 0.6, 2_000)
    found = estimate(arm(delays.tolist(), requests.tolist()))
    assert found.value == pytest.approx(delays.sum() / requests.sum())
    picked = rng.integers(0, 2_000, (1_500, 2_000))
    resampled = delays[picked].sum(axis=1) / requests[picked].sum(axis=1)
    assert found.standard_error == pytest.approx(resampled.std(), rel=0.06)


def test_a_ratio_has_the_variance_of_its_linear_form() -> None:
    """Exactly, whatever the figures."""
    y, x = [3.0, 1.0, 4.0, 1.0, 5.0], [2.0, 1.0, 3.0, 1.0, 2.0]
    linear = (np.array(y) - 14 / 9 * np.array(x)) / np.mean(x)
    assert estimate(arm(y, x)).variance == pytest.approx(linear.var(ddof=1))


def test_a_denominator_that_is_hardly_known_is_said_to_be() -> None:
    assert estimate(arm([1.0] * 200, [1.0] * 199 + [1e6])).is_steady is False
    assert estimate(arm([1.0] * 200, [1.0, 2.0] * 100)).is_steady is True


@pytest.mark.parametrize("moments", [Moments(), arm([5.0]), arm([0.0, 0.0], [0.0, 0.0])])
def test_too_little_is_an_estimate_too(moments: Moments) -> None:
    """Nobody divides by zero."""
    found = estimate(moments)
    assert (found.variance, found.subjects) == (0.0, moments.subjects)
    assert math.isinf(found.standard_error) == (moments.subjects == 0)
    assert adjusted([moments, moments])[0] == found


def test_cuped_is_the_regression_on_the_time_before() -> None:
    """Theta is the slope that scipy finds within the arms, and the variance that of what it leaves."""
    rng = np.random.default_rng(3)
    before = rng.normal(5, 1, (2, 400))
    after = 2.0 * before + rng.normal(0, 1, (2, 400)) + np.array([[0.0], [0.3]])
    arms = [arm(after[side].tolist(), before=before[side].tolist()) for side in (0, 1)]
    found = adjusted(arms)
    centred = [(one - one.mean(axis=1, keepdims=True)).ravel() for one in (before, after)]
    theta = stats.linregress(*centred).slope
    for side in (0, 1):
        left = after[side] - theta * (before[side] - before.mean())
        assert found[side].value == pytest.approx(left.mean())
        assert found[side].variance == pytest.approx(left.var(ddof=1))
        assert found[side].variance < estimate(arms[side]).variance / 3


def test_cuped_of_a_ratio_adjusts_its_linear_form() -> None:
    rng = np.random.default_rng(4)
    before, requests = rng.normal(5, 1, 300), 1.0 + rng.poisson(2, 300)
    values = requests * (before + rng.normal(0, 0.5, 300))
    moments = arm(values.tolist(), requests.tolist(), before.tolist())
    found = adjusted([moments])[0]
    linear = (values - values.sum() / requests.sum() * requests) / requests.mean()
    theta = stats.linregress(before, linear).slope
    assert found.variance == pytest.approx((linear - theta * before).var(ddof=1))


@pytest.mark.parametrize("constant", [0.0, 7.3])
def test_where_nothing_was_known_before_cuped_is_the_plain_estimate(constant: float) -> None:
    arms = [arm([1.0, 2.0, 4.0], before=[constant] * 3), arm([2.0, 3.0, 3.0], before=[constant] * 3)]
    assert adjusted(arms) == [estimate(one) for one in arms]
