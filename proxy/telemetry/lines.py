"""Which reports of nodes and policies are worth a line of the log; all of them are counted."""

from __future__ import annotations

from typing import Any, Literal

from proxy.telemetry.canaries import LINES
from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import ALERTS

_FAILING = frozenset({"check.failing", "key_set.failing", "cassette.lost", "cache.damaged"})


def level_of(event: str, fields: dict[str, Any]) -> Literal["warning", "info"] | None:
    """How weighty it is; None for no line."""
    if event in ALERTS or event in _FAILING:
        return "warning"
    if event == "limit.over":  # who is refused has a line of its own
        return "info" if fields["action"] != "reject" else None
    return "info" if event in LINES else None


def write_line(log: Logger, event: str, fields: dict[str, Any]) -> None:
    """The line, if it is worth one."""
    level = level_of(event, fields)
    if level is not None:
        (log.warning if level == "warning" else log.info)(event, **fields)
