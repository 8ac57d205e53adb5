"""Quantities as people write them."""

from __future__ import annotations

import pytest

from proxy.units import Duration, Money, Secret, Size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("30s", 30), ("5m", 300), ("1.5min", 90), ("2h", 7200), ("7d", 604_800), (" 10 s ", 10)],
)
def test_durations(text: str, seconds: float) -> None:
    """Seconds, whatever the unit."""
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"),
    [("1B", 1), ("64KiB", 65_536), ("10MiB", 10_485_760), ("1kB", 1000), ("1.5MB", 1_500_000), ("1GiB", 2**30)],
)
def test_sizes(text: str, count: int) -> None:
    """Bytes; decimal and binary units differ."""
    assert Size.parse(text) == count


@pytest.mark.parametrize("text", ["", "30", "s", "-5s", "5 parsecs", "1e3s", "NaN s", "5s5s", "٣s"])
def test_what_is_no_duration_is_named(text: str) -> None:
    """The sentence is for the reader."""
    with pytest.raises(ValueError, match=r"not a duration|no unit|has the unit"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("text", "nano"),
    [
        ("$0", 0),
        ("$0.15", 150_000_000),
        ("$20", 20 * 10**9),
        (" $1.000000001 ", 10**9 + 1),
        ("$999999999", 999999999 * 10**9),
    ],
)
def test_money(text: str, nano: int) -> None:
    """Nano-dollars, without a detour through fractions that are not exact."""
    assert Money.parse(text) == nano


@pytest.mark.parametrize(
    "text", ["", "$", "0.15", "$-1", "$1,50", "$1.", "$.5", "$1.0000000001", "15 cents", "€1", "$٣"]
)
def test_what_is_no_money_is_named(text: str) -> None:
    """The sentence shows how it is written."""
    with pytest.raises(ValueError, match=r"not an amount of money; write it like \$0\.15"):
        Money.parse(text)


def test_a_unit_of_another_case_is_refused() -> None:
    """`10mb` could be bits; `10MB` cannot."""
    with pytest.raises(ValueError, match="'mb'"):
        Size.parse("10mb")


def test_a_secret_shows_itself_only_by_name() -> None:
    """Logs, messages and debuggers see stars."""
    secret = Secret("sk-very-secret")
    shown = f"{secret} {secret!r} {secret!s} {[secret]} {secret:>20}" + "%s" % secret + str({"k": secret})  # noqa: UP031
    assert "very" not in shown
    assert secret.reveal() == "sk-very-secret"
    assert secret == "sk-very-secret"
