"""How often something may be wrong at most, seen how often it was: the upper bound of Clopper and Pearson (1934).

The bound is one-sided, and exact for every count: after 0 of 20 the share of wrong ones may still be 14%.
"""

from __future__ import annotations

from math import ceil, exp, lgamma, log, log1p

CONFIDENCE = 0.95
_ROUNDS = 80  # halvings of an interval, to well below a float's rounding
_TERMS = 400
_EXACT = 1e-14


def upper_bound(wrong: int, of: int, confidence: float = CONFIDENCE) -> float:
    """The share of wrong ones that is not exceeded at ``confidence``, from 0 to 1; 1 where nothing was seen.

    Raises:
        ValueError: there are more wrong ones than ones.
    """
    if not 0 <= wrong <= of:
        raise ValueError(f"{wrong} of {of} cannot be wrong")
    if wrong == of:
        return 1.0
    low, high = wrong / of, 1.0
    for _ in range(_ROUNDS):  # the share at which so few are as rare as 1 - confidence
        middle = (low + high) / 2
        if _at_most(wrong, of, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def needed(bound: float, confidence: float = CONFIDENCE) -> int:
    """How many must have been right, and none wrong, before ``bound`` is shown."""
    return ceil(log(1 - confidence) / log1p(-bound)) if bound < 1 else 1


def _at_most(wrong: int, of: int, share: float) -> float:
    """How likely ``wrong`` or fewer are among ``of``, where ``share`` of all are."""
    return _beta(of - wrong, wrong + 1, 1 - share)


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Its continued fraction, by the method of Lentz."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    found = d
    for m in range(1, _TERMS):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + numerator * d or tiny)
            c = 1 + numerator / c or tiny
            found *= c * d
        if abs(c * d - 1) < _EXACT:
            break
    return found
