"""What is worth a line."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.telemetry.lines import level_of


@pytest.mark.parametrize(
    ("event", "fields", "level"),
    [
        ("limit.alert", {}, "warning"),
        ("canary.rolled_back", {}, "warning"),
        ("cache.damaged", {"reason": "checksum"}, "warning"),
        ("cache.damaged", {"reason": "model"}, None),
        ("check.failing", {}, "warning"),
        ("check.recovered", {}, "info"),
        ("mirror.compared", {}, "info"),
        ("mirror.left", {}, None),
        ("limit.over", {"action": "report"}, "info"),
        ("limit.over", {"action": "reject"}, None),
        ("cache.request", {}, None),
        ("cache_semantic.sample", {}, None),
    ],
)
def test_how_weighty_it_is(event: str, fields: dict[str, Any], level: str | None) -> None:
    """What happens all the time is only counted."""
    assert level_of(event, fields) == level
