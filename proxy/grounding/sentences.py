"""Where the sentences of a text are: in prose, in lists, in lines that were broken to fit a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# The end of a sentence; or the end of a line, of which it is found out whether it is one.
_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]*_]{0,4}+(?=\s|$)|[。！？]+[」』”）]?|\n[^\S\n]*")
_ITEM = re.compile(r"[-*•|>#]|\d{1,3}[.)]\s|\[")
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_ABBREVIATED = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|etc|inc|ltd|co|corp|approx|e\.g|i\.e|cf|sr|jr|resp|z\.b|d\.h|ca)"
    r"|\b[a-z](?:\.[a-z])*)\.$",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\b(?:no|nos|nr|fig|vol)\.$", re.IGNORECASE)  # before a number
_WRAPPED = 50  # characters of a line from which on it may have been broken to fit
_BEFORE = 12  # characters that tell an abbreviation
_LONGEST = 2000  # characters of one sentence; a longer one is several
_MARKUP = " \t\r\n-*•>#|_"


class Sentence(NamedTuple):
    """Characters ``start`` to ``end`` of a text, without the marks of lists around it."""

    start: int
    end: int


def sentences(text: str) -> list[Sentence]:
    """The sentences of ``text``, in their order. Code between fences is none."""
    found: list[Sentence] = []
    at = 0
    for fence in [*_FENCE.finditer(text), None]:
        found += _prose(text, at, len(text) if fence is None else fence.start())
        at = len(text) if fence is None else fence.end()
    return found


def _prose(text: str, start: int, end: int) -> Iterator[Sentence]:
    for mark in _END.finditer(text, start, end):
        if mark.end() > start and _ends(text, start, mark):
            yield from _trimmed(text, start, mark.end())
            start = mark.end()
    yield from _trimmed(text, start, end)


def _ends(text: str, start: int, mark: re.Match[str]) -> bool:
    """Whether a sentence that begins at ``start`` ends here."""
    after = text[mark.end() : mark.end() + 40].lstrip(" \t")
    if mark[0][0] == "\n":
        line = text[max(start, text.rfind("\n", start, mark.start()) + 1) : mark.start()]
        if not line.strip() or not after or after[0] == "\n" or _ITEM.match(after) or line.lstrip()[:1] in "#|":
            return True
        return line.rstrip()[-1:] in ":;" or (len(line) < _WRAPPED and not after[0].islower())
    if mark[0] != ".":
        return True
    following = after.lstrip()[:1]
    before = text[max(start, mark.start() - _BEFORE) : mark.start() + 1]
    return not (following.islower() or _ABBREVIATED.search(before) or (following.isdigit() and _COUNTED.search(before)))


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    """What is left of a sentence without blanks and marks, in pieces if it is very long; nothing if nothing is."""
    while start < end and text[start] in _MARKUP:
        start += 1
    while end > start and text[end - 1] in _MARKUP:
        end -= 1
    for at in range(start, end, _LONGEST):
        yield Sentence(at, min(at + _LONGEST, end))
