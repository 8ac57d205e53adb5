"""Two answers in figures."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.chat import Choice, Completion, Part, Text, ToolCall
from proxy.choosing.comparing import MAX_WORDS, Side, compare, is_json_text, similarity
from proxy.exchange import Attempt
from tests.support.limits import Spent

ALL = frozenset({"status", "latency", "length", "stop", "json", "exact", "similarity", "tools"})


def _side(text: str, *, stop: Any = "stop", tools: tuple[str, ...] = ()) -> Side:
    side = Side()
    side.status, side.first, side.total = 200, 0.1, 0.25
    parts: list[Part] = [Text(text), *(ToolCall(id=name, name=name, arguments="{}") for name in tools)]
    side.completion = Completion(id="", model="", choices=[Choice(parts=parts, stop=stop)])
    return side


def test_equal_answers_are_the_same_in_all() -> None:
    """With the figures of both."""
    found = compare(_side('{"a": 1}', tools=("f",)), _side('{"a": 1}', tools=("f",)), ALL, is_json=True)
    assert all(found[aspect]["same"] for aspect in ("status", "stop", "json", "exact", "tools"))
    assert found["similarity"] == 1.0
    assert found["total_ms"] == {"main": 250.0, "shadow": 250.0}


def test_each_difference_is_told_by_itself() -> None:
    """And no text is in it."""
    found = compare(_side('{"secret": 1}'), _side("secret", stop="length", tools=("f",)), ALL, is_json=True)
    assert {aspect for aspect in found if isinstance(found[aspect], dict) and found[aspect].get("same") is False} == {
        "stop",
        "json",
        "exact",
        "tools",
    }
    assert found["length"] == {"main": 13, "shadow": 6}
    assert "secret" not in repr(found)


def test_without_words_only_the_rest_is_compared() -> None:
    """A side that failed has none."""
    assert set(compare(Side(), _side("x"), ALL, is_json=True)) == {"status", "first_token_ms", "total_ms"}


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [("", "", 1.0), ("a b", "b a", 1.0), ("a b", "c d", 0.0), ("a a b", "a b b", 2 / 3), ("a", "", 0.0)],
)
def test_similarity_is_the_words_that_both_have(one: str, other: str, share: float) -> None:
    """As often as both have them."""
    assert similarity(one, other) == pytest.approx(share)


def test_long_texts_are_compared_by_their_beginning() -> None:
    """The work is bounded."""
    assert similarity("a " * MAX_WORDS + "b " * MAX_WORDS, "a " * MAX_WORDS) == 1.0


def test_json_is_one_value() -> None:
    """And nothing beside it."""
    assert is_json_text(' {"a": [1]} ')
    assert not is_json_text("```json\n{}\n```")
    assert not is_json_text("[" * 5000)


def _charged(*costs: int, is_settled: bool = True) -> list[Attempt]:
    found = []
    for cost in costs:
        attempt = Attempt("sim/a")
        charge: Any = Spent(1, 1, cost)
        charge.is_settled = is_settled
        attempt.charge = charge
        found.append(attempt)
    return found


def test_costs_are_of_all_attempts_once_they_are_known() -> None:
    """In dollars; nothing is told of what is not settled yet, or was never charged."""
    main, shadow = _side("a"), _side("a")
    main.attempts, shadow.attempts = _charged(1_000_000, 500_000), _charged(7, is_settled=False)
    wanted = frozenset({"cost"})
    assert compare(main, shadow, wanted, is_json=False) == {"cost": {"main": 0.0015, "shadow": None}}
    shadow.attempts = [Attempt("sim/a")]
    assert compare(main, shadow, wanted, is_json=False)["cost"]["shadow"] is None
