"""What the new side must not be, and whether it is: beyond a limit by its figures, or worse beyond doubt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from proxy.canaries.bounds import rate_bounds
from proxy.canaries.figures import Outcomes, Side, Spread

Verdict = Literal["good", "beyond", "worse"]
ERROR = 0.05  # the probability that a canary as good as the stable side is ever rolled back by statistics
_LEAST_FAILURES = 3  # fewer prove nothing, whatever a bound says
_RARE = 0.002  # how many runs of failures chance may be expected to bring


class Limit(msgspec.Struct, frozen=True):
    """At most ``value``: seconds or dollars, or ``times`` what the stable side has. ``quantile`` of the times meant."""

    value: float | None = None
    times: float | None = None
    quantile: float = 0.95


class Outcome(msgspec.Struct, frozen=True):
    """What ``POST /v1/feedback`` says under this ``name``: true, or a label that is ``good``, in at most ``worse_by``
    less of the answers than of the stable side's. ``sample``: how many answers it is known of when a step ends."""

    name: str
    worse_by: float
    good: tuple[str, ...] = ()
    sample: int = 0

    def is_good(self, value: bool | float | str) -> bool | None:
        """Whether the value is a good one; None if it is none that counts."""
        if isinstance(value, str):
            return value in self.good if self.good else None
        return value if isinstance(value, bool) else None


class Guard(msgspec.Struct, frozen=True):
    """``error_rate``: at most this share fails; ``worse_by``: at most so much more than of the stable side;
    ``in_a_row``: failures one after the other (0: any number). None: not looked at."""

    error_rate: float | None = None
    worse_by: float | None = None
    latency: Limit | None = None
    first_token: Limit | None = None
    cost: Limit | None = None
    in_a_row: int = 0
    outcome: Outcome | None = None

    @property
    def count(self) -> int:
        """How many things are looked at."""
        looked = (self.error_rate, self.worse_by, self.latency, self.first_token, self.cost, self.outcome)
        return sum(one is not None for one in looked)


class Finding(msgspec.Struct, frozen=True):
    """What was found of one ``aspect``; ``words`` say it in figures."""

    aspect: str
    verdict: Verdict
    words: str


def findings(guard: Guard, canary: Side, stable: Side, steps: int) -> Iterator[Finding]:
    """One for each thing that is looked at. In one of so many ``steps``, over which the error is spread."""
    error = ERROR / (steps * max(1, guard.count) * 2)  # each compares two bounds
    if guard.error_rate is not None:
        yield _rate(guard.error_rate, canary, error)
    if guard.worse_by is not None:
        yield _rates(guard.worse_by, canary, stable, error)
    if guard.latency is not None:
        yield _times("latency", guard.latency, canary.latency, stable.latency, error)
    if guard.first_token is not None:
        yield _times("first token", guard.first_token, canary.first_token, stable.first_token, error)
    if guard.cost is not None:
        yield _cost(guard.cost, canary, stable, error)
    if guard.outcome is not None:
        yield _outcome(guard.outcome, canary.outcome, stable.outcome, error)


def is_run(guard: Guard, in_a_row: int, canary: Side, stable: Side) -> bool:
    """Whether so many failures one after the other are too many, and no chance at the stable side's own rate."""
    if not guard.in_a_row or in_a_row < guard.in_a_row:
        return False
    usual = (stable.failures + 1) / (stable.requests + 2)
    return bool(canary.requests * usual**in_a_row <= _RARE)


def _rate(limit: float, canary: Side, error: float) -> Finding:
    words = f"{_failures(canary)}; at most {limit:.2%} may"
    if canary.error_rate <= limit:
        return Finding("error rate", "good", words)
    low, _ = rate_bounds(canary.failures, canary.requests, error)
    if low <= limit or canary.failures < _LEAST_FAILURES:
        return Finding("error rate", "beyond", words)
    return Finding("error rate", "worse", words)


def _rates(margin: float, canary: Side, stable: Side, error: float) -> Finding:
    words = f"{_failures(canary)}, of stable {_failures(stable)}"
    if canary.error_rate <= stable.error_rate + margin:
        return Finding("error rate", "good", words)
    low, _ = rate_bounds(canary.failures, canary.requests, error)
    _, high = rate_bounds(stable.failures, stable.requests, error)
    if low <= high + margin or canary.failures < _LEAST_FAILURES:
        return Finding("error rate", "beyond", words)
    return Finding("error rate", "worse", words)


def _times(aspect: str, limit: Limit, canary: Spread, stable: Spread, error: float) -> Finding:
    share, ours, theirs = limit.quantile, canary.quantile(limit.quantile), stable.quantile(limit.quantile)
    allowed = limit.value if limit.times is None else None if theirs is None else limit.times * theirs
    if ours is None or allowed is None:
        return Finding(aspect, "good", "nothing to compare yet")
    words = f"p{share * 100:.0f} {_seconds(ours)} of {canary.count}"
    if theirs is not None:
        words += f", of stable {_seconds(theirs)} of {stable.count}"
    words += f"; at most {_seconds(allowed)}" if limit.times is None else f"; at most {limit.times:g} times that"
    if ours <= allowed:
        return Finding(aspect, "good", words)
    if limit.times is not None:
        allowed = limit.times * stable.bounds(share, error)[1]
    return Finding(aspect, "worse" if canary.bounds(share, error)[0] > allowed else "beyond", words)


def _cost(limit: Limit, canary: Side, stable: Side, error: float) -> Finding:
    ours, theirs = canary.cost, stable.cost
    if not ours.count or (limit.times is not None and not theirs.mean):  # nobody knows what the stable side costs
        return Finding("cost", "good", "nothing to compare yet")
    words = f"${ours.mean:.6f} a request, of stable ${theirs.mean:.6f}"
    if limit.times is None:
        allowed = limit.value or 0.0
        words += f"; at most ${allowed:.6f}"
    else:
        allowed = limit.times * theirs.mean
        words += f"; at most {limit.times:g} times that"
    if ours.mean <= allowed:
        return Finding("cost", "good", words)
    if limit.times is not None:
        allowed = limit.times * theirs.bounds(error)[1]
    return Finding("cost", "worse" if ours.bounds(error)[0] > allowed else "beyond", words)


def _outcome(limit: Outcome, canary: Outcomes, stable: Outcomes, error: float) -> Finding:
    """By the answers that are not good, so that both bounds are those of failures."""
    if not canary.count or not stable.count:
        return Finding(limit.name, "good", "nothing to compare yet")
    words = f"{canary.good} of {canary.count} are good ({canary.share:.1%}), of stable {stable.good} of {stable.count}"
    words += f" ({stable.share:.1%})"
    if canary.share >= stable.share - limit.worse_by:
        return Finding(limit.name, "good", words)
    low, _ = rate_bounds(canary.count - canary.good, canary.count, error)
    _, high = rate_bounds(stable.count - stable.good, stable.count, error)
    is_sure = low > high + limit.worse_by and canary.count - canary.good >= _LEAST_FAILURES
    return Finding(limit.name, "worse" if is_sure else "beyond", words)


def _failures(side: Side) -> str:
    reasons = sorted(side.reasons.items(), key=lambda item: -item[1])
    listed = f" ({', '.join(f'{count} {reason}' for reason, count in reasons)})" if reasons else ""
    return f"{side.failures} of {side.requests} failed{listed}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"
