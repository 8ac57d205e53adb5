"""The file that is read: its values, where each stands, and what became of it. Nothing is left out of that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from proxy.config.document import Node, Report
from proxy.config.problem import Path, nearest, render_path
from proxy.importing.imported import Finding, Outcome

REFERENCE = "os.environ/"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What stands where a server asks for no key.
_PLACEHOLDERS = frozenset(
    {"", "none", "null", "empty", "anything", "fake", "fake-key", "dummy", "not-needed", "no-key"}
)
_YES, _NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0", "none", "null", ""})
_MOST_SUGGESTED = 1000


class Source:
    """One file. ``value`` is its content. A path of which ``carried``, ``needless`` or ``lost`` was said is settled,
    with everything below it."""

    def __init__(self, root: Node) -> None:
        self._report = Report(root, [])
        self.value: dict[str, Any] = _plain(root)
        self._findings: dict[Path, tuple[Outcome, str]] = {}
        self._named: dict[str, str] = {}  # secret in plain text → the variable that shall hold it
        self._taken = set(_references(self.value))

    def carried(self, path: Path, text: str) -> None:
        """It says the same in the new file."""
        self._findings.setdefault(path, ("carried", text))

    def needless(self, path: Path, text: str) -> None:
        """The same happens without a word."""
        self._findings.setdefault(path, ("needless", text))

    def lost(self, path: Path, text: str) -> None:
        """It is not carried. This wins over what was said before."""
        self._findings[path] = ("not carried", text)

    def section(self, name: str) -> dict[str, Any]:
        """A top-level map; empty if there is none, or it is none."""
        found = self.value.get(name)
        return found if isinstance(found, dict) else {}

    def reference(self, value: str) -> str | None:
        """``${env:X}`` for ``os.environ/X``; None for everything else."""
        name = value.removeprefix(REFERENCE)
        if not value.startswith(REFERENCE) or not _NAME.fullmatch(name):
            return None
        return f"${{env:{name}}}"

    def variable(self, name: str) -> str:
        """A reference to a variable that the other gateway reads without being told."""
        return f"${{env:{name}}}"

    def text(self, value: Any) -> str:
        """A value for the new file: a reference, or the text itself."""
        return self.reference(str(value)) or str(value).replace("${", "$${")

    def secret(self, path: Path, value: Any, suggestion: str) -> str | None:
        """A reference to the secret; None if it is a placeholder. One in plain text is not copied."""
        if not isinstance(value, str) or value.lower() in _PLACEHOLDERS:
            self.needless(path, "a placeholder: no key is sent")
            return None
        found = self.reference(value)
        if found is not None:
            self.carried(path, found)
            return found
        name = self._named.get(value)
        if name is None:
            name = next(one for one in _numbered(suggestion) if one not in self._taken)
            self._taken.add(name)
            self._named[value] = name
        self.lost(path, f"a secret in plain text is not copied: put it into the environment as {name}")
        return self.variable(name)

    def findings(self) -> tuple[Finding, ...]:
        """All, in the order of the file; what nobody has said anything about is not carried."""
        for path, value in list(_leaves(self.value, ())):
            if any(path[:depth] in self._findings for depth in range(len(path) + 1)):
                continue
            if value is None or value in ({}, [], ""):
                self.needless(path, "nothing is said")
            else:
                self.lost(path, "this has no counterpart here, or is unknown to the importer")
        found = [self._finding(path, *said) for path, said in self._findings.items()]
        return tuple(sorted(found, key=lambda one: (one.line, one.col, one.path)))

    def unknown(self, path: Path, known: Iterable[str]) -> None:
        """A key that is not one of ``known``."""
        meant = nearest(str(path[-1]), known)
        hint = "" if meant is None else f"; was `{meant}` meant?"
        self.lost(path, f"this is unknown to the importer{hint}")

    def _finding(self, path: Path, outcome: Outcome, text: str) -> Finding:
        mark = self._report.mark(path, key=True)
        return Finding(mark.line, mark.col, render_path(path), outcome, text)


def flag(value: Any) -> bool | None:
    """Yes or no, in whatever words; None if it is neither."""
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    return True if word in _YES else False if word in _NO else None


def number(value: Any) -> float | None:
    """A number that is not negative, also where it is written as a text; None if it is none."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if 0 <= found < 1e15 else None


def seconds(value: float) -> str:
    """A duration as this gateway writes it."""
    return f"{value:.6f}".rstrip("0").rstrip(".") + "s" if value >= 1 else f"{max(1, round(value * 1000))}ms"


def _numbered(name: str) -> Iterator[str]:
    yield name
    for at in range(2, _MOST_SUGGESTED):
        yield f"{name}_{at}"


def _plain(node: Node) -> Any:
    value = node.value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value that holds no other."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from _leaves(inner, (*path, at))
    elif path:
        yield path, value


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    elif isinstance(value, str) and value.startswith(REFERENCE):
        yield value.removeprefix(REFERENCE)
