"""The route table: exact model names by one look-up, then globs from the most specific to the least, then the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate

import msgspec

from proxy.exchange import Exchange
from proxy.pipeline import Pipeline, Step


def compile_globs(globs: Sequence[str]) -> re.Pattern[str]:
    """One pattern that matches what any of the shell-style globs matches, whole and case-sensitive."""
    return re.compile("|".join(f"(?:{translate(glob)})" for glob in globs) or r"(?!)")


def is_glob(name: str) -> bool:
    """Whether ``name`` holds a wildcard."""
    return any(sign in name for sign in "*?[")


class RouteRule(msgspec.Struct, frozen=True):
    """When a route takes a request; all conditions must hold. ``models`` None: any model, and requests without one."""

    name: str
    models: tuple[str, ...] | None
    paths: tuple[str, ...]
    headers: tuple[tuple[bytes, tuple[str, ...]], ...]
    tags: tuple[tuple[str, tuple[str, ...]], ...]
    pipeline: Pipeline


class _Entry:
    """A compiled rule."""

    __slots__ = ("globs", "headers", "paths", "pipeline", "rule", "tags")

    def __init__(self, rule: RouteRule) -> None:
        self.rule = rule
        self.pipeline = rule.pipeline
        self.globs = compile_globs([name for name in rule.models or () if is_glob(name)])
        self.paths = compile_globs(rule.paths) if rule.paths else None
        self.headers = tuple((name, compile_globs(values)) for name, values in rule.headers)
        self.tags = tuple((name, compile_globs(values)) for name, values in rule.tags)

    def admits(self, x: Exchange, tags: dict[str, str]) -> bool:
        """Whether path, headers and tags hold; the model has been looked at."""
        if self.paths is not None and not self.paths.match(x.path):
            return False
        for name, pattern in self.headers:
            value = x.header(name)
            if value is None or not pattern.match(value.decode("latin-1")):
                return False
        return all(name in tags and pattern.match(tags[name]) for name, pattern in self.tags)

    @property
    def is_conditional(self) -> bool:
        return bool(self.paths or self.headers or self.tags)


def _conditional_first(entries: list[_Entry]) -> tuple[_Entry, ...]:
    """Routes with a ``match`` before those without, otherwise in the order of the file."""
    return tuple(sorted(entries, key=lambda entry: not entry.is_conditional))


class Router:
    """Finds the pipeline of a request. Built once per generation."""

    __slots__ = ("_any", "_by_path", "_exact", "_globs", "entries", "needs_tags")

    def __init__(self, rules: Sequence[RouteRule]) -> None:
        self.entries = tuple(_Entry(rule) for rule in rules)
        self.needs_tags = any(entry.tags for entry in self.entries)
        exact: dict[str, list[_Entry]] = {}
        globs: list[tuple[int, str, _Entry]] = []
        for entry in self.entries:
            for name in entry.rule.models or ():
                if is_glob(name):
                    globs.append((-len(re.split(r"[*?\[]", name)[0]), name, entry))
                else:
                    exact.setdefault(name, []).append(entry)
        self._exact = {name: _conditional_first(found) for name, found in exact.items()}
        globs.sort(key=lambda row: (row[0], not row[2].is_conditional))
        self._globs = tuple((compile_globs([name]), entry) for _, name, entry in globs)
        self._any = _conditional_first([entry for entry in self.entries if entry.rule.models is None])
        # Requests that name no model (files, batches …) also reach a route with models, if its `match.path` names them.
        self._by_path = self._any + tuple(e for e in self.entries if e.rule.models is not None and e.rule.paths)

    def match(self, x: Exchange, tags: dict[str, str]) -> Pipeline | None:
        """The pipeline for ``x`` by model, path, headers and the client's tags; None if no route takes it."""
        if not x.model:
            return self._first(self._by_path, x, tags)
        for entry in self._exact.get(x.model, ()):
            if entry.admits(x, tags):
                return entry.pipeline
        for pattern, entry in self._globs:
            if pattern.match(x.model) and entry.admits(x, tags):
                return entry.pipeline
        return self._first(self._any, x, tags)

    @staticmethod
    def _first(entries: tuple[_Entry, ...], x: Exchange, tags: dict[str, str]) -> Pipeline | None:
        for entry in entries:
            if entry.admits(x, tags):
                return entry.pipeline
        return None

    def door(self, path: str) -> tuple[Step, ...]:
        """Steps that every route which could answer on ``path`` begins with: they run before the body is read."""
        doors = [entry.pipeline.door for entry in self.entries if entry.paths is None or entry.paths.match(path)]
        common: list[Step] = []
        for steps in zip(*doors, strict=False):
            if len({id(step[2]) for step in steps}) > 1:
                break
            common.append(steps[0])
        return tuple(common)

    def model_names(self) -> list[tuple[str, Pipeline]]:
        """Every exact model name with the pipeline that answers it, in the order of the file."""
        return [
            (name, entry.pipeline) for entry in self.entries for name in entry.rule.models or () if not is_glob(name)
        ]
