"""Whether a `cache` or a `cache_semantic` stands where it can tell requests apart."""

from __future__ import annotations

from typing import Any

from proxy.config.document import Report
from proxy.config.lists import Entry
from proxy.config.targets import walk
from proxy.units import Duration

# Policies by which requests differ: what they do must have been done when the key is made.
_BEFORE = frozenset({"headers", "tags"})
_CACHES = ("cache", "cache_semantic")
_TTL = {"cache": "10m", "cache_semantic": "5m"}  # where the file says nothing


def check_caches(entries: list[Entry], target: Any, report: Report) -> None:
    """Of one route, with its target as it stands in the file."""
    for name in _CACHES:
        at = next((number for number, entry in enumerate(entries) if entry.name == name), None)
        if at is not None and report.sound(entries[at].path):
            _check_cache(entries, at, target, report)
    names = [entry.name for entry in entries]
    if all(name in names for name in _CACHES):
        exact, semantic = (entries[names.index(name)] for name in _CACHES)
        if report.sound(exact.path) and report.sound(semantic.path):
            _check_both(exact, semantic, report, is_first=names.index("cache") < names.index("cache_semantic"))


def _check_both(exact: Entry, semantic: Entry, report: Report, *, is_first: bool) -> None:
    if not is_first:
        message = "`cache` must come before `cache_semantic`, as it knows more exactly"
        report.problem(exact.path, message, key=True)
    times = [
        Duration.parse(str((entry.settings if isinstance(entry.settings, dict) else {}).get("ttl", _TTL[entry.name])))
        for entry in (exact, semantic)
    ]
    if times[1] >= times[0]:
        message = "what is only alike must be forgotten sooner than what is equal: give it less than `cache` has"
        at = (*semantic.path, "ttl") if "ttl" in (semantic.settings or {}) else semantic.path
        report.problem(at, message, key=True)


def _check_cache(entries: list[Entry], at: int, target: Any, report: Report) -> None:
    entry = entries[at]
    names = [other.name for other in entries]
    if entry.name in names[at + 1 :]:
        report.problem(entries[names.index(entry.name, at + 1)].path, f"a route has one `{entry.name}`", key=True)
    if any(isinstance(node, dict) and "experiment" in node for node, _ in walk(target, (), report)):
        why = "kept answers of one variant are given to subjects of others, and the experiment hears nothing of it"
        report.notice(entry.path, why, key=True)
    scope = entry.settings.get("scope") if isinstance(entry.settings, dict) else None
    if scope in ("team", "organisation") and "authenticate" not in names[:at]:
        message = f"without `authenticate` before it nobody's {scope} is known"
        report.problem((*entry.path, "scope"), message, key=True)
    for other in entries[at + 1 :]:
        if other.name in _BEFORE:
            message = f"`{other.name}` must come before `{entry.name}`, as answers differ by what it does"
            report.problem(other.path, message, key=True)
        elif other.marks and other.name not in (*_CACHES, "chaos", "record"):
            message = f"a `{other.name}` that can be off must come before `{entry.name}`"
            report.problem(other.path, f"{message}, as answers differ by whether it is", key=True)
        elif _restores(other.settings):
            message = f"a `{other.name}` that restores must come before `{entry.name}`"
            report.problem(other.path, f"{message}: what is kept holds no personal data, and each has their own back")


def _restores(settings: Any) -> bool:
    """Whether a guard puts placeholders into requests, and takes them out of their answers."""
    if not isinstance(settings, dict):
        return False
    named = settings.get("entities")
    actions = [settings.get("action"), *(named.values() if isinstance(named, dict) else ())]
    return "mask_and_restore" in actions
