"""What is counted of a side stays small, and can be kept."""

from __future__ import annotations

import math
import random

import msgspec
import pytest

from proxy.canaries.figures import Mean, Side, Spread


def test_quantiles_are_right_to_two_percent() -> None:
    """However many values there were, there are few keys."""
    rng, spread = random.Random(1), Spread()
    values = [rng.lognormvariate(-1, 1) for _ in range(5000)]
    for value in values:
        spread.add(value)
    ordered = sorted(values)
    for share in (0.5, 0.95, 0.99):
        assert spread.quantile(share) == pytest.approx(ordered[math.ceil(share * 5000) - 1], rel=0.02)
        low, high = spread.bounds(share, 0.01)
        assert low < ordered[int(share * 5000)] < high
    assert len(spread.seen) < 500


def test_strange_times_are_bounded() -> None:
    """No time at all, and more than a day."""
    spread = Spread()
    assert spread.quantile(0.5) is None
    assert spread.bounds(0.5, 0.1) == (0.0, math.inf)
    for value in (0.0, 1e9, -1.0):
        spread.add(value)
    assert spread.count == 3
    assert len(spread.seen) == 2


def test_a_mean() -> None:
    """By what has come, one after the other."""
    mean = Mean()
    for value in (1.0, 2.0, 6.0):
        mean.add(value)
    assert (mean.count, mean.mean) == (3, 3.0)
    assert mean.squares == pytest.approx(14.0)


def test_a_side_is_plain_data() -> None:
    """Written and read, it is the same; new ones share nothing."""
    side = Side()
    side.failed("timeout")
    side.latency.add(0.5)
    side.cost.add(0.01)
    assert msgspec.json.decode(msgspec.json.encode(side), type=Side) == side
    assert side.error_rate == 1.0
    assert Side().reasons == {}
    assert Side().error_rate == 0.0


def test_reasons_are_few() -> None:
    """Whatever they are called."""
    side = Side()
    for number in range(50):
        side.failed(f"reason {number}")
    assert (side.failures, len(side.reasons)) == (50, 20)
