"""The sentences that stand above a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from proxy.experiments.plan import Bandit
from proxy.experiments.report import report
from tests.support.experiments import NOW, PLAN, lived, record, tell, write


@pytest.mark.parametrize(
    ("subjects", "helped", "more", "begins"),
    [
        (1500, {"concise": 0.7, "control": 0.45}, {}, "concise is better than control: solved +"),
        (1500, {"concise": 0.3, "control": 0.6}, {}, "concise is worse than control: solved -"),
        (
            600,
            {"concise": 0.5, "control": 0.5},
            {},
            "No difference of concise to control in solved is shown yet; one of",
        ),
        (
            100,
            {"concise": 0.5, "control": 0.5},
            {},
            "It is too early to compare concise with control: too few subjects",
        ),
        (900, {"concise": 0.5, "control": 0.5}, {"weights": (0.8, 0.2)}, "Something is wrong with the assignment"),
        (400, {"concise": 0.9, "control": 0.1}, {"bandit": Bandit("solved", 0.1, 9.0)}, "The bandit follows solved"),
    ],
)
def test_what_was_shown_is_said(
    tmp_path: Path, subjects: int, helped: dict[str, float], more: dict[str, Any], begins: str
) -> None:
    """And what was not."""
    path = lived(tmp_path, subjects, helped.__getitem__, replace(PLAN, **more))
    assert report([path], "short", now=NOW).verdict[0].startswith(begins)


def test_a_broken_guard_stands_beside_a_gain(tmp_path: Path) -> None:
    """So that nobody reads the first sentence alone."""
    better: Callable[[str], float] = {"concise": 0.7, "control": 0.45}.__getitem__
    found = report([lived(tmp_path, 1500, better, latency=(0.5, 0.75))], "short", now=NOW)
    assert "better" in found.verdict[0]
    assert found.verdict[1].startswith("concise breaks a guard: latency is worse than it may be (by 10%), +")


def test_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    """Not even a warning."""
    found = report([write(tmp_path, [])], "short", now=NOW)
    assert (found.verdict, found.warnings) == (("Nothing was recorded yet.",), ())


def test_what_is_missing_or_odd_is_named_and_counted(tmp_path: Path) -> None:
    """Nothing is left out silently."""
    moved = [record("bob", "control"), record("bob", "concise", 1), record("cid", "gone")]
    path = write(tmp_path, [one := record(), *moved])
    tell(path, one, "rating", 4.0)
    tell(path, one, "mood", 1.0)
    assert report([path], "short", now=NOW).warnings == (
        "the variant concise has no request, though it was given 50% of the subjects",
        "the outcome solved is declared, and nobody has sent it to /v1/feedback",
        "feedback named mood came 1 times, and no outcome has this name",
        "1 subjects had several variants, as weights changed; they are left out",
        "1 subjects had variants that the file has no more; they are left out",
    )
