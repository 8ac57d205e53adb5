"""The target trees of the file: leaves that name something, branches that some request can reach."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from proxy.config.copies import check_canary, check_mirror, check_race
from proxy.config.document import Report
from proxy.config.flags import check_marks, marks_of
from proxy.config.lists import Entry
from proxy.config.pools import check_balance, check_priority
from proxy.config.problem import Path, nearest, quote, render_path

# Settings of policies that name a provider and a model.
_HELD = {
    "cache_semantic": (("embedder",), ("verify", "target")),
    "grounding": (("embedding", "embedder"),),
    "injection": (("second_opinion", "target"),),
    "topics": (("embedder",),),
}


def walk(target: Any, path: Path, report: Report) -> Iterator[tuple[Any, Path]]:
    """Every sound leaf and every node of the tree, from the top."""
    if isinstance(target, str):
        if report.sound(path):
            yield target, path
    elif isinstance(target, dict):
        yield target, path
        if isinstance(target.get("model"), str):
            yield from walk(target["model"], (*path, "model"), report)
        for name, settings in target.items():
            for child, at in children(settings, (*path, name)):
                yield from walk(child, at, report)
    elif isinstance(target, list):  # a tier of equals
        for number, child in enumerate(target):
            yield from walk(child, (*path, number), report)


def children(settings: Any, path: Path) -> Iterator[tuple[Any, Path]]:
    """The targets right below a node: the items of a list, each bare or as ``target`` or ``else`` of a map; or
    the values of a map ``of``."""
    if isinstance(settings, dict) and "variants" in settings:  # an experiment
        yield from _arms(settings, path)
        return
    if isinstance(settings, dict):
        if "of" not in settings:  # a mirror or a canary
            keys = ("stable", "canary") if path[-1] == "canary" else ("target", "to")
            yield from ((settings[key], (*path, key)) for key in keys if key in settings)
        if "judge" in settings:
            yield settings["judge"], (*path, "judge")
        settings, path = settings.get("of"), (*path, "of")
    if isinstance(settings, dict) and path[-1] == "of":  # by label
        yield from ((item, (*path, label)) for label, item in settings.items())
    if not isinstance(settings, list):
        return
    for at, item in enumerate(settings):
        if isinstance(item, dict) and "target" in item:
            yield item["target"], (*path, at, "target")
        elif isinstance(item, dict) and "else" in item:
            yield item["else"], (*path, at, "else")
        else:
            yield item, (*path, at)


def _arms(settings: dict[str, Any], path: Path) -> Iterator[tuple[Any, Path]]:
    """The targets of an experiment."""
    variants = settings["variants"]
    for name, variant in variants.items() if isinstance(variants, dict) else ():
        if isinstance(variant, dict) and "target" in variant:
            yield variant["target"], (*path, "variants", name, "target")
    if "otherwise" in settings:
        yield settings["otherwise"], (*path, "otherwise")


def check_target(target: Any, path: Path, providers: Collection[str], report: Report) -> set[str]:
    """Report what is wrong with one route's target; returns the providers that it names, or seems to mean."""
    used: set[str] = set()
    for node, at in walk(target, path, report):
        if isinstance(node, str):
            used.add(_check_leaf(node, at, providers, report))
            continue
        for name, check_node in _CHECKS.items():
            if name in node:
                check_node(node[name], (*at, name), report)
        for marks in marks_of(node, at):
            check_marks(marks, report)
    return used


def check_held(entries: Iterable[Entry], providers: Collection[str], report: Report) -> set[str]:
    """The same for the targets that policies hold."""
    used: set[str] = set()
    for entry in entries:
        for keys in _HELD.get(entry.name, ()):
            value: Any = entry.settings
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            path: Path = (*entry.path, *keys)
            if isinstance(value, str) and report.sound(path):
                used.add(_check_leaf(value, path, providers, report))
    return used


def _check_leaf(leaf: str, path: Path, providers: Collection[str], report: Report) -> str:
    provider, _, model = leaf.partition("/")
    if provider in providers:
        if "*" in model and model != "*":
            report.problem(
                path, f"{quote(model)} is not a model; `{provider}/*` stands for the one that the caller named"
            )
        return provider
    suggestion = nearest(provider, providers)
    have = f"; there are: {', '.join(providers)}" if suggestion is None and providers else ""
    meant = None if suggestion is None else f"{suggestion}/{model}"
    report.problem(path, f"there is no provider {quote(provider)}{have}", meant)
    return suggestion or provider


def _check_fallback(settings: Any, path: Path, report: Report) -> None:
    seen: dict[str, Path] = {}
    for child, at in children(settings, path):
        if not report.sound(at):
            continue
        first = seen.setdefault(repr(child), at)
        if first != at:
            place = render_path(first)
            report.problem(at, f"the same target stands in this fallback already, at {place}; it has failed by then")


def _check_split(settings: Any, path: Path, report: Report) -> None:
    branches = settings.get("of") if isinstance(settings, dict) else settings
    at = (*path, "of") if isinstance(settings, dict) else path
    if not isinstance(branches, list) or not all(report.sound((*at, i, "weight")) for i in range(len(branches))):
        return
    weights: list[Any] = [branch.get("weight") for branch in branches if isinstance(branch, dict)]
    if len(weights) != len(branches) or None in weights:
        return
    if weights and not sum(weights):
        report.problem(at, "every weight is 0, so no branch can be reached")
        return
    for i, weight in enumerate(weights):
        if not weight:
            report.notice((*at, i, "weight"), "with this weight the branch takes no request")


def _check_classify(settings: Any, path: Path, report: Report) -> None:
    if not isinstance(settings, dict) or "judge" in settings:
        return
    if "judge_timeout" in settings:
        report.notice((*path, "judge_timeout"), "this matters only with `judge`; rules take no time", key=True)


_CHECKS: dict[str, Callable[[Any, Path, Report], None]] = {
    "fallback": _check_fallback,
    "split": _check_split,
    "balance": check_balance,
    "priority": check_priority,
    "classify": _check_classify,
    "race": check_race,
    "mirror": check_mirror,
    "canary": check_canary,
}
