"""Figures as people read them."""

from __future__ import annotations

import math

import pytest

from proxy.experiments.figures import amount, percent, probability, signed


@pytest.mark.parametrize(("part", "text"), [(0.5, "50%"), (0.123, "12.3%"), (0.0, "0%"), (1.0, "100%"), (2.5, "250%")])
def test_shares(part: float, text: str) -> None:
    """With the digits that tell something."""
    assert percent(part) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [(None, "-"), (0.1234, "+12.3%"), (-0.5, "-50.0%"), (math.inf, "∞"), (-math.inf, "-∞"), (12.0, "+1200%")],
)
def test_lifts(part: float | None, text: str) -> None:
    """With their sign."""
    assert signed(part) == text


@pytest.mark.parametrize(("p", "text"), [(None, "-"), (0.0001, "< 0.001"), (0.0421, "= 0.042"), (1.0, "= 1.000")])
def test_probabilities(p: float | None, text: str) -> None:
    """With a sign."""
    assert probability(p) == text


@pytest.mark.parametrize(
    ("name", "value", "is_share", "text"),
    [
        ("latency", 0.0123, False, "12 ms"),
        ("latency", 75.0, False, "75.0 s"),
        ("cost", 0.0000123, False, "$0.000012"),
        ("cost", 1.5, False, "$1.5000"),
        ("solved", 0.5971, True, "59.71%"),
        ("rating", 3.66789, False, "3.668"),
        ("tokens", 123456.0, False, "123,456"),
        ("rating", None, False, "-"),
    ],
)
def test_values(name: str, value: float | None, is_share: bool, text: str) -> None:
    """In the unit of the metric."""
    assert amount(name, value, is_share=is_share) == text
