"""Bounds hold at all moments together, and still tell something soon."""

from __future__ import annotations

import math
import random

import pytest

from proxy.canaries.bounds import mean_bounds, rank_bounds, rate_bounds

ERROR = 0.05
RUNS = 120


def _rate_is_kept(rng: random.Random, rate: float, count: int) -> bool:
    """Looking after each of so many."""
    hits = 0
    for number in range(1, count + 1):
        hits += rng.random() < rate
        low, high = rate_bounds(hits, number, ERROR)
        if not low <= rate <= high:
            return False
    return True


@pytest.mark.parametrize("rate", [0.02, 0.5])
def test_a_rate_is_within_its_bounds_all_the_time(rate: float) -> None:
    """An interval for one moment would be left by a third of these."""
    rng = random.Random(1)
    left = sum(not _rate_is_kept(rng, rate, 120) for _ in range(RUNS))
    assert left <= 2 * ERROR * RUNS


def test_rates_that_are_far_apart_are_so_soon() -> None:
    """Four failures of four beside none of eighty."""
    assert rate_bounds(4, 4, 0.003)[0] > rate_bounds(0, 80, 0.003)[1] + 0.05
    assert rate_bounds(0, 0, ERROR) == (0.0, 1.0)
    assert rate_bounds(3, 3, ERROR)[1] == 1.0
    assert rate_bounds(0, 3, ERROR)[0] == 0.0


def test_bounds_close_in() -> None:
    """Around what was seen."""
    widths = []
    for count in (10, 100, 1000, 10_000):
        low, high = rate_bounds(count // 5, count, ERROR)
        assert low < 0.2 < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.04


@pytest.mark.parametrize("quantile", [0.5, 0.95])
def test_a_quantile_is_within_its_ranks_all_the_time(quantile: float) -> None:
    """Of evenly spread numbers that is the share itself."""
    rng, left = random.Random(2), 0
    for _ in range(RUNS):
        seen: list[float] = []
        for count in range(1, 121):
            seen.append(rng.random())
            if count % 3:
                continue
            low, high = rank_bounds(count, quantile, ERROR)
            ordered = sorted(seen)
            if (low and ordered[low - 1] > quantile) or (high <= count and ordered[high - 1] < quantile):
                left += 1
                break
    assert left <= 2 * ERROR * RUNS


def test_ranks_tell_nothing_while_there_are_few() -> None:
    """The upper one of a high quantile needs many; the lower one three."""
    assert rank_bounds(0, 0.95, 0.003) == (0, 1)
    assert rank_bounds(2, 0.95, 0.003) == (0, 3)
    assert rank_bounds(3, 0.95, 0.003) == (1, 4)
    assert rank_bounds(100, 0.95, 0.003)[1] == 101
    low, high = rank_bounds(10_000, 0.95, 0.003)
    assert 9300 < low < 9500 < high < 9700


def test_a_mean_is_within_its_bounds() -> None:
    """Also of what is lopsided, as costs are."""
    rng, left, truth = random.Random(3), 0, math.exp(0.18)
    for _ in range(RUNS):
        values: list[float] = []
        for count in range(1, 301):
            values.append(rng.lognormvariate(0, 0.6))
            if count < 50 or count % 10:
                continue
            mean = sum(values) / count
            low, high = mean_bounds(count, mean, sum((value - mean) ** 2 for value in values), ERROR)
            if not low <= truth <= high:
                left += 1
                break
    assert left <= 2 * ERROR * RUNS
    assert mean_bounds(49, 1.0, 1.0, ERROR) == (-math.inf, math.inf)
    low, high = mean_bounds(200, 1.0, 50.0, ERROR)
    assert 0.8 < low < 1.0 < high < 1.2
