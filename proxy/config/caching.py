"""Whether a `cache` stands where it can tell requests apart."""

from __future__ import annotations

from proxy.config.document import Report
from proxy.config.lists import Entry

# Policies by which requests differ: what they do must have been done when the key is made.
_BEFORE = frozenset({"headers", "tags"})


def check_caches(entries: list[Entry], report: Report) -> None:
    """Of one route."""
    at = next((number for number, entry in enumerate(entries) if entry.name == "cache"), None)
    if at is None or not report.sound(entries[at].path):
        return
    entry = entries[at]
    names = [other.name for other in entries]
    if "cache" in names[at + 1 :]:
        report.problem(entries[names.index("cache", at + 1)].path, "a route has one `cache`", key=True)
    scope = entry.settings.get("scope") if isinstance(entry.settings, dict) else None
    if scope in ("team", "organisation") and "authenticate" not in names[:at]:
        message = f"without `authenticate` before it nobody's {scope} is known"
        report.problem((*entry.path, "scope"), message, key=True)
    for other in entries[at + 1 :]:
        if other.name in _BEFORE:
            message = f"`{other.name}` must come before `cache`, as answers differ by what it does"
            report.problem(other.path, message, key=True)
        elif other.marks and other.name not in ("cache", "chaos", "record"):
            message = f"a `{other.name}` that can be off must come before `cache`, as answers differ by whether it is"
            report.problem(other.path, message, key=True)
