"""Amounts and tables."""

from __future__ import annotations

import io

import pytest

from proxy.ledger.shown import Style, count, decimal, moment, money, share, style_for, table, text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (0, "$0"),
        (1_234_567_891_000_000, "$1,234,567.89"),
        (1_500_000_000, "$1.50"),
        (123_456_789, "$0.1235"),
        (1_234_567, "$0.001235"),
        (150, "$0.00000015"),
        (-2_000_000_000, "-$2.00"),
    ],
)
def test_money_has_the_digits_that_count(nano: int, shown: str) -> None:
    assert money(nano) == shown


@pytest.mark.parametrize(
    ("nano", "exact"),
    [(0, "0.000000000"), (150, "0.000000150"), (-1, "-0.000000001"), (10**18 + 1, "1000000000.000000001")],
)
def test_money_for_machines_is_exact(nano: int, exact: str) -> None:
    assert decimal(nano) == exact


def test_numbers_and_times() -> None:
    assert (count(1234567), share(1, 3), share(0, 0)) == ("1,234,567", "33.3%", "-")
    assert moment(1_793_491_260_000_000) == "2026-11-01 00:01"


def test_a_callers_text_does_not_steer_the_terminal() -> None:
    assert text("a\x1b[2Jb\n") == "a?[2Jb?"
    assert text("") == "-"
    assert text("x" * 40) == "x" * 40
    assert text("x" * 41) == "x" * 39 + "…"


def test_numbers_stand_right_and_names_left() -> None:
    shown = table(["team", "cost"], [["a", "$1"], ["search", "$10.00"]], total=["total", "$11.00"])
    assert shown.splitlines() == [
        "team      cost",
        "a           $1",
        "search  $10.00",
        "──────────────",
        "total   $11.00",
    ]


def test_colours_are_for_terminals_that_want_them() -> None:
    assert style_for(_Terminal(), {}).is_coloured
    assert not style_for(io.StringIO(), {}).is_coloured
    assert not style_for(_Terminal(), {"NO_COLOR": "1"}).is_coloured
    assert not style_for(_Terminal(), {"TERM": "dumb"}).is_coloured
    assert Style(True).red("x") == "\x1b[31mx\x1b[0m"
    assert Style().bold("x") == Style().dim("x") == "x"
