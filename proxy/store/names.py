"""How kept answers are called in a store that replicas share.

Names are made of keys, and the keys themselves are in no store: who can write there cannot make an answer that passes
for one of ours.
"""

from __future__ import annotations

from hashlib import sha256

PREFIX = b"sluicegate:cache:"
COUNTS = PREFIX + b"invalidated"  # how often each tag was


def name_of(key: bytes) -> bytes:
    """Under which what belongs to ``key`` lies, below some prefix."""
    return sha256(b"name" + key).hexdigest().encode()
