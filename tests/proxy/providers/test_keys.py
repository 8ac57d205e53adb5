"""Keys in turn, at rest, and back."""

from __future__ import annotations

from proxy.choosing.health import QUOTA_REST
from proxy.providers.keys import MAX_RESTING, REFUSED_REST, KeyHealth, KeyRing


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_resting_key_comes_back_at_its_reset() -> None:
    """Skipped before, used after."""
    clock = Clock()
    ring = KeyRing(["a", "b"], KeyHealth(clock))
    ring.rest(0, "m", 10)
    assert {ring.pick("m") for _ in range(4)} == {1}
    assert {ring.pick("n") for _ in range(4)} == {0, 1}
    clock.now += 10
    assert {ring.pick("m") for _ in range(4)} == {0, 1}


def test_a_key_without_quota_rests_for_every_model() -> None:
    """Model "" is all."""
    ring = KeyRing(["a", "b"], KeyHealth(Clock()))
    ring.rest(1, "", QUOTA_REST)
    assert {ring.pick("any") for _ in range(4)} == {0}


def test_when_all_rest_the_soonest_is_known() -> None:
    """And none is picked."""
    ring = KeyRing(["a", "b"], KeyHealth(Clock()))
    ring.rest(0, "m", 30)
    ring.rest(1, "m", 4)
    assert ring.pick("m") is None
    assert ring.soonest("m") == 4
    assert not ring.all_refused()


def test_refused_keys_are_tried_again_after_a_while() -> None:
    """A key may have been renewed."""
    clock = Clock()
    ring = KeyRing(["a", "b"], KeyHealth(clock))
    ring.refuse(0)
    ring.refuse(1)
    assert ring.all_refused()
    clock.now += REFUSED_REST
    assert ring.pick("m") is not None


def test_health_belongs_to_the_key_not_to_its_place() -> None:
    """After a reload with the keys in another order, or one more."""
    health = KeyHealth(Clock())
    KeyRing(["a", "b"], health).rest(0, "m", 60)
    again = KeyRing(["new", "b", "a"], health)
    assert {again.pick("m") for _ in range(6)} == {0, 1}


def test_memory_is_bounded() -> None:
    """However many models a caller invents."""
    health = KeyHealth(Clock())
    for number in range(3 * MAX_RESTING):
        health.rest(b"k", f"m{number}", 60)
        health.refuse(f"k{number}".encode())
    assert health.wait(b"k", f"m{3 * MAX_RESTING - 1}") == 60
    assert len(health._until) <= MAX_RESTING
    assert len(health._refused) <= MAX_RESTING + 1
