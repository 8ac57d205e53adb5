"""Numbers by their values, with their units."""

from __future__ import annotations

import pytest

from proxy.grounding.numbers import numbers, parted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 days", [("30", "day")]),
        ("30 calendar days", [("30", "day")]),
        ("thirty days", [("30", "day")]),
        ("twenty four hours", [("24", "hour")]),
        ("one year", [("1", "year")]),
        ("one of them", []),
        ("1,500.00", [("1500", "")]),
        ("1.5 million dollars", [("1500000", "$")]),
        ("two hundred people", [("200", "")]),
        ("$ 49", [("49", "$")]),
        ("5 %", [("5", "%")]),
        ("5 percent", [("5", "%")]),
        ("3,5 kg", [("3.5", "kg")]),
        ("version 2.10.3", [("2.10.3", "")]),
        ("9:00", [("9", "")]),
        ("9:30", [("9:30", "")]),
        ("0 0.0", [("0", ""), ("0", "")]),
        (f"{'9' * 30}", [("9" * 30, "")]),
        ("٣ days", []),
    ],
)
def test_numbers(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(one.value, one.unit) for one in numbers(text.split())] == expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [("30kg", ("30", "kg")), ("2nd", ("2",)), ("5k", ("5", "k")), ("x2", ("x2",)), ("3abc", ("3abc",)), ("7", ("7",))],
)
def test_what_stands_directly_behind_a_number(token: str, expected: tuple[str, ...]) -> None:
    assert parted(token) == expected
