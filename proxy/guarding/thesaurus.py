"""Words of a text as concepts: which classes each word is in, in one pass of dictionary look-ups.

Building one takes milliseconds (a ``Lexicon`` of that size takes seconds), for it finds whole words alone; in scripts
that do not part words it finds them anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from proxy.guarding.normalise import fold

_TOKEN = re.compile(
    r"https?:[^\s)>\"']{1,200}|[a-z0-9_\u00df-\u058f]+(?:'[a-z]+|@[\w-]{1,60}\.\w{2,20})?"
    r"|[\u0590-\ufffd](?:[ \u0590-\ufffd]*[\u0590-\ufffd])?|[.!?;:\n\"`<>{}\[\]#=|]"
)
_PIECE = re.compile(r"[^\s.!?;:\n\"`<>{}\[\]#=|,()]+")
_SIGNS = {"?": "?", "\n": "", **dict.fromkeys('"`', "quote"), **dict.fromkeys("<>{}[]#=|", "code")}
_BREAKS = frozenset('.!?;:\n"')
END, ASKED = ".", "?"  # classes of what ends a sentence, and of what ends a question
_ENDINGS = (("s", ""), ("es", ""), ("d", ""), ("ed", ""), ("ing", ""), ("ing", "e"), ("ies", "y"), ("ied", "y"))
_LONGEST_WORD = 24  # letters; longer ones are no words
_LONGEST_SIGNS = 10  # of an entry in a script without spaces
_SHORTEST_STEM = 3
_MOST_KEPT = 20_000  # words whose classes are remembered
Classes = tuple[str, ...]
_Phrases = dict[str, dict[tuple[str, ...], Classes]]  # by the second word, by the words after it, long ones first
_Entry = tuple[Classes, _Phrases]  # of a word by itself, and of phrases that begin with it


class Thesaurus:
    """``concepts``: words by class, entries between commas, ``*`` at the end for any ending."""

    __slots__ = ("_known", "_longest", "_phrases", "_signs", "_stems", "_words")

    def __init__(self, concepts: Mapping[str, str]) -> None:
        self._words: dict[str, Classes] = {}
        self._stems: dict[str, Classes] = {}
        self._signs: dict[str, Classes] = {}
        self._phrases: dict[str, _Phrases] = {}
        for name, text in concepts.items():
            for entry in text.split(","):
                self._add(fold(" ".join(entry.split())), name)
        self._longest = max(map(len, self._signs), default=0)
        for by_second in self._phrases.values():
            for second, phrases in by_second.items():
                by_second[second] = dict(sorted(phrases.items(), key=lambda phrase: -len(phrase[0])))
        self._known: dict[str, _Entry | None] = {}

    def _add(self, entry: str, name: str) -> None:
        if entry >= "\u0590":
            sign = entry.rstrip("*").replace(" ", "")
            if 0 < len(sign) <= _LONGEST_SIGNS:
                self._signs[sign] = _with(self._signs.get(sign, ()), name)
            return
        words = _PIECE.findall(entry)
        if len(words) == 1:
            table = self._stems if entry.endswith("*") else self._words
            word = words[0].rstrip("*")
            table[word] = _with(table.get(word, ()), name)
        elif words:
            first, second, *rest = (word.rstrip("*") for word in words)
            phrases = self._phrases.setdefault(first, {}).setdefault(second, {})
            phrases[tuple(rest)] = _with(phrases.get(tuple(rest), ()), name)

    def read(self, text: str) -> Iterator[tuple[int, Classes]]:
        """The place of each word that says something (words are counted), and its classes; text must be folded.
        ``.`` is the class of what ends a sentence."""
        words = _TOKEN.findall(text)
        known, last = self._known, len(words) - 1
        for at, word in enumerate(words):
            entry = known[word] if word in known else self._look_up(word)
            if entry is None:
                continue
            classes, phrases = entry
            if phrases and at < last and words[at + 1] in phrases:
                for rest, names in phrases[words[at + 1]].items():
                    if tuple(words[at + 2 : at + 2 + len(rest)]) == rest:
                        classes = (*classes, *(name for name in names if name not in classes))
                        break
            if classes:
                yield at, classes
            elif word >= "\u0590":
                yield from self._unspaced(at, word)

    def _look_up(self, word: str) -> _Entry | None:
        entry = self._classes(word), self._phrases.get(word, {})
        found = entry if entry[0] or entry[1] or word >= "\u0590" else None
        if len(self._known) < _MOST_KEPT:
            self._known[word] = found
        return found

    def _classes(self, word: str) -> Classes:
        if word in _BREAKS or word in _SIGNS:
            return _sign(word)
        if "@" in word:
            return ("mail",)
        if word.startswith("http") and ":" in word:
            return ("url",)
        if word >= "\u0590" or len(word) > _LONGEST_WORD:
            return ()
        found = self._words.get(word, ())
        if not found and word.isascii() and len(word) > _SHORTEST_STEM + 1:
            for ending, instead in _ENDINGS:
                if word.endswith(ending):
                    found = found or self._words.get(word[: -len(ending)] + instead, ())
        for end in range(_SHORTEST_STEM, len(word) + 1):
            if (more := self._stems.get(word[:end])) is not None:
                found = (*found, *(name for name in more if name not in found))
        return found

    def _unspaced(self, at: int, run: str) -> Iterator[tuple[int, Classes]]:
        text, place = run.replace(" ", ""), 0
        while place < len(text):
            for length in range(min(self._longest, len(text) - place), 0, -1):
                if (found := self._signs.get(text[place : place + length])) is not None:
                    yield at, found
                    break
            else:
                length = 1
            place += length


def _sign(word: str) -> Classes:
    named = _SIGNS.get(word, "")
    ends = (".",) if word in _BREAKS else ()
    return (named, *ends) if named else ends


def _with(classes: Classes, name: str) -> Classes:
    return classes if name in classes else (*classes, name)
