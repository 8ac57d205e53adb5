"""The model names of the file: which route answers each, and whether those who may use them can."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from typing import Any

from proxy.config.document import Report
from proxy.config.problem import Path, nearest, quote, render_path

_WILDCARD = re.compile(r"[*?\[]")


def is_pattern(name: str) -> bool:
    """Whether a model name holds a wildcard."""
    return _WILDCARD.search(name) is not None


def check_routes(routes: dict[str, Any], report: Report) -> None:
    """Report every model that two routes would answer under the same conditions: the second never would."""
    taken: dict[tuple[str, str | None], Path] = {}
    for name, route in routes.items():
        path: Path = ("routes", name)
        if not isinstance(route, dict) or not report.sound((*path, "match")):
            continue
        conditions = repr(_conditions(route.get("match")))
        if "models" not in route:
            first = taken.setdefault((conditions, None), path)
            if first != path:
                message = f"any model goes to {render_path(first)} already; give this route `models` or `match`"
                report.problem(path, message, key=True)
            continue
        for at, model in enumerate(route["models"] if report.sound((*path, "models")) else ()):
            where = (*path, "models", at)
            first = taken.setdefault((conditions, model), where)
            if first != where:
                message = f"{quote(model)} goes to {render_path(first[:2])} already, at {report.mark(first)}"
                report.problem(where, message)


def _conditions(match: Any) -> Any:
    """A match in one spelling, whatever the order of its keys and whether it is a text or a list of one."""
    if isinstance(match, dict):
        return sorted((key.lower(), _conditions(value)) for key, value in match.items())
    return match if isinstance(match, list) else [match] if match is not None else []


def check_paths(routes: dict[str, Any], paths: Collection[str], prefixes: Iterable[str], report: Report) -> None:
    """Report every `match.path` that no request can have: requests have one of ``paths``, or begin with a prefix."""
    for name, route in routes.items():
        where: Path = ("routes", name, "match", "path")
        if not isinstance(route, dict) or not isinstance(route.get("match"), dict) or not report.sound(where):
            continue
        found = route["match"].get("path", [])
        for at, pattern in enumerate(found) if isinstance(found, list) else [(None, found)]:
            fixed = _WILDCARD.split(pattern)[0]
            below = any(
                fixed.startswith(prefix) or (fixed != pattern and prefix.startswith(fixed)) for prefix in prefixes
            )
            if not below and not any(fnmatchcase(path, pattern) for path in paths):
                message = f"the gateway has no path that fits {quote(pattern)}"
                report.problem(where if at is None else (*where, at), message, nearest(pattern, paths))


def check_answered(patterns: Iterable[Any], path: Path, routes: Iterable[dict[str, Any]], report: Report) -> None:
    """Report every name or pattern of models at ``path`` that admits nothing which one of ``routes`` answers."""
    answered: list[str] = []
    for route in routes:
        if "models" not in route:
            return  # any model is answered
        answered += route["models"]
    exact = [model for model in answered if not is_pattern(model)]
    has_patterns = len(exact) < len(answered)
    for at, pattern in enumerate(patterns):
        if is_pattern(pattern):
            useless = not has_patterns and not any(fnmatchcase(model, pattern) for model in exact)
        else:
            useless = not any(fnmatchcase(pattern, model) for model in answered)
        if useless:
            noun = "fits" if is_pattern(pattern) else "is"
            suggestion = nearest(pattern, answered)
            listed = f" ({', '.join(answered[:12])}{', …' if len(answered) > 12 else ''})" if suggestion is None else ""
            report.problem((*path, at), f"{quote(pattern)} {noun} no model that a route answers{listed}", suggestion)
