"""What can be concluded of a mirror: both sides of the same requests, with intervals that hold at every look."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from proxy.experiments.figures import percent, signed
from proxy.experiments.mirrored import PAIRS, SHARES, Compared, compared
from proxy.experiments.statistics import Interval, Moments, Rule, estimate, interval

Range = tuple[float, float]
_PLANNED = 1_000  # pairs at which intervals are the narrowest they can be
_FEW = 100


class Pair(msgspec.Struct, frozen=True):
    """One figure of both sides, of the requests of which both are known. ``lift``: by how much the copy's is higher in
    all, 0.05 being 5 %; None where the answers' is 0. ``is_different``: its interval leaves out 0."""

    name: str
    requests: int
    main: float | None
    shadow: float | None
    lift: float | None = None
    lift_interval: Range | None = None
    is_different: bool = False


class Share(msgspec.Struct, frozen=True):
    """What both have in common, from 0 to 1, with its interval."""

    name: str
    requests: int
    value: float | None
    interval: Range | None = None


class MirrorReport(msgspec.Struct, frozen=True):
    """Everything about one mirror. Times in seconds since the epoch. ``failed`` and ``too_long``: of ``requests``,
    those of which the copy has failed, or was longer than is compared."""

    name: str
    route: str
    target: str
    begin: float | None
    end: float | None
    requests: int
    failed: int
    too_long: int
    pairs: tuple[Pair, ...]
    shares: tuple[Share, ...]
    verdict: tuple[str, ...] = ()


def mirror_report(paths: Sequence[Path], name: str) -> MirrorReport:
    """The report of a mirror that the files of these replicas hold.

    Raises:
        NoExperiments: there is nothing to read.
    """
    return conclude(compared(paths, name))


def conclude(found: Compared) -> MirrorReport:
    """The report of what was added up."""
    rule = Rule(planned=_PLANNED)
    report = MirrorReport(
        name=found.mirror.name,
        route=found.mirror.route,
        target=found.mirror.target,
        begin=None if found.begin is None else found.begin / 1e6,
        end=None if found.end is None else found.end / 1e6,
        requests=found.requests,
        failed=found.failed,
        too_long=found.too_long,
        pairs=tuple(_pair(name, found.pairs[name], rule) for name in PAIRS if found.pairs[name].subjects),
        shares=tuple(_share(name, found.shares[name], rule) for name in SHARES if found.shares[name].subjects),
    )
    return msgspec.structs.replace(report, verdict=_verdict(report))


def _pair(name: str, sums: Moments, rule: Rule) -> Pair:
    """The one side per the other is a ratio of two sums over requests, with the variance that takes into account how
    they go together."""
    count = sums.subjects
    main, shadow = sums.x / count, sums.y / count
    if not main:
        return Pair(name, count, main, shadow)
    found = estimate(sums)
    ends = _less_one(interval(found, rule))
    different = ends is not None and not ends[0] <= 0 <= ends[1]
    return Pair(name, count, main, shadow, found.value - 1, ends, different)


def _less_one(found: Interval | None) -> Range | None:
    return None if found is None else (found.low - 1, found.high - 1)


def _share(name: str, sums: Moments, rule: Rule) -> Share:
    found = estimate(sums)
    ends = interval(found, rule)
    within = None if ends is None else (max(0.0, ends.low), min(1.0, ends.high))
    return Share(name, sums.subjects, found.value, within)


def _verdict(found: MirrorReport) -> tuple[str, ...]:
    """In plain sentences."""
    if not found.requests:
        return ("Nothing was compared yet.",)
    lines = []
    if found.requests < _FEW:
        lines.append(f"It is too early to compare: {found.requests} requests, and {_FEW} are the least.")
    lines += [
        f"{found.target} has {_WORDS[one.name][one.lift > 0]}: {signed(one.lift)}, between"
        f" {signed(one.lift_interval[0])} and {signed(one.lift_interval[1])}."
        for one in found.pairs
        if one.is_different and one.lift is not None and one.lift_interval is not None
    ]
    if not lines:
        lines.append("No difference is shown yet.")
    if found.failed:
        lines.append(f"It failed in {percent(found.failed / found.requests)} of the requests.")
    return tuple(lines)


def mirror_summary(found: MirrorReport) -> dict[str, object]:
    """One mirror in a list of experiments."""
    return {
        "name": found.name,
        "state": "mirror",
        "route": found.route,
        "target": found.target,
        "requests": found.requests,
        "verdict": list(found.verdict),
    }


_WORDS = {
    "latency": ("a lower latency", "a higher latency"),
    "first_token": ("an earlier first token", "a later first token"),
    "cost": ("a lower cost", "a higher cost"),
    "length": ("shorter answers", "longer answers"),
    "errors": ("fewer errors", "more errors"),
    "json": ("less valid JSON", "more valid JSON"),
}
