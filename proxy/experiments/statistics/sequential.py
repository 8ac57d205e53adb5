"""What may be concluded at any time: bounds that hold at all looks together.

The evidence against a difference is its likelihood ratio with a normal mixture of differences (Robbins 1970), of which
the chance ever to exceed 1/alpha is at most alpha (Ville). With z the difference by its standard error, and r how much
has been seen by what the mixture is made for,

    log evidence = r / (1 + r) * z**2 / 2 - log(1 + r) / 2

This is the mSPRT of Johari, Koomen, Pekelis and Walsh, "Always Valid Inference" (Operations Research 2022), and with
estimated variances the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform
central limit theory and asymptotic confidence sequences" (Annals of Statistics 2024). One-sided: mixture over the half
line, Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences" (2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from proxy.experiments.statistics.estimate import Estimate

NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``; infinite where there is no bound."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Rule:
    """How evidence is judged: fixed before the first look, the same at every look.

    ``alpha``: the chance of ever claiming what is not so. ``planned``: subjects for each arm at which the interval is
    to be the narrowest it can be. It holds at every size; with ten times as many it is 7 % wider than it could have
    been, with a tenth 27 %, so that a plan is better too small than too large.
    ``minimum``: subjects each arm has before anything is claimed; the guarantee rests on means being nearly normal.
    ``events``: subjects with the rarer outcome that the smaller arm is to have had, if both arms are alike, before
    anything is claimed of a proportion.
    """

    alpha: float = 0.05
    planned: int = 5_000
    minimum: int = 100
    events: int = 10

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ValueError("alpha must lie between 0 and 1")
        if self.planned < 1 or self.minimum < 2 or self.events < 0:
            raise ValueError("planned must be at least 1, minimum at least 2, events not negative")

    def seen(self, subjects: float) -> float:
        """``r`` of the module's text, for this many subjects in each arm.

        The mixture is the one that makes the interval narrowest at ``planned`` (Waudby-Smith et al., appendix B.2).
        """
        most = -2 * math.log(self.alpha)
        return (most + math.log(most + 1)) * subjects / self.planned


def bound(r: float, alpha: float) -> float:
    """How many standard errors a difference may be off, at all looks together, at level ``alpha``, to either side."""
    return math.sqrt((1 + r) / r * (math.log1p(r) - 2 * math.log(alpha)))


def p_value(z: float, r: float) -> float:
    """Always valid: at most alpha, at any look, with chance alpha. It dips below alpha where z exceeds ``bound``."""
    return math.exp(min(0.0, math.log1p(r) / 2 - r / (1 + r) * z * z / 2))


def bound_above(r: float, alpha: float) -> float:
    """As ``bound``, to one side only.

    The closed form replaces Phi(x) by the smaller 1 - exp(-x*x/2)/2, so that it is a little wider than it has to be.
    """
    return math.sqrt(2 * (1 + r) / r * math.log(0.5 + math.sqrt(1 + r) / (2 * alpha)))


def p_value_above(z: float, r: float) -> float:
    """Always valid, against "not above zero". It dips below alpha where z exceeds ``bound_above``."""
    if z <= 0:
        return 1.0
    half = min(r / (1 + r) * z * z / 2, 700.0)  # beyond lies the end of floats
    return min(1.0, math.sqrt(1 + r) / (2 * math.exp(half) - 1))


def interval(found: Estimate, rule: Rule) -> Interval | None:
    """Always valid, for the value of one arm; None before the minimum.

    Also for an arm whose traffic was shifted by what was seen of it, on its own (not for differences).
    """
    if not is_enough(rule, found):
        return None
    width = bound(rule.seen(found.subjects), rule.alpha) * found.standard_error
    return Interval(found.value - width, found.value + width)


def is_enough(rule: Rule, *arms: Estimate) -> bool:
    """Whether anything may be claimed of these together: see ``Rule``."""
    if any(arm.subjects < rule.minimum or not arm.is_steady for arm in arms):
        return False
    if not all(arm.is_binary for arm in arms):
        return True
    total = sum(arm.subjects for arm in arms)
    share = sum(arm.value * arm.subjects for arm in arms) / total
    return min(share, 1 - share) * min(arm.subjects for arm in arms) >= rule.events
