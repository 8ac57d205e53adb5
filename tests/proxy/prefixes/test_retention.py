"""What is not known to be kept must be told."""

from __future__ import annotations

from proxy.prefixes.retention import UNKNOWN, Retention


def test_an_unknown_service_keeps_nothing_by_itself() -> None:
    """Only what its usage tells counts; then for as long as anybody's."""
    assert not UNKNOWN.automatic
    assert UNKNOWN.lifetime == Retention().lifetime == 600
