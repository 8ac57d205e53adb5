"""Bandits: weights that follow an outcome, set anew now and then by one of the processes that share a file."""

from __future__ import annotations

import sqlite3
from random import Random

import msgspec

from proxy.experiments.plan import Bandit, Plan
from proxy.experiments.statistics import Beta, Moments, Normal, allocate, estimate
from proxy.experiments.statistics.bandit import Posterior
from proxy.experiments.tables import number_of

_SUMS = """SELECT names.name, count(*), sum(y), sum(k), sum(y * y), sum(k * k), sum(y * k)
    FROM (SELECT variant, sum(number) AS y, count(number) AS k FROM feedback WHERE experiment = ? AND name = ?
          AND number IS NOT NULL GROUP BY subject, variant)
    JOIN names ON names.id = variant GROUP BY variant"""


def learn(database: sqlite3.Connection, plan: Plan, now: int) -> dict[str, float]:
    """The weights by arm: those that are kept, or new ones if these are too old. ``now`` in microseconds."""
    bandit = plan.bandit
    assert bandit is not None
    experiment = number_of(database, plan.name)
    kept = database.execute("SELECT at, weights FROM allocations WHERE experiment = ?", (experiment,)).fetchone()
    if kept is not None and now - kept[0] < bandit.every * 1e6:
        found = msgspec.json.decode(kept[1], type=dict[str, float])
        if found.keys() == set(plan.arms):
            return found
    shares = allocate(
        posteriors(database, experiment, plan, bandit),
        bandit.floor,
        Random(f"{plan.name} {now}"),  # noqa: S311 - no secret
        is_lower_better=plan.outcomes[bandit.outcome].better == "lower",
    )
    total = sum(max(share, _LEAST) for share in shares)
    weights = {arm: max(share, _LEAST) / total for arm, share in zip(plan.arms, shares, strict=True)}
    row = (experiment, now, msgspec.json.encode(weights))
    database.execute("INSERT OR REPLACE INTO allocations VALUES (?, ?, ?)", row)
    return weights


_LEAST = 1e-6  # without a floor: hashing wants a weight above 0


def posteriors(database: sqlite3.Connection, experiment: int, plan: Plan, bandit: Bandit) -> list[Posterior]:
    """What is believed of each arm: of a proportion by its counts, of a number by its mean over subjects."""
    sums = {row[0]: row[1:] for row in database.execute(_SUMS, (experiment, bandit.outcome))}
    found: list[Posterior] = []
    for arm in plan.arms:
        subjects, y, x, yy, xx, xy = sums.get(arm, (0, 0.0, 0, 0.0, 0, 0.0))
        if plan.outcomes[bandit.outcome].type == "number":
            found.append(Normal.of(estimate(Moments(subjects, y, x, 0.0, yy, xx, 0.0, xy))))
        else:
            found.append(Beta(y, x - y))
    return found
