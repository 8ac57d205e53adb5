"""Several keys for one account: requests are spread over them, and a key that was limited rests until its reset."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

MAX_RESTING = 4096  # key and model pairs; beyond that those that end soonest are forgotten
DEFAULT_REST = 1.0  # seconds, for a provider that does not say how long
REFUSED_REST = 60.0


class KeyHealth:
    """What is known of the keys of one account. Survives reloads; knows keys by their digests only.

    Providers limit by model: a key that rests for one model still serves the others. ``model`` "" is all of them.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[tuple[bytes, str], float] = {}
        self._refused: dict[bytes, float] = {}
        self._turn = 0

    def rest(self, key: bytes, model: str, seconds: float) -> None:
        """Leave this key alone for that model for so long."""
        if len(self._until) >= MAX_RESTING:
            self._forget()
        self._until[key, model] = self._clock() + seconds

    def refuse(self, key: bytes) -> None:
        """The provider does not accept this key; it is tried again after a while."""
        self._refused[key] = self._clock() + REFUSED_REST
        if len(self._refused) > MAX_RESTING:
            del self._refused[next(iter(self._refused))]

    def turn(self) -> int:
        """Whose turn it is: a number that grows."""
        self._turn += 1
        return self._turn

    def wait(self, key: bytes, model: str) -> float:
        """Seconds until this key may be used for that model; 0 if now."""
        if not self._until and not self._refused:
            return 0.0
        until = max(self._until.get((key, model), 0.0), self._until.get((key, ""), 0.0), self._refused.get(key, 0.0))
        return max(0.0, until - self._clock())

    def is_refused(self, key: bytes) -> bool:
        """Whether it rests because the provider did not accept it."""
        return self._refused.get(key, 0.0) > self._clock()

    def _forget(self) -> None:
        now = self._clock()
        left = sorted(((until, key) for key, until in self._until.items() if until > now), reverse=True)
        self._until = {key: until for until, key in left[: MAX_RESTING // 2]}


class KeyRing:
    """The keys of one compiled account, in turn."""

    __slots__ = ("_digests", "_health")

    def __init__(self, keys: list[str], health: KeyHealth) -> None:
        self._digests = [hashlib.sha256(key.encode()).digest() for key in keys]
        self._health = health

    def pick(self, model: str) -> int | None:
        """Index of the next key that may be used for ``model``; None if all rest."""
        count = len(self._digests)
        first = self._health.turn()
        for step in range(count):
            index = (first + step) % count
            if not self._health.wait(self._digests[index], model):
                return index
        return None

    def rest(self, index: int, model: str, seconds: float) -> None:
        """Leave this key alone for a while."""
        self._health.rest(self._digests[index], model, seconds)

    def refuse(self, index: int) -> None:
        """The provider did not accept this key."""
        self._health.refuse(self._digests[index])

    def soonest(self, model: str) -> float:
        """Seconds until one of the keys may be used again."""
        return min(self._health.wait(digest, model) for digest in self._digests)

    def all_refused(self) -> bool:
        """Whether none of the keys is accepted."""
        return all(self._health.is_refused(digest) for digest in self._digests)
