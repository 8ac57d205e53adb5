"""How much to think: words and numbers."""

from __future__ import annotations

import pytest

from proxy.chat import Thinking
from proxy.dialects.thinking import BUDGETS, budget_of, effort_of


def test_a_word_comes_back_from_its_number() -> None:
    for word, tokens in BUDGETS.items():
        assert budget_of(Thinking(effort=word)) == tokens
        assert effort_of(Thinking(budget=tokens)) == word


@pytest.mark.parametrize(("budget", "word"), [(1, "minimal"), (1025, "low"), (10_000, "high"), (10**9, "max")])
def test_a_number_between_two_words_takes_the_one_that_suffices(budget: int, word: str) -> None:
    assert effort_of(Thinking(budget=budget)) == word


def test_what_is_not_said_stays_unsaid() -> None:
    assert budget_of(Thinking()) is None
    assert effort_of(Thinking()) is None
    assert effort_of(Thinking(budget=-1)) is None


def test_a_number_goes_before_a_word() -> None:
    assert budget_of(Thinking(budget=5, effort="high")) == 5
