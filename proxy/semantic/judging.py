"""Whether two answers say the same: how shadow mode finds out what would have been wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from operator import mul

from proxy.chat import Completion, Text

ALIKE = 0.9  # of the vectors of two answers that say the same in other words
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_TURNING = re.compile(r"\b(?:not|no|never|none|cannot|without|yes)\b|n't\b")
_WORD = re.compile(r"\w+")


def text_of(completion: Completion) -> str:
    """What the first answer says."""
    parts = completion.choices[0].parts if completion.choices else ()
    return "".join(part.text for part in parts if isinstance(part, Text))


def is_equal(one: str, other: str) -> bool:
    """Word by word: marks, capitals and spaces do not count."""
    return _WORD.findall(one.lower()) == _WORD.findall(other.lower())


def is_same(one: str, other: str, vectors: tuple[Sequence[float], Sequence[float]] | None) -> bool | None:
    """Whether both are one answer; None if it takes vectors to tell, and there are none. Other numbers, or a "not"
    more, make another answer whatever the vectors say."""
    if is_equal(one, other):
        return True
    for pattern in (_NUMBER, _TURNING):
        if Counter(pattern.findall(one.lower())) != Counter(pattern.findall(other.lower())):
            return False
    if vectors is None:
        return None
    one_vector, other_vector = vectors
    return bool(sum(map(mul, one_vector, other_vector)) >= ALIKE)
