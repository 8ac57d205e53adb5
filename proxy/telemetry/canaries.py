"""Metrics of canaries: how far each has come, and what became of requests by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import Counter, Gauge

_STATES = ("running", "paused", "promoted", "rolled_back")


class Canaries:
    """Counts what is reported of them. ``child`` looks up a labelled metric."""

    __slots__ = ("_child", "_requests", "_share", "_state")

    def __init__(self, known: dict[str, Any], child: Callable[..., Any]) -> None:
        self._child = child
        self._requests = Counter(
            "sluicegate_canary_requests",
            "Requests of a canary by side (stable, canary) and outcome: ok, failed, or left by its caller.",
            ["canary", "side", "outcome"],
            **known,
        )
        self._share = Gauge(
            "sluicegate_canary_share",
            "Share of requests that the canary gets now.",
            ["canary"],
            multiprocess_mode="livemax",
            **known,
        )
        self._state = Gauge(
            "sluicegate_canary_state",
            "1 for the state that it is in: running, paused, promoted or rolled_back.",
            ["canary", "state"],
            multiprocess_mode="livemax",
            **known,
        )

    def told(self, event: str, fields: dict[str, Any]) -> None:
        """Something was reported."""
        if event == "canary.counted":
            self._child(self._requests, fields["canary"], fields["side"], fields["outcome"]).inc()
        elif event == "canary.stands":
            self._stands(fields["canary"], fields["state"], fields["share"])
        elif event == "canary.gone":
            self._stands(fields["canary"], "", 0.0)

    def _stands(self, name: str, state: str, share: float) -> None:
        self._child(self._share, name).set(share)
        for known in _STATES:
            self._child(self._state, name, known).set(known == state)
