"""The controller, on a clock of its own."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial
from random import Random

from proxy.admission.control import TICK, Admission, Rules
from proxy.exchange import Identity

PATH = b"/v1/chat/completions"


COST = 0.002  # seconds of the processor for an answer
PEAK = 1 / COST


class Rig:
    """A process that is nothing but its work: each request that is begun costs ``COST``, and its timers come late by
    what has piled up. Its time passes when it is told to."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.now = 100.0
        self.admission = Admission(rules or Rules(), clock=lambda: self.now, random=Random(1))
        self.backlog = 0.0  # seconds of work
        self.begun = 0
        self.answered = 0.0
        self.admission.served = lambda: int(self.answered)

    def ask(self, client: str = "10.0.0.1", path: bytes = PATH, in_flight: int | None = None) -> bool:
        """Whether a request is begun."""
        waiting = int(self.backlog / COST) if in_flight is None else in_flight
        begun = self.admission.judge(path, [], client, waiting) is None
        self.backlog += COST * begun
        self.begun += begun
        return begun

    def tick(self) -> None:
        """Work until the next look."""
        self.now += TICK
        worked = min(TICK, self.backlog)
        self.backlog -= worked
        self.answered += worked / COST
        self.admission.look(self.backlog, TICK, worked)

    def run(self, seconds: float, times: float, beside: float = 0.0) -> Counter[str]:
        """So many times the peak, and a quiet caller's requests a second: who was refused how often."""
        refused: Counter[str] = Counter()
        due = quiet = 0.0
        for _ in range(round(seconds / TICK)):
            due, quiet = due + PEAK * times * TICK, quiet + beside * TICK
            while due >= 1.0:
                due -= 1.0
                refused["flood"] += not self.ask()
                if quiet >= 1.0:
                    quiet -= 1.0
                    refused["quiet"] += not self.ask("10.0.0.2")
            self.tick()
        return refused


def overloaded(rules: Rules | None = None) -> Rig:
    """A rig in the midst of three times what it can do."""
    rig = Rig(rules)
    rig.run(1, 0.5)
    rig.run(2, 3)
    return rig


def test_half_of_the_peak_refuses_nobody() -> None:
    """Nor does all of it, for a while."""
    rig = Rig()
    assert rig.run(5, 0.5)["flood"] == 0
    assert rig.run(2, 0.95)["flood"] == 0


def test_a_burst_into_a_process_at_rest_is_begun() -> None:
    """As far as it can be answered within a moment; what is beyond that is refused at once."""
    rig = Rig()
    rig.run(1, 0.3)
    begun = sum(rig.ask() for _ in range(1000))
    assert 50 <= begun <= 260


def test_three_times_the_peak_is_answered_at_the_peak() -> None:
    """Nine tenths of it at least, and what is begun waits for a tenth of a second at most, once things have settled."""
    rig = overloaded()
    answered, worst = rig.answered, 0.0
    for _ in range(10):
        rig.run(1, 3)
        worst = max(worst, rig.backlog)
    assert rig.answered - answered >= 0.9 * PEAK * 10
    assert worst <= 0.1


def test_a_process_that_others_slow_down_refuses_nobody_for_it() -> None:
    """A timer that comes late without work of our own says nothing of our requests."""
    rig = Rig()
    for _ in range(100):
        rig.now += TICK
        rig.answered += 10
        rig.admission.look(0.3, TICK, 0.01)
        assert all(rig.ask(in_flight=100) for _ in range(10))


def test_what_is_read_once_is_no_load() -> None:
    """A thread keeps the interpreter busy while a hundred wait: nobody is refused for it, then or later."""
    for excused in (True, False):
        rig = Rig()
        rig.run(1, 0.5)
        rig.admission.excused = partial(bool, excused)
        for _ in range(10):
            rig.now += TICK
            rig.admission.judge(PATH, [], "10.0.0.1", 100)
            rig.admission.look(0.2, TICK, TICK)
        rig.admission.excused = bool
        assert (rig.run(2, 0.9)["flood"] == 0) is excused


def test_a_few_at_once_are_no_crowd() -> None:
    """Whatever they cost."""
    rig = overloaded()
    rig.run(3, 0.1)
    assert all(rig.ask(in_flight=8) for _ in range(1000))


def test_switched_off_it_begins_everything() -> None:
    """`enabled: false` means what it says."""
    rig = Rig(Rules(enabled=False))
    assert rig.run(3, 3)["flood"] == 0


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
    rig = Rig()
    rig.run(1, 0.3, beside=10)
    refused = rig.run(10, 3, beside=10)
    assert refused["flood"] > 1.5 * PEAK * 10
    assert refused["quiet"] == 0


def test_when_the_load_is_gone_everything_is_begun_again() -> None:
    """After a second without a refusal there is no limit."""
    rig = overloaded()
    rig.run(1, 0.5)
    assert rig.run(1, 0.5)["flood"] == 0
    assert rig.admission.limit == math.inf
    assert rig.admission.overloaded_for() == 0.0


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
