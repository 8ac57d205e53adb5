"""What a sentence states, in units that can be compared: numbers, names, words, and whether it denies.

Numbers are compared by value and with their units, names letter by letter, other words by their stems. English is
known best; of other languages numbers, names (where capitals tell them) and words as they are written are compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from proxy.grounding.english import (
    ALIKE,
    ANAPHORA,
    CAPITALISING,
    COMMON,
    DENYING,
    DROPPED,
    PARTICLES,
    PAST,
    TITLES,
    UNITS,
)
from proxy.grounding.numbers import numbers, parted
from proxy.semantic.words import DONE, SAME

_TOKEN = re.compile(r"(?<!\w)\d+(?:[.,:]\d+)*(?!\w)|[$€£¥%]|[^\W_]+(?:'[^\W\d_]+)?")
_WITHIN = re.compile(r"(?<=[\w,] )[^\W\d_][^\W_]*")  # a word that does not begin a sentence
_ISO_DATE = re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])-([0-2]\d|3[01])\b")
_YEAR = "January February March April May June July August September October November December"
_BACK = re.compile(r"\b(?:send|sent|bring|brought|give|gave|ship|mail|take)(?:s|ing|ped)?(?: [a-z]+){0,3} back\b")
_DIGIT = re.compile(r"\d")
_UNSPACED = re.compile("[\u0e00-\u0eff\u2e80-\u2fff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_PLURAL = re.compile(r".*(?<![aiosu])s")
_ENDINGS = ("ing", "ed", "ly", "ion", "ment", "able", "ible", "ous", "ful", "ive", "ity", "ness", "ance", "ence")
_STEM = 6  # letters that make a stem
_LOUD = 0.7  # share of capitals from which on they tell no names
_GERMAN = 0.08  # share of function words of languages that write all nouns with capitals


class Stated(NamedTuple):
    """``exact``: numbers and names; ``names``: without the numbers, ``subject`` the first of them. ``words``: stems of
    the other words that mean something; ``forms``: everything that a number or a name of another sentence may be equal
    to. ``denies``: something is not so. ``refers``: it begins with a word for what was named before."""

    exact: frozenset[str]
    words: frozenset[str]
    forms: frozenset[str]
    names: frozenset[str]
    subject: frozenset[str]
    denies: bool
    refers: bool

    @property
    def size(self) -> int:
        """How many units there are to be compared."""
        return len(self.exact) + len(self.words)


class Known(NamedTuple):
    """Words of the passages in small letters, and those with a capital within sentences: they tell whether a capital at
    the begin of a sentence makes a name. ``is_mute``: capitals tell nothing in this language."""

    small: frozenset[str] = frozenset()
    capital: frozenset[str] = frozenset()
    is_mute: bool = False


def learn(texts: Iterable[str]) -> Known:
    """What passages tell of their words."""
    small: set[str] = set()
    capital: set[str] = set()
    count = german = 0
    for text in texts:
        words = _TOKEN.findall(text)
        lower = [word for word in words if word[0].islower()]
        small.update(lower)
        capital.update(word.lower() for word in _WITHIN.findall(text) if word[0].isupper())
        german += sum(word in CAPITALISING for word in lower)
        count += len(words)
    return Known(frozenset(small), frozenset(capital - COMMON), german > _GERMAN * count)


def stated(text: str, known: Known) -> Stated:
    """What one sentence states."""
    text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    months = _YEAR.split()
    text = _ISO_DATE.sub(lambda date: f"{date[1]} {months[int(date[2]) - 1]} {int(date[3])}", text)
    text = _BACK.sub("return", text)
    tokens = [part for token in _TOKEN.findall(text) for part in parted(token)]
    lower = [token.lower().removesuffix("'s").removesuffix("n't") for token in tokens]
    exact: set[str] = set()
    forms = set(lower)
    said: set[int] = set()  # tokens of numbers
    for number in numbers(lower):
        said.update(range(number.start, number.end))
        before = UNITS.get(lower[number.start - 1], "") if number.start else ""
        forms.update((f"#{number.value}", f"#{number.value} {number.unit or before}"))
        exact.add(f"#{number.value} {number.unit}".rstrip())
    names: dict[str, int] = {}  # by where they stand
    words: set[str] = set()
    quiet = known.is_mute or sum(map(str.isupper, text)) > _LOUD * sum(map(str.isalpha, text))
    for at, word in enumerate(lower):
        if at in said or (word in UNITS and not said.isdisjoint((at - 1, at - 2))):
            continue
        if not word.isascii() and _UNSPACED.match(word):
            pairs = {word[start : start + 2] for start in range(max(1, len(word) - 1))}
            forms |= pairs
            words |= pairs
        elif not quiet and _is_name(tokens, at, known):
            names.setdefault(word, at)
        elif word not in DROPPED and word not in DENYING and len(word) > 1:
            words.add(stem(word))
    denies = not DENYING.isdisjoint(lower) or "n't" in text.lower()
    refers = bool(lower) and lower[0] in ANAPHORA
    first = min(names.values(), default=0)
    subject = (name for number, (name, at) in enumerate(names.items()) if at - number == first)
    return Stated(
        frozenset(exact | names.keys()),
        frozenset(words),
        frozenset(forms),
        frozenset(names),
        frozenset(subject),
        denies,
        refers,
    )


def _is_name(tokens: list[str], at: int, known: Known) -> bool:
    """Whether a word names something: it has a capital, or is made of letters and digits."""
    token = tokens[at]
    if token.islower() and token.isalpha():
        return False
    word = token.lower().removesuffix("'s")
    if _DIGIT.search(token):
        return True
    if not token[0].isupper() or word in DROPPED or word in TITLES:
        return False
    if at or not token[1:].islower():
        return True
    # At the begin of a sentence anything has a capital.
    if word in known.capital:
        return True
    following = tokens[1] if len(tokens) > 1 else ""
    if word in known.small or word in COMMON or following.lower() in PARTICLES:
        return False
    return following[:1].isupper() or not (word.endswith(_ENDINGS) or _PLURAL.fullmatch(word))


@lru_cache(1 << 14)
def stem(word: str) -> str:
    """What words of one family have in common, roughly; synonyms that are known have the same."""
    word = ALIKE.get(word) or DONE.get(word) or PAST.get(word, word)
    word = ALIKE.get(word) or SAME.get(word, word)
    return _cut(ALIKE.get(_bare(word), word))


def _bare(word: str) -> str:
    """Without the ending of a plural or a tense."""
    if word.endswith(("ies", "ied")) and len(word) > 4:
        word = f"{word[:-3]}y"
    elif word.endswith("ing") and len(word) > 5:
        word = word[:-3]
    elif word.endswith(("ed", "ly")) and len(word) > 4:
        word = word[:-2]
    elif word.endswith("s") and len(word) > 3 and not word.endswith("ss"):
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word  # shipped


def _cut(word: str) -> str:
    return _bare(word).removesuffix("e")[:_STEM]
