"""What a request costs, and how it is written."""

from __future__ import annotations

from proxy.price import Price, shown


def test_a_request_costs_what_its_tokens_cost() -> None:
    """In whole nano-dollars, rounded up: nothing is ever free by rounding."""
    price = Price(150_000_000, 600_000_000)  # $0.15 and $0.60
    assert price.of(1_000_000, 1_000_000) == 750_000_000
    assert price.of(10, 5) == 4500
    assert Price(1, 0).of(1, 0) == 1
    assert Price(0, 0).of(10, 10) == 0


def test_an_amount_is_written_in_dollars() -> None:
    """With the digits that count."""
    assert [shown(amount) for amount in (0, 4500, 150_000_000, 12_345_678_901)] == ["$0", "$4.5e-06", "$0.15", "$12.35"]
