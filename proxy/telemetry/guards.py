"""Metrics of guards: what they decided, and what they found, by the names that the file knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import Counter


class Guards:
    """Counts what guards tell. ``child`` looks up a labelled metric."""

    __slots__ = ("_child", "_found", "_verdicts")

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

    def guarded(self, route: str, guard: str, direction: str, outcome: str) -> None:
        """One verdict."""
        self._child(self._verdicts, route, guard, direction, outcome).inc()

    def fired(self, route: str, guard: str, direction: str, entity: str, action: str, count: int) -> None:
        """So many findings of a kind."""
        self._child(self._found, route, guard, direction, entity, action).inc(count)
