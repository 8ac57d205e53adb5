"""Arguments of a call that come in pieces: values added at paths of an object."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import msgspec

from proxy.dialects.gemini.wire import PartialArg
from proxy.errors import BadAnswer

MAX_ARGUMENTS = 8 << 20  # characters of one call
_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,6})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_ESCAPED = re.compile(r"\\(.)")


class Arguments:
    """The arguments of one call as they grow."""

    __slots__ = ("_size", "_texts", "_value")

    def __init__(self) -> None:
        self._value: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}  # pieces of a text, by path
        self._size = 0

    def add(self, pieces: list[PartialArg]) -> None:
        """More of them.

        Raises:
            BadAnswer: a path that leads nowhere, or too much of it.
        """
        for piece in pieces:
            self._size += len(piece.json_path) + len(piece.string_value or "") + 8
            if self._size > MAX_ARGUMENTS:
                raise BadAnswer(f"the provider calls a function with more than {MAX_ARGUMENTS} bytes of arguments")
            if piece.string_value is not None and piece.json_path in self._texts:
                self._texts[piece.json_path].append(piece.string_value)
            else:
                self._set(_steps(piece.json_path), self._new(piece))

    def text(self) -> str:
        """All of them as JSON."""
        for path, pieces in self._texts.items():
            self._set(_steps(path), "".join(pieces))
        return msgspec.json.encode(self._value).decode()

    def _new(self, piece: PartialArg) -> Any:
        if piece.string_value is not None:
            self._texts[piece.json_path] = [piece.string_value]
            return piece.string_value
        return piece.bool_value if piece.number_value is None else piece.number_value

    def _set(self, steps: list[str | int], value: Any) -> None:
        if not steps:
            return
        at: Any = self._value
        for step, after in pairwise(steps):
            at = _enter(at, step, [] if isinstance(after, int) else {})
        last = steps[-1]
        if isinstance(at, dict) and isinstance(last, str):
            at[last] = value
        elif isinstance(at, list) and isinstance(last, int):
            _reach(at, last)
            at[last] = value
        else:
            raise _nowhere()


def assemble(pieces: list[PartialArg]) -> str:
    """Arguments whose pieces came together."""
    arguments = Arguments()
    arguments.add(pieces)
    return arguments.text()


def _enter(at: Any, step: str | int, new: Any) -> Any:
    if isinstance(at, dict) and isinstance(step, str):
        return at.setdefault(step, new)
    if isinstance(at, list) and isinstance(step, int):
        _reach(at, step)
        if at[step] is None:
            at[step] = new
        return at[step]
    raise _nowhere()


def _reach(values: list[Any], index: int) -> None:
    """Make room for one more value."""
    if index > len(values):
        raise _nowhere()
    if index == len(values):
        values.append(None)


def _steps(path: str) -> list[str | int]:
    if not path.startswith("$"):
        raise _nowhere()
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise _nowhere()
        name, index, single, double = found.groups()
        if index is not None:
            steps.append(int(index))
        else:
            quoted = single if single is not None else double
            steps.append(name if name is not None else _ESCAPED.sub(r"\1", quoted))
        at = found.end()
    return steps


def _nowhere() -> BadAnswer:
    return BadAnswer("the provider's stream adds to arguments at a path that leads nowhere")
