"""A file as a tree that knows where each of its values stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from proxy.config.problem import Path, Problem, arrange, render_path


class Unreadable(str):
    """Stands where a value could not be read; the reason has been reported, so nobody looks at it any more."""

    __slots__ = ()


_MAX_PROBLEMS = 500
# Shorter values are no secrets, and stand in sentences by chance.
_SHORTEST_HIDDEN = 6
UNREADABLE: Final = Unreadable()


class Mark:
    """A place in a file, counted from 1."""

    __slots__ = ("col", "file", "line")

    def __init__(self, file: str, line: int, col: int) -> None:
        self.file = file
        self.line = line
        self.col = col

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}"


class Node:
    """A value with its place. Aliases share nodes, so this is a graph without circles.

    ``size`` counts the values below with every alias expanded, itself included; ``height`` the levels below.
    """

    __slots__ = ("height", "keys", "mark", "size", "text", "value")

    def __init__(self, mark: Mark, value: Any, text: str = "") -> None:
        self.mark = mark
        self.value = value  # dict[str, Node], list[Node], or a plain scalar
        self.text = text  # a scalar as it is written
        self.keys: dict[str, Mark] = {}
        self.size = 1
        self.height = 0

    def children(self) -> list[tuple[str | int, Node]]:
        """Key or index with each value right below."""
        if isinstance(self.value, dict):
            return list(self.value.items())
        if isinstance(self.value, list):
            return list(enumerate(self.value))
        return []


class Report:
    """Collects problems and notices about paths of a tree, and knows which parts have been found wrong."""

    def __init__(self, root: Node, problems: Iterable[Problem] = ()) -> None:
        self.root = root
        self.notices: list[Problem] = []
        self._problems = list(problems)
        self._tainted: set[Path] = set()
        self._resolved: dict[str, str] = {}  # value of a text with references → the text as it is written

    @property
    def problems(self) -> tuple[Problem, ...]:
        return arrange(self._problems)

    def problem(self, path: Path, message: str, suggestion: str | None = None, *, key: bool = False) -> None:
        """Something is wrong at ``path``; ``key`` points at the key instead of its value."""
        self.taint(path)
        if not self.is_full:
            self._problems.append(self._make(path, message, suggestion, key))

    @property
    def is_full(self) -> bool:
        """Whether so much is wrong that nobody would read more."""
        return len(self._problems) >= _MAX_PROBLEMS

    def taint(self, path: Path) -> None:
        """Remember that ``path`` is wrong; whoever found it has reported it."""
        self._tainted.update(path[:end] for end in range(len(path) + 1))

    def hide(self, value: str, written: str) -> None:
        """Never show ``value``, which came through a reference; show how it is written."""
        if len(value) >= _SHORTEST_HIDDEN:
            self._resolved[value] = written

    def notice(self, path: Path, message: str, *, key: bool = False) -> None:
        """Something to know about ``path`` that keeps nothing from running."""
        self.notices.append(self._make(path, message, None, key))

    def sound(self, path: Path) -> bool:
        """Whether nothing wrong has been found at ``path`` or below."""
        return path not in self._tainted

    def mark(self, path: Path, *, key: bool = False) -> Mark:
        """Where ``path`` stands; what is not in the file stands where its nearest parent does."""
        node, mark = self.root, self.root.mark
        for part in path:
            child = _child(node, part)
            if child is None:
                break
            mark = node.keys[part] if key and isinstance(part, str) else child.mark
            node = child
        return mark

    def written(self, path: Path) -> str | None:
        """The scalar at ``path`` as it is written in the file, references unresolved."""
        node = self.root
        for part in path:
            child = _child(node, part)
            if child is None:
                return None
            node = child
        return node.text

    def _make(self, path: Path, message: str, suggestion: str | None, key: bool) -> Problem:
        mark = self.mark(path, key=key)
        for value, written in self._resolved.items():
            if value in message:
                message = message.replace(value, written)
        return Problem(mark.file, mark.line, mark.col, render_path(path), message, suggestion)


def _child(node: Node, part: str | int) -> Node | None:
    found: Node | None = None
    if isinstance(node.value, dict) and isinstance(part, str):
        found = node.value.get(part)
    elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
        found = node.value[part]
    return found
