"""What a threshold of likeness is worth: how many requests it would answer, and how many of them wrongly.

The threshold for a wanted bound is looked for from the strictest one down, and no further than the first that does not
keep it: a fixed order, so that looking at many thresholds is no excuse for the one that was lucky.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from proxy.semantic.bound import needed, upper_bound

FLOOR = 0.8  # likeness below which nothing is ever served
STEPS = tuple(round(0.995 - 0.005 * step, 3) for step in range(40))  # down to the floor


class Sample(msgspec.Struct, frozen=True):
    """One look-up. ``similarity``: of what would have been served, None for nothing; ``is_right``: whether it was the
    answer, None where nobody knows."""

    similarity: float | None
    is_right: bool | None = None
    source: str = "shadow"  # or "feedback", for what was served


class Point(msgspec.Struct, frozen=True):
    """One threshold. ``hits`` of which is known whether they were right; ``bound``: the share of ``wrong`` ones that is
    not exceeded, one-sided at 95%; ``hit_rate``: of the look-ups of shadow mode, None without any."""

    threshold: float
    hits: int
    wrong: int
    bound: float
    hit_rate: float | None


class Advice(msgspec.Struct, frozen=True):
    """``threshold`` keeps the wanted ``bound``, None if none does yet; ``why`` is a sentence."""

    bound: float
    threshold: float | None
    why: str


def curve(samples: Sequence[Sample], steps: Sequence[float] = STEPS) -> list[Point]:
    """From the strictest threshold to the loosest."""
    looked = [sample for sample in samples if sample.source == "shadow"]
    points = []
    for threshold in steps:
        known = [
            sample
            for sample in samples
            if sample.similarity is not None and sample.similarity >= threshold and sample.is_right is not None
        ]
        wrong = sum(not sample.is_right for sample in known)
        would = sum(sample.similarity is not None and sample.similarity >= threshold for sample in looked)
        rate = would / len(looked) if looked else None
        points.append(Point(threshold, len(known), wrong, upper_bound(wrong, len(known)), rate))
    return points


def advise(points: Sequence[Point], bound: float) -> Advice:
    """The loosest threshold that is shown to keep ``bound``. Those that have seen too little to show anything are
    passed over: how much they have seen does not depend on what was right."""
    least = needed(bound)
    found: Point | None = None
    for point in points:
        if point.hits < least:
            continue
        if point.bound > bound:
            break
        found = point
    if found is not None:
        why = f"{found.wrong} of {found.hits} wrong: at most {found.bound:.2%}, at 95% confidence"
        return Advice(bound, found.threshold, why)
    most = max((point.hits for point in points), default=0)
    if most < least:
        return Advice(bound, None, f"{most} known hits; {least} are needed before {bound:.2%} can be shown")
    worst = next(point for point in points if point.hits >= least)
    return Advice(bound, None, f"already at {worst.threshold:g} it may be {worst.bound:.2%}: {worst.wrong} wrong")
