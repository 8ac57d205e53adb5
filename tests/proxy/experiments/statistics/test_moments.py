"""Sums over subjects."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from proxy.experiments.statistics import Moments

NUMBERS = some.floats(-1e6, 1e6)
SUBJECTS = some.lists(some.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=20)


def _of(subjects: list[tuple[float, float, float]]) -> Moments:
    moments = Moments()
    for value, per, before in subjects:
        moments.add(value, per, before)
    return moments


def test_every_sum_is_the_one_that_its_name_says() -> None:
    """Whole numbers, so that it is exact."""
    assert _of([(2, 3, 5), (7, 11, 13)]) == Moments(2, 9, 14, 18, 53, 130, 194, 83, 101, 158)


@given(SUBJECTS, SUBJECTS)
def test_moments_of_parts_add_up(
    first: list[tuple[float, float, float]], second: list[tuple[float, float, float]]
) -> None:
    """Whoever counts in several processes or days loses nothing."""
    both, whole = _of(first) + _of(second), _of(first + second)
    assert both.subjects == whole.subjects
    assert math.isclose(both.yz, whole.yz, rel_tol=1e-9, abs_tol=1e-3)
    assert math.isclose(both.xx, whole.xx, rel_tol=1e-9)


def test_covariances_are_those_of_numpy() -> None:
    """Also far away from zero: a deviation of a thousandth of the mean keeps nine digits."""
    rng = random.Random(1)
    subjects = [(rng.gauss(1000, 1), rng.gauss(50, 3), 0.0) for _ in range(5_000)]
    m = _of(subjects)
    expected = np.cov(np.array(subjects).T)
    assert math.isclose(m.covariance(m.yy, m.y, m.y), expected[0, 0], rel_tol=1e-8)
    assert math.isclose(m.covariance(m.xy, m.x, m.y), expected[0, 1], abs_tol=1e-7)
    assert Moments(subjects=1, y=3, yy=9).covariance(9, 3, 3) == 0


@pytest.mark.parametrize("wrong", [(math.nan, 1, 0), (1, math.inf, 0), (1, 1, -math.inf), (math.inf, -math.inf, 0)])
def test_what_is_not_finite_is_refused(wrong: tuple[float, float, float]) -> None:
    """And spoils nothing of what was counted before."""
    moments = _of([(1, 1, 1)])
    with pytest.raises(ValueError, match="finite"):
        moments.add(*wrong)
    assert moments == _of([(1, 1, 1)])
