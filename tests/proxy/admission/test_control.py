"""The controller, on a clock of its own."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

from proxy.admission.control import TICK, Admission, Rules
from proxy.exchange import Identity

PATH = b"/v1/chat/completions"


class Rig:
    """An admission whose time passes when it is told to."""

    def __init__(self, rules: Rules) -> None:
        self.now = 100.0
        self.admission = Admission(rules, clock=lambda: self.now, random=Random(1))
        self.answered = 0
        self.admission.served = lambda: self.answered

    def tick(self, lag: float) -> None:
        self.now += TICK
        self.admission.look(lag, TICK)

    def ask(self, client: str = "10.0.0.1", path: bytes = PATH, in_flight: int = 1) -> bool:
        """Whether a request is begun."""
        begun = self.admission.judge(path, [], client, in_flight) is None
        self.answered += begun
        return begun


def overloaded(rules: Rules | None = None) -> Rig:
    """A rig that has begun to shed, with one flood."""
    rig = Rig(rules or Rules())
    for _ in range(20):
        for _ in range(100):
            rig.ask()
        rig.tick(0.2)
    return rig


def test_one_late_timer_refuses_nobody() -> None:
    """A single long turn of the loop is no overload."""
    rig = Rig(Rules())
    rig.tick(0.06)
    for _ in range(20):
        rig.tick(0.0)
        assert rig.ask()


def test_a_lasting_lag_refuses_what_is_beyond_the_rate() -> None:
    """Some of a flood is begun, most of it not."""
    rig = overloaded()
    begun = sum(rig.ask() for _ in range(1000))
    assert 0 < begun < 900


def test_switched_off_it_begins_everything() -> None:
    """`enabled: false` means what it says."""
    rig = overloaded(Rules(enabled=False))
    assert all(rig.ask() for _ in range(1000))


def test_operations_are_always_answered() -> None:
    """Health checks and metrics do not count and are not refused."""
    rig = overloaded(Rules(max_in_flight=10))
    assert not rig.ask(in_flight=10)
    assert all(rig.ask(path=path, in_flight=10) for path in (b"/healthz", b"/readyz", b"/metrics", b"/admin/targets"))


def test_the_highest_number_in_flight_holds_at_once() -> None:
    """Without any lag, too."""
    rig = Rig(Rules(max_in_flight=10))
    assert rig.ask(in_flight=9)
    assert not rig.ask(in_flight=10)


def test_a_quiet_caller_is_begun_beside_a_flood() -> None:
    """The flood pays for itself."""
    rig = Rig(Rules())
    refused: Counter[str] = Counter()
    for _ in range(200):
        before = rig.answered
        for _ in range(100):
            refused["flood"] += not rig.ask()
        refused["quiet"] += not rig.ask("10.0.0.2")
        rig.tick(0.05 if rig.answered - before > 30 else 0.0)
    assert refused["flood"] > 1000
    assert refused["quiet"] == 0


def test_when_the_load_is_gone_everything_is_begun_again() -> None:
    """After a second without a refusal there is no limit."""
    rig = overloaded()
    for _ in range(40):
        rig.tick(0.0)
    assert rig.admission.limit == math.inf
    assert rig.admission.overloaded_for() == 0.0
    assert all(rig.ask() for _ in range(100))


def test_a_known_key_counts_for_its_tenant() -> None:
    """Two addresses with keys of one organisation share; what is kept is not the key."""
    rig = overloaded()
    headers = [(b"authorization", b"Bearer secret-key")]
    rig.admission.learn(headers, Identity("acme", "search", "web"))
    assert rig.admission._caller(headers, "10.9.9.9") == ("acme", 1.0)
    assert "secret" not in repr(rig.admission._callers)


def test_a_change_of_the_file_keeps_what_was_measured() -> None:
    """Shedding goes on over a reload."""
    rig = overloaded()
    limit = rig.admission.limit
    rig.admission.replace(Rules(max_lag=0.01))
    assert rig.admission.limit == limit
    assert rig.admission.shedding_since is not None
