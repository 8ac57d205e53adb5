"""`POST /v1/feedback` without a gateway around it: the rest is in tests/e2e/test_experiments.py."""

from __future__ import annotations

from proxy.experiments.endpoint import BURST, RATE, Rate


def test_a_team_may_send_so_much() -> None:
    """At once, and then by the second; another team has its own."""
    now = [0.0]
    rate = Rate(lambda: now[0])
    assert all(rate.admits("a") for _ in range(int(BURST)))
    assert not rate.admits("a")
    assert rate.admits("b")
    now[0] = 10 / RATE
    assert [rate.admits("a") for _ in range(11)] == [True] * 10 + [False]
