"""Variants against the control: differences and lifts, with intervals and p-values that hold at every look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from proxy.experiments.statistics.estimate import Estimate
from proxy.experiments.statistics.sequential import NORMAL, Interval, Rule, bound, is_enough, p_value


@dataclass(frozen=True, slots=True)
class Comparison:
    """A variant against the control.

    ``difference``: variant less control, in the unit of the metric. ``lift``: by the control, 0.05 is 5 % more; None
    where the control is not above zero. ``is_enough``: False until the minimum of the rule; until then the intervals
    are None and ``p_value`` is 1. ``interval``, ``lift_interval``, ``p_value`` and ``adjusted_p_value`` hold at every
    look; the lift's interval is None too while the control may be zero. ``alpha``: the intervals' own, after it was
    divided by the number of variants. ``is_significant``: the adjusted p-value is at most the rule's alpha.

    ``fixed_…``: what a test says that is looked at once, at a size decided beforehand. For comparison only.
    """

    control: Estimate
    variant: Estimate
    difference: float
    lift: float | None
    is_enough: bool
    alpha: float
    interval: Interval | None
    lift_interval: Interval | None
    p_value: float
    adjusted_p_value: float
    is_significant: bool
    fixed_interval: Interval | None
    fixed_lift_interval: Interval | None
    fixed_p_value: float


def compare(control: Estimate, variant: Estimate, rule: Rule, *, among: int = 1) -> Comparison:
    """One variant against the control; ``among`` how many variants alpha is divided (Bonferroni)."""
    pair = Pair(control, variant, rule)
    alpha, fixed = rule.alpha / among, NORMAL.inv_cdf(1 - rule.alpha / among / 2)
    width = bound(pair.seen, alpha) if pair.is_enough else math.inf
    z = pair.z()
    p = p_value(z, pair.seen) if pair.is_enough else 1.0
    adjusted = min(1.0, p * among)
    return Comparison(
        control=control,
        variant=variant,
        difference=variant.value - control.value,
        lift=variant.value / control.value - 1 if control.value > 0 else None,
        is_enough=pair.is_enough,
        alpha=alpha,
        interval=pair.difference(width) if pair.is_enough else None,
        lift_interval=pair.lift(width) if pair.is_enough else None,
        p_value=p,
        adjusted_p_value=adjusted,
        is_significant=adjusted <= rule.alpha,
        fixed_interval=pair.difference(fixed) if pair.is_enough else None,
        fixed_lift_interval=pair.lift(fixed) if pair.is_enough else None,
        fixed_p_value=math.erfc(abs(z) / math.sqrt(2)) if pair.is_enough else 1.0,
    )


def compare_all(control: Estimate, variants: Sequence[Estimate], rule: Rule) -> list[Comparison]:
    """Every variant against the one control.

    P-values are adjusted by Holm's method, which needs no independence and, as each holds at every look, holds at
    every look. The intervals hold together, by Bonferroni: Holm's has none that are simple.
    """
    found = [compare(control, variant, rule, among=len(variants)) for variant in variants]
    better = holm([one.p_value for one in found])
    return [
        replace(one, adjusted_p_value=p, is_significant=p <= rule.alpha) for one, p in zip(found, better, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given (Holm, "A simple sequentially rejective multiple test procedure", 1979)."""
    adjusted, most = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        most = max(most, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = most
    return adjusted


class Pair:
    """Control and variant together: how far along they are, and how sure their difference is.

    The clock is the harmonic mean of both sizes, to which information is proportional, also where shares are unequal
    or change. In a small arm, rare and large values have not been seen yet, and its variance is too low just when its
    mean is; so neither arm's variance is taken to be below the mean of its own and ``minimum`` subjects of both arms'.
    That washes out as the arm grows, and it only ever widens.
    """

    __slots__ = ("_control", "_errors", "_variant", "is_enough", "seen")

    def __init__(self, control: Estimate, variant: Estimate, rule: Rule) -> None:
        self._control, self._variant = control, variant
        self.is_enough = is_enough(rule, control, variant)
        total = control.subjects + variant.subjects
        self.seen = rule.seen(2 * control.subjects * variant.subjects / total) if total else 0.0
        both = (control.variance * control.subjects + variant.variance * variant.subjects) / total if total else 0.0
        self._errors = [
            max(arm.variance, (arm.variance * arm.subjects + both * rule.minimum) / (arm.subjects + rule.minimum))
            / arm.subjects
            if arm.subjects
            else math.inf
            for arm in (control, variant)
        ]

    @property
    def standard_error(self) -> float:
        """Of the difference, in the unit of the metric."""
        return math.sqrt(sum(self._errors))

    def z(self, lift: float = 0.0, difference: float = 0.0) -> float:
        """How many standard errors the variant is above the control, raised by a lift or by a difference."""
        above = self._variant.value - (1 + lift) * self._control.value - difference
        error = math.sqrt(self._errors[1] + (1 + lift) ** 2 * self._errors[0])
        return above / error if error else math.copysign(math.inf, above) if above else 0.0

    def difference(self, width: float) -> Interval:
        """The differences that are no more than ``width`` standard errors away."""
        middle, half = self._variant.value - self._control.value, width * self.standard_error
        return Interval(middle - half, middle + half)

    def lift(self, width: float) -> Interval | None:
        """The lifts from which the variant is no more than ``width`` standard errors away; None without a bound.

        Fieller, "Some Problems in Interval Estimation" (1954). It leaves out 0 exactly where the difference's does.
        """
        a, b = self._control.value, self._variant.value
        square = width * width
        lead, rest = a * a - square * self._errors[0], b * b - square * self._errors[1]
        if a <= 0 or lead <= 0:
            return None
        root = math.sqrt(max(a * a * b * b - lead * rest, 0.0))
        return Interval((a * b - root) / lead - 1, (a * b + root) / lead - 1)
