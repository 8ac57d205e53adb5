"""Which reports of nodes and policies are worth a line of the log; all of them are counted."""

from __future__ import annotations

from typing import Any, Literal

from proxy.telemetry.log import Logger
from proxy.telemetry.metrics import ALERTS

_FAILING = frozenset({"check.failing", "key_set.failing", "cassette.lost", "cache.damaged"})
_NEWS = frozenset(
    {"canary.begun", "canary.step", "canary.paused", "canary.resumed", "canary.promoted"}
    | {"check.recovered", "key_set.recovered", "mirror.compared", "mirror.crashed"}
)


def level_of(event: str, fields: dict[str, Any]) -> Literal["warning", "info"] | None:
    """How weighty it is; None for no line."""
    if event == "cache.damaged" and fields["reason"] == "model":  # two embedders are in use: each look-up may meet it
        return None
    if event in ALERTS or event in _FAILING:
        return "warning"
    if event == "limit.over":  # who is refused has a line of its own
        return "info" if fields["action"] != "reject" else None
    return "info" if event in _NEWS else None


def report(log: Logger, event: str, fields: dict[str, Any]) -> None:
    """Write the line, if it is worth one."""
    match level_of(event, fields):
        case "warning":
            log.warning(event, **fields)
        case "info":
            log.info(event, **fields)
