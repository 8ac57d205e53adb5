"""Scanners of regular expressions: what they find, what they refuse, and that nobody can make them slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from policies.guardrails._personal import PERSONAL
from policies.guardrails._secrets import SECRETS
from proxy.guarding.scanner import MOST, BadPattern, Pattern, Patterns, Several, Span, TooMany, compiled, problem


def test_positions_are_those_of_characters() -> None:
    scanner = Patterns([Pattern("a", "b+"), Pattern("c", "d(e)", group=1)])
    assert scanner.scan("üß bb 🙂 de") == [Span(3, 5, "a"), Span(9, 10, "c")]
    assert scanner.scan("bb bb", 2) == [Span(3, 5, "a")]
    assert scanner.scan("nothing") == []


def test_what_a_check_refuses_hides_nothing() -> None:
    """A candidate that is wrong may hold the beginning of a right one."""
    scanner = Patterns([Pattern("even", r"\d(?: ?\d){3}", lambda text, start, end: text[start] == "2")])
    assert scanner.scan("1 2 3 4 5") == [Span(2, 9, "even")]


def test_a_candidate_may_be_cut_to_size() -> None:
    scanner = Patterns([Pattern("three", "x+", trim=lambda text: 3 if len(text) >= 3 else 0)])
    assert scanner.scan("xx xxxxxü xxx") == [Span(3, 6, "three"), Span(10, 13, "three")]


def test_what_a_check_looks_ahead_for_is_waited_for() -> None:
    scanner = Patterns([Pattern("a", "aa", lambda text, start, end: text[end : end + 3] != "bcd", lookahead=2)])
    assert [scanner.pending(text) for text in ("aa", "aab", "aabc", "aabcd", "aabx")] == [0, 0, 0, 5, 0]


def test_several_are_one() -> None:
    both = Several([Patterns([Pattern("a", "a+")]), Patterns([Pattern("b", "bb")])])
    assert both.entities == ("a", "b")
    assert both.scan("bb a") == [Span(0, 2, "b"), Span(3, 4, "a")]
    assert both.pending("x b") == 2


@pytest.mark.parametrize(
    ("regex", "said"),
    [
        (r"x(?=y)", "position 1"),
        (r"(a)\1", "position 3"),
        ("[a", "position 0"),
        ("a*", "matches the empty text"),
        ("a{1001}", "linear time"),
    ],
)
def test_what_cannot_be_matched_in_linear_time_is_refused(regex: str, said: str) -> None:
    assert said in (problem(regex) or "")
    with pytest.raises(BadPattern):
        Patterns([Pattern("x", regex)])
    assert problem(r"(?i)\bok(ay)?\b") is None


def test_of_a_text_with_too_much_of_it_nothing_is_known() -> None:
    """Neither of many candidates nor of long ones is any passed over."""
    right = "2" * 8
    scanner = Patterns([Pattern("even", r"\d+", lambda text, start, end: text[start:end] == right)])
    few = " 1 " * (MOST - 10) + right
    assert [span.entity for span in scanner.scan(few)] == ["even"]
    for text in (" 1 " * (MOST + 2000) + right, "1" * (MOST - 1000) + right):
        with pytest.raises(TooMany, match="more than"):
            scanner.scan(text)


def test_a_group_of_a_very_long_match_is_not_too_little() -> None:
    scanner = Patterns([Pattern("said", r"key=(\w+);", group=1)])
    for size in (10, 8_000, 9_000, 100_000):
        (found,) = scanner.scan(f"ü key={'x' * size}; end")
        assert found.start == 6 or (found.start == 2 and size > 8_000)
        assert 6 + size <= found.end <= 7 + size


ADVERSARIAL: list[Callable[[int], str]] = [
    lambda size: "a" * size,
    lambda size: "1" * size,
    lambda size: "4111 " * (size // 5),
    lambda size: "a@a." * (size // 4),
    lambda size: "password=" * (size // 9),
    lambda size: "-----BEGIN PRIVATE KEY-----" * (size // 27),
    lambda size: "aA1" * (size // 3),
    lambda size: "born on " * (size // 8),
    lambda size: "12 Aa " * (size // 6),
    lambda size: "ü 1-" * (size // 4),
]


@pytest.mark.parametrize("patterns", [PERSONAL, SECRETS], ids=["personal", "secrets"])
def test_time_grows_with_the_text_and_no_faster(patterns: tuple[Pattern, ...]) -> None:
    scanner = Patterns([*patterns, Pattern("nested", r"(a+)+$")])
    for make in ADVERSARIAL:
        short, long = (min(_cpu(scanner, make(size)) for _ in range(2)) for size in (4_000, 16_000))
        assert long < 14 * short + 0.05, make(12)


@pytest.mark.parametrize("patterns", [PERSONAL, SECRETS], ids=["personal", "secrets"])
def test_what_may_go_on_is_told_about_as_quickly_as_what_is_there(patterns: tuple[Pattern, ...]) -> None:
    """A stream asks it with every piece."""
    scanner = Patterns(patterns)
    for text in ("1" * 8_000, "a" * 8_000, "aA1" * 2_500):
        scan, pending = (min(_alone(work, text) for _ in range(9)) for work in (scanner.scan, scanner.pending))
        assert pending < 25 * scan, text[:4]


def _alone(work: Callable[[str], object], text: str) -> float:
    before = time.thread_time_ns()
    work(text)
    return time.thread_time_ns() - before


def _cpu(scanner: Patterns, text: str) -> float:
    before = time.thread_time()
    with suppress(TooMany):
        scanner.scan(text)
    scanner.pending(text)
    return time.thread_time() - before


def test_a_pattern_by_itself() -> None:
    assert compiled("") is None
    assert [found[1] for found in compiled(r"\[(\d+)\]").finditer("ü [1] and [22]")] == ["1", "22"]
