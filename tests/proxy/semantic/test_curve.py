"""What a threshold is worth, and which one keeps a bound."""

from __future__ import annotations

import random

from proxy.semantic.bound import upper_bound
from proxy.semantic.curve import FLOOR, STEPS, Sample, advise, curve
from tests.support.scale import often


def _draw(random_: random.Random, count: int, wrong_below: float) -> list[Sample]:
    """Half of all look-ups find something; below a likeness a tenth of it is wrong, above it is right."""
    samples = []
    for _ in range(count):
        if random_.random() < 0.5:
            samples.append(Sample(None))
            continue
        similarity = random_.uniform(FLOOR, 1)
        samples.append(Sample(similarity, similarity >= wrong_below or random_.random() > 0.1))
    return samples


def test_the_curve_counts() -> None:
    """Hits of shadow mode count for the rate; what people say counts for what is wrong."""
    samples = [
        Sample(0.99, True),
        Sample(0.91, False),
        Sample(None),
        Sample(0.97, None),
        Sample(0.96, False, "feedback"),
    ]
    points = {point.threshold: point for point in curve(samples)}
    assert (points[0.98].hits, points[0.98].wrong, points[0.98].hit_rate) == (1, 0, 0.25)
    assert (points[0.95].hits, points[0.95].wrong, points[0.95].hit_rate) == (2, 1, 0.5)
    assert (points[0.9].hits, points[0.9].wrong, points[0.9].hit_rate) == (3, 2, 0.75)
    assert points[0.9].bound == upper_bound(2, 3)
    assert curve([Sample(0.9, False, "feedback")])[0].hit_rate is None


def test_the_loosest_threshold_that_keeps_the_bound() -> None:
    """Where wrong ones begin, it stops."""
    advice = advise(curve(_draw(random.Random(5), 20_000, 0.9)), 0.01)
    assert advice.threshold is not None
    assert 0.88 <= advice.threshold <= 0.905


def test_twenty_right_ones_show_nothing() -> None:
    """It says how many it takes."""
    advice = advise(curve([Sample(0.99, True)] * 20), 0.01)
    assert advice.threshold is None
    assert "299 are needed" in advice.why


def test_wrong_at_once() -> None:
    """It says so."""
    advice = advise(curve([Sample(0.999, number % 10 > 0) for number in range(1000)]), 0.01)
    assert advice.threshold is None
    assert "100 wrong" in advice.why


def test_it_does_not_pick_the_lucky_one() -> None:
    """Where every threshold is worse than wanted, one is advised in about 5% of cases at most."""
    random_ = random.Random(11)
    runs = often(60, 1000)
    fooled = 0
    for _ in range(runs):
        samples = [Sample(random_.uniform(FLOOR, 1), random_.random() > 0.021) for _ in range(1500)]
        fooled += advise(curve(samples), 0.02).threshold is not None
    assert fooled <= runs * 0.05 + 3 * (runs * 0.05 * 0.95) ** 0.5
    assert STEPS[-1] == FLOOR
