"""Which account has read which prefix, for as long as its cache may hold it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

import msgspec

NAME = "prefixes"  # under which it is shared
MOST = 50_000  # prefixes: about 16 MiB; each turn of a conversation has one
_MOST_HOLDERS = 8  # of one prefix


class Holder(msgspec.Struct, frozen=True):
    """A target that has read a prefix, by its name (``provider/model``); until when (``time.monotonic()``) it may have
    it, and for how many seconds from each use."""

    target: str
    until: float
    lifetime: float


class Prefixes:
    """Bounded in number and time; the longest unused go first. Outlives generations, as targets are known by name."""

    __slots__ = ("_holders", "_most", "_now")

    def __init__(self, most: int = MOST, now: Callable[[], float] = monotonic) -> None:
        self._holders: OrderedDict[bytes, tuple[Holder, ...]] = OrderedDict()
        self._most = most
        self._now = now

    def __len__(self) -> int:
        return len(self._holders)

    def holders(self, digest: bytes) -> tuple[Holder, ...]:
        """Who may have the prefix now; the one that read it last comes first."""
        found = self._holders.get(digest)
        if not found:
            return ()
        now = self._now()
        if min([holder.until for holder in found]) > now:
            return found
        found = tuple([holder for holder in found if holder.until > now])
        if found:
            self._holders[digest] = found
        else:
            del self._holders[digest]
        return found

    def remember(self, digest: bytes, target: str, lifetime: float) -> None:
        """``target`` has just read the prefix, and keeps it for so many seconds."""
        others = [holder for holder in self.holders(digest) if holder.target != target]
        holder = Holder(target, self._now() + lifetime, lifetime)
        self._holders[digest] = (holder, *others[: _MOST_HOLDERS - 1])
        self._holders.move_to_end(digest)
        if len(self._holders) > self._most:
            self._holders.popitem(last=False)
