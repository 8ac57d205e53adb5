"""Mistakes in ``balance`` and ``priority``: the words are in the golden files; here is what is no mistake."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.config.pools import check_balance, check_priority


class _Report:
    """Collects paths; everything is sound."""

    def __init__(self) -> None:
        self.problems: list[Any] = []
        self.notices: list[Any] = []

    def sound(self, path: Any) -> bool:
        return True

    def problem(self, path: Any, message: str) -> None:
        self.problems.append(path)

    def notice(self, path: Any, message: str, *, key: bool = False) -> None:
        self.notices.append(path)


def _balance(settings: Any) -> _Report:
    report: Any = _Report()
    check_balance(settings, (), report)
    return report  # type: ignore[no-any-return]


def _priority(settings: Any) -> _Report:
    report: Any = _Report()
    check_priority(settings, (), report)
    return report  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "settings",
    [
        ["a/m", "b/m"],
        {"of": ["a/m", {"fallback": ["b/m", "c/m"]}], "by": "cost", "expected_output": 100},
        {"of": [{"weight": 1, "target": "a/m"}, "b/m"], "by": "weighted"},
        {"of": ["a/m"], "expected_output": 5},
    ],
)
def test_a_sound_pool_is_left_in_peace(settings: Any) -> None:
    report = _balance(settings)
    assert (report.problems, report.notices) == ([], [])


def test_a_target_twice_is_a_problem() -> None:
    """Also with a weight, and also in another tier."""
    assert _balance(["a/m", "b/m", "a/m"]).problems == [(2,)]
    weighted = {"of": [{"weight": 1, "target": "a/m"}, "a/m"], "by": "weighted"}
    assert _balance(weighted).problems == [("of", 1)]
    assert _priority([["a/m", "b/m"], "b/m"]).problems == [(1,)]


def test_weights_that_do_nothing_are_told() -> None:
    """Without ``by: weighted``; of 0; and all of 0 is a problem."""
    of = [{"weight": 0, "target": "a/m"}, {"weight": 1, "target": "b/m"}]
    assert _balance({"of": of}).notices == [("of", 0, "weight"), ("of", 1, "weight")]
    assert _balance({"of": of, "by": "weighted"}).notices == [("of", 0, "weight")]
    assert _balance({"of": of[:1], "by": "weighted"}).problems == [("of",)]


def test_other_settings_without_effect_are_told() -> None:
    assert _balance({"of": ["a/m"], "by": "random", "expected_output": 5}).notices == [("expected_output",)]
    assert _priority({"of": ["a/m", "b/m"], "by": "cost"}).notices == [("by",)]
    assert _priority({"of": [["a/m", "c/m"], "b/m"], "by": "cost"}).notices == []
