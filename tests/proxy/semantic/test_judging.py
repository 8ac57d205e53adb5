"""Whether two answers are one."""

from __future__ import annotations

import pytest

from proxy.chat import Choice, Completion, Text
from proxy.semantic.judging import is_equal, is_same, text_of

NEAR, FAR = ([1.0, 0.0], [0.95, 0.3]), ([1.0, 0.0], [0.5, 0.8])


@pytest.mark.parametrize(
    ("one", "other", "vectors", "same"),
    [
        ("It is Paris.", "it is paris", None, True),
        ("It is Paris.", "Paris it is", None, None),
        ("It is Paris.", "Paris it is", NEAR, True),
        ("It is Paris.", "It is Rome.", FAR, False),
        ("It costs 5 euros", "It costs 50 euros", NEAR, False),
        ("You may", "You may not", NEAR, False),
        ("It's allowed", "It isn't allowed", NEAR, False),
    ],
)
def test_one_answer_or_two(
    one: str, other: str, vectors: tuple[list[float], list[float]] | None, same: bool | None
) -> None:
    """Numbers and negation count whatever the vectors say."""
    assert is_same(one, other, vectors) is same
    assert is_same(other, one, vectors) is same
    assert is_equal(one, one)


def test_the_text_of_an_answer() -> None:
    """Of the first choice."""
    choice = Choice(parts=[Text("Hel"), Text("lo")])
    assert text_of(Completion(id="", model="", choices=[choice])) == "Hello"
    assert text_of(Completion(id="", model="", choices=[])) == ""
