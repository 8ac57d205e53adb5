"""What can be concluded of an experiment: figures per variant, differences with intervals that hold at every look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from proxy.experiments.measures import BUCKETS, Measured, measure
from proxy.experiments.plan import METRICS, Better, Plan
from proxy.experiments.statistics import (
    Comparison,
    Estimate,
    Interval,
    Rule,
    compare_all,
    detectable,
    estimate,
    guard,
    interval,
    sample_ratio,
)
from proxy.experiments.verdict import verdict_of, warnings_of

Range = tuple[float, float]
GuardState = Literal["kept", "broken", "open"]


class Figure(msgspec.Struct, frozen=True):
    """One metric or outcome of one variant. ``value`` and its own always-valid ``interval``; None where nothing is
    known. What follows is against the control, and None for the control itself and under a bandit.

    ``lift`` is a part of the control's value, 0.05 being 5 % more. ``detectable``: the least true lift that would
    have been found, with a chance of 80 %. ``is_better``: whether a significant difference is a good one.
    """

    variant: str
    subjects: int
    observations: int
    value: float | None
    interval: Range | None = None
    difference: float | None = None
    lift: float | None = None
    lift_interval: Range | None = None
    p_value: float | None = None
    is_enough: bool = False
    is_significant: bool = False
    is_better: bool | None = None
    detectable: float | None = None
    guard: GuardState | None = None


class Line(msgspec.Struct, frozen=True):
    """One metric or outcome of all variants, in the order of the file."""

    name: str
    kind: Literal["metric", "outcome"]
    better: Better
    is_primary: bool
    margin: float | None
    figures: tuple[Figure, ...]


class Point(msgspec.Struct, frozen=True):
    """What was known of a variant at a time (microseconds), of subjects that had come until then: the lift over the
    control, or under a bandit the value. Range None where nothing can be said yet."""

    at: int
    subjects: int
    value: float | None
    range: Range | None


class Ratio(msgspec.Struct, frozen=True):
    """Whether subjects are divided as planned. ``shares``: what each variant got while the weights were the last."""

    is_mismatch: bool
    p_value: float
    shares: tuple[float, ...]


class Report(msgspec.Struct, frozen=True):
    """Everything about one experiment. ``verdict``: what to make of it, in plain sentences; ``warnings``: what is
    missing or odd. Times in seconds since the epoch."""

    name: str
    plan: Plan
    state: str
    now: float
    begin: float | None
    end: float | None
    subjects: tuple[int, ...]
    requests: tuple[int, ...]
    lines: tuple[Line, ...]
    series: dict[str, tuple[Point, ...]]
    sample_ratio: Ratio | None
    moved: int
    allocation: dict[str, float]
    verdict: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def primary(self) -> Line | None:
        """The line that decides."""
        return next((line for line in self.lines if line.is_primary), None)


def report(paths: Sequence[Path], name: str, *, now: float) -> Report:
    """The report of an experiment that the files of these replicas hold.

    Raises:
        NoExperiments: there is nothing to read.
    """
    return conclude(measure(paths, name), now)


def conclude(found: Measured, now: float) -> Report:
    """The report of what was measured."""
    plan = found.plan
    rule = Rule(planned=plan.planned)
    whole = Report(
        name=plan.name,
        plan=plan,
        state=plan.state(now),
        now=now,
        begin=found.begin / 1e6 if sum(found.requests) else None,
        end=found.end / 1e6 if sum(found.requests) else None,
        subjects=tuple(one.subjects for one in found.figures["latency"]),
        requests=found.requests,
        lines=tuple(line for name in (*plan.outcomes, *METRICS) if (line := _line(found, name, rule)) is not None),
        series=_series(found, rule),
        sample_ratio=_ratio(found),
        moved=found.moved,
        allocation=found.allocation if plan.bandit is not None else {},
    )
    return msgspec.structs.replace(whole, verdict=verdict_of(whole), warnings=warnings_of(whole, found))


def _line(found: Measured, name: str, rule: Rule) -> Line | None:
    """None for what no request has (first tokens, costs, hits …), unless it is an outcome or must be looked at."""
    plan = found.plan
    totals = found.figures[name]
    is_primary, is_outcome = name == plan.primary, name in plan.outcomes
    if not any(one.y for one in totals) and not (is_outcome or is_primary or name in plan.guards):
        return None
    better = plan.outcomes[name].better if is_outcome else METRICS[name][0]
    estimates = [estimate(one) for one in totals]
    seen = [round(one.x) for one in totals]
    figures = (
        _values(plan, estimates, seen, rule) if plan.bandit else _compared(plan, name, better, estimates, seen, rule)
    )
    kind: Literal["metric", "outcome"] = "outcome" if is_outcome else "metric"
    return Line(name, kind, better, is_primary, plan.guards.get(name), tuple(figures))


def _values(plan: Plan, estimates: list[Estimate], seen: list[int], rule: Rule) -> list[Figure]:
    """Each arm by itself."""
    return [
        Figure(arm, one.subjects, count, one.value if count else None, _range(interval(one, rule)))
        for arm, one, count in zip(plan.arms, estimates, seen, strict=True)
    ]


def _compared(
    plan: Plan, name: str, better: Better, estimates: list[Estimate], seen: list[int], rule: Rule
) -> list[Figure]:
    """Each arm, and against the control."""
    figures = _values(plan, estimates, seen, rule)
    at = plan.arms.index(plan.control)
    others = [number for number in range(len(plan.arms)) if number != at]
    control = estimates[at]
    for number, one in zip(others, compare_all(control, [estimates[n] for n in others], rule), strict=True):
        if not seen[at] or not seen[number]:
            continue
        least = detectable(control, estimates[number], rule)
        margin = plan.guards.get(name)
        state: GuardState | None = None
        if margin is not None:
            worse: Better = "higher" if better == "lower" else "lower"
            state = guard(control, estimates[number], rule, margin=margin, worse=worse).verdict
        figures[number] = msgspec.structs.replace(
            figures[number],
            difference=one.difference,
            lift=one.lift,
            lift_interval=_range(one.lift_interval),
            p_value=one.adjusted_p_value,
            is_enough=one.is_enough,
            is_significant=one.is_significant,
            is_better=(one.difference > 0) == (better == "higher") if one.is_significant else None,
            detectable=None if least is None else least.sequential_lift,
            guard=state,
        )
    return figures


def _range(found: Interval | None) -> Range | None:
    return None if found is None else (found.low, found.high)


def _series(found: Measured, rule: Rule) -> dict[str, tuple[Point, ...]]:
    """How the primary line came about."""
    plan = found.plan
    at = plan.arms.index(plan.control)
    points: dict[str, list[Point]] = {arm: [] for arm in plan.arms}
    for bucket in range(BUCKETS):
        moment = found.begin + (found.end - found.begin) * (bucket + 1) // BUCKETS
        estimates = [estimate(one[bucket]) for one in found.course]
        others = [number for number in range(len(plan.arms)) if number != at]
        if plan.bandit is not None:
            for arm, one in zip(plan.arms, estimates, strict=True):
                value = one.value if one.subjects else None
                points[arm].append(Point(moment, one.subjects, value, _range(interval(one, rule))))
            continue
        compared = compare_all(estimates[at], [estimates[number] for number in others], rule)
        for number, against in zip(others, compared, strict=True):
            points[plan.arms[number]].append(_point(moment, against))
    return {arm: tuple(found) for arm, found in points.items() if found}


def _point(moment: int, found: Comparison) -> Point:
    subjects = found.control.subjects + found.variant.subjects
    return Point(moment, subjects, found.lift if found.is_enough else None, _range(found.lift_interval))


def _ratio(found: Measured) -> Ratio | None:
    """Of the subjects that came since the weights are what they are; None under a bandit, whose weights follow them."""
    if found.plan.bandit is not None or not sum(found.recent):
        return None
    ratio = sample_ratio(found.recent, found.plan.weights)
    return Ratio(ratio.is_mismatch, ratio.p_value, ratio.shares)


def summary(found: Report) -> dict[str, object]:
    """One experiment in a list of them."""
    return {
        "name": found.name,
        "state": found.state,
        "route": found.plan.route,
        "variants": list(found.plan.arms),
        "subjects": sum(found.subjects),
        "requests": sum(found.requests),
        "verdict": list(found.verdict),
        "warnings": list(found.warnings),
    }
