"""Weighted rendezvous hashing keeps subjects where they are."""

from __future__ import annotations

from collections import Counter

from proxy.choosing.sticky import salt, steady, unit

_SUBJECTS = [f"user-{number}".encode() for number in range(20_000)]


def _arms(weights: dict[str, float]) -> list[str]:
    names = list(weights)
    salts = [salt(name) for name in names]
    return [names[steady(one, salts, list(weights.values()), range(len(names)))] for one in _SUBJECTS]


def test_shares_follow_the_weights() -> None:
    """Within four standard deviations."""
    counts = Counter(_arms({"a": 0.7, "b": 0.2, "c": 0.1}))
    assert abs(counts["a"] - 14_000) < 4 * 65
    assert abs(counts["b"] - 4_000) < 4 * 57


def test_a_new_branch_takes_from_the_others_and_moves_nobody_else() -> None:
    """Whoever moves, moves to it."""
    before, after = _arms({"a": 0.5, "b": 0.5}), _arms({"a": 0.4, "b": 0.4, "c": 0.2})
    moved = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert {new for _, new in moved} == {"c"}
    assert abs(len(moved) - 4_000) < 4 * 57


def test_a_subject_has_one_place_for_each_key() -> None:
    """Evenly spread, and not the same for another key."""
    one, other = ([unit(subject, salt(name)) for subject in _SUBJECTS] for name in ("a", "b"))
    assert 0 < min(one) < max(one) < 1
    both = sum(first < 0.5 and second < 0.5 for first, second in zip(one, other, strict=True))
    assert abs(both - 5_000) < 4 * 62


def test_branches_of_one_name_differ_by_their_occurrence() -> None:
    """Else one of them would never be chosen."""
    assert salt("a") == salt("a", 0) != salt("a", 1)
