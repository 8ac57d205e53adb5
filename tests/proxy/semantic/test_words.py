"""The tables hang together."""

from __future__ import annotations

from proxy.semantic.words import ASKING, BE, CLAUSES, DROPPED, MODAL, NUMBERS, PAST, ROLES, SAME


def test_one_word_has_one_meaning() -> None:
    """What stands for others stands for itself, and nothing that decides an answer stands for another word."""
    assert all(SAME[word] == word for word in SAME.values())
    deciding = ASKING | ROLES | MODAL | PAST | {"not", "all", "any", "none", "some", "only", "open", "close", "add"}
    assert not deciding & SAME.keys()
    assert not deciding & NUMBERS.keys()


def test_nothing_that_decides_is_dropped() -> None:
    """Words without weight are none that turn an answer round."""
    assert not DROPPED & (ASKING | MODAL | PAST | {"not", "no", "only", "exactly", "just"})
    assert CLAUSES <= ROLES
    assert BE - PAST <= DROPPED


def test_opposites_are_no_synonyms() -> None:
    """The dearest mistake of such a table."""
    opposites = (
        "maximum minimum;allow deny;permit forbid;begin finish;increase decrease;before after;buy sell;open close;"
        "include exclude;import export;upload download;add remove;lock unlock;encrypt decrypt;borrow lend;left right;"
        "delete create;login logout;first last;true false;push pull;public private;input output"
    )
    for pair in opposites.split(";"):
        one, other = pair.split()
        assert SAME.get(one, one) != SAME.get(other, other)
