"""Sums over subjects, exactly as they would be counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from proxy.experiments.measures import BUCKETS, NoExperiments, measure, names
from proxy.experiments.plan import Bandit
from proxy.experiments.statistics import Moments
from tests.support.experiments import MICRO, NOW, PLAN, record, tell, write

_AT = round(NOW * MICRO)


def test_sums_are_over_subjects(tmp_path: Path) -> None:
    """Two requests of one count once, with what both took; what has no first token or cost is not counted there."""
    first = record(duration=1.0)
    path = write(
        tmp_path,
        [
            first,
            record(number=1, duration=2.0, first=None, cost=None, error=True),
            record("bob", "concise", duration=4.0, hit=True),
        ],
    )
    tell(path, first, "solved", 1.0)
    tell(path, first, "mood", 3.0)
    found = measure([path], "short")
    assert found.figures["latency"] == (
        Moments(1, 3.0, 2.0, 0.0, 9.0, 4.0, 0.0, 6.0),
        Moments(1, 4.0, 1.0, 0.0, 16.0, 1.0, 0.0, 4.0),
    )
    assert [(one.y, one.x) for one in found.figures["first_token"]] == [(0.25, 1.0), (0.25, 1.0)]
    assert [(one.y, one.x) for one in found.figures["cost"]] == [(1e-6, 1.0), (1e-6, 1.0)]
    assert [one.y for one in found.figures["tokens"]] == [60.0, 30.0]
    assert [one.y for one in found.figures["errors"]] == [1.0, 0.0]
    assert [one.y for one in found.figures["cache_hits"]] == [0.0, 1.0]
    assert [(one.subjects, one.y, one.x) for one in found.figures["solved"]] == [(1, 1.0, 1.0), (0, 0.0, 0.0)]
    assert (found.requests, found.undeclared) == ((2, 1), {"mood": 1})


def test_replicas_are_added_up(tmp_path: Path) -> None:
    """Their numbers for names differ, and a subject may have asked both."""
    one = write(tmp_path / "a", [record(), record("bob", "concise")])
    other = write(tmp_path / "b", [record("bob", "concise", 1), record("cid", "concise"), record(number=1)])
    found = measure([one, other], "short")
    assert [(m.subjects, m.x, m.xx) for m in found.figures["latency"]] == [(1, 2.0, 4.0), (2, 3.0, 5.0)]
    assert measure([other, one], "short").figures == found.figures


def test_a_subject_of_several_variants_is_left_out(tmp_path: Path) -> None:
    """Also if each replica knows one of them; so is one of a variant that is no more. Both are counted."""
    moved = [record("bob", "control"), record("bob", "concise", 1)]
    one = write(tmp_path / "a", [record(), *moved, record("cid", "gone"), record("dan", "control")])
    other = write(tmp_path / "b", [record("dan", "concise", 1)])
    found = measure([one, other], "short")
    assert (found.moved, found.strange, found.requests) == (2, 1, (1, 0))


def test_under_a_bandit_it_counts_in_each(tmp_path: Path) -> None:
    """With what it did there."""
    plan = replace(PLAN, bandit=Bandit("solved", 0.1, 60.0))
    both = [record("bob", "control"), record("bob", "concise", 1), record("bob", "concise", 2)]
    path = write(tmp_path, both, plan)
    tell(path, both[2], "solved", 1.0)
    found = measure([path], "short")
    assert (found.moved, found.requests) == (0, (1, 2))
    assert [one.y for one in found.figures["solved"]] == [0.0, 1.0]


def test_the_course_goes_by_the_time_of_subjects(tmp_path: Path) -> None:
    """Who came later is not in the earlier sums, and the last are all."""
    records = [record(f"user-{number}", "control", at=_AT + number * 1000) for number in range(BUCKETS)]
    path = write(tmp_path, records, replace(PLAN, outcomes={}))
    control, concise = measure([path], "short").course
    assert [one.subjects for one in control] == sorted(one.subjects for one in control)
    assert (control[0].subjects, control[-1].subjects, concise[-1].subjects) == (1, BUCKETS, 0)
    tell(path, records[0], "solved", 1.0)
    write(tmp_path, [], PLAN, since=2 * NOW)
    assert measure([path], "short").course[0][-1].subjects == 1  # now the outcome decides


def test_shares_are_those_since_the_weights_changed(tmp_path: Path) -> None:
    """Not since another part of the plan did."""
    write(tmp_path, [record(at=_AT)], replace(PLAN, weights=(0.9, 0.1)))
    write(tmp_path, [record("bob", at=_AT + 2 * MICRO)], PLAN, since=NOW + 1)
    path = write(tmp_path, [], replace(PLAN, guards={}), since=NOW + 3)
    found = measure([path], "short")
    assert (found.recent, found.requests) == ((1, 0), (2, 0))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """No file, no experiment of this name, no file of ours."""
    with pytest.raises(NoExperiments, match="nothing was recorded"):
        measure([tmp_path / "none"], "short")
    path = write(tmp_path, [])
    with pytest.raises(NoExperiments, match="'long'"):
        measure([path], "long")
    (tmp_path / "text").write_text("x" * 5000)
    with pytest.raises(NoExperiments, match="not a database"):
        measure([tmp_path / "text"], "short")


def test_all_experiments_are_named(tmp_path: Path) -> None:
    """Each once, by its latest plan."""
    other = replace(PLAN, name="another")
    one = write(tmp_path / "a", [record()])
    both = write(tmp_path / "b", [record(plan=other)], other)
    assert names([one, both]) == [other, PLAN]
