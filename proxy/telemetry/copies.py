"""Metrics of requests that are sent twice: copies of races, what mirrors have found, rests of broken streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Histogram

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
_SAME = ("status", "stop", "json", "exact", "tools")


class Copies:
    """Counts what is reported of them. ``child`` looks up a labelled metric."""

    __slots__ = ("_broken", "_child", "_different", "_first", "_hedges", "_mirrored", "_similarity", "_total")

    def __init__(self, known: dict[str, Any], child: Callable[..., Any]) -> None:
        self._child = child
        self._hedges = Counter(
            "sluicegate_race_copies",
            "Copies of requests that were slow to begin: won, lost, failed, or denied as the share was used up.",
            ["route", "result"],
            **known,
        )
        self._broken = Counter(
            "sluicegate_broken_streams",
            "Streams of routes with `mid_stream: continue` that broke off: continued, failed by all who were asked for "
            "the rest, or barred as nobody else could have gone on.",
            ["route", "result"],
            **known,
        )
        both = ["route", "target"]
        self._mirrored = Counter(
            "sluicegate_mirror_requests",
            "Requests drawn for a mirror: compared, failed there, too long, unfinished by the caller, left out as they "
            "may be sent only once, or dropped for want of room.",
            [*both, "result"],
            **known,
        )
        self._different = Counter(
            "sluicegate_mirror_differences", "Answers compared that differ, by aspect.", [*both, "aspect"], **known
        )
        self._similarity = Histogram(
            "sluicegate_mirror_similarity", "Share of words that both answers have.", both, buckets=_SHARES, **known
        )
        self._first = Histogram(
            "sluicegate_mirror_first_token_seconds", "Of both sides.", [*both, "side"], buckets=_SECONDS, **known
        )
        self._total = Histogram(
            "sluicegate_mirror_duration_seconds", "Of both sides.", [*both, "side"], buckets=_SECONDS, **known
        )

    def told(self, event: str, fields: dict[str, Any]) -> None:
        """Something was reported."""
        if event == "race.hedged":
            self._child(self._hedges, fields["route"], fields["result"]).inc()
        elif event == "stream.broken":
            self._child(self._broken, fields["route"], fields["result"]).inc()
        elif event == "mirror.left":
            self._child(self._mirrored, fields["route"], fields["target"], fields["result"]).inc()
        elif event == "mirror.compared":
            self._compared(fields)

    def _compared(self, fields: dict[str, Any]) -> None:
        route, target, child = fields["route"], fields["target"], self._child
        child(self._mirrored, route, target, fields["result"]).inc()
        for aspect in _SAME:
            if aspect in fields and not fields[aspect]["same"]:
                child(self._different, route, target, aspect).inc()
        if "similarity" in fields:
            child(self._similarity, route, target).observe(fields["similarity"])
        for name, metric in (("first_token_ms", self._first), ("total_ms", self._total)):
            for side, value in fields.get(name, {}).items():
                if value is not None:
                    child(metric, route, target, side).observe(value / 1000)
