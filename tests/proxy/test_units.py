"""Quantities as people write them."""

from __future__ import annotations

import pytest

from proxy.units import Duration, Secret, Size


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
