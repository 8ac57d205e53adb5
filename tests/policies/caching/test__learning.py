"""What becomes of an answer when its caller has it."""

from __future__ import annotations

import pytest

from tests.support.alike import AlikeHouse

FIRST, AGAIN = "How do I pay the bill?", "Hi, how can I pay the bill?"


@pytest.mark.parametrize(
    ("said", "vectors", "is_right"),
    [
        ("pay at the till", {}, True),
        ("Pay 5 at the till", {}, False),
        ("You do not pay at the till", {}, False),
        ("The till takes money", {"Pay at the till.": [1.0, 0.0], "The till takes money": [0.99, 0.1]}, True),
        ("On the moon", {"Pay at the till.": [1.0, 0.0], "On the moon": [0.1, 0.99]}, False),
        ("On the moon", {"On the moon": None}, None),
    ],
    ids=["equal", "number", "negation", "near", "far", "no vector"],
)
async def test_shadow_mode_judges(said: str, vectors: dict[str, list[float]], is_right: bool | None) -> None:
    """By words and numbers first, then by vectors."""
    house = AlikeHouse(shadow=True)
    house.context.vectors |= vectors
    await house.ask(FIRST, "Pay at the till.")
    await house.ask(AGAIN, said)
    assert house.samples == [(None, None), (pytest.approx(1.0), is_right)]


async def test_an_answer_without_a_vector_is_not_kept() -> None:
    """It could not be compared."""
    house = AlikeHouse()
    house.context.vectors["how to pay the bill?"] = None
    await house.ask(FIRST)
    house.context.vectors.clear()
    assert (await house.ask(AGAIN))[0] == "miss"
    assert (await house.ask(AGAIN))[0] == "semantic"
