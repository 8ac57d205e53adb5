"""What mirrors compare, in the file of experiments."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from proxy.experiments.measures import NoExperiments
from proxy.experiments.mirrored import Mirror, compared, comparison_of, mirrors, name_of, purge
from tests.support.experiments import MICRO, MIRROR, NOW, mirrored_file, record, told, write


def test_its_name_is_of_its_route_and_target() -> None:
    assert name_of("chat", "next/gpt-5-mini, sim/Echo") == "mirror-chat-next-gpt-5-mini-sim-echo"


def test_what_is_kept_of_two_answers() -> None:
    """Figures of both sides, and what they have in common; nothing else."""
    found = comparison_of(told(status={"main": 200, "shadow": 503, "same": False}), 7)
    assert (found.mirror, found.route, found.target, found.id, found.at) == (
        MIRROR,
        "chat",
        "sim/next",
        "req_0-shadow",
        7,
    )
    assert {name: value for name, value in found.figures.items() if value is not None} == {
        "main_latency": 1.0,
        "shadow_latency": 0.5,
        "shadow_first_token": 0.1,
        "main_cost": 0.002,
        "shadow_cost": 0.002,
        "main_length": 30,
        "shadow_length": 40,
        "main_errors": 0.0,
        "shadow_errors": 1.0,
        "similarity": 0.5,
        "same_text": 1.0,
        "same_stop": 1.0,
    }


def test_sums_are_of_those_that_both_sides_have(tmp_path: Path) -> None:
    """Over all replicas; a request counts once."""
    first = mirrored_file(tmp_path / "a", [told(1), told(1), told(2, result="failed", length={})])
    second = mirrored_file(tmp_path / "b", [told(3, result="too_long", cost={"main": 0.1, "shadow": None})])
    assert mirrors([first, second]) == [Mirror(MIRROR, "chat", "sim/next")]
    found = compared([first, second], MIRROR)
    assert (found.requests, found.failed, found.too_long) == (3, 1, 1)
    latency = found.pairs["latency"]
    assert (latency.subjects, latency.x, latency.y) == pytest.approx((3, 3.006, 1.506))
    assert latency.xy == pytest.approx(1.001 * 0.501 + 1.002 * 0.502 + 1.003 * 0.503)
    assert found.pairs["first_token"].subjects == 0
    assert (found.pairs["length"].subjects, found.pairs["length"].x, found.pairs["length"].y) == (2, 61, 82)
    assert (found.pairs["cost"].subjects, found.pairs["cost"].x) == (2, 0.004)
    assert (found.shares["similarity"].subjects, found.shares["similarity"].y) == (3, 2.0)


def test_a_file_without_mirrors_has_none(tmp_path: Path) -> None:
    """One of an experiment, written before there were any."""
    path = write(tmp_path, [record()])
    assert mirrors([path]) == []
    with pytest.raises(NoExperiments, match="no experiment or mirror"):
        compared([path], MIRROR)


def test_what_is_old_goes(tmp_path: Path) -> None:
    path = mirrored_file(tmp_path, [told(number) for number in range(5)])
    with closing(sqlite3.connect(path)) as database:
        assert purge(database, round(NOW * MICRO) + 3, 2) == 2
        assert purge(database, round(NOW * MICRO) + 3, 2) == 1
        assert purge(database, round(NOW * MICRO) + 3, 2) == 0
        assert database.execute("SELECT id FROM comparisons").fetchall() == [("req_3-shadow",), ("req_4-shadow",)]
