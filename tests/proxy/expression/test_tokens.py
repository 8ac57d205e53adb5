"""The words of conditions."""

from __future__ import annotations

import pytest

from proxy.expression.tokens import MAX_LENGTH, ExpressionError, tokens


def test_every_kind_of_word() -> None:
    """Each with its value and its place."""
    found = tokens("tags.team=='a b' and 08:05<=time Europe/Berlin or input_tokens > 1.5k")
    assert [(token.kind, token.value) for token in found] == [
        ("name", "tags.team"), ("sign", "=="), ("text", "a b"), ("name", "and"), ("time", 29_100), ("sign", "<="),
        ("name", "time"), ("zone", "Europe/Berlin"), ("name", "or"), ("name", "input_tokens"), ("sign", ">"),
        ("number", 1500), ("end", None),
    ]  # fmt: skip
    assert [token.at for token in found[:3]] == [0, 9, 11]


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("2k", 2000), ("1.5M", 1_500_000), ("0.25", 0.25), ("3K", 3000)])
def test_numbers(text: str, value: float) -> None:
    """Whole where they are whole."""
    assert tokens(text)[0].value == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model = 'a'", "at character 7, `= 'a'`: there is no `=`; write `==`"),
        ("stream && has_tools", "write `and`"),
        ("!stream", "write `not`"),
        ("model == 'a", "at character 10, `'a`: the text is not closed"),
        ("time > 25:00", "no such time as 25:00"),
        ("time > 10:75", "no such time"),
        ("input_tokens > 10x", "this is no value"),
        ("stream; exit()", "this is no value"),
        ("__import__('os').system", "at character 17, `.system`: this is no value, text, number or sign"),
    ],
)
def test_what_is_no_word_is_said_with_its_place(text: str, says: str) -> None:
    """And with what was probably meant."""
    with pytest.raises(ExpressionError) as caught:
        tokens(text)
    assert says in str(caught.value)


def test_a_condition_is_not_endless() -> None:
    """It is refused by its length before anything is read."""
    with pytest.raises(ExpressionError, match="at most 1000 characters"):
        tokens("x" * (MAX_LENGTH + 1))
