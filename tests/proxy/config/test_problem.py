"""How problems are worded, ordered and merged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.problem import Problem, arrange, listing, nearest, quote, render_path


def test_a_problem_is_one_line_with_place_path_reason_and_suggestion() -> None:
    problem = Problem("gateway.yaml", 14, 9, "routes.chat.policies[1]", "unknown policy", "rate_limit")
    assert str(problem) == 'gateway.yaml:14:9 routes.chat.policies[1]: unknown policy; did you mean "rate_limit"?'


def test_a_problem_of_the_whole_file_has_no_place_in_it() -> None:
    assert str(Problem("gateway.yaml", 0, 0, "", "the file does not exist")) == "gateway.yaml: the file does not exist"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ((), ""),
        (("routes", "chat", "policies", 1, "allow_models"), "routes.chat.policies[1].allow_models"),
        (("routes", "gpt-4.1"), 'routes["gpt-4.1"]'),
        (("routes", 'a"b\n'), 'routes["a\\"b\\n"]'),
        (("a", *range(30)), "a" + "".join(f"[{n}]" for n in range(19)) + "…"),
    ],
)
def test_paths_read_as_one_would_write_them(path: tuple[str | int, ...], shown: str) -> None:
    assert render_path(path) == shown


def test_problems_are_in_the_order_of_the_text_and_each_there_once() -> None:
    """Two paths of one aliased value are one problem."""
    late, early = Problem("f", 9, 1, "a", "wrong"), Problem("f", 2, 30, "b", "wrong")
    twin = Problem("f", 2, 30, "c", "wrong")
    assert arrange([late, twin, early]) == (early, late)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("autenticate", "authenticate"),
        ("targte", "target"),
        ("Models", "models"),
        ("warn", "warning"),
        ("xx", None),
        ("databse", None),
    ],
)
def test_the_nearest_word_is_the_one_that_was_meant(word: str, meant: str | None) -> None:
    assert nearest(word, ["authenticate", "target", "models", "warning", "on", "of"]) == meant


@given(st.sampled_from(["models", "authenticate", "first_token", "of"]), st.data())
def test_one_typing_error_is_always_understood(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcxyz_"))
    wrong = data.draw(st.sampled_from([word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :]]))
    if wrong != word:
        assert nearest(wrong, [word, "something_else"]) == word


def test_what_is_quoted_stays_on_one_line_and_short() -> None:
    assert quote("a\nb\x07\u2028") == '"a\\nb\\u0007\\u2028"'
    assert len(quote("x" * 1_000_000)) < 70


def test_listings_read_as_a_sentence() -> None:
    assert listing(["a"]) == "a"
    assert listing(["a", "b", "c"], "and") == "a, b and c"
