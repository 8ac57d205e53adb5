"""The promises that ``tests.bench.experiments`` prints, with fewer experiments and a fixed seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from proxy.experiments.statistics import Rule
from tests.bench.experiments import MAIN
from tests.bench.simulated import Scenario, errors, guarded, known, mismatch, returning, run, several, with_power

FEW = 200
MOST = 0.05 * FEW + 3 * (0.05 * 0.95 * FEW) ** 0.5  # as many as chance explains, if the promise is just kept
HARD = Scenario("few errors, 90:10, past the plan", errors, share=0.1, rule=Rule(planned=200))
KNOWN = Scenario("adjusted", known, is_adjusted=True, subjects=2_000, rule=Rule(planned=1_000))


@pytest.mark.parametrize("scenario", [*MAIN, HARD, KNOWN], ids=lambda scenario: scenario.name)
def test_to_look_all_the_time_makes_nobody_wrong_too_often(scenario: Scenario) -> None:
    """And the fixed test, looked at as often, would: so the simulation can tell."""
    found = run(scenario, FEW, seed=11)
    assert found.sequential <= MOST
    assert found.peeked > 3 * MOST / 2
    assert found.fixed <= MOST + 0.03 * FEW  # that of the textbook is off where an arm is small


def test_a_known_difference_is_found_and_stops_the_experiment_early() -> None:
    """One that the fixed test finds nearly always."""
    found = run(with_power(MAIN[2], 0.995), 100, seed=12)
    assert found.fixed >= 95
    assert found.sequential >= 80
    assert found.stopped < 0.6 * MAIN[2].subjects


def test_subjects_that_return_make_nobody_wrong_too_often() -> None:
    valid, peeked = returning(60, seed=13)
    assert valid <= 3 + 3 * 1.7
    assert peeked > valid


def test_a_guard_is_right_on_both_sides_of_its_margin() -> None:
    """At the margin itself, either verdict is wrong, and rare."""
    at, beyond = replace(MAIN[2], lift=0.1, subjects=2_500), replace(MAIN[2], lift=0.25, subjects=2_500)
    broken, kept = guarded(at, 100, 14, 0.1)
    assert max(broken, kept) <= 5 + 3 * 2.2
    assert guarded(beyond, 100, 14, 0.1)[0] > 80


def test_several_variants_are_wrong_together_no_more_often_than_one() -> None:
    family, alone = several(60, 3, seed=15)
    assert family <= 3 + 3 * 1.7
    assert family <= alone


def test_an_alarm_of_shares_is_true() -> None:
    """At one in twenty, so that false ones would be seen; a chi-square test gives them."""
    alarms, peeked, _ = mismatch((0.9, 0.1), (0.9, 0.1), FEW, 16, 0.05)
    assert alarms <= MOST
    assert peeked > 2 * MOST
    alarms, _, after = mismatch((0.5, 0.5), (0.46, 0.54), 50, 17, 0.001)
    assert alarms == 50
    assert after < 6_000


def test_the_size_of_a_step_is_that_of_the_looks() -> None:
    """Looking once is the fixed test."""
    once = run(replace(MAIN[0], step=MAIN[0].subjects), FEW, seed=18)
    assert once.peeked == once.fixed
    assert np.isfinite(once.stopped)
