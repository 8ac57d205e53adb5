"""From files on disk to one tree of plain values: includes merged, references resolved, every value's place known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from proxy.config import problem as problems
from proxy.config.document import UNREADABLE, Node, Report
from proxy.config.files import MAX_FILE, read_bounded
from proxy.config.problem import Problem, quote, render_path
from proxy.config.reference import Resolver, Unresolved
from proxy.config.syntax import EMPTY, MAX_VALUES, parse

# Enough for one file a team; more is a mistake.
_MAX_FILES = 64


class Loaded(msgspec.Struct, frozen=True):
    """What was read.

    ``value`` and ``report`` are None when the files could not be read to their end; then ``problems`` says why.
    ``pruned`` holds the optional providers that lack a variable or file, with the reason. ``files`` is everything that
    was read or should have been: a change in any of them may change the outcome.
    """

    value: dict[str, Any] | None
    report: Report | None
    problems: tuple[Problem, ...]
    pruned: dict[str, str]
    files: tuple[Path, ...]
    digest: str


def load(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read the file at ``path`` and what it includes."""
    files = _Files()
    root = files.read(path, None)
    digest = files.digest.hexdigest()[:16]
    if root is None or files.broken:
        return Loaded(None, None, problems.arrange(files.problems), {}, tuple(files.seen), digest)
    report = Report(root, files.problems)
    resolver = Resolver(environ)
    values = _Values(report, resolver, files.directories)
    value = values.plain(root, ())
    pruned = values.settle(value)
    watched = dict.fromkeys([*files.seen, *resolver.files])
    return Loaded(value, report, report.problems, pruned, tuple(watched), digest)


class _Files:
    """Reads files and merges them. ``broken``: something is missing, so looking further would mislead."""

    def __init__(self) -> None:
        self.seen: dict[Path, str] = {}  # with the place that included it
        self.directories: dict[str, Path] = {}
        self.problems: list[Problem] = []
        self.digest = hashlib.sha256()
        self.broken = False

    def read(self, path: Path, included: Problem | None) -> Node | None:
        """The tree of one file with its includes merged in. ``included`` is the place that names it."""
        name = str(path)
        self.seen[path] = "" if included is None else f"{included.file}:{included.line}:{included.col}"
        self.directories[name] = path.parent
        try:
            data = read_bounded(path, MAX_FILE)
        except ValueError as error:
            place = Problem(name, 0, 0, "", "") if included is None else included
            message = f"the file {error}" if included is None else f"the file {quote(name)} {error}"
            self._broken(msgspec.structs.replace(place, message=message))
            return None
        self.digest.update(b"%d:" % len(data) + data)
        root, found = parse(data, name)
        if included is None:
            found = [_say_what_is_needed(problem) for problem in found]
        self.problems += found
        if root is None:
            self.broken = True
            return None
        self._include(root, path)
        return root

    def _include(self, root: Node, path: Path) -> None:
        entries = root.value.get("include")
        if entries is None or not isinstance(entries.value, list):
            return  # a wrong shape is found with all others
        for at, entry in enumerate(entries.value):
            if not isinstance(entry.value, str) or entry.value is UNREADABLE:
                continue
            mark = entry.mark
            place = Problem(mark.file, mark.line, mark.col, render_path(("include", at)), "")
            other = self._next(path.parent / entry.value, place)
            if other is not None:
                other.value.pop("include", None)
                self._merge(root, other, ())
                if root.size > MAX_VALUES:
                    self._broken(
                        msgspec.structs.replace(place, message=f"the files hold more than {MAX_VALUES:,} values")
                    )

    def _next(self, path: Path, place: Problem) -> Node | None:
        same = [seen for seen in self.seen if seen.resolve() == path.resolve()]
        if same:
            first = self.seen[same[0]]
            why = f"is included already, at {first}" if first else "would include itself"
            self._broken(msgspec.structs.replace(place, message=f"the file {quote(str(path))} {why}"))
            return None
        if len(self.seen) >= _MAX_FILES:
            self._broken(msgspec.structs.replace(place, message=f"more than {_MAX_FILES} files are included"))
            return None
        return self.read(path, place)

    def _merge(self, into: Node, other: Node, path: problems.Path) -> None:
        """Maps are merged, level by level; a value that stands in both files is a problem."""
        into.size += other.size
        for key, child in other.value.items():
            here = into.value.get(key)
            if here is None:
                into.value[key] = child
                into.keys[key] = other.keys[key]
            elif isinstance(here.value, dict) and isinstance(child.value, dict):
                into.value[key] = merged = Node(here.mark, dict(here.value), here.text)  # others may share it by alias
                merged.keys = dict(here.keys)
                self._merge(merged, child, (*path, key))
            else:
                mark = other.keys[key]
                message = f"the key {quote(key)} stands in two files; the first is at {into.keys[key]}"
                where = render_path((*path, key))
                self.problems.append(Problem(mark.file, mark.line, mark.col, where, message))

    def _broken(self, found: Problem) -> None:
        self.problems.append(found)
        self.broken = True


class _Values:
    """Turns nodes into plain values and resolves their references."""

    def __init__(self, report: Report, resolver: Resolver, directories: dict[str, Path]) -> None:
        self._report = report
        self._resolver = resolver
        self._directories = directories
        self._absent: dict[str, list[tuple[problems.Path, Unresolved]]] = {}  # by provider

    def plain(self, node: Node, path: problems.Path) -> Any:
        """The value of ``node``; ``UNREADABLE`` where a reference has none."""
        value = node.value
        if isinstance(value, dict):
            return {key: self.plain(child, (*path, key)) for key, child in value.items()}
        if isinstance(value, list):
            return [self.plain(child, (*path, at)) for at, child in enumerate(value)]
        if value is UNREADABLE:
            self._report.taint(path)
            return value
        if isinstance(value, str):
            try:
                found = self._resolver.resolve(value, self._directories[node.mark.file])
            except Unresolved as error:
                self._unresolved(path, error)
                return UNREADABLE
            if found != value:
                self._report.hide(found, value)
            return found
        return value

    def _unresolved(self, path: problems.Path, error: Unresolved) -> None:
        name = path[1] if len(path) > 2 and path[0] == "providers" else None
        if error.absent and isinstance(name, str):
            self._absent.setdefault(name, []).append((path, error))
        else:
            self._report.problem(path, str(error), error.suggestion)

    def settle(self, value: dict[str, Any]) -> dict[str, str]:
        """Decide about providers that lack something: optional ones are left out, with the reason."""
        pruned: dict[str, str] = {}
        for name, found in self._absent.items():
            provider = value["providers"][name]
            if isinstance(provider, dict) and provider.get("optional") is True:
                pruned[name] = "; ".join(dict.fromkeys(str(error) for _, error in found))
                continue
            for path, error in found:
                hint = "" if error.suggestion else "; a provider that may do without is marked `optional: true`"
                self._report.problem(path, f"{error}{hint}", error.suggestion)
        return pruned


def _say_what_is_needed(problem: Problem) -> Problem:
    """An empty main file lacks more than an empty one that is included."""
    if problem.message != EMPTY:
        return problem
    return msgspec.structs.replace(problem, message=f"{EMPTY}; it needs at least `providers` and `routes`")
