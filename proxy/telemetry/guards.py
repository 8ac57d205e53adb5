"""Metrics of guards: what they decided, and what they found, by the names that the file knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Histogram

_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1.0)


class Guards:
    """Counts what guards tell. ``child`` looks up a labelled metric."""

    __slots__ = ("_child", "_found", "_scores", "_verdicts")

    def __init__(self, known: dict[str, Any], child: Callable[..., Any]) -> None:
        self._child = child
        self._verdicts = Counter(
            "sluicegate_guard_verdicts",
            "Requests and answers that a guard has looked at, by what came of it; failed_open passed without a look.",
            ["route", "guard", "direction", "outcome"],
            **known,
        )
        self._found = Counter(
            "sluicegate_guard_findings",
            "What guards have found, by its kind and what was done about it.",
            ["route", "guard", "direction", "entity", "action"],
            **known,
        )

        self._scores = Histogram(
            "sluicegate_guard_score",
            "The score that a guard has given an answer, such as the share of its sentences that are supported.",
            ["route", "guard"],
            buckets=_SHARES,
            **known,
        )

    def guarded(self, route: str, guard: str, direction: str, outcome: str) -> None:
        """One verdict."""
        self._child(self._verdicts, route, guard, direction, outcome).inc()

    def fired(self, route: str, guard: str, direction: str, entity: str, action: str, count: int) -> None:
        """So many findings of a kind."""
        self._child(self._found, route, guard, direction, entity, action).inc(count)

    def scored(self, route: str, guard: str, score: float) -> None:
        """One answer."""
        self._child(self._scores, route, guard).observe(score)
