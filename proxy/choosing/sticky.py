"""Who stays where, with nothing to remember: the same on every replica and after a restart.

Branches by weighted rendezvous hashing (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005): a
changed weight or a new branch moves only as many subjects as it must.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from hashlib import blake2b

_HASH_RANGE = 1 << 64


def salt(name: str, occurrence: int = 0) -> bytes:
    """A hash key for one branch; branches of one name differ by their occurrence."""
    return blake2b(f"{name}#{occurrence}".encode(), digest_size=16).digest()


def unit(subject: bytes, key: bytes) -> float:
    """A number between 0 and 1, evenly spread over subjects, and independent for each key."""
    digest = blake2b(subject, digest_size=8, key=key).digest()
    return (int.from_bytes(digest, "big") + 1) / (_HASH_RANGE + 1)


def steady(subject: bytes, salts: Sequence[bytes], weights: Sequence[float], places: Iterable[int]) -> int:
    """Index of the branch that ``subject`` keeps, of those at ``places``; their weights are above 0."""
    best, best_score = 0, -math.inf
    for at in places:
        # `unit`, written out: this is done for each branch of each request.
        digest = blake2b(subject, digest_size=8, key=salts[at]).digest()
        score = -weights[at] / math.log((int.from_bytes(digest, "big") + 1) / (_HASH_RANGE + 1))
        if score > best_score:
            best, best_score = at, score
    return best
