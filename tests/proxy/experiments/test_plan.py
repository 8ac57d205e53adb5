"""What an experiment is at a time, and how outcomes are counted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from proxy.experiments.plan import METRICS, Outcome, Plan, Step, Value, subject_hash
from tests.support.experiments import PLAN


def test_it_runs_from_start_to_end() -> None:
    """The start belongs to it, the end does not."""
    plan = replace(PLAN, start=10.0, end=20.0)
    assert [plan.state(at) for at in (9.9, 10.0, 19.9, 20.0)] == ["planned", "running", "running", "ended"]


def test_a_ramp_says_who_takes_part() -> None:
    """None before its first step."""
    plan = replace(PLAN, ramp=(Step(10.0, 0.1), Step(20.0, 1.0)))
    assert [plan.share_at(at) for at in (5.0, 10.0, 19.0, 20.0)] == [0.0, 0.1, 0.1, 1.0]
    assert replace(PLAN, share=0.4).share_at(5.0) == 0.4


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ({}, "latency"),
        ({"a": Outcome(), "b": Outcome()}, "a"),
        ({"a": Outcome(), "b": Outcome(primary=True)}, "b"),
    ],
)
def test_one_line_decides(outcomes: dict[str, Outcome], found: str) -> None:
    """The primary one, the first one, or latency."""
    plan: Plan = replace(PLAN, outcomes=outcomes)
    assert plan.primary == found
    assert found in (*METRICS, *outcomes)


@pytest.mark.parametrize(
    ("outcome", "value", "number"),
    [
        (Outcome(), True, 1.0),
        (Outcome(), 1.0, None),
        (Outcome(type="number"), 3.5, 3.5),
        (Outcome(type="number"), True, None),
        (Outcome(type="label", good=("yes",)), "yes", 1.0),
        (Outcome(type="label", good=("yes",)), "other", 0.0),
        (Outcome(type="label", good=("yes",)), False, None),
    ],
)
def test_a_value_is_counted_by_its_type(outcome: Outcome, value: Value, number: float | None) -> None:
    """And none is taken for another."""
    assert outcome.number(value) == number


def test_a_subject_is_a_hash_of_its_experiment() -> None:
    """The same on every replica, so it is pinned; and nobody joins two experiments by it."""
    assert subject_hash("one", "ada").hex() == subject_hash("one", "ada").hex()
    assert subject_hash("one", "ada") != subject_hash("two", "ada")
    assert b"ada" not in subject_hash("one", "ada")
    assert len(subject_hash("one", "ada")) == 16
