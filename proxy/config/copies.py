"""Settings without effect of the nodes that compare: ``race``, ``mirror`` and ``canary``."""

from __future__ import annotations

from typing import Any

from proxy.config.document import Report
from proxy.config.problem import Path


def check_race(settings: Any, path: Path, report: Report) -> None:
    """One node ``race``."""
    of = settings.get("of") if isinstance(settings, dict) else settings
    if isinstance(of, list) and len(of) == 1 and report.sound((*path, *(("of",) if of is not settings else ()))):
        report.notice(path, "there is nobody to race with: a copy needs a second target")
    if not isinstance(settings, dict):
        return
    if _is_none(settings.get("max_extra")) and report.sound((*path, "max_extra")):
        report.notice((*path, "max_extra"), "with this share no copy is sent; it is a fallback")
    after = settings.get("after", "p95")
    if "fallback_after" in settings and isinstance(after, str) and not after.startswith("p"):
        report.notice((*path, "fallback_after"), "this matters only where `after` is a quantile such as p95", key=True)


def check_mirror(settings: Any, path: Path, report: Report) -> None:
    """One node ``mirror``."""
    if not isinstance(settings, dict):
        return
    if _is_none(settings.get("sample")) and report.sound((*path, "sample")):
        report.notice((*path, "sample"), "with this share nothing is copied")
    if settings.get("to") is not None and settings.get("to") == settings.get("target"):
        report.notice((*path, "to"), "the same target as the one that answers: it is compared with itself")


def check_canary(settings: Any, path: Path, report: Report) -> None:
    """One node ``canary``."""
    if not isinstance(settings, dict):
        return
    if settings.get("canary") is not None and settings.get("canary") == settings.get("stable"):
        report.problem((*path, "canary"), "the same target as `stable`: there is nothing to find out")


def _is_none(share: Any) -> bool:
    return isinstance(share, str) and share.endswith("%") and not share.rstrip("%").strip(" 0.")
