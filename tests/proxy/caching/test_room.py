"""Where answers are kept: here, or in a store that others see; and what is done if that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from proxy.caching.entry import COMPRESS_FROM, seal
from proxy.caching.memory import Memory
from proxy.caching.room import Caches, Moment, Room, StoreFailed
from tests.support.caching import Clock, entry

KEY, TAGS = b"k" * 32, ("all", "model:m", "route:chat", "entry:1")


class Somewhere:
    """A store that others see, and that can fail."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.counts: dict[str, int] = {}
        self.fails = False
        self.closed = False

    def _check(self) -> None:
        if self.fails:
            raise StoreFailed("gone")

    async def find(self, key: bytes, tags: Sequence[str]) -> tuple[bytes | None, Moment]:
        """What is there."""
        self._check()
        return self.kept.get(key), tuple(self.counts.get(tag, 0) for tag in tags)

    async def keep(self, key: bytes, data: bytes, lifetime: float) -> None:
        """Keep."""
        self._check()
        self.kept[key] = data

    async def invalidate(self, tag: str) -> None:
        """Count."""
        self._check()
        self.counts[tag] = self.counts.get(tag, 0) + 1

    async def discard(self, key: bytes) -> None:
        """Forget."""
        self.kept.pop(key, None)

    async def aclose(self) -> None:
        """Remember."""
        self.closed = True


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def room(told: list[tuple[str, str]]) -> Room:
    clock = Clock()
    return Room("chat", Caches(), Memory(10**6, 100, clock), lambda *words: told.append(words), clock)


@pytest.fixture
def store(room: Room) -> Somewhere:
    """That room shares what it has."""
    found = room._caches.shared = Somewhere()
    return found


@pytest.mark.parametrize("size", [10, COMPRESS_FROM * 3])
async def test_what_is_kept_is_found(size: int, room: Room) -> None:
    """Long ones are packed."""
    one = entry(b"a" * size)
    assert room.is_local
    assert (await room.find(KEY, TAGS)).entry is None
    assert await room.keep(KEY, one, TAGS, 60.0)
    assert room.look(KEY).entry == one
    assert room.memory.size < size + 1600 if size < COMPRESS_FROM else size


async def test_damage_is_a_miss_that_is_told(room: Room, told: list[tuple[str, str]]) -> None:
    room.memory.keep(KEY, seal(b"other" * 6, entry()), TAGS, 0, 60.0)
    assert room.look(KEY).entry is None
    assert told == [("damaged", "checksum")]
    assert len(room.memory) == 0


async def test_others_see_it(room: Room, store: Somewhere) -> None:
    found = await room.find(KEY, TAGS)
    one = entry(marks=found.moment)
    assert await room.keep(KEY, one, TAGS, 60.0)
    assert (await room.find(KEY, TAGS)).entry == one
    assert len(room.memory) == 0
    await room.invalidate("model:m")
    assert (await room.find(KEY, TAGS)).entry is None
    await room.keep(KEY, one, TAGS, 60.0)  # it was asked for before that
    assert (await room.find(KEY, TAGS)).entry is None


@pytest.mark.parametrize("is_shared", [False, True])
async def test_what_a_version_of_a_model_has_said_is_forgotten_by_its_name(is_shared: bool, room: Room) -> None:
    """Here that version alone; where it is shared, a look-up cannot know the version, and all go."""
    if is_shared:
        room._caches.shared = Somewhere()
    tags = (*TAGS, "version")
    for key, version in ((KEY, "m-1"), (b"o" * 32, "m-2")):
        found = await room.find(key, tags)
        assert await room.keep(key, entry(marks=found.moment, version=version), tags, 60.0)
    late = await room.find(b"l" * 32, tags)
    await room.invalidate("version:m-1")
    assert (await room.find(KEY, tags)).entry is None
    assert ((await room.find(b"o" * 32, tags)).entry is None) is is_shared
    await room.keep(b"l" * 32, entry(marks=late.moment, version="m-1"), tags, 60.0)  # it was asked for before that
    assert (await room.find(b"l" * 32, tags)).entry is None


async def test_damage_in_a_store_is_a_miss(room: Room, store: Somewhere, told: list[tuple[str, str]]) -> None:
    store.kept[KEY] = b"poison"
    assert (await room.find(KEY, TAGS)).entry is None
    store.kept[KEY] = seal(b"o" * 32, entry(marks=(0, 0, 0, 0)))
    assert (await room.find(KEY, TAGS)).entry is None
    assert told == [("damaged", "truncated"), ("damaged", "checksum")]


async def test_a_store_that_fails_is_a_miss(room: Room, store: Somewhere, told: list[tuple[str, str]]) -> None:
    """And nothing is kept; or memory is used, if the file says so."""
    store.fails = True
    found = await room.find(KEY, TAGS)
    assert (found.entry, found.moment) == (None, ())
    assert not await room.keep(KEY, entry(marks=found.moment), TAGS, 60.0)
    here = await room.find(KEY, TAGS, otherwise_here=True)
    assert await room.keep(KEY, entry(marks=here.moment), TAGS, 60.0)
    assert (await room.find(KEY, TAGS, otherwise_here=True)).entry is not None
    assert told[0] == ("store", "gone")
    with pytest.raises(StoreFailed):
        await room.invalidate("all")
    store.fails = False
    assert not (await room.find(KEY, TAGS)).entry


async def test_a_store_that_fails_late_is_told(room: Room, store: Somewhere, told: list[tuple[str, str]]) -> None:
    found = await room.find(KEY, TAGS)
    store.fails = True
    assert not await room.keep(KEY, msgspec.structs.replace(entry(), marks=found.moment), TAGS, 60.0)
    assert told == [("store", "gone")]


async def test_it_is_closed(room: Room, store: Somewhere) -> None:
    await room.aclose()
    await room._caches.aclose()
    await Caches().aclose()
    assert store.closed
