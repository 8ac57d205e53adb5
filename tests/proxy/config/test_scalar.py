"""The core schema of YAML 1.2."""

from __future__ import annotations

import pytest

from proxy.config.scalar import read_scalar


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "on",
        "off",
        "yes",
        "y",
        "12:30:45",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "1_000",
        "0b1",
        "0o8",
        "nan",
        "٣",
    ],
)
def test_what_is_text(text: str) -> None:
    assert read_scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("-5", -5),
        ("+5", 5),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5E-2", -0.015),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_what_is_no_text(text: str, value: object) -> None:
    assert read_scalar(text) == value
    assert type(read_scalar(text)) is type(value)


@pytest.mark.parametrize("text", [".nan", "-.inf", ".INF", "1e999", "9" * 19, "-" + "9" * 5000, "0x" + "f" * 5000])
def test_numbers_that_nothing_can_have_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quote it if it is text"):
        read_scalar(text)
