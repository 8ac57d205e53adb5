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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("un CAFÉ", "CAFÉ"),
        ("un cafe\u0301.", "cafe\u0301"),
        ("cafés", None),
        ("ο ΣΕΙΣΜΌΣ", "ΣΕΙΣΜΌΣ"),
        ("это война!", "война"),
        ("войны", None),
        ("هذه حَرْبٌ", "حَرْبٌ"),
        ("حرـــب", "حرـــب"),
        ("حروب", None),
        ("מִלְחָמָה", "מִלְחָמָה"),
        ("युद्ध में", "युद्ध"),
        ("युद्धों", None),
        ("เกิดสงครามโลก", "สงคราม"),
        ("第二次战争的", "战争"),
        ("전쟁", "전쟁"),
    ],
)
def test_scripts(text: str, found: str | None) -> None:
    """Accents in either form, points or none, final letters; endings make another word where words have edges."""
    words = ["café", "σεισμός", "война", "حرب", "מלחמה", "युद्ध", "สงคราม", "战争", "전쟁"]
    vocabulary = Vocabulary({"a": words})
    assert [text[span.start : span.end] for span in vocabulary.scan(text)] == ([] if found is None else [found])
    if found is not None:  # of a stream that may still become it, nothing is told
        begin = text.find(found)
        assert {vocabulary.pending(text[:at]) for at in range(begin + 1, begin + len(found))} == {begin}


def test_edges_and_an_empty_one() -> None:
    assert is_word("e\u0301", 1, 1) is False
    assert Vocabulary({}).scan("x") == []
    assert Vocabulary({}).pending("xy") == 2
    assert Vocabulary({"a": ["new york"]}).pending("in new  yo") == 3
