"""Which reports of nodes and policies are worth a line of the log; all of them are counted."""

from __future__ import annotations

from typing import Any, Literal

from proxy.telemetry.canaries import LINES
from proxy.telemetry.metrics import ALERTS

_FAILING = frozenset({"check.failing", "key_set.failing", "cassette.lost", "cache.damaged"})
_NEWS = frozenset({*LINES, "check.recovered", "key_set.recovered"})


def level_of(event: str, fields: dict[str, Any]) -> Literal["warning", "info"] | None:
    """How weighty it is; None for no line."""
    if event in ALERTS or event in _FAILING:
        return "warning"
    if event == "limit.over":  # who is refused has a line of its own
        return "info" if fields["action"] != "reject" else None
    is_news = event in _NEWS or (event.startswith("mirror.") and event != "mirror.left")
    return "info" if is_news else None
