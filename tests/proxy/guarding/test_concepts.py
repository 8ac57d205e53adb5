"""The wide classes of words: entries can be found, and none is there twice."""

from __future__ import annotations

from proxy.guarding.concepts import CONCEPTS


def test_entries_are_words_and_none_is_there_twice() -> None:
    for name, text in CONCEPTS.items():
        entries = [" ".join(entry.split()) for entry in text.split(",")]
        assert name.isalpha()
        assert all(entries), name
        assert len({*entries}) == len(entries), name


def test_a_star_stands_at_the_end_of_no_short_word() -> None:
    """What is left would be found in half of all words."""
    stems = [entry.strip() for text in CONCEPTS.values() for entry in text.split(",") if entry.strip().endswith("*")]
    assert all(len(stem) > 3 for stem in stems if stem < "\u0590" and " " not in stem)
