"""Metrics of experiments: who takes part, what is recorded, what applications say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import Counter


class ExperimentCounts:
    """Counts. ``child`` looks up a labelled metric."""

    __slots__ = ("_child", "_feedback", "_left", "_lost", "_requests")

    def __init__(self, known: dict[str, Any], child: Callable[..., Any]) -> None:
        self._child = child
        self._requests = Counter(
            "sluicegate_experiment_requests", "Requests in an experiment.", ["experiment", "variant"], **known
        )
        self._left = Counter(
            "sluicegate_experiment_left_out",
            "Requests that reached an experiment and are not in it: planned, ended, not_eligible, no_subject, "
            "not_in_share, or unable as a variant cannot do what they need.",
            ["experiment", "reason"],
            **known,
        )
        self._lost = Counter(
            "sluicegate_experiment_records_dropped", "Records that were lost, as the disk did not keep up.", **known
        )
        self._feedback = Counter(
            "sluicegate_feedback",
            "Feedback of applications: joined, undeclared (kept, and no experiment counts it), unknown (of no request "
            "of that caller), invalid, limited, or failed as it could not be kept.",
            ["result"],
            **known,
        )

    def finished(self, exposures: Mapping[str, tuple[str, str]]) -> None:
        """A request has ended."""
        for experiment, (variant, _) in exposures.items():
            self._child(self._requests, experiment, variant).inc()

    def left(self, experiment: str, reason: str) -> None:
        """A request is not in the experiment that it has reached."""
        self._child(self._left, experiment, reason).inc()

    def dropped(self, count: int) -> None:
        """Records were lost."""
        self._lost.inc(count)

    def said(self, result: str) -> None:
        """Feedback has come."""
        self._child(self._feedback, result).inc()
