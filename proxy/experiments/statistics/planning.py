"""What can be found with the traffic seen, and how much more is needed for what is wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass

from proxy.experiments.statistics.estimate import Estimate
from proxy.experiments.statistics.sequential import NORMAL, Rule, bound

MOST = 10**12  # subjects; what takes more is out of reach


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest true differences that would be found with the power asked for, in the metric's unit and as a lift.

    ``sequential``: by the test that may be looked at any time, by the present size. ``fixed``: by one that is looked at
    once. Lifts are None where the control is not above zero.
    """

    sequential: float
    fixed: float
    sequential_lift: float | None
    fixed_lift: float | None


def detectable(control: Estimate, variant: Estimate, rule: Rule, *, power: float = 0.8) -> Detectable | None:
    """The minimum detectable effect at the sizes of now, as if the variant varied as it does and made no difference.

    Two-sided. None while an arm has fewer than two subjects. The sequential one is a little pessimistic: it leaves out
    the chance to cross the bound before now and come back.
    """
    if min(control.subjects, variant.subjects) < 2:
        return None
    error = math.hypot(control.standard_error, variant.standard_error)
    seen = rule.seen(2 / (1 / control.subjects + 1 / variant.subjects))
    ready = NORMAL.inv_cdf(power)
    sequential = (bound(seen, rule.alpha) + ready) * error
    fixed = (NORMAL.inv_cdf(1 - rule.alpha / 2) + ready) * error
    base = control.value if control.value > 0 else None
    return Detectable(sequential, fixed, base and sequential / base, base and fixed / base)


def subjects_needed(
    control: Estimate, variant: Estimate, rule: Rule, *, difference: float, power: float = 0.8, is_fixed: bool = False
) -> int | None:
    """Subjects of both arms together, at the shares of now, that find a true ``difference`` (in the metric's unit).

    At least the rule's minimum for each arm. Of what was seen only variances and shares are used. Less what there is,
    and by the subjects of a day: days to go. None where it cannot be said: no subjects, no difference, or over 10**12.
    """
    total = control.subjects + variant.subjects
    if min(control.subjects, variant.subjects) < 2 or not difference:
        return None
    shares = (control.subjects / total, variant.subjects / total)
    variance = control.variance / shares[0] + variant.variance / shares[1]
    ready = NORMAL.inv_cdf(power)

    def finds(size: int) -> bool:
        if min(shares) * size < rule.minimum:
            return False
        once = NORMAL.inv_cdf(1 - rule.alpha / 2)
        width = once if is_fixed else bound(rule.seen(2 * shares[0] * shares[1] * size), rule.alpha)
        return (width + ready) * math.sqrt(variance / size) <= abs(difference)

    low, high = 0, 2
    while not finds(high):
        low, high = high, high * 2
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if finds(middle) else (middle, high)
    return high
