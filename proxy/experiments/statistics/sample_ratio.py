"""Sample ratio mismatch: whether the arms got the shares of subjects that they were to get."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONCENTRATION = 500.0
"""How near to the wanted shares the alternative lies, in subjects: finds some percent in thousands, a fault at once."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """``is_mismatch``: something is wrong with assignment or with counting, and nothing else should be believed.

    ``p_value`` holds at every look. ``shares``: what each arm got. ``log_evidence``: natural logarithm of the Bayes
    factor against the wanted shares; hand it on as ``earlier`` where the weights change.
    """

    is_mismatch: bool
    p_value: float
    shares: tuple[float, ...]
    log_evidence: float


def sample_ratio(
    subjects: Sequence[int], weights: Sequence[float], *, alpha: float = 0.001, earlier: float = 0.0
) -> SampleRatio:
    """Sequential test of the arms' subjects (each counted once) against their weights, exact at every sample size.

    Bayes factor of a Dirichlet-multinomial against the multinomial of the weights: Lindon and Malek, "Anytime-Valid
    Inference For Multinomial Count Data" (NeurIPS 2022, first of 2020). Where weights are changed, start counting anew
    and give ``log_evidence`` of the phases before as ``earlier``: evidence of independent phases multiplies.
    Raises ValueError for no or unequally many arms, negative counts, or weights that are negative or all zero.
    """
    total_weight, total = math.fsum(weights), sum(subjects)
    if len(subjects) != len(weights) or not subjects or min(*subjects, 0) < 0 or min(*weights, 0) < 0:
        raise ValueError("as many weights as arms are needed, none of either negative")
    if not total_weight > 0:
        raise ValueError("some weight must be above zero")
    evidence = earlier - _rising(CONCENTRATION, total)
    for count, weight in zip(subjects, weights, strict=True):
        share = weight / total_weight
        if share:
            evidence += _rising(CONCENTRATION * share, count) - count * math.log(share)
        elif count:
            evidence = math.inf  # who must not be chosen was
    p = math.exp(min(0.0, -evidence))
    shares = tuple(count / total if total else 0.0 for count in subjects)
    return SampleRatio(p <= alpha, p, shares, evidence)


def _rising(start: float, count: int) -> float:
    """Logarithm of ``start * (start + 1) * … * (start + count - 1)``."""
    return math.lgamma(start + count) - math.lgamma(start)
