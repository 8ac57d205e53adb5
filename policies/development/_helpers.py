"""Which requests a fault meets: by chance that can be repeated, by header, by caller, by the time of day."""

from __future__ import annotations

from fnmatch import fnmatchcase
from hashlib import sha256

from proxy.exchange import Exchange

_RANGE = 2.0**64


def chance(seed: int, which: str, at: str) -> float:
    """From 0 to 1, the same for the same three: of a seed, a request, and what is decided about it."""
    digest = sha256(f"{seed}\0{which}\0{at}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8]) / _RANGE


class Counter:
    """How many requests have come. Outlives reloads."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def next(self) -> str:
        """The number of the request that comes now, from 1."""
        self._count += 1
        return str(self._count)


class Conditions:
    """What must hold of a request. ``schedule``: how often, and for how long of that, in seconds; ``headers`` names in
    lower case, with the value that they must have (`*`: any)."""

    __slots__ = ("_headers", "_keys", "_probability", "_schedule")

    def __init__(
        self,
        probability: float,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        keys: tuple[str, ...] = (),
        schedule: tuple[float, float] | None = None,
    ) -> None:
        self._probability = probability
        self._headers = headers
        self._keys = keys
        self._schedule = schedule

    def hold(self, x: Exchange, drawn: float, now: float) -> bool:
        """``drawn`` from 0 to 1; ``now`` in seconds since the epoch."""
        if drawn >= self._probability:
            return False
        if self._schedule is not None and now % self._schedule[0] >= self._schedule[1]:
            return False
        return self._has_headers(x) and self._is_of(x)

    def _has_headers(self, x: Exchange) -> bool:
        for name, wanted in self._headers:
            found = x.header(name)
            if found is None or (wanted != b"*" and found != wanted):
                return False
        return True

    def _is_of(self, x: Exchange) -> bool:
        if not self._keys:
            return True
        who = x.identity
        if who is None:
            return False
        name = f"{who.organisation}/{who.team}/{who.key}"
        return any(fnmatchcase(name, pattern) for pattern in self._keys)

    def __str__(self) -> str:
        """For ``explain``."""
        parts = [f"{self._probability * 100:g}% of requests"]
        if self._headers:
            parts.append("with " + ", ".join(f"{name.decode()}: {value.decode()}" for name, value in self._headers))
        if self._keys:
            parts.append(f"of {', '.join(self._keys)}")
        if self._schedule is not None:
            parts.append(f"in the first {self._schedule[1]:g} s of every {self._schedule[0]:g} s")
        return " ".join(parts)
