"""What answers cost, and what that allows."""

from __future__ import annotations

import math

import pytest

from proxy.admission.capacity import REFUSAL, Capacity


def test_nothing_is_known_at_first() -> None:
    """And nothing is limited by it."""
    assert Capacity().rate(1.0) == math.inf


def test_the_cost_of_an_answer_is_what_all_of_them_took() -> None:
    """At 2 ms each, 500 a second on a core, half of that on half of one."""
    capacity = Capacity()
    for _ in range(40):
        capacity.add(0.02, 10, 0, 0.05)
    assert capacity.cost == pytest.approx(0.002)
    assert capacity.rate(1.0) == pytest.approx(500)
    assert capacity.rate(0.5) == pytest.approx(250)
    assert capacity.busy == pytest.approx(0.4, abs=0.01)


def test_a_standstill_forgets_nothing() -> None:
    """While nothing is answered, the last known cost counts: that is when it is needed."""
    capacity = Capacity()
    for _ in range(40):
        capacity.add(0.02, 10, 0, 0.05)
    for _ in range(400):
        capacity.add(0.05, 0, 0, 0.05)
    assert capacity.cost == pytest.approx(0.002, rel=0.5)


def test_refusals_take_their_part_of_the_core() -> None:
    """A thousand a second leave less for answers."""
    capacity = Capacity()
    for _ in range(400):
        capacity.add(0.02 + 50 * REFUSAL, 10, 50, 0.05)
    assert capacity.cost == pytest.approx(0.002)
    assert capacity.rate(1.0) == pytest.approx((1.0 - 1000 * REFUSAL) / 0.002)


def test_other_costs_are_learned_within_seconds() -> None:
    """Requests of another kind come."""
    capacity = Capacity()
    for _ in range(40):
        capacity.add(0.02, 10, 0, 0.05)
    for _ in range(100):
        capacity.add(0.05, 5, 0, 0.05)
    assert capacity.cost == pytest.approx(0.01, rel=0.2)
