"""Whether passages say what a sentence says."""

from __future__ import annotations

import pytest

from proxy.grounding.grounds import MAX_STATEMENTS, Grounds, TooMany
from proxy.grounding.passages import Passage

ABOUT = (
    "Acme was founded in 1998 in Paris by Jane Doe. It employs 420 people. Globex was founded in 2003 in Berlin by "
    "John Roe. The Atlas weighs 3 kg. It ships with a two-year warranty, but the warranty does not cover water damage."
)
RETURNS = "Returns are accepted within 30 days of purchase. Refunds are paid to the original card."
PASSAGES = [Passage(ABOUT, ("about.txt",), "document"), Passage(RETURNS, ("2", "Acme Handbook"), "numbered")]


@pytest.fixture(scope="module")
def grounds() -> Grounds:
    """Of both passages."""
    return Grounds(PASSAGES)


@pytest.mark.parametrize(
    "text",
    [
        "Acme was founded in 1998.",
        "Jane Doe founded Acme in Paris.",
        "Acme was founded by Jane Doe in 1998 and employs 420 people.",
        "Jane Doe founded Acme, and John Roe founded Globex.",
        "The Atlas has a 2-year warranty and weighs 3 kg.",
        "The warranty doesn't cover water damage.",
        "Water damage isn't covered.",
        "Customers may send items back within thirty days.",
        "Acme accepts returns within 30 days.",
    ],
)
def test_what_is_said(text: str, grounds: Grounds) -> None:
    assert grounds.of(text).score >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Globex was founded in 1998.",
        "Acme has 430 employees.",
        "Initech was founded in 1998.",
        "John Roe founded Acme, and Jane Doe founded Globex.",
        "Globex employs 420 people.",
        "The Atlas weighs 3 g.",
        "Returns are accepted within 30 months.",
        "The warranty covers water damage.",
        "Returns are not accepted within 30 days.",
        "Acme was founded in 1998 because aliens had asked for cheaper spaceships.",
        "Refunds include free snacks, music and flowers.",
    ],
)
def test_what_is_not(text: str, grounds: Grounds) -> None:
    assert grounds.of(text).score < 0.5


def test_the_formula(grounds: Grounds) -> None:
    """Two of two exact units, one of one word near; then one word near, one elsewhere in the passage, one nowhere."""
    assert grounds.of("Acme was founded in 1998.").score == 1
    found = grounds.of("Refunds are paid on returns by horse.")
    assert found.score == pytest.approx((2 + 0.5) / 4)
    assert found.passages == (1,)


def test_only_in_the_passages_that_are_cited(grounds: Grounds) -> None:
    assert grounds.of("Acme employs 420 people.", {0}).score == 1
    assert grounds.of("Acme employs 420 people.", {1}).score == 0
    assert not grounds.of("Acme employs 420 people.", {1}).may


def test_pieces_of_a_passage(grounds: Grounds) -> None:
    assert grounds.windows(1, 1) == RETURNS.replace(". R", ".|R").split("|")
    assert grounds.windows(1) == [RETURNS]


def test_more_statements_than_can_be_looked_into() -> None:
    many = [Passage("One. " * 1000, (), "tag")] * (MAX_STATEMENTS // 1000)
    Grounds(many[:1])
    with pytest.raises(TooMany):
        Grounds([*many, many[0]])
