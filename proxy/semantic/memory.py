"""Questions that were answered, by what they say: who asks the same in other words finds them.

Entries that could share an answer lie together: of one partition (everything but the last thing that the caller said,
compared exactly) and of one form (see ``proxy.semantic.guard``). Only among those are vectors compared, a handful: that
takes 0.17 ms of CPU for 8 of 384 numbers, however many entries there are. A search through all vectors would take 1.1,
7.8 and 14 ms among 20, 50 and 100 thousand (numpy, one thread), by one bit for each number first 0.9, 2.2 and 5.2 ms
(``tests/bench/semantic.py``), and find what may not be given: so there is none.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable
from math import sqrt
from operator import mul
from typing import TypeAlias

import msgspec

from proxy.semantic.guard import Question

NAME = "semantic"  # prefix of the names under which memories are shared
MOST_ALIKE = 8  # entries of one partition and one form: more paraphrases find no more
_OVERHEAD = 800  # bytes that an entry takes beside its vector and text

Vector: TypeAlias = "array[float]"


class Kept(msgspec.Struct, frozen=True):
    """One question. ``key``: under which its answer is kept, by whoever keeps answers. ``until``: seconds since the
    epoch. ``tags``: by which that answer may be invalidated."""

    key: bytes
    partition: bytes
    question: Question
    vector: Vector
    until: float
    tags: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes, about."""
        return _OVERHEAD + 4 * len(self.vector) + 4 * len(self.question.text) + 4 * sum(map(len, self.tags))


class Found(msgspec.Struct, frozen=True):
    """The nearest entry, and how near it is, from -1 to 1."""

    kept: Kept
    similarity: float


def unit(numbers: Iterable[float]) -> Vector | None:
    """A vector of length one; None for one that has no direction, or is no vector."""
    found = array("f", numbers)
    length = sqrt(sum(map(mul, found, found)))
    if not 0 < length < float("inf"):
        return None
    return array("f", [value / length for value in found])


def nearest(alike: Iterable[Kept], vector: Vector) -> Found | None:
    """That of ``alike`` that is nearest; None if there is none. Vectors of another length are not compared."""
    best: Found | None = None
    for kept in alike:
        if len(kept.vector) == len(vector):
            similarity = sum(map(mul, kept.vector, vector))
            if best is None or similarity > best.similarity:
                best = Found(kept, min(similarity, 1.0))
    return best


class Memory:
    """Bounded by ``max_entries`` and ``max_size`` bytes: what was not used for longest goes first."""

    def __init__(self, max_entries: int, max_size: int, now: Callable[[], float]) -> None:
        self.size = 0
        self._max_entries = max_entries
        self._max_size = max_size
        self._now = now
        self._entries: OrderedDict[bytes, Kept] = OrderedDict()
        self._alike: dict[tuple[bytes, bytes], list[bytes]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def has(self, partition: bytes, question: Question) -> bool:
        """Whether there is any that says the same: only then it is worth a vector."""
        return (partition, question.key) in self._alike

    def find(self, partition: bytes, question: Question, vector: Vector) -> Found | None:
        """The nearest that says the same; None if nothing does."""
        now = self._now()
        alike = []
        for key in [*self._alike.get((partition, question.key), ())]:
            kept = self._entries[key]
            if kept.until <= now:
                self.evict(key)
            elif kept.question.form == question.form:
                alike.append(kept)
        best = nearest(alike, vector)
        if best is not None:
            self._entries.move_to_end(best.kept.key)
        return best

    def add(self, kept: Kept) -> None:
        """Keep it, in the place of one of the same words."""
        if kept.size > self._max_size:
            return
        alike = self._alike.get((kept.partition, kept.question.key), ())
        same = [key for key in alike if self._entries[key].question.text == kept.question.text]
        for key in same or alike[: max(0, len(alike) - MOST_ALIKE + 1)]:
            self.evict(key)
        self.evict(kept.key)
        self._entries[kept.key] = kept
        self._alike.setdefault((kept.partition, kept.question.key), []).append(kept.key)
        self.size += kept.size
        while len(self._entries) > self._max_entries or self.size > self._max_size:
            self.evict(next(iter(self._entries)))

    def evict(self, key: bytes) -> bool:
        """Forget one; whether it was there."""
        kept = self._entries.pop(key, None)
        if kept is None:
            return False
        self.size -= kept.size
        place = (kept.partition, kept.question.key)
        alike = self._alike[place]
        alike.remove(key)
        if not alike:
            del self._alike[place]
        return True

    def clear(self) -> int:
        """Forget all; how many there were."""
        count = len(self._entries)
        self._entries.clear()
        self._alike.clear()
        self.size = 0
        return count
