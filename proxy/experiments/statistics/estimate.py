"""From moments to an estimate with its variance: a mean, a proportion and a ratio are one case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from proxy.experiments.statistics.moments import Moments

STEADY = 0.1  # relative standard error of a denominator up to which the delta method is trusted


@dataclass(frozen=True, slots=True)
class Estimate:
    """``value`` and how sure it is.

    ``variance`` is that of one subject's share in it, so that the standard error is ``sqrt(variance / subjects)``.
    ``is_binary``: every subject counted 1 or 0, so that the rarer outcome limits what can be said. ``is_steady``: the
    denominator is known well enough for the delta method.
    """

    value: float
    variance: float
    subjects: int
    is_binary: bool = False
    is_steady: bool = True

    @property
    def standard_error(self) -> float:
        """In the unit of the value; infinite without subjects."""
        return math.sqrt(self.variance / self.subjects) if self.subjects else math.inf


def estimate(moments: Moments) -> Estimate:
    """Sum of values by sum of denominators, with the variance of the delta method.

    With ``per`` left at 1 this is the mean with its usual variance, exactly; of zeros and ones, the proportion. For a
    ratio see Deng, Knoblich and Lu, "Applying the Delta Method in Metric Analytics" (KDD 2018), and Deng et al. 2011.
    """
    return _Parts(moments).estimate(0.0, 0.0)


def adjusted(arms: Sequence[Moments]) -> list[Estimate]:
    """The estimates of all arms, less what the time before explains: CUPED.

    Deng, Xu, Kohavi and Walker, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
    Pre-Experiment Data" (WSDM 2013). Theta is one for all arms, from the covariances within the arms; a ratio is
    adjusted by its linear form. Where nothing was known before, or it explains nothing, these are plain estimates.
    Any constant for subjects that are new is right, as nobody's assignment depended on it; it only explains less.
    """
    parts = [_Parts(arm) for arm in arms]
    within = sum(part.before * (part.moments.subjects - 1) for part in parts if part.moments.subjects > 1)
    shared = sum(part.shared * (part.moments.subjects - 1) for part in parts if part.moments.subjects > 1)
    total = sum(arm.subjects for arm in arms)
    squares = sum(arm.zz for arm in arms)
    if not total or within <= 1e-12 * squares:  # nothing, or rounding
        return [part.estimate(0.0, 0.0) for part in parts]
    middle = sum(arm.z for arm in arms) / total
    return [part.estimate(shared / within, middle) for part in parts]


class _Parts:
    """One arm: its value, and the (co)variances of a subject's linear share in it with the time before."""

    __slots__ = ("before", "mean", "moments", "shared", "value", "variance")

    def __init__(self, moments: Moments) -> None:
        m = self.moments = moments
        self.mean = m.x / m.subjects if m.subjects else 0.0
        self.value = ratio = m.y / m.x if m.x else 0.0
        self.variance = self.shared = 0.0
        self.before = max(m.covariance(m.zz, m.z, m.z), 0.0)
        if not self.mean:
            return
        spread = m.covariance(m.yy, m.y, m.y) - 2 * ratio * m.covariance(m.xy, m.x, m.y)
        spread += ratio * ratio * m.covariance(m.xx, m.x, m.x)
        self.variance = max(spread, 0.0) / self.mean**2
        self.shared = (m.covariance(m.yz, m.y, m.z) - ratio * m.covariance(m.xz, m.x, m.z)) / self.mean

    def estimate(self, theta: float, middle: float) -> Estimate:
        m = self.moments
        value, variance = self.value, self.variance
        if theta and m.subjects:
            value -= theta * (m.z / m.subjects - middle)
            variance = max(variance - 2 * theta * self.shared + theta * theta * self.before, 0.0)
        is_plain = m.xx == m.x == m.subjects
        error = math.sqrt(max(m.covariance(m.xx, m.x, m.x), 0.0) / m.subjects) if m.subjects else math.inf
        return Estimate(value, variance, m.subjects, is_plain and m.yy == m.y, error <= STEADY * abs(self.mean))
