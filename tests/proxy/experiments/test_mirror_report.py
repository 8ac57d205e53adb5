"""What can be concluded of a mirror."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from proxy.experiments.mirror_report import mirror_report, mirror_summary
from tests.support.experiments import MIRROR, mirrored_file, told


def test_both_sides_and_by_how_much_they_differ(tmp_path: Path) -> None:
    found = mirror_report([mirrored_file(tmp_path, [told(number) for number in range(400)])], MIRROR)
    pairs = {one.name: one for one in found.pairs}
    assert set(pairs) == {"latency", "cost", "length", "errors"}
    latency = pairs["latency"]
    assert (latency.main, latency.shadow, latency.lift) == pytest.approx((1.003, 0.502, -0.5), rel=2e-3)
    assert latency.is_different
    assert not pairs["cost"].is_different
    assert (pairs["errors"].main, pairs["errors"].lift) == (0.0, None), "nothing to be higher than"
    assert [(one.name, round(one.value or 0.0, 3)) for one in found.shares] == [
        ("similarity", 0.625),
        ("same_text", 0.25),
        ("same_stop", 1.0),
    ]
    text, same = found.verdict
    assert text.startswith("sim/next has a lower latency: -49.9%, between")
    assert same.startswith("sim/next has longer answers")
    assert mirror_summary(found)["requests"] == 400


def test_too_few_say_nothing(tmp_path: Path) -> None:
    found = mirror_report([mirrored_file(tmp_path, [told(number) for number in range(9)])], MIRROR)
    assert found.verdict == ("It is too early to compare: 9 requests, and 100 are the least.",)
    assert all(one.lift_interval is None and not one.is_different for one in found.pairs)


def test_failures_are_told(tmp_path: Path) -> None:
    pairs = [told(number, result="failed" if number % 4 == 0 else "compared") for number in range(200)]
    assert mirror_report([mirrored_file(tmp_path, pairs)], MIRROR).verdict[-1] == "It failed in 25% of the requests."


def test_what_goes_together_tells_more_than_two_sides_apart(tmp_path: Path) -> None:
    """Requests differ by far more than the two answers to one: the interval is that of the difference."""
    rng = random.Random(5)
    pairs = []
    for number in range(300):
        seconds = rng.lognormvariate(0, 1)
        sides = {"main": 1000 * seconds, "shadow": 1000 * seconds * rng.gauss(1.05, 0.05)}
        pairs.append(told(number, total_ms=sides))
    found = mirror_report([mirrored_file(tmp_path, pairs)], MIRROR).pairs[0]
    assert found.lift_interval is not None
    assert found.is_different
    assert found.lift_interval[1] - found.lift_interval[0] < 0.05
    assert found.lift_interval[0] < 0.05 < found.lift_interval[1]
