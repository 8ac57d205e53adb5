"""The memory keeps to its bounds, whatever is put into it."""

from __future__ import annotations

import random

from proxy.store import Store
from proxy.store.memory import OVERHEAD, MemoryStore


class _Clock:
    """A time that passes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_what_is_put_is_there_until_it_expires() -> None:
    clock = _Clock()
    store: Store = MemoryStore(10_000, clock=clock)
    assert await store.put("a", b"1", 10)
    clock.now += 9.9
    assert await store.get("a") == b"1"
    clock.now += 0.2
    assert await store.get("a") is None
    assert not await store.delete("a")


async def test_the_latest_value_counts_and_can_be_deleted() -> None:
    store = MemoryStore(10_000)
    await store.put("a", b"1", 10)
    await store.put("a", b"22", 10)
    assert await store.get("a") == b"22"
    assert (len(store), store.size) == (1, 1 + 2 + OVERHEAD)
    assert await store.delete("a")
    assert await store.get("a") is None
    assert (len(store), store.size) == (0, 0)


async def test_what_was_not_used_for_the_longest_time_goes_first() -> None:
    store = MemoryStore(100_000, max_entries=3)
    for key in "abc":
        await store.put(key, b"", 10)
    await store.get("a")
    await store.put("d", b"", 10)
    assert [await store.get(key) is not None for key in "abcd"] == [True, False, True, True]


async def test_bytes_are_bounded() -> None:
    store = MemoryStore(10 * (OVERHEAD + 101))
    for number in range(100):
        await store.put(chr(1000 + number), b"x" * 100, 10)
    assert len(store) == 10
    assert not await store.put("large", b"x" * 100_000, 10)
    assert len(store) == 10


async def test_a_value_that_is_too_large_replaces_the_old_one_by_nothing() -> None:
    store = MemoryStore(1000)
    await store.put("a", b"1", 10)
    assert not await store.put("a", b"x" * 1000, 10)
    assert await store.get("a") is None


async def test_what_has_expired_frees_its_place_at_the_next_put() -> None:
    clock = _Clock()
    store = MemoryStore(1 << 20, clock=clock)
    for number in range(1000):
        await store.put(str(number), b"x", 1 + number % 10)
    clock.now += 5
    await store.put("new", b"x", 10)
    assert len(store) == 501
    clock.now += 100
    await store.put("new", b"x", 10)
    assert len(store) == 1


async def test_nothing_is_kept_for_no_time() -> None:
    store = MemoryStore(1000)
    assert not await store.put("a", b"1", 0)
    assert not await MemoryStore(1000, max_entries=0).put("a", b"1", 10)
    assert len(store) == 0


async def test_keys_that_are_written_again_and_again_leave_nothing_behind() -> None:
    """Neither does a key that is deleted."""
    store = MemoryStore(1 << 20)
    for number in range(10_000):
        await store.put(str(number % 7), b"x", 1000)
        await store.delete(str(number % 3))
    assert len(store._expiry) < 200


async def test_the_memory_agrees_with_a_plain_map() -> None:
    chance, clock = random.Random(7), _Clock()
    store, plain = MemoryStore(1 << 30, clock=clock), dict[str, tuple[bytes, float]]()
    for _ in range(20_000):
        key = str(chance.randrange(50))
        clock.now += chance.random()
        match chance.randrange(3):
            case 0:
                value, lifetime = chance.randbytes(3), chance.uniform(1, 40)
                await store.put(key, value, lifetime)
                plain[key] = (value, clock.now + lifetime)
            case 1:
                known = plain.pop(key, (b"", 0.0))
                assert await store.delete(key) == (known[1] > clock.now)
            case _:
                value, until = plain.get(key, (b"", 0.0))
                assert await store.get(key) == (value if until > clock.now else None)
    assert store.size == sum(entry.size for entry in store._entries.values())
