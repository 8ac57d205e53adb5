"""What kept answers are called in a store."""

from __future__ import annotations

from proxy.store.names import COUNTS, PREFIX, name_of


def test_a_name_gives_no_key_away() -> None:
    """It is always the same, and another for another key."""
    key = b"k" * 32
    assert name_of(key) == name_of(key) != name_of(b"l" * 32)
    assert key not in name_of(key)
    assert key.hex().encode() not in name_of(key)
    assert len(name_of(b"")) == len(name_of(key)) == 64
    assert COUNTS.startswith(PREFIX)
