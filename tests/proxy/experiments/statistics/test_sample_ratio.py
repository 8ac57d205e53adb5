"""Whether the arms got their shares."""

from __future__ import annotations

import math

import pytest
from scipy import special, stats  # type: ignore[import-untyped]

from proxy.experiments.statistics import sample_ratio


@pytest.mark.parametrize(
    ("subjects", "weights"),
    [([480, 520], [1, 1]), ([9_100, 880], [9, 1]), ([10, 20, 5], [0.2, 0.5, 0.3]), ([0, 0], [1, 1])],
)
def test_the_evidence_is_the_bayes_factor_of_scipy(subjects: list[int], weights: list[float]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    spread = [500 * share for share in shares]
    total = sum(subjects)
    found = sample_ratio(subjects, weights)
    plain = stats.multinomial.logpmf(subjects, total, shares)
    mixed = stats.dirichlet_multinomial.logpmf(subjects, spread, total)
    assert found.log_evidence == pytest.approx(mixed - plain, abs=1e-6)
    assert found.p_value == pytest.approx(min(1.0, math.exp(plain - mixed)), rel=1e-6)


def test_it_is_a_fair_bet() -> None:
    """Under the wanted shares the expected factor is 1, at every size: that is what bounds all looks together."""
    for total in (1, 7, 40):
        mean = sum(
            special.comb(total, k)
            * 0.3**k
            * 0.7 ** (total - k)
            * math.exp(sample_ratio([k, total - k], [3, 7]).log_evidence)
            for k in range(total + 1)
        )
        assert mean == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize(
    ("subjects", "weights", "is_mismatch"),
    [
        ([5_050, 4_950], [1, 1], False),
        ([5_300, 4_700], [1, 1], True),
        ([60, 60], [1, 1], False),
        ([150, 0], [1, 1], True),
        ([9_000, 1_000], [90, 10], False),
        ([8_700, 1_300], [90, 10], True),
        ([100, 100, 0], [1, 1, 0], False),
        ([100, 100, 1], [1, 1, 0], True),
    ],
)
def test_a_mismatch_is_told_from_chance(subjects: list[int], weights: list[float], is_mismatch: bool) -> None:
    found = sample_ratio(subjects, weights)
    assert found.is_mismatch is is_mismatch
    assert sum(found.shares) == pytest.approx(1.0)


def test_evidence_of_earlier_phases_counts() -> None:
    """Weights of 1:1 became 9:1; neither phase alone says enough."""
    first = sample_ratio([2_610, 2_390], [1, 1])
    second = sample_ratio([4_580, 420], [9, 1], earlier=first.log_evidence)
    alone = sample_ratio([4_580, 420], [9, 1])
    assert second.log_evidence == pytest.approx(first.log_evidence + alone.log_evidence)
    assert second.p_value < min(first.p_value, alone.p_value)


@pytest.mark.parametrize(
    ("subjects", "weights"), [([], []), ([1], [1, 1]), ([1, -1], [1, 1]), ([1, 1], [1, -1]), ([1, 1], [0, 0])]
)
def test_what_means_nothing_is_refused(subjects: list[int], weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"weight"):
        sample_ratio(subjects, weights)
