"""What is counted."""

from __future__ import annotations

from proxy.caching.stats import Stats


def test_it_begins_with_nothing() -> None:
    stats = Stats()
    assert (stats.requests["hit"], stats.kept["stored"], stats.saved_cost, stats.saved_seconds) == (0, 0, 0, 0.0)
