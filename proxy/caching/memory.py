"""Kept answers of this process: the least recently used go first when there are too many, or they are too large."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

import msgspec

from proxy.caching.entry import Entry

OVERHEAD = 1500  # bytes of an entry beside its content
_REMEMBERED = 1000  # invalidations; what was asked before the oldest of them is not kept


class _Kept(msgspec.Struct):
    data: Entry | bytes
    size: int
    until: float
    tags: tuple[str, ...]


class Memory:
    """Entries by key: as they are, or packed if they are long. ``max_size`` in bytes, with their overhead."""

    def __init__(self, max_size: int, max_entries: int, now: Callable[[], float] = time.time) -> None:
        self._max_size = max_size
        self._max_entries = max_entries
        self._now = now
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._invalidations: deque[tuple[int, str]] = deque(maxlen=_REMEMBERED)
        self.size = 0
        self.evicted = 0
        self.moment = 0  # invalidations so far

    def find(self, key: bytes) -> Entry | bytes | None:
        """What is kept under ``key``."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._now():
            self._remove(key)
            return None
        self._kept.move_to_end(key)
        return kept.data

    def keep(self, key: bytes, data: Entry | bytes, tags: Iterable[str], moment: int, lifetime: float) -> bool:
        """Keep ``data``, which was asked for at ``moment``; False if it is too large, or was invalidated since."""
        found = tuple(tags)
        size = (len(data) if isinstance(data, bytes) else len(data.body)) + OVERHEAD
        if size > self._max_size or self._is_outdated(found, moment):
            return False
        if key in self._kept:
            self._remove(key)
        self._kept[key] = _Kept(data, size, self._now() + lifetime, found)
        self.size += size
        while self.size > self._max_size or len(self._kept) > self._max_entries:
            self._remove(next(iter(self._kept)))
            self.evicted += 1
        return True

    def invalidate(self, tag: str) -> int:
        """Forget all that has this tag, and what is being asked for; how many there were."""
        self.moment += 1
        self._invalidations.append((self.moment, tag))
        gone = [key for key, kept in self._kept.items() if tag in kept.tags]
        for key in gone:
            self._remove(key)
        return len(gone)

    def discard(self, key: bytes) -> None:
        """Forget one."""
        if key in self._kept:
            self._remove(key)

    def _is_outdated(self, tags: tuple[str, ...], moment: int) -> bool:
        if moment == self.moment:
            return False
        oldest = self._invalidations[0][0]
        return moment < oldest - 1 or any(at > moment and tag in tags for at, tag in self._invalidations)

    def _remove(self, key: bytes) -> None:
        self.size -= self._kept.pop(key).size

    def __len__(self) -> int:
        return len(self._kept)
