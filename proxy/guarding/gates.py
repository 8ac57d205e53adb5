"""Whether something may be in a text at all: one pass of an automaton, a hundred times as quick as looking for it."""

from __future__ import annotations

from collections.abc import Mapping

import re2

_MEMORY = 64 << 20  # bytes that the automaton may take: with too little it is slow


class Gates:
    """Patterns in RE2's syntax by name. Each may find a little too much, and never too little."""

    __slots__ = ("_names", "_set")

    def __init__(self, patterns: Mapping[str, str]) -> None:
        options = re2.Options()
        options.max_mem = _MEMORY
        self._names = tuple(patterns)
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns.values():
            self._set.Add(pattern.encode())
        self._set.Compile()

    def open(self, text: str) -> frozenset[str]:
        """Whose patterns are there."""
        return frozenset(self._names[at] for at in self._set.Match(text.encode("utf-8", "replace")) or ())
