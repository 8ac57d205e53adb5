"""The tables of words say one thing each."""

from __future__ import annotations

from proxy.grounding.english import ALIKE, CURRENCIES, DENYING, PAST, UNITS


def test_a_word_that_is_written_for_others_is_written_for_itself() -> None:
    assert {ALIKE[word] for word in ALIKE} == {word for word in ALIKE if ALIKE[word] == word}
    assert {UNITS[word] for word in UNITS} == {word for word in UNITS if UNITS[word] == word}


def test_numbers_and_denials_have_no_synonyms() -> None:
    assert not DENYING & ALIKE.keys()
    assert UNITS.keys() >= CURRENCIES
    assert PAST["brought"] == "bring"
