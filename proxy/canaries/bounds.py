"""Bounds that hold at every moment at once, so that looking after each request is honest.

An ordinary confidence interval is right with its probability at one moment that was chosen ahead. Whoever looks again
and again, and stops when it looks bad, is wrong far more often. A *confidence sequence* is right at all moments
together: ``error`` is the probability that the truth is ever outside, however often somebody looks.

Rates and quantiles: the mixture martingale of Robbins ("Statistical methods related to the law of the iterated
logarithm", 1970) with a beta prior, exact for every count; for quantiles applied to ranks, as by Howard and Ramdas
("Sequential estimation of quantiles with applications to A/B testing and best-arm identification", 2022, section 2).
Means: the asymptotic sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas ("Time-uniform central limit theory
and asymptotic confidence sequences", 2024, theorem 2.2): right for many values, so few say nothing here.
"""

from __future__ import annotations

import math
from functools import lru_cache

_PRIOR = 0.5  # of both parameters of the beta distribution (Jeffreys)
_HALVINGS = 40
_LEAST = 50  # values of which a mean is bounded
_USUAL = 200  # values for which the bound of a mean is tightest


def rate_bounds(hits: int, count: int, error: float) -> tuple[float, float]:
    """Between which the probability is that one of ``count`` is a hit, each side with the probability ``error``."""
    if not count:
        return 0.0, 1.0
    found = hits / count
    needed = -math.log(error)
    mixed = _mixed(hits, count)
    low, high = 0.0, 1.0
    if hits:
        low = _edge(hits, count, mixed, needed, 0.0, found)
    if hits < count:
        high = _edge(hits, count, mixed, needed, 1.0, found)
    return low, high


def rank_bounds(count: int, quantile: float, error: float) -> tuple[int, int]:
    """Ranks, from 1, of ``count`` values in order, between which the quantile is. The lower one is 0, the upper one
    ``count + 1``, while the values tell of no bound on that side."""
    needed = -math.log(error)
    low = -1  # the most values below the quantile that are too few for it
    below, above = -1, math.floor(count * quantile)
    while below < above:  # too few is the more certain the fewer there are
        middle = (below + above + 1) // 2
        if _evidence(middle, count, quantile) >= needed and middle < count * quantile:
            below = middle
        else:
            above = middle - 1
    low = below
    below, above = math.ceil(count * quantile), count + 1
    while below < above:
        middle = (below + above) // 2
        if middle > count * quantile and _evidence(middle, count, quantile) >= needed:
            above = middle
        else:
            below = middle + 1
    return low + 1, above


def mean_bounds(count: int, mean: float, squares: float, error: float) -> tuple[float, float]:
    """Between which the mean of all values to come is. ``squares``: the sum of squared distances from ``mean``."""
    if count < _LEAST:
        return -math.inf, math.inf
    deviation = math.sqrt(squares / (count - 1))
    tuned = count * _tuning(error)
    width = deviation / count * math.sqrt(2 * (tuned + 1) / (tuned / count) * math.log(math.sqrt(tuned + 1) / error))
    return mean - width, mean + width


@lru_cache(64)
def _tuning(error: float) -> float:
    """The squared parameter that makes the bound tightest at ``_USUAL`` values."""
    return (-2 * math.log(error) + math.log(-2 * math.log(error)) + 1) / _USUAL


def _edge(hits: int, count: int, mixed: float, needed: float, out: float, within: float) -> float:
    """The last probability on the way from ``out`` to ``within`` that is refuted."""
    for _ in range(_HALVINGS):
        middle = (out + within) / 2
        if mixed - _likelihood(hits, count, middle) >= needed:
            out = middle
        else:
            within = middle
    return out


def _evidence(hits: int, count: int, probability: float) -> float:
    """The logarithm of the martingale against ``probability``: it is above log(1/e) with the probability e, ever."""
    if not 0 <= hits <= count:
        return math.inf  # no such count can be: it bounds nothing
    return _mixed(hits, count) - _likelihood(hits, count, probability)


def _mixed(hits: int, count: int) -> float:
    return _log_beta(hits + _PRIOR, count - hits + _PRIOR) - _log_beta(_PRIOR, _PRIOR)


def _likelihood(hits: int, count: int, probability: float) -> float:
    return hits * math.log(probability) + (count - hits) * math.log1p(-probability)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
