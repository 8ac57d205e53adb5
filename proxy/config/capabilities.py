"""What can be known ahead about what targets can do: settings that will have no effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from proxy.config.document import Report
from proxy.config.lists import Entry
from proxy.config.targets import walk

# Whether a leaf's provider caches by marks; None where that cannot be known ahead.
TakesMarks = Callable[[str], bool | None]


def leaves_of(routes: Mapping[str, Any], report: Report) -> dict[str, list[str]]:
    """Route → the leaves ``provider/model`` of its target."""
    return {
        name: [leaf for leaf, _ in walk(route["target"], ("routes", name, "target"), report) if isinstance(leaf, str)]
        for name, route in routes.items()
        if isinstance(route, dict) and "target" in route
    }


def check_overrides(providers: Mapping[str, Any], routes: Mapping[str, Any], report: Report) -> None:
    """Notice patterns under an account's ``models`` that no target of the file fits."""
    leaves = [leaf.partition("/") for found in leaves_of(routes, report).values() for leaf in found]
    for name, account in providers.items():
        patterns = account.get("models") if isinstance(account, dict) else None
        if account is None or not isinstance(patterns, dict) or account.get("kind") == "simulated":
            continue
        used = [model.lower() for provider, _, model in leaves if provider == name]
        if "*" in used or not report.sound(("providers", name)):
            continue
        for glob in patterns:
            if not any(fnmatchcase(model, glob.lower()) for model in used):
                report.notice(("providers", name, "models", glob), "no target of this file fits this pattern", key=True)


def check_marks(entries: list[Entry], leaves: list[str], takes_marks: TakesMarks, report: Report) -> None:
    """Notice the policy ``prompt_cache`` where no target caches by marks."""
    if not leaves or any(takes_marks(leaf) is not False for leaf in leaves):
        return
    for entry in entries:
        if entry.name == "prompt_cache" and report.sound(entry.path):
            message = "no target of this route caches prompts by marks, so this policy does nothing here"
            report.notice(entry.path, message, key=True)
