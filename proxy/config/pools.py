"""What is wrong with the nodes that hold equals, ``balance`` and ``priority``, beyond their shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from proxy.config.document import Report
from proxy.config.problem import Path, render_path


def check_balance(settings: Any, path: Path, report: Report) -> None:
    """One node ``balance``."""
    of, at = (settings.get("of"), (*path, "of")) if isinstance(settings, dict) else (settings, path)
    if not isinstance(of, list):
        return
    _check_twice([(item, (*at, i)) for i, item in enumerate(of)], "balance", report)
    if isinstance(settings, dict):
        by = settings.get("by", "latency")
        _check_weights(of, at, by, report)
        _check_spill(settings.get("affinity"), len(of), (*path, "affinity", "spill"), report)
        if "expected_output" in settings and by not in ("latency", "cost"):
            message = f"this matters for `latency` and `cost` only, not `by: {by}`"
            report.notice((*path, "expected_output"), message, key=True)


def _check_spill(affinity: Any, count: int, path: Path, report: Report) -> None:
    spill = affinity.get("spill") if isinstance(affinity, dict) else None
    if isinstance(spill, int | float) and report.sound(path) and spill >= count > 1:
        message = f"of {count} targets none can have more than {count} times the mean, so a warm one is never too busy"
        report.notice(path, message, key=True)


def check_priority(settings: Any, path: Path, report: Report) -> None:
    """One node ``priority``."""
    of, at = (settings.get("of"), (*path, "of")) if isinstance(settings, dict) else (settings, path)
    if not isinstance(of, list):
        return
    _check_twice(list(_places(of, at)), "priority", report)
    if isinstance(settings, dict) and not any(isinstance(tier, list) for tier in of):
        for key in ("by", "affinity"):
            if key in settings:
                message = "no tier is a list of equals, so there is nothing to choose between"
                report.notice((*path, key), message, key=True)


def _places(tiers: list[Any], path: Path) -> Iterator[tuple[Any, Path]]:
    """The targets of all tiers."""
    for at, tier in enumerate(tiers):
        if isinstance(tier, list):
            yield from ((item, (*path, at, i)) for i, item in enumerate(tier))
        else:
            yield tier, (*path, at)


def _check_twice(items: list[tuple[Any, Path]], node: str, report: Report) -> None:
    seen: dict[str, Path] = {}
    for item, at in items:
        if isinstance(item, dict) and "target" in item:
            item, at = item["target"], (*at, "target")
        if not report.sound(at):
            continue
        first = seen.setdefault(repr(item), at)
        if first != at:
            report.problem(at, f"the same target stands in this {node} already, at {render_path(first)}")


def _check_weights(of: list[Any], path: Path, by: Any, report: Report) -> None:
    places = [(*path, at, "weight") for at, item in enumerate(of) if isinstance(item, dict) and "weight" in item]
    if not all(report.sound(place) for place in places):
        return
    if by != "weighted":
        for place in places:
            report.notice(place, f"weights matter for `by: weighted` only, not `by: {by}`", key=True)
        return
    weights = [item.get("weight", 1) if isinstance(item, dict) and "target" in item else 1 for item in of]
    if not any(weights):
        report.problem(path, "every weight is 0, so none of these can be reached")
        return
    for at, weight in enumerate(weights):
        if not weight:
            report.notice((*path, at, "weight"), "with this weight the target takes no request")
