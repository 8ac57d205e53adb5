"""Where questions and answers lie."""

from __future__ import annotations

import math

import pytest

from proxy.semantic.guard import Question, read
from proxy.semantic.memory import MOST_ALIKE, Kept, Memory, Vector, unit

NEAR, FAR = [1.0, 0.1], [0.1, 1.0]


class Clock:
    """Moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _question(text: str) -> Question:
    found = read(text)
    assert found is not None
    return found


def _vector(*numbers: float) -> Vector:
    found = unit(numbers)
    assert found is not None
    return found


def _kept(id_: str, text: str, vector: list[float] = NEAR, partition: bytes = b"p", until: float = 60.0) -> Kept:
    return Kept(id_.encode(), partition, _question(text), _vector(*vector), until)


def _memory(clock: Clock | None = None, entries: int = 100, size: int = 1 << 20) -> Memory:
    return Memory(entries, size, clock or Clock())


def _find(memory: Memory, text: str, partition: bytes = b"p") -> str | None:
    found = memory.find(partition, _question(text), _vector(*NEAR))
    return None if found is None else found.kept.key.decode()


def test_the_nearest_of_one_form_is_found() -> None:
    """In other words, with how near it is."""
    memory = _memory()
    memory.add(_kept("far", "How do I pay the bill?", FAR))
    memory.add(_kept("near", "Hi, how can I pay the bill?", NEAR))
    found = memory.find(b"p", _question("How can the bill be paid?"), _vector(*NEAR))
    assert found is not None
    assert found.kept.key == b"near"
    assert found.similarity == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["How do I pay the bills?", "How do I pay 2 bills?", "How do I not pay the bill?"])
def test_another_form_is_never_found(text: str) -> None:
    """However near its vector is."""
    memory = _memory()
    memory.add(_kept("a", "How do I pay the bill?"))
    assert _find(memory, text) is None


def test_partitions_do_not_meet() -> None:
    """And vectors of another model have another length."""
    memory = _memory()
    memory.add(_kept("a", "Pay it", partition=b"one"))
    assert _find(memory, "Pay it", b"two") is None
    memory.add(_kept("b", "Pay it", [1.0, 0.1, 0.0]))
    assert _find(memory, "Pay it") is None


def test_an_entry_ends() -> None:
    """At its time."""
    clock = Clock()
    memory = _memory(clock)
    memory.add(_kept("a", "Pay it", until=10.0))
    clock.now = 9.9
    assert _find(memory, "Pay it") == "a"
    clock.now = 10.0
    assert _find(memory, "Pay it") is None
    assert (len(memory), memory.size) == (0, 0)


def test_it_is_bounded() -> None:
    """By entries and bytes: what was not used for longest goes."""
    memory = _memory(entries=3)
    for name in "abc":
        memory.add(_kept(name, f"Pay {name}x"))
    assert _find(memory, "Pay ax") == "a"
    memory.add(_kept("d", "Pay dx"))
    assert [_find(memory, f"Pay {name}x") for name in "abcd"] == ["a", None, "c", "d"]
    small = _memory(size=_kept("a", "Pay it").size * 2)
    for name in "abc":
        small.add(_kept(name, f"Pay {name}x"))
    assert len(small) == 2
    small.add(_kept("e", "x" * 900, [1.0] * 2000))
    assert len(small) == 2


def test_words_that_are_there_are_replaced() -> None:
    """And of many paraphrases the latest stay."""
    memory = _memory()
    memory.add(_kept("a", "Pay it"))
    memory.add(_kept("b", "Pay it"))
    assert (len(memory), _find(memory, "Pay it")) == (1, "b")
    for number in range(3 * MOST_ALIKE):
        memory.add(_kept(str(number), "Pay it" + "!" * number))
    assert len(memory) == MOST_ALIKE


def test_it_forgets() -> None:
    """One, or all."""
    memory = _memory()
    memory.add(_kept("a", "Pay it"))
    assert memory.evict(b"a")
    assert not memory.evict(b"a")
    memory.add(_kept("b", "Pay it"))
    assert memory.clear() == 1
    assert _find(memory, "Pay it") is None
    assert memory.size == 0


@pytest.mark.parametrize("numbers", [[], [0.0, 0.0], [math.inf], [math.nan, 1.0]])
def test_what_is_no_vector(numbers: list[float]) -> None:
    """Providers may send anything."""
    assert unit(numbers) is None
