"""What came of reading another gateway's file."""

from __future__ import annotations

from proxy.importing.imported import Finding, Imported


def test_what_is_lost_is_told_apart() -> None:
    kept, lost = Finding(1, 1, "a", "carried", "so"), Finding(2, 1, "b", "not carried", "why")
    assert Imported("x", (kept, lost, Finding(3, 1, "c", "needless", "so"))).lost == (lost,)
