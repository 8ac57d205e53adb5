"""What nodes tell."""

from __future__ import annotations

from typing import Any

from proxy.reports import Reports


def test_somebody_may_listen_or_not() -> None:
    """Nothing is kept for later."""
    reports, heard = Reports(), list[tuple[str, dict[str, Any]]]()
    reports.tell("one", number=1)
    reports.listener = lambda event, fields: heard.append((event, fields))
    reports.tell("two", number=2)
    assert heard == [("two", {"number": 2})]
