"""Kept answers of a process: bounded, for a while, and forgotten by name."""

from __future__ import annotations

import pytest

from proxy.caching.memory import OVERHEAD, Memory
from tests.bench.cache import fill
from tests.support.caching import Clock, entry
from tests.support.scale import often


@pytest.fixture
def clock() -> Clock:
    return Clock()


def filled(clock: Clock, *names: bytes, size: int = 10, entries: int = 10) -> Memory:
    """With an entry under each name, of 100 bytes."""
    memory = Memory(size * (100 + OVERHEAD), entries, clock)
    for name in names:
        assert memory.keep(name, bytes(100), ("all", f"model:{name.decode()}"), 0, 60.0)
    return memory


def test_the_least_recently_used_goes_first(clock: Clock) -> None:
    for bound in ({"size": 2}, {"entries": 2}):
        memory = filled(clock, b"a", b"b", **bound)
        assert memory.find(b"a")
        memory.keep(b"c", bytes(100), (), 0, 60.0)
        assert [memory.find(name) is not None for name in (b"a", b"b", b"c")] == [True, False, True]
        assert (len(memory), memory.size, memory.evicted) == (2, 2 * (100 + OVERHEAD), 1)


def test_what_is_too_large_is_not_kept(clock: Clock) -> None:
    memory = filled(clock, b"a")
    assert not memory.keep(b"b", bytes(100_000), (), 0, 60.0)
    assert memory.find(b"a")


def test_its_time_is_over(clock: Clock) -> None:
    memory = filled(clock, b"a")
    clock.at += 59.9
    assert memory.find(b"a")
    clock.at += 0.1
    assert memory.find(b"a") is None
    assert (len(memory), memory.size) == (0, 0)


def test_the_last_one_counts(clock: Clock) -> None:
    memory = filled(clock, b"a")
    memory.keep(b"a", entry(b"x" * 7), (), 0, 60.0)
    assert memory.find(b"a") == entry(b"x" * 7)
    assert memory.size == 7 + OVERHEAD
    memory.discard(b"a")
    memory.discard(b"a")
    assert (len(memory), memory.size) == (0, 0)


def test_names_are_forgotten_with_what_is_under_way(clock: Clock) -> None:
    memory = filled(clock, b"a", b"b")
    before = memory.moment
    assert memory.invalidate("model:a") == 1
    assert [memory.find(name) is not None for name in (b"a", b"b")] == [False, True]
    assert not memory.keep(b"a", b"", ("all", "model:a"), before, 60.0)  # asked for before that
    assert memory.keep(b"c", b"", ("all", "model:c"), before, 60.0)
    assert memory.keep(b"a", b"", ("all", "model:a"), memory.moment, 60.0)
    assert memory.invalidate("all") == 3


def test_what_is_no_longer_known_is_taken_for_forgotten(clock: Clock) -> None:
    """More happened than is remembered."""
    memory = filled(clock)
    before = memory.moment
    for number in range(1001):
        memory.invalidate(f"model:{number}")
    assert not memory.keep(b"a", b"", ("model:a",), before, 60.0)
    assert memory.keep(b"a", b"", ("model:a",), before + 1, 60.0)


@pytest.mark.soak
@pytest.mark.parametrize("size", [10, 1000])
def test_it_takes_no_more_than_its_bound(size: int) -> None:
    """All of it, as the interpreter counts: keys, names, answers and what holds them."""
    entries = often(200, 100_000)
    bound = entries * (size + OVERHEAD) // 2
    for most, expected in ((bound * 2, entries), (bound, entries // 2)):
        count, taken = fill(entries, size, most)
        assert count == expected
        assert taken <= most
