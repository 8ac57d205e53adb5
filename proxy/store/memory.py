"""Entries in the memory of this process, within bounds."""

from __future__ import annotations

import heapq
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

OVERHEAD = 256  # bytes that an entry takes beside its key and its value, about
_SLACK = 64


class _Entry(NamedTuple):
    value: bytes
    expires: float
    size: int
    serial: int


class MemoryStore:
    """See ``proxy.store.Store``. At most ``max_size`` bytes and ``max_entries``; the least recently used go first.

    Entries that have expired go at the next ``put``, in the order in which they expire, so that nothing is scanned.
    """

    __slots__ = ("_clock", "_entries", "_expiry", "_max_entries", "_max_size", "_serial", "size")

    def __init__(
        self, max_size: int, max_entries: int = 1 << 20, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_size = max_size
        self._max_entries = max_entries
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._expiry: list[tuple[float, int, str]] = []  # a heap; of entries that are gone too, until they are met
        self._serial = 0
        self.size = 0  # bytes in use

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, key: str) -> bytes | None:
        """What is kept under ``key``."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.expires <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.value

    async def put(self, key: str, value: bytes, lifetime: float) -> bool:
        """Keep ``value`` for ``lifetime`` seconds, in place of what was there. False: it is too large to be kept."""
        self._drop(key)
        now = self._clock()
        self._expire(now)
        size = len(key) + len(value) + OVERHEAD
        if size > self._max_size or self._max_entries < 1 or lifetime <= 0:
            return False
        while self.size + size > self._max_size or len(self._entries) >= self._max_entries:
            self._drop(next(iter(self._entries)))
        self._serial += 1
        self._entries[key] = _Entry(value, now + lifetime, size, self._serial)
        self.size += size
        heapq.heappush(self._expiry, (now + lifetime, self._serial, key))
        return True

    async def delete(self, key: str) -> bool:
        """Forget ``key``; whether it was there."""
        entry = self._entries.get(key)
        if entry is None:
            return False
        self._drop(key)
        return entry.expires > self._clock()

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry.size

    def _expire(self, now: float) -> None:
        expiry = self._expiry
        while expiry and expiry[0][0] <= now:
            _, serial, key = heapq.heappop(expiry)
            entry = self._entries.get(key)
            if entry is not None and entry.serial == serial:
                self._drop(key)
        if len(expiry) > 2 * len(self._entries) + _SLACK:
            # Mostly of entries that went before their time.
            self._expiry = [(entry.expires, entry.serial, key) for key, entry in self._entries.items()]
            heapq.heapify(self._expiry)
