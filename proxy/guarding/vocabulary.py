"""Finds words and phrases as whole words, in scripts with spaces between words and in those without."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from proxy.guarding.scanner import Pattern, Patterns, Span

# Scripts that put no space between words: an edge of a word is anywhere.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3005-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
# Points that Arabic and Hebrew put on letters or leave out, and the line that draws a word out.
_POINTED = re.compile("[\u05d0-\u05f2\u0620-\u064a\u066e-\u06d3]")
_POINTS = "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]"


class Vocabulary:
    """A scanner of words by topic: with accents as one character or two, with the points of Arabic and Hebrew or
    without."""

    __slots__ = ("_patterns", "entities")

    def __init__(self, topics: Mapping[str, Sequence[str]]) -> None:
        patterns = []
        for topic, words in topics.items():
            forms = {unicodedata.normalize(form, word) for word in words if word.strip() for form in ("NFC", "NFD")}
            known = sorted({_regex(form) for form in forms}, key=lambda regex: (-len(regex), regex))
            if known:
                patterns.append(Pattern(topic, f"(?i)(?:{'|'.join(known)})", is_word))
        self._patterns = Patterns(patterns) if patterns else None
        self.entities = tuple(topics)

    def scan(self, text: str, start: int = 0) -> list[Span]:
        """See ``proxy.guarding.scanner.Scanner``."""
        return self._patterns.scan(text, start) if self._patterns is not None else []

    def pending(self, text: str, start: int = 0) -> int:
        """See ``proxy.guarding.scanner.Scanner``."""
        return self._patterns.pending(text, start) if self._patterns is not None else len(text)


def _regex(word: str) -> str:
    """Any space stands for any space."""
    return r"\s+".join(_part(part) for part in word.split())


def _part(part: str) -> str:
    if _POINTED.search(part) is None:
        return re.escape(part)
    bare = [char for char in part if re.match(_POINTS, char) is None]
    return "".join(f"{re.escape(char)}{_POINTS}*" for char in bare)


def is_word(text: str, start: int, end: int) -> bool:
    """Whether what stands there is no part of a longer word."""
    return _is_edge(text, start) and _is_edge(text, end)


def _is_edge(text: str, at: int) -> bool:
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M":  # it belongs to the letter before
        return False
    return not (_is_letter(before) and _is_letter(after)) or bool(_UNSPACED.match(before) or _UNSPACED.match(after))


def _is_letter(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.category(char)[0] == "M"
