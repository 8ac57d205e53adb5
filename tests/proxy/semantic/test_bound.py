"""The bound against a textbook's numbers and scipy's."""

from __future__ import annotations

import random

import pytest
from scipy.stats import beta  # type: ignore[import-untyped]

from proxy.semantic.bound import needed, upper_bound
from tests.support.scale import often


@pytest.mark.parametrize(
    ("wrong", "of", "bound"),
    [(0, 20, 0.1391), (0, 300, 0.009936), (0, 1000, 0.002991), (3, 1000, 0.00774), (5, 1000, 0.01049), (5, 5, 1.0)],
)
def test_known_numbers(wrong: int, of: int, bound: float) -> None:
    """0 of 20 is no proof of anything."""
    assert upper_bound(wrong, of) == pytest.approx(bound, rel=2e-3)


def test_it_is_scipys() -> None:
    """For counts of all sizes."""
    random_ = random.Random(1)
    for _ in range(often(200, 5000)):
        of = random_.choice((1, 7, 50, 999, 12_345, 200_000))
        wrong = random_.randrange(of)
        assert upper_bound(wrong, of) == pytest.approx(float(beta.ppf(0.95, wrong + 1, of - wrong)), rel=1e-6)


def test_nothing_seen_is_nothing_shown() -> None:
    """And a count beyond all is a mistake."""
    assert upper_bound(0, 0) == 1.0
    with pytest.raises(ValueError, match="3 of 2"):
        upper_bound(3, 2)


@pytest.mark.parametrize("bound", [0.5, 0.05, 0.01, 0.003, 0.001])
def test_how_many_are_needed(bound: float) -> None:
    """As many, and no fewer."""
    count = needed(bound)
    assert upper_bound(0, count) <= bound < upper_bound(0, count - 1)
