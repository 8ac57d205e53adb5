"""Many words and phrases, found in one pass: a trie, written as a regular expression without repetition in repetition.

At a place of the text the expression follows one path of letters and is done: the time is linear in the text, whatever
it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from proxy.guarding.normalise import fold

_SHORTEST = 4  # letters of a word that is looked for inside of others
_BLANKS = re.compile(r"[^\w']+")
_BLANK, _MAYBE_BLANK = r"[^\w']{1,3}", r"[^\w']{0,3}"
# Edges of words. Letters of scripts that do not part words are no part of a word beside them: 人工AI.
_EDGE_BEFORE, _EDGE_AFTER = r"(?<![0-9A-Za-z_\u00c0-\u058f])", r"(?![0-9A-Za-z_\u00c0-\u058f])"
_ANY_END = "*"
_Trie = dict[str, Any]


class Hit(NamedTuple):
    """A word at ``start`` to ``end`` of the text, and the classes in which it is."""

    start: int
    end: int
    classes: tuple[str, ...]


class Lexicon:
    """Words by class: entries between commas, ``*`` at the end for any ending.

    ``loose``: words are found inside of others, and blanks in phrases may be missing. Words in scripts that do not part
    words are always found so.
    """

    __slots__ = ("_anywhere", "_classes", "_words")

    def __init__(self, phrases: dict[str, str], *, loose: bool = False) -> None:
        entries: dict[str, set[str]] = {}
        for name, text in phrases.items():
            for entry in filter(None, map(_folded, text.split(","))):
                entries.setdefault(entry, set()).add(name)
                entries.setdefault(entry.replace("'", ""), set()).add(name)
        self._classes: dict[str, tuple[str, ...]] = {}
        words: _Trie = {}
        anywhere: _Trie = {}
        for entry in entries:
            word = entry.rstrip(_ANY_END)
            classes = tuple(sorted(_inherited(word, entries)))
            parted = word < "\u0590"
            if not parted or loose:
                bare = word.replace(" ", "")
                if not parted or len(bare) >= _SHORTEST:
                    _add(anywhere, word, "")
                word = bare
            else:
                _add(words, word, "" if entry.endswith(_ANY_END) else _EDGE_AFTER)
            self._classes[word] = tuple(sorted({*self._classes.get(word, ()), *classes}))
        self._words = re.compile(_EDGE_BEFORE + _pattern(words, _BLANK)) if words else None
        self._anywhere = re.compile(_pattern(anywhere, _MAYBE_BLANK)) if anywhere else None

    def find(self, text: str) -> list[Hit]:
        """Every word, by its place; a longer one hides those that are in it, and has their classes."""
        if self._words is None:
            return list(self._hits(self._anywhere, text, ""))
        hits = list(self._hits(self._words, text, " "))
        if not text.isascii():
            hits = sorted([*hits, *self._hits(self._anywhere, text, "")])
        return hits

    def _hits(self, pattern: re.Pattern[str] | None, text: str, blank: str) -> Iterator[Hit]:
        if pattern is None:
            return
        known = self._classes
        for found in pattern.finditer(text):
            word = found[0]
            yield Hit(*found.span(), known[word] if word in known else known[_BLANKS.sub(blank, word)])


def _folded(entry: str) -> str:
    entry = entry.strip()
    ending = _ANY_END if entry.endswith(_ANY_END) else ""
    word = _BLANKS.sub(" ", fold(entry.rstrip(_ANY_END))).strip()
    return word + ending if word else ""


def _inherited(phrase: str, entries: dict[str, set[str]]) -> set[str]:
    """Its own classes, and those of all that is in it: a `system prompt` is a `prompt`, too."""
    found = entries.get(phrase, set()) | entries.get(phrase + _ANY_END, set())
    words = phrase.split(" ")
    if len(words) == 1 or found in ({"talk"}, {"plain"}):
        return found
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            part = " ".join(words[start:end])
            found = found | entries.get(part, set())
            if end == start + 1:
                found = found.union(*(entries.get(part[:at] + _ANY_END, set()) for at in range(3, len(part) + 1)))
    return found


def _add(trie: _Trie, word: str, ending: str) -> None:
    for letter in word:
        trie = trie.setdefault(letter, {})
    if trie.get("end") != "":
        trie["end"] = ending


def _pattern(trie: _Trie, blank: str) -> str:
    """The longest way first; ``blank`` stands for what is between two words: some characters that are no letters."""
    ways = [
        (blank if letter == " " else re.escape(letter)) + _pattern(below, blank)
        for letter, below in trie.items()
        if letter != "end"
    ]
    if (end := trie.get("end")) is not None:
        ways.append(end)
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
