"""Max-min shares."""

from __future__ import annotations

import pytest

from proxy.admission.fairness import Shares, water_level


@pytest.mark.parametrize(
    ("demands", "limit", "level"),
    [
        ([(10, 1), (1000, 1)], 100, 90),
        ([(60, 1), (60, 1)], 100, 50),
        ([(1000, 3), (1000, 1)], 100, 25),
        ([(10, 1), (30, 1), (1000, 1)], 100, 60),
    ],
)
def test_who_asks_for_less_gets_all_and_the_others_divide_the_rest(
    demands: list[tuple[float, float]], limit: float, level: float
) -> None:
    """The level is where the demands, cut there, add up to the limit."""
    assert water_level(demands, limit) == pytest.approx(level)


def test_without_tenants_everything_is_left() -> None:
    """An empty table divides nothing."""
    assert water_level([], 100) == 100


def test_a_quiet_tenant_is_never_without_a_token_beside_a_flood() -> None:
    """Twenty times the share for one leaves the other all it asks for."""
    shares = Shares()
    for _ in range(40):
        for _ in range(100):
            shares.count("flood", 1.0)
        shares.count("quiet", 1.0)
        shares.measure(0.05)
    shares.fill(100.0)
    taken = 0
    for _ in range(100):
        quiet = shares.count("quiet", 1.0)
        assert quiet.tokens >= 1.0
        quiet.tokens -= 1.0
        for _ in range(100):
            flood = shares.count("flood", 1.0)
            if flood.tokens >= 1.0:
                flood.tokens -= 1.0
                taken += 1
        shares.measure(0.05)
        shares.divide(100.0, 0.05)
    assert 300 <= taken <= 500  # of five seconds at 100 a second, beside the 100 of the quiet one


def test_the_table_is_bounded() -> None:
    """The tenant that was not seen for longest makes room."""
    shares = Shares(most=10)
    for number in range(100):
        shares.count(f"t{number}", 1.0)
    assert len(shares) == 10
