"""Arms out of plain lists of figures, for the tests beside."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

from proxy.experiments.statistics import Moments


def arm(values: Iterable[float], per: Iterable[float] = (), before: Iterable[float] = ()) -> Moments:
    """One subject for each value; what it is per is 1 and what was before is 0 if not given."""
    moments = Moments()
    for value, each, earlier in zip(values, per or repeat(1.0), before or repeat(0.0), strict=False):
        moments.add(float(value), float(each), float(earlier))
    return moments


def shares(ones: int, subjects: int) -> Moments:
    """So many ones among so many subjects."""
    return Moments(subjects, y=ones, x=subjects, yy=ones, xx=subjects, xy=ones)
