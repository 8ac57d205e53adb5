"""Thompson sampling."""

from __future__ import annotations

import math
from random import Random

import pytest
from scipy import integrate, stats  # type: ignore[import-untyped]

from proxy.experiments.statistics import Beta, Estimate, Normal, allocate


def test_shares_are_the_chances_to_be_the_best_proportion() -> None:
    """By quadrature of scipy."""
    one, other = stats.beta(21, 81), stats.beta(31, 71)
    chance = integrate.quad(lambda p: other.pdf(p) * one.cdf(p), 0, 1)[0]
    found = allocate([Beta(20, 80), Beta(30, 70)], 0.0, Random(1), draws=20_000)
    assert found[1] == pytest.approx(chance, abs=0.01)
    assert sum(found) == pytest.approx(1.0)


@pytest.mark.parametrize("is_lower_better", [True, False])
def test_shares_are_the_chances_to_be_the_best_mean(is_lower_better: bool) -> None:
    chance = stats.norm.cdf(0.5 / math.hypot(0.3, 0.4))
    arms = [Normal(1.0, 0.3), Normal(1.5, 0.4)]
    found = allocate(arms, 0.0, Random(2), draws=20_000, is_lower_better=is_lower_better)
    assert found[0 if is_lower_better else 1] == pytest.approx(chance, abs=0.01)


def test_nobody_falls_below_the_floor() -> None:
    assert allocate([Beta(0, 1_000), Beta(1_000, 0), Beta(0, 1_000)], 0.1, Random(3)) == pytest.approx([0.1, 0.8, 0.1])
    assert allocate([Beta(0, 1_000), Beta(1_000, 0)], 0.5, Random(3)) == [0.5, 0.5]


def test_who_was_not_seen_yet_is_tried() -> None:
    """Half the time it is taken for the best; of several such, each alike."""
    known = Normal.of(Estimate(5.0, 1.0, 1_000))
    assert known == Normal(5.0, math.sqrt(1 / 1_000))
    fresh = Normal.of(Estimate(0.0, 0.0, 3))
    assert allocate([known, fresh], 0.0, Random(4))[1] == pytest.approx(0.5, abs=0.05)
    assert allocate([known, fresh, fresh], 0.0, Random(4)) == pytest.approx([0.25, 0.375, 0.375], abs=0.05)


def test_the_same_seed_gives_the_same_shares() -> None:
    arms = [Beta(3, 4), Beta(4, 4), Beta()]
    assert allocate(arms, 0.05, Random(5)) == allocate(arms, 0.05, Random(5))
    assert allocate([Beta()], 0.0, Random(5)) == [1.0]


def test_the_best_arm_gets_nearly_all_in_the_end() -> None:
    """Two arms of 10 and 14 percent, asked anew after every 250 subjects: the worse one is hardly asked any more."""
    rng, seen, chances = Random(6), [[0, 0], [0, 0]], (0.10, 0.14)
    shares = [0.5, 0.5]
    for _ in range(40):
        for _ in range(250):
            arm = int(rng.random() >= shares[0])
            seen[arm][rng.random() >= chances[arm]] += 1
        shares = allocate([Beta(*counts) for counts in seen], 0.02, rng, draws=300)
    assert shares[1] > 0.95
    assert sum(seen[1]) > 3 * sum(seen[0])


@pytest.mark.parametrize(("arms", "floor", "draws"), [(0, 0.0, 10), (2, 0.6, 10), (2, -0.1, 10), (2, 0.1, 0)])
def test_what_means_nothing_is_refused(arms: int, floor: float, draws: int) -> None:
    with pytest.raises(ValueError, match="floor"):
        allocate([Beta()] * arms, floor, Random(7), draws=draws)
