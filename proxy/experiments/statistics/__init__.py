"""The statistics of experiments: numbers in, numbers out, and a report that may be looked at any time.

    control, variant = Moments(), Moments()
    control.add(value=310.0, per=2)                       # one subject: two requests took 310 ms together
    ...
    rule = Rule(alpha=0.05, planned=5_000)
    found = compare(estimate(control), estimate(variant), rule)
    found.lift, found.lift_interval, found.p_value        # hold at every look, however often one looks

The unit is the subject (a user, a session: what is assigned), never the request: requests of one subject resemble each
other. A figure per request is a ratio of two sums over subjects (``per``), with the variance of the delta method.

The guarantees are those of subjects that arrive one after another, each counted once, whole. For subjects that return
and add to their sums there is no theorem; simulated, they are wrong no more often, which
``python -m tests.bench.experiments`` prints. The p-value of now is valid, and so is the lowest of all looks so far.

Shares must not depend on outcomes: ``allocate`` shifts traffic to what looks better, and who does that reports
``interval`` for each arm, not ``compare``.
"""

from proxy.experiments.statistics.bandit import Beta, Normal, allocate
from proxy.experiments.statistics.comparison import Comparison, compare, compare_all, holm
from proxy.experiments.statistics.estimate import Estimate, adjusted, estimate
from proxy.experiments.statistics.guard import Guard, guard
from proxy.experiments.statistics.moments import Moments
from proxy.experiments.statistics.planning import Detectable, detectable, subjects_needed
from proxy.experiments.statistics.sample_ratio import SampleRatio, sample_ratio
from proxy.experiments.statistics.sequential import Interval, Rule, interval

__all__ = [
    "Beta",
    "Comparison",
    "Detectable",
    "Estimate",
    "Guard",
    "Interval",
    "Moments",
    "Normal",
    "Rule",
    "SampleRatio",
    "adjusted",
    "allocate",
    "compare",
    "compare_all",
    "detectable",
    "estimate",
    "guard",
    "holm",
    "interval",
    "sample_ratio",
    "subjects_needed",
]
