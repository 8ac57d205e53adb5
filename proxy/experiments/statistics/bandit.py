"""Shares of traffic by the chance of each arm to be the best: Thompson sampling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from proxy.experiments.statistics.estimate import Estimate


class Posterior(Protocol):
    """What is believed of an arm."""

    def draw(self, rng: Random) -> float:
        """One value out of the belief."""


@dataclass(frozen=True, slots=True)
class Beta:
    """Of a proportion: ``successes`` and ``failures`` seen, with one of each presumed before."""

    successes: float = 0.0
    failures: float = 0.0

    def draw(self, rng: Random) -> float:
        """One proportion out of the belief."""
        return rng.betavariate(1.0 + self.successes, 1.0 + self.failures)


@dataclass(frozen=True, slots=True)
class Normal:
    """Of a mean: what it seems to be and the standard error of that; infinite where nothing is known yet."""

    mean: float = 0.0
    standard_error: float = math.inf

    @classmethod
    def of(cls, found: Estimate, *, minimum: int = 30) -> Normal:
        """The belief after these subjects; before the minimum nothing is known, as the variance is not either."""
        return cls(found.value, found.standard_error) if found.subjects >= minimum else cls()

    def draw(self, rng: Random) -> float:
        """One mean out of the belief; the best or the worst of all, by even chance, where nothing is known."""
        if math.isinf(self.standard_error):
            return math.copysign(math.inf, rng.random() - 0.5)
        return rng.gauss(self.mean, self.standard_error)


def allocate(
    arms: Sequence[Posterior], floor: float, rng: Random, *, draws: int = 2_000, is_lower_better: bool = False
) -> list[float]:
    """The share of traffic of each arm: ``floor`` for all, the rest by how often it was the best of ``draws``.

    Thompson 1933; Scott, "A modern Bayesian look at the multi-armed bandit" (2010). Shares add up to 1, none is below
    the floor. 2,000 draws are right to about one percent; a draw of an arm takes some microseconds, so do this now and
    then, not for each request. Raises ValueError for no arms, no draws, or a floor that is too high for so many.
    """
    if not arms or draws < 1 or not 0 <= floor * len(arms) <= 1:
        raise ValueError("arms and draws are needed, and a floor of at most 1 by the number of arms")
    sign = -1.0 if is_lower_better else 1.0
    won = [0] * len(arms)
    for _ in range(draws):
        drawn = [sign * arm.draw(rng) for arm in arms]
        best = max(drawn)
        tied = [index for index, value in enumerate(drawn) if value == best]
        won[tied[0] if len(tied) == 1 else rng.choice(tied)] += 1
    return [floor + (1 - floor * len(arms)) * count / draws for count in won]
