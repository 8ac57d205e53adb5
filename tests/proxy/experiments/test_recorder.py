"""From a request that has ended to its record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from proxy.exchange import Attempt, Exchange, Identity
from proxy.experiments import recorder as module
from proxy.experiments.plan import subject_hash
from proxy.experiments.recorder import MOST_WAITING, Recorder
from proxy.stream import Outcome
from tests.support.compiled import make_exchange


class Charge:
    """What an attempt cost, known when the test says so."""

    def __init__(self, *, is_settled: bool = True) -> None:
        self.is_settled = is_settled
        self.cost, self.input_tokens, self.output_tokens = 700, 5, 7
        self.waiting: list[Callable[[], None]] = []

    def then(self, work: Callable[[], None]) -> None:
        """Later."""
        self.waiting.append(work)

    def settle(self) -> None:
        """Now."""
        self.is_settled = True
        for work in self.waiting:
            work()


def _exchange(*charges: Charge) -> Exchange:
    x = make_exchange()
    x.route, x.exposures = "chat", {"short": ("concise", "ada")}
    x.identity = Identity("acme", "search", "web")
    for charge in charges:
        attempt = Attempt("up/a")
        attempt.charge = cast(Any, charge)
        x.attempts.append(attempt)
    return x


def _outcome(status: int = 200, code: str | None = None, *, complete: bool = True) -> Outcome:
    found = Outcome(status, code)
    found.complete = complete
    return found


def _recorder() -> tuple[Recorder, list[int]]:
    lost: list[int] = []
    return Recorder(lost.append, lambda: 1000.0), lost


def test_a_request_becomes_a_record() -> None:
    """With what it cost, over all attempts; the subject is a hash."""
    made, _ = _recorder()
    x, outcome = _exchange(Charge(), Charge()), _outcome()
    outcome.first_byte = x.received + 0.25
    made.ended(x, outcome, None, 0.5)
    (one,) = made.take()
    assert (one.experiment, one.variant, one.subject) == ("short", "concise", subject_hash("short", "ada"))
    assert (one.at, one.duration) == (999_500_000, 0.5)
    assert one.first == pytest.approx(0.25)
    assert (one.cost, one.input, one.output, one.scope) == (1400, 10, 14, "acme/search")
    assert not any((one.error, one.refusal, one.guardrail, one.hit))
    assert not made.take()


@pytest.mark.parametrize(
    ("outcome", "error", "refusal", "guardrail"),
    [
        (_outcome(502, "upstream_unavailable"), True, False, False),
        (_outcome(complete=False), True, False, False),
        (_outcome(400, "content_filter"), False, True, False),
        (_outcome(400, "guardrail_blocked"), True, False, True),
        (None, False, False, False),
    ],
)
def test_how_it_ended(outcome: Outcome | None, error: bool, refusal: bool, guardrail: bool) -> None:
    """A caller who leaves is nobody's failure."""
    made, _ = _recorder()
    made.ended(_exchange(), outcome, None, 0.5)
    (one,) = made.take()
    assert (one.error, one.refusal, one.guardrail) == (error, refusal, guardrail)


def test_a_hit_of_a_cache_is_told_by_its_header() -> None:
    """Whoever sets it."""
    made, _ = _recorder()
    x = _exchange()
    x.reply_headers.append((b"x-sluicegate-cache", b"semantic"))
    made.ended(x, _outcome(), None, 0.5)
    assert made.take()[0].hit


def test_what_it_costs_may_come_later() -> None:
    """The record waits for the last of it."""
    made, _ = _recorder()
    first, second = Charge(is_settled=False), Charge(is_settled=False)
    made.ended(_exchange(first, second), _outcome(), None, 0.5)
    first.settle()
    assert not made.waiting
    second.settle()
    assert [one.cost for one in made.take()] == [1400]


def test_a_cost_that_nobody_knows_is_none() -> None:
    """And not nothing."""
    made, _ = _recorder()
    x = _exchange(Charge())
    x.attempts.append(Attempt("up/b"))
    made.ended(x, _outcome(), None, 0.5)
    assert made.take()[0].cost is None


def test_without_an_experiment_it_is_recorded_where_all_are() -> None:
    """Of requests that had a route."""
    made, _ = _recorder()
    x = _exchange()
    x.exposures = {}
    made.ended(x, _outcome(), None, 0.5)
    assert not made.waiting
    made.keeps_all = True
    made.ended(x, _outcome(), None, 0.5)
    x.route = ""
    made.ended(x, _outcome(), None, 0.5)
    assert [(one.experiment, one.subject) for one in made.take()] == [("", b"")]


def test_what_finds_no_room_is_counted() -> None:
    """Whether it is new or comes back."""
    made, lost = _recorder()
    made.ended(_exchange(), _outcome(), None, 0.5)
    one = made.take()
    made.put_back(one * MOST_WAITING)
    made.ended(_exchange(), _outcome(), None, 0.5)
    made.put_back(one * 3)
    assert lost == [1, 3]
    assert len(made.waiting) == MOST_WAITING


def test_the_scope_is_the_team() -> None:
    """Or nobody's."""
    x = _exchange()
    assert module.scope_of_team(x) == "acme/search"
    x.identity = None
    assert module.scope_of_team(x) == ""


def test_what_a_canary_wants_to_hear_of_is_a_record_of_its_own() -> None:
    """By its side and era, whatever experiments the request was in."""
    recorder, _ = _recorder()
    x = _exchange()
    x.exposures = {}
    x.releases = {"next": ("canary", "identity 3")}
    recorder.ended(x, _outcome(), None, 0.5)
    (found,) = recorder.take()
    assert (found.experiment, found.variant, found.id) == ("canary/next", "canary identity 3", x.request_id)
    x.exposures = {"short": ("concise", "ada")}
    recorder.ended(x, _outcome(), None, 0.5)
    assert [one.experiment for one in recorder.take()] == ["short", "canary/next"]
