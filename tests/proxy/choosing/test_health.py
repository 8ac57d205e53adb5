"""When a target is left alone, and how it comes back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.choosing.health import TRIAL_EVERY, Health, PeakEwma, Rules
from proxy.errors import ContentRefused, Overloaded, RateLimited, Unavailable

RULES = Rules(failures=3, min_requests=10, window=10, eject=30, max_eject=100)
GONE = Unavailable("gone")


def broken(now: float = 100.0, rules: Rules = RULES) -> Health:
    """A target that has just been ejected."""
    health = Health("up/m")
    for _ in range(rules.failures):
        health.failed(now, GONE, rules)
    return health


def test_failures_in_a_row_eject_a_target() -> None:
    """Not one fewer, and a good answer between them begins the count anew."""
    health = Health("up/m")
    health.failed(100, GONE, RULES)
    health.failed(100, GONE, RULES)
    health.answered(100, 0.1, RULES)
    health.failed(100, GONE, RULES)
    health.failed(100, GONE, RULES)
    assert health.state(100) == "closed"
    health.failed(100, GONE, RULES)
    assert health.state(100) == "open"
    assert health.admit(100, trial=False) == "open"
    assert health.wait(101) == 29


def test_what_the_request_was_at_fault_for_is_no_failure() -> None:
    """A refused request shows that the target works."""
    health = Health("up/m")
    for _ in range(50):
        health.failed(100, GONE, RULES)
        health.failed(100, GONE, RULES)
        health.failed(100, ContentRefused("no"), RULES)
        health.restore(100)
    for _ in range(50):
        health.failed(100, ContentRefused("no"), RULES)
    assert health.state(100) == "closed"


def test_a_share_of_failures_ejects_a_target_that_never_fails_often_in_a_row() -> None:
    """Every second request fails, as many as `min_requests` ask for, within the window."""
    health = Health("up/m")
    for number in range(9):
        health.failed(100 + number / 10, GONE, RULES) if number % 2 else health.answered(100 + number / 10, 0.1, RULES)
    assert health.state(101) == "closed"
    health.failed(101, GONE, RULES)
    assert health.state(101) == "open"


def test_results_outside_the_window_count_no_more() -> None:
    """Ten failures spread over more than the window are not a rate of anything."""
    health = Health("up/m")
    for number in range(20):
        health.failed(100 + number * 5, GONE, RULES)
        health.answered(100 + number * 5, 0.1, RULES)
    assert health.state(200) == "closed"


def test_slow_answers_eject_where_asked() -> None:
    """Good answers that come late are failures of their own kind."""
    rules = Rules(slow_after=1.0, slow_rate=0.5, min_requests=10, window=10)
    slow, unasked = Health("up/m"), Health("up/m")
    for _ in range(10):
        slow.answered(100, 1.5, rules)
        unasked.answered(100, 1.5, RULES)
    assert (slow.state(100), unasked.state(100)) == ("open", "closed")


def test_one_request_at_a_time_tries_a_target_whose_time_is_over() -> None:
    """It closes after a good answer, and is ejected for longer after a bad one."""
    health = broken(100)
    assert health.state(130.5) == "half_open"
    assert health.usable(130.5)
    assert health.admit(130.5, trial=False) is None
    assert health.admit(130.5, trial=False) == "open"  # one is on its way
    assert not health.usable(130.5)
    health.failed(131, GONE, RULES)
    assert health.wait(131) == 60
    assert health.admit(191.5, trial=False) is None
    health.answered(192, 0.1, RULES)
    assert health.state(192) == "closed"


def test_ejections_in_a_row_grow_to_a_bound_and_are_forgotten() -> None:
    """30, 60, 90, 100, 100 s; after long health 30 s again."""
    health, now, lengths = broken(0), 0.0, []
    for _ in range(5):
        lengths.append(health.wait(now))
        now = health.open_until + 0.1
        assert health.admit(now, trial=False) is None
        health.failed(now, GONE, RULES)
    assert lengths == pytest.approx([30, 60, 90, 100, 100])
    now = health.open_until
    assert health.admit(now, trial=False) is None
    health.answered(now, 0.1, RULES)
    now += RULES.max_eject + 1
    for _ in range(RULES.failures):
        health.failed(now, GONE, RULES)
    assert health.wait(now) == 30


def test_a_probe_that_is_given_up_leaves_the_next_one_free() -> None:
    """A caller who leaves must not keep a target ejected."""
    health = broken(100)
    assert health.admit(131, trial=False) is None
    health.released()
    assert health.admit(131, trial=False) is None


def test_what_began_before_an_ejection_changes_nothing() -> None:
    """Ten requests were on their way; their failures are not ten ejections, a late success no recovery."""
    health = broken(100)
    for _ in range(10):
        health.failed(101, GONE, RULES)
    health.answered(102, 5.0, RULES)
    assert (health.ejections, health.wait(102)) == (1, 28)


def test_while_nothing_else_is_there_a_target_is_tried_once_a_second() -> None:
    """Trials are spaced, and a failed one neither shortens nor lengthens the ejection."""
    health = broken(100)
    tried = []
    now = 100.0
    while now < 105:
        if health.admit(now, trial=True) is None:
            tried.append(now)
            health.failed(now + 0.01, GONE, RULES)
        now += 0.05
    assert len(tried) == 5
    assert all(later - earlier >= TRIAL_EVERY for earlier, later in pairwise(tried))
    assert (health.ejections, health.open_until) == (1, 130)
    assert health.admit(106, trial=True) is None
    health.answered(106.1, 0.1, RULES)
    assert health.state(106.1) == "closed"


def test_a_limit_is_no_failure() -> None:
    """It is left until its reset, and works at once after that."""
    health = Health("up/m")
    for _ in range(20):
        health.failed(100, RateLimited("slow down", retry_after=7), RULES)
    assert (health.state(106.9), health.state(107)) == ("limited", "closed")
    assert health.admit(101, trial=True) == "limited"  # nothing is asked that has asked to be left


def test_a_limit_without_a_time_is_waited_for_longer_each_time() -> None:
    """1, 2, 4 … 30 s, and from 1 s again after a good answer."""
    health, now, waits = Health("up/m"), 100.0, []
    for _ in range(7):
        health.failed(now, RateLimited("slow down"), RULES)
        waits.append(health.wait(now))
        now += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    health.answered(now, 0.1, RULES)
    health.failed(now, RateLimited("slow down"), RULES)
    assert health.wait(now) == 1


def test_a_target_that_is_always_asked_is_always_asked() -> None:
    """`enabled: false`: failures and limits are noted, nothing more."""
    off = Rules(enabled=False, failures=1)
    health = Health("up/m")
    for _ in range(10):
        health.failed(100, GONE, off)
        health.failed(100, RateLimited("slow down", retry_after=9), off)
    assert (health.state(100), health.last_failure) == ("closed", "unavailable")


def test_an_operator_ejects_drains_and_restores() -> None:
    """Drained: not even tried. Ejected: tried when nothing else is there. Restored: as new."""
    health = Health("up/m")
    health.drained_until = 200.0
    assert (health.state(100), health.admit(100, trial=True), health.wait(100)) == ("drained", "drained", 100)
    health.restore(100)
    health.eject(160)
    assert (health.state(100), health.admit(100, trial=False)) == ("open", "open")
    assert health.admit(100, trial=True) is None
    health.restore(100)
    assert health.usable(100)


def test_others_are_told_of_ejections_and_recoveries() -> None:
    """Once each; a failed trial is no news."""
    health, told = Health("up/m"), list[str]()
    health.changed = lambda health: told.append(health.state(100))
    for _ in range(RULES.failures):
        health.failed(100, Overloaded("busy"), RULES)
    assert health.admit(101, trial=True) is None
    health.failed(101, GONE, RULES)
    assert health.admit(103, trial=True) is None
    health.answered(103, 0.1, RULES)
    assert told == ["open", "closed"]


def test_others_are_told_of_limits_and_of_what_an_operator_does_and_not_of_what_they_told() -> None:
    """Each once, as it is then; news from elsewhere is no news of ours."""
    health, told = Health("up/m"), list[str]()
    health.changed = lambda health: told.append(health.state(100))
    health.failed(100, RateLimited("slow down", retry_after=5), RULES)
    health.drain(200)
    health.restore(100)
    health.eject(160)
    health.heard_closed(100)
    assert told == ["limited", "drained", "closed", "open"]
    assert health.usable(100)


@given(st.lists(st.tuples(st.sampled_from(["ok", "bad", "limit", "fault", "left"]), st.floats(0, 20)), max_size=200))
def test_no_history_keeps_a_target_away_for_longer_than_its_bounds(history: list[tuple[str, float]]) -> None:
    """Whatever happens, `wait` stays within the longest ejection or limit, and in-flight counts return to zero."""
    health, now = Health("up/m"), 0.0
    for what, later in history:
        now += later
        if health.admit(now, trial=True) is not None:
            assert 0 < health.wait(now) <= RULES.max_eject or health.state(now) in ("open", "half_open")
            continue
        health.begin()
        if what == "ok":
            health.answered(now, 0.1, RULES)
        elif what == "left":
            health.released()
        else:
            errors = {"bad": GONE, "limit": RateLimited("wait", retry_after=9), "fault": ContentRefused("no")}
            health.failed(now, errors[what], RULES)
        health.end()
    assert health.in_flight == 0
    assert health.wait(now) <= RULES.max_eject
    later = now + RULES.max_eject + 1
    assert health.admit(later, trial=False) is None


def test_an_average_rises_at_once_and_falls_slowly() -> None:
    """One stall is remembered for some seconds, not for ever."""
    average = PeakEwma()
    average.observe(0.1, 100)
    average.observe(3.0, 101)
    assert average.seconds == 3.0
    average.observe(0.1, 102)
    assert 2.5 < average.seconds < 3.0
    for second in range(103, 200):
        average.observe(0.1, second)
    assert average.seconds == pytest.approx(0.1, abs=0.01)


def test_quantiles_are_of_recent_answers() -> None:
    """Unknown until there are enough of them."""
    health = Health("up/m")
    for number in range(100):
        health.answered(100 + number, number / 100, RULES)
    assert health.quantile(0.95, at_least=100) == 0.95
    assert health.quantile(0.5) == 0.5
    assert health.quantile(0.5, at_least=101) is None
    assert Health("up/n").quantile(0.5) is None


def test_answers_that_break_off_eject_although_each_began_well() -> None:
    """In a row, up to one that came to its end; the one that tries a target after its ejection counts on."""
    health = Health("a/m")
    for _ in range(RULES.failures - 1):
        health.answered(100, 0.1, RULES)
        health.cut(100, RULES)
    health.answered(100, 0.1, RULES)
    health.completed()
    for number in range(RULES.failures):
        assert health.state(100) == "closed", number
        health.answered(100, 0.1, RULES)
        health.cut(100, RULES)
    assert health.state(100) == "open"
    assert health.admit(100 + RULES.eject, trial=False) is None
    health.answered(100 + RULES.eject, 0.1, RULES)
    health.cut(101 + RULES.eject, RULES)
    assert health.state(101 + RULES.eject) == "open"
    assert health.ejections == 2


def test_who_was_given_up_as_too_slow_counts_as_that_slow() -> None:
    """At least: a shorter time says nothing about the average."""
    health = Health("up/m")
    health.outlasted(10.0, 0.5)
    assert (health.first_token.seconds, health.quantile(0.5)) == (0.5, 0.5)
    health.outlasted(11.0, 0.1)
    assert health.first_token.seconds == 0.5
