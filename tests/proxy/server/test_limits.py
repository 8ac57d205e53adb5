"""The defaults of the listening side, and how often it looks."""

from __future__ import annotations

import math

import msgspec
import pytest

from proxy.server.limits import ServerLimits


def test_nothing_is_unlimited_in_a_fresh_config() -> None:
    limits = msgspec.structs.asdict(ServerLimits())
    assert limits == {
        "max_body": 10 * 2**20,
        "max_headers": 32 * 2**10,
        "max_header_count": 100,
        "max_url": 8 * 2**10,
        "max_connections": 10_000,
        "max_websocket_message": 2**20,
        "header_timeout": 10.0,
        "body_timeout": 10.0,
        "body_total_timeout": 60.0,
        "keep_alive": 75.0,
        "write_timeout": 30.0,
        "shutdown_delay": 0.0,
        "drain": 30.0,
    }
    assert all(math.isfinite(value) for value in limits.values())


@pytest.mark.parametrize(("header_timeout", "interval"), [(10.0, 1.0), (2.0, 0.5), (0.001, 0.05)])
def test_the_sweep_is_as_fine_as_the_shortest_deadline_needs(header_timeout: float, interval: float) -> None:
    assert ServerLimits(header_timeout=header_timeout).sweep_interval() == interval
