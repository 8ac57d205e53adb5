"""Guard metrics: what must not become worse by more than is tolerated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from proxy.experiments.statistics.comparison import Pair
from proxy.experiments.statistics.estimate import Estimate
from proxy.experiments.statistics.sequential import Rule, bound_above, p_value_above

Worse = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Guard:
    """``broken``: the variant is worse by more than the margin. ``kept``: it is not. Else ``open``.

    ``harm``: how much worse the variant is, as a share of the control if ``is_relative``, else in the metric's unit;
    negative where it is better. ``harm_low`` and ``harm_high`` bound it from one side each; None before the minimum,
    or where there is no bound. ``broken_p_value`` and ``kept_p_value`` are one-sided. All hold at every look.
    """

    verdict: Literal["broken", "kept", "open"]
    harm: float | None
    harm_low: float | None
    harm_high: float | None
    broken_p_value: float
    kept_p_value: float


def guard(
    control: Estimate, variant: Estimate, rule: Rule, *, margin: float, worse: Worse, is_relative: bool = True
) -> Guard:
    """Whether the variant is worse than the control by more than ``margin``: non-inferiority, one-sided, at any time.

    ``margin``: 0.02 tolerates 2 % of the control's value if relative, else 0.02 of the metric's unit. Each of the two
    verdicts, when it is wrong, is ever reached with a chance of at most the rule's alpha.
    """
    pair = Pair(control, variant, rule)
    sign = 1.0 if worse == "higher" else -1.0
    harm: float | None = sign * (variant.value - control.value)
    if is_relative:
        harm = harm / control.value if harm is not None and control.value > 0 else None
    if not pair.is_enough or harm is None:
        return Guard("open", harm, None, None, 1.0, 1.0)
    z = sign * (pair.z(lift=sign * margin) if is_relative else pair.z(difference=sign * margin))
    broken, kept = p_value_above(z, pair.seen), p_value_above(-z, pair.seen)
    verdict: Literal["broken", "kept", "open"] = "open"
    if broken <= rule.alpha:
        verdict = "broken"
    elif kept <= rule.alpha:
        verdict = "kept"
    width = bound_above(pair.seen, rule.alpha)
    found = pair.lift(width) if is_relative else pair.difference(width)
    low = high = None
    if found is not None:
        low, high = sorted((sign * found.low, sign * found.high))
    return Guard(verdict, harm, low, high, broken, kept)
