"""From a regular expression to that of the beginnings of its matches: what a text that goes on may still become.

Only the structure is read: what stands for one character is taken as it is written. The syntax is RE2's
(https://github.com/google/re2/wiki/Syntax). The beginnings may be a little too many, never too few.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ATOM = re.compile(
    r"\\x\{[0-9A-Fa-f]+\}|\\x[0-9A-Fa-f]{2}|\\[pP](?:\{\^?\w+\}|\w)|\\[0-7]{1,3}|\\."
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\[pP](?:\{\^?\w+\}|\w)|\\.|[^\]\\])*\]|[^\\()|*+?\[]",
    re.DOTALL,
)
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|\Z)|\\.", re.DOTALL)
_REPEAT = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_COUNTS = re.compile(r"\{(\d+)(,?)(\d*)\}")
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|([imsU]*(?:-[imsU]+)?)(:|\))))?")
# What takes no space: a run of it ends with the word. There counts are passed over, as they make automata large.
_NARROW = re.compile(r"\\[dw]|\[(?!\^)(?:[^\]\\\s]|\\[^sSDWPp])+\]")
_ASSERTIONS = frozenset({"^", "$", r"\b", r"\B", r"\A", r"\z"})


class _Piece(NamedTuple):
    """Something that is matched in a row: as it is written, and the pattern of its beginnings."""

    full: str
    beginning: str
    is_char: bool


def beginnings(pattern: str) -> str:
    """A pattern for the non-empty and empty beginnings of what ``pattern`` matches.

    Raises:
        ValueError: with the position, of what is no pattern.
    """
    pattern = _QUOTED.sub(lambda found: found[0] if found[1] is None else re.escape(found[1]), pattern)
    reader = _Reader(pattern)
    found = reader.alternatives()
    if reader.at < len(pattern):
        raise ValueError(f"an unmatched ) at position {reader.at}")
    return found


class _Reader:
    """Reads one pattern."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.at = 0

    def alternatives(self) -> str:
        """Up to the end, or the bracket that closes them."""
        found = [self._row()]
        while self._pattern.startswith("|", self.at):
            self.at += 1
            found.append(self._row())
        return found[0] if len(found) == 1 else f"(?:{'|'.join(found)})"

    def _row(self) -> str:
        pieces: list[_Piece] = []
        flags = ""
        while self.at < len(self._pattern) and self._pattern[self.at] not in "|)":
            group = _GROUP.match(self._pattern, self.at) if self._pattern[self.at] == "(" else None
            if group is not None and group[2] == ")":  # flags for what follows
                if pieces:
                    raise ValueError(f"flags belong at the beginning, not at position {self.at}")
                self.at = group.end()
                flags += group[0]
                continue
            piece = self._piece() if group is None else self._group(group)
            pieces.append(self._repeated(piece))
        return flags + _chain(pieces)

    def _group(self, opening: re.Match[str]) -> _Piece:
        begin = self.at
        self.at = opening.end()
        inner = self.alternatives()
        if not self._pattern.startswith(")", self.at):
            raise ValueError(f"the group at position {begin} is not closed")
        self.at += 1
        body = self._pattern[opening.end() : self.at - 1]
        flags = opening[1] or ""
        return _Piece(f"(?{flags}:{body})", f"(?{flags}:{inner})", False)

    def _piece(self) -> _Piece:
        found = _ATOM.match(self._pattern, self.at)
        if found is None:
            raise ValueError(f"{self._pattern[self.at]!r} is out of place at position {self.at}")
        self.at = found.end()
        text = found[0]
        if text in _ASSERTIONS:
            return _Piece(text, "", False)
        return _Piece(text, "", True)

    def _repeated(self, piece: _Piece) -> _Piece:
        found = _REPEAT.match(self._pattern, self.at)
        if found is None:
            return piece
        self.at = found.end()
        if self._pattern.startswith(("*", "+", "?"), self.at):
            raise ValueError(f"a repetition of a repetition at position {self.at}")
        full = piece.full + found[0]
        most = _most(found[0])
        if piece.is_char:
            most = "*" if most[0] == "{" and _NARROW.fullmatch(piece.full) else most
            return _Piece(full, f"{piece.full}{most}", False)
        return _Piece(full, f"(?:{piece.full}){most}{piece.beginning}", False)


def _most(repeat: str) -> str:
    """As often as this repetition allows, or less often."""
    counts = _COUNTS.match(repeat)
    if counts is None:
        return "?" if repeat[0] == "?" else "*"
    least, comma, most = counts.groups()
    if comma and not most:
        return "*"
    return f"{{0,{most or least}}}"


def _chain(pieces: list[_Piece]) -> str:
    """The beginnings of pieces in a row: of the last, or of the one before, and so on."""
    found = ""
    for piece in reversed(pieces):
        if not found:
            found = f"{piece.full}?" if piece.is_char else piece.beginning
        elif piece.beginning:
            found = f"(?:{piece.full}{found}|{piece.beginning})"
        else:
            found = f"(?:{piece.full}{found})?"
    return found
