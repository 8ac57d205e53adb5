"""Whole words, in scripts with spaces between words and in those without."""

from __future__ import annotations

import pytest

from proxy.guarding.vocabulary import Vocabulary, is_word


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A Cat, and", 1),
        ("cats concat cat_ 9cat", 0),
        ("猫がいる", 1),
        ("กขแมวคง", 1),
        ("привет", 0),
        ("вет", 1),
        ("c++ is", 1),
        ("New\n York", 1),
    ],
)
def test_words(text: str, found: int) -> None:
    vocabulary = Vocabulary({"a": ["cat", "猫", "แมว", "вет"], "b": ["c++", "new york"]})
    assert len(vocabulary.scan(text)) == found


def test_edges_and_an_empty_one() -> None:
    assert is_word("e\u0301", 1, 1) is False
    assert Vocabulary({}).scan("x") == []
    assert Vocabulary({}).pending("xy") == 2
    assert Vocabulary({"a": ["new york"]}).pending("in new  yo") == 3
