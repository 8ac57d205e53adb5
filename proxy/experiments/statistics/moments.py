"""What has to be kept of subjects: ten sums, whatever their number. One pass, mergeable."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Moments:
    """Sums over subjects: y is the value, x what it is counted per, z the value before the experiment.

    Sums are exact for integers up to 2**53. A variance taken of them loses about ``1e-16 * (mean / deviation) ** 2`` of
    its size, which no figure of requests comes near; a time since 1970 would, so give times as durations.
    """

    subjects: int = 0
    y: float = 0.0
    x: float = 0.0
    z: float = 0.0
    yy: float = 0.0
    xx: float = 0.0
    zz: float = 0.0
    xy: float = 0.0
    yz: float = 0.0
    xz: float = 0.0

    def add(self, value: float, per: float = 1.0, before: float = 0.0) -> None:
        """Count one subject, once, with all that it did.

        ``value``: its sum (milliseconds, dollars, errors; 1 or 0 for a proportion of subjects). ``per``: its requests,
        for a figure per request; 1 for a figure per subject. ``before``: the same figure in the time before the
        experiment; 0, or any constant, for who was not there: the estimate stays right (see ``adjusted``).
        Raises ValueError for what is not finite: it would take all that was counted before with it.
        """
        if not math.isfinite(value + per + before):
            raise ValueError("a subject's figures must be finite")
        self.subjects += 1
        self.y += value
        self.x += per
        self.z += before
        self.yy += value * value
        self.xx += per * per
        self.zz += before * before
        self.xy += per * value
        self.yz += value * before
        self.xz += per * before

    def __add__(self, other: Moments) -> Moments:
        """The moments of both, whose subjects are different ones."""
        return Moments(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    def covariance(self, product: float, first: float, second: float) -> float:
        """Of two of the sums and the sum of their products, unbiased; 0 for fewer than two subjects."""
        if self.subjects < 2:
            return 0.0
        return (product - first * second / self.subjects) / (self.subjects - 1)


NAMES = tuple(field.name for field in fields(Moments))
