"""Where sentences end."""

from __future__ import annotations

import pytest

from proxy.grounding.sentences import sentences


def _of(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It costs $3.50 at Acme Inc. in Paris.", ["It costs $3.50 at Acme Inc. in Paris."]),
        ("Dr. Doe met J. Roe, e.g. at noon. They left.", ["Dr. Doe met J. Roe, e.g. at noon.", "They left."]),
        ("It is No. 5 of them. They say no. 5 do not.", ["It is No. 5 of them.", "They say no. 5 do not."]),
        ('He said "no." She left.', ['He said "no."', "She left."]),
        ("# Title\n- first\n- second item\n1. third", ["Title", "first", "second item", "1. third"]),
        ("| a | b |\n| 1 | 2 |", ["a | b", "1 | 2"]),
        ("Facts:\nOne", ["Facts:", "One"]),
        ("A line that was broken to fit on a rather narrow page of\nAcme goes on.", None),
        ("A line that was broken\nin the middle.", None),
        ("Short line\nAnother line", ["Short line", "Another line"]),
        ("First paragraph\n\nsecond paragraph", ["First paragraph", "second paragraph"]),
        ("Before. ```\ncode. code.\n``` After.", ["Before.", "After."]),
        ("Open. ```code. code", ["Open."]),
        ("東京は大きい。大阪も大きい。", ["東京は大きい。", "大阪も大きい。"]),
        ("", []),
        (" \n\n - \n", []),
    ],
)
def test_sentences(text: str, expected: list[str] | None) -> None:
    assert _of(text) == ([text] if expected is None else expected)


def test_a_sentence_without_end_is_cut() -> None:
    assert [len(one) for one in _of("a" * 4500)] == [2000, 2000, 500]


@pytest.mark.parametrize("piece", [".", "?!", " ", "\n", ". ", "- ", "```", "a.", "No. ", "\t\n"])
def test_the_time_is_linear(piece: str) -> None:
    """Whatever is repeated: a quadratic way would take minutes for this."""
    _of(piece * (200_000 // len(piece)) + "x")
