"""Questions that were answered, by what they say: who asks the same in other words finds the answer.

Entries that could share an answer lie together: of one partition (everything but the last thing that the caller said,
compared exactly) and of one form (see ``proxy.semantic.guard``). Only among those are vectors compared, a handful.
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
_OVERHEAD = 600  # bytes that an entry takes beside its vector, text and answer

Vector: TypeAlias = "array[float]"


class Kept(msgspec.Struct, frozen=True):
    """One question and its answer. ``until``: wall clock, seconds; ``answer``: bytes that its owner can read."""

    id: str
    partition: bytes
    question: Question
    vector: Vector
    until: float
    answer: bytes

    @property
    def size(self) -> int:
        """Bytes, about."""
        return _OVERHEAD + 4 * len(self.vector) + 2 * len(self.question.text) + len(self.answer)


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


class Memory:
    """Bounded by ``max_entries`` and ``max_size`` bytes: what was not used for longest goes first."""

    def __init__(self, max_entries: int, max_size: int, now: Callable[[], float]) -> None:
        self.size = 0
        self._max_entries = max_entries
        self._max_size = max_size
        self._now = now
        self._entries: OrderedDict[str, Kept] = OrderedDict()
        self._alike: dict[tuple[bytes, bytes], list[str]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, partition: bytes, question: Question, vector: Vector) -> Found | None:
        """The nearest that says the same; None if nothing does."""
        now = self._now()
        best: Found | None = None
        for id_ in [*self._alike.get((partition, question.key), ())]:
            kept = self._entries[id_]
            if kept.until <= now:
                self.evict(id_)
            elif kept.question.form == question.form and len(kept.vector) == len(vector):
                similarity = sum(map(mul, kept.vector, vector))
                if best is None or similarity > best.similarity:
                    best = Found(kept, min(similarity, 1.0))
        if best is not None:
            self._entries.move_to_end(best.kept.id)
        return best

    def add(self, kept: Kept) -> None:
        """Keep it, in the place of one of the same words."""
        if kept.size > self._max_size:
            return
        alike = self._alike.get((kept.partition, kept.question.key), ())
        same = [id_ for id_ in alike if self._entries[id_].question.text == kept.question.text]
        for id_ in same or alike[: max(0, len(alike) - MOST_ALIKE + 1)]:
            self.evict(id_)
        self.evict(kept.id)
        self._entries[kept.id] = kept
        self._alike.setdefault((kept.partition, kept.question.key), []).append(kept.id)
        self.size += kept.size
        while len(self._entries) > self._max_entries or self.size > self._max_size:
            self.evict(next(iter(self._entries)))

    def evict(self, id_: str) -> bool:
        """Forget one; whether it was there."""
        kept = self._entries.pop(id_, None)
        if kept is None:
            return False
        self.size -= kept.size
        place = (kept.partition, kept.question.key)
        alike = self._alike[place]
        alike.remove(id_)
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
