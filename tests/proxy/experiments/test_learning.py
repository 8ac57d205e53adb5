"""Bandits learn from the outcomes in the file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from proxy.experiments.learning import learn
from proxy.experiments.plan import Bandit, Outcome, Plan
from tests.support.experiments import PLAN, lived, open_file

_BANDIT = replace(PLAN, bandit=Bandit("solved", 0.1, 60.0))


def _weights(folder: Path, plan: Plan, now: int = 10**12) -> dict[str, float]:
    with closing(open_file(folder)) as database:
        return learn(database, plan, now)


def test_the_better_arm_gets_nearly_all(tmp_path: Path) -> None:
    """But for the floor of the other."""
    lived(tmp_path, 600, lambda arm: 0.9 if arm == "concise" else 0.3)
    assert _weights(tmp_path, _BANDIT) == pytest.approx({"control": 0.1, "concise": 0.9})


def test_where_lower_is_better(tmp_path: Path) -> None:
    """It is the other one."""
    lived(tmp_path, 600, lambda arm: 0.9 if arm == "concise" else 0.3)
    plan = replace(_BANDIT, outcomes={"solved": Outcome(better="lower")})
    assert _weights(tmp_path, plan) == pytest.approx({"control": 0.9, "concise": 0.1})


def test_a_number_is_followed_too(tmp_path: Path) -> None:
    """By its mean over subjects."""
    lived(tmp_path, 600, lambda arm: 0.9 if arm == "concise" else 0.3)
    plan = replace(_BANDIT, outcomes={"solved": Outcome(type="number")})
    assert _weights(tmp_path, plan)["concise"] == pytest.approx(0.9)


def test_without_any_outcome_nothing_is_known(tmp_path: Path) -> None:
    """Both are as likely to be the best."""
    found = _weights(tmp_path, _BANDIT)
    assert found["control"] == pytest.approx(0.5, abs=0.05)


def test_weights_are_set_anew_when_it_is_time(tmp_path: Path) -> None:
    """By whoever comes first; until then all have the same."""
    first = _weights(tmp_path, _BANDIT, 10**12)
    lived(tmp_path, 600, lambda arm: 0.9 if arm == "concise" else 0.3)
    assert _weights(tmp_path, _BANDIT, 10**12 + 59 * 10**6) == first
    assert _weights(tmp_path, _BANDIT, 10**12 + 60 * 10**6)["concise"] > 0.89


def test_without_a_floor_no_weight_is_zero(tmp_path: Path) -> None:
    """Hashing wants some."""
    lived(tmp_path, 600, lambda arm: 0.95 if arm == "concise" else 0.1)
    found = _weights(tmp_path, replace(PLAN, bandit=Bandit("solved", 0.0, 60.0)))
    assert 0 < found["control"] < 0.001
    assert sum(found.values()) == pytest.approx(1.0)
