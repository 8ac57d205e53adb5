"""What a sentence states."""

from __future__ import annotations

import pytest

from proxy.grounding.stated import Known, learn, stated, stem


def _exact(text: str, known: Known | None = None) -> set[str]:
    return set(stated(text, known or Known()).exact)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Acme was founded in 1998 by Dr. Jane Doe.", {"acme", "#1998", "jane", "doe"}),
        ("The Atlas X2 costs $1,500.", {"atlas", "x2", "#1500 $"}),
        ("Customers may return items within thirty days.", {"#30 day"}),
        ("Store it below 30 degrees.", {"#30"}),
        ("Paris's bridge is long.", {"paris"}),
        ("It opened on 2021-03-04.", {"#2021", "march", "#4"}),
        ("THIS IS ALL LOUD ABOUT ACME", set()),
        ("I think so.", set()),
    ],
)
def test_numbers_and_names(text: str, expected: set[str]) -> None:
    assert _exact(text) == expected


def test_a_capital_at_the_begin_is_judged_by_the_passages() -> None:
    known = learn(["Our wombat sleeps. We met Quokka there."])
    assert _exact("Wombat sleeps.", known) == set()
    assert _exact("Quokka sleeps.", known) == {"quokka"}
    assert _exact("Zorblax sleeps.", known) == {"zorblax"}


def test_german_capitals_tell_no_names() -> None:
    known = learn(["Die Lieferung ist nicht mit der Post und wird auf den Hof von der Firma zu dem Haus gebracht."])
    assert known.is_mute
    assert _exact("Die Lieferung kostet 5 Euro.", known) == {"#5 €"}


@pytest.mark.parametrize(
    ("text", "denies"),
    [
        ("It is not so.", True),
        ("It isn't so.", True),
        ("You cannot.", True),
        ("Nobody may.", True),
        ("It is so.", False),
    ],
)
def test_denial(text: str, denies: bool) -> None:
    assert stated(text, Known()).denies is denies


def test_what_a_number_may_be_equal_to() -> None:
    assert {"#30", "#30 day", "30"} <= stated("within 30 days", Known()).forms
    assert "#30 day" in stated("return days: 30", Known()).forms
    assert "#5 year" not in stated("The Nimbus 5 has a warranty of 7 years", Known()).forms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("founded", "founding"),
        ("items", "products"),
        ("shipped", "ships"),
        ("bought", "purchase"),
        ("policies", "policy"),
        ("won", "win"),
        ("employees", "employs"),
    ],
)
def test_words_of_one_family(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_sending_back_is_returning_and_scripts_without_spaces() -> None:
    assert stem("return") in stated("You may send the shoes back.", Known()).words
    assert stated("東京都", Known()).words == {"東京", "京都"}


def test_the_subject_is_the_first_name() -> None:
    assert stated("The Vega Mini was made by Jane Doe.", Known()).subject == {"vega", "mini"}
    assert stated("It was.", Known()).refers
