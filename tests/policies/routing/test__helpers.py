"""Ways to choose: what each looks at, that ties are broken by chance, that nobody is forgotten or overrun."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import pytest

from policies.routing._helpers import Cost, Latency, LeastBusy, MostLeft, Random, RoundRobin, Seat, Way, Weighted
from policies.routing.fallback import Fallback
from proxy.choosing.capability import NOTHING_NEEDED, Needs
from proxy.errors import Header
from proxy.price import Price

DOLLAR = 10**9


def _draw() -> Any:
    return random.Random(3).random


def _needs(x: Any) -> Needs:
    return x.needs or NOTHING_NEEDED


def _seats(scripted: Any, count: int, **more: Any) -> list[Seat]:
    return [Seat(at, scripted(f"t{at}"), **more) for at in range(count)]


def _tally(way: Way, seats: list[Seat], x: Any, count: int, now: float = 0.0) -> list[int]:
    found = Counter(way.pick(seats, x, now).place for _ in range(count))
    return [found[at] for at in range(len(seats))]


def test_chance_is_fair(scripted: Any, exchange: Any) -> None:
    """Each about the same."""
    assert min(_tally(Random(_draw()), _seats(scripted, 4), exchange(), 400)) > 70


def test_turns_go_on_where_one_is_missing(scripted: Any, exchange: Any) -> None:
    """A seat that is left out for a while loses its turn, and nobody gets two."""
    way, seats, x = RoundRobin(), _seats(scripted, 3), exchange()
    assert way.peek(seats, x, 0.0) is seats[0]
    assert [way.pick(seats, x, 0.0).place for _ in range(4)] == [0, 1, 2, 0]
    assert [way.pick([seats[0], seats[2]], x, 0.0).place for _ in range(3)] == [2, 0, 2]


def test_weights_are_spread_evenly(scripted: Any, exchange: Any) -> None:
    """Not three in a row, then one."""
    seats = [Seat(0, scripted("a"), 2.0), Seat(1, scripted("b"), 1.0)]
    way, x = Weighted(), exchange()
    assert way.peek(seats, x, 0.0) is seats[0]
    assert [way.pick(seats, x, 0.0).place for _ in range(6)] == [0, 1, 0, 0, 1, 0]


def test_the_least_busy_is_found_and_ties_are_broken_by_chance(scripted: Any, exchange: Any) -> None:
    """Requests of every route count."""
    way, seats, x = LeastBusy(_draw()), _seats(scripted, 4), exchange()
    for seat, busy in zip(seats, (3, 1, 1, 2), strict=True):
        seat.child.health.in_flight = busy  # type: ignore[attr-defined]
    tally = _tally(way, seats, x, 100)
    assert tally[0] == tally[3] == 0
    assert min(tally[1:3]) > 30


def _seen(seat: Seat, seconds: float, now: float, busy: int = 0) -> None:
    seat.healths[0].first_token.observe(seconds, now)
    seat.healths[0].in_flight = busy


def test_the_quicker_of_two_is_taken(scripted: Any, exchange: Any) -> None:
    """Of two seats both are always drawn."""
    seats, x = _seats(scripted, 2), exchange()
    _seen(seats[0], 0.2, 0.0)
    _seen(seats[1], 0.5, 0.0)
    assert _tally(Latency(_draw(), 500), seats, x, 50) == [50, 0]


def test_the_tokens_after_the_first_count(scripted: Any, exchange: Any) -> None:
    """A quick start does not help a long answer; a short one it does."""
    seats, x = _seats(scripted, 2), exchange()
    _seen(seats[0], 0.2, 0.0)
    seats[0].healths[0].per_token.observe(0.05, 0.0)
    _seen(seats[1], 0.5, 0.0)
    seats[1].healths[0].per_token.observe(0.01, 0.0)
    assert _tally(Latency(_draw(), 500), seats, x, 20) == [0, 20]
    x.needs = Needs(output_tokens=2)
    assert _tally(Latency(_draw(), 500), seats, x, 20) == [20, 0]


def test_requests_in_flight_count(scripted: Any, exchange: Any) -> None:
    """A stalled target is left although its average does not know yet."""
    seats, x = _seats(scripted, 2), exchange()
    _seen(seats[0], 0.2, 0.0, busy=5)
    _seen(seats[1], 0.5, 0.0)
    assert _tally(Latency(_draw(), 500), seats, x, 20) == [0, 20]


def test_an_unknown_one_gets_one_request_and_not_all(scripted: Any, exchange: Any) -> None:
    """It is tried early, and then waited for."""
    seats, x, way = _seats(scripted, 2), exchange(), Latency(_draw(), 500)
    _seen(seats[0], 0.2, 0.0)
    assert way.pick(seats, x, 0.0) is seats[1]
    seats[1].healths[0].in_flight = 1
    assert _tally(way, seats, x, 20) == [20, 0]


def test_one_that_only_fails_is_no_unknown_one(scripted: Any, exchange: Any) -> None:
    """Failing quickly attracts nothing; but some requests later it has another chance."""
    seats, x, way = _seats(scripted, 2), exchange(), Latency(_draw(), 500)
    _seen(seats[0], 0.2, 0.0)
    seats[1].healths[0].last_failure = "unavailable"
    assert _tally(way, seats, x, 20) == [20, 0]
    assert 1 <= _tally(way, seats, x, 100)[1] <= 5


def test_an_old_latency_is_forgotten_by_time_and_requests(scripted: Any, exchange: Any) -> None:
    """One slow answer does not exclude a target for good; a quiet route does not forget from time alone."""
    seats, x, way = _seats(scripted, 2), exchange(), Latency(_draw(), 500)
    _seen(seats[1], 5.0, 0.0)
    chosen = []
    for number in range(2000):
        _seen(seats[0], 0.2, number * 0.1)
        chosen.append(way.pick(seats, x, number * 0.1).place)
    assert 1 in chosen
    assert chosen.index(1) > 200
    quiet, way = _seats(scripted, 2), Latency(_draw(), 500)
    _seen(quiet[1], 5.0, 0.0)
    for number in range(20):
        _seen(quiet[0], 0.2, number * 60.0)
        assert way.pick(quiet, x, number * 60.0) is quiet[0]


def test_the_cheapest_is_taken_by_the_size_of_the_request(scripted: Any, exchange: Any) -> None:
    """Long input and short output, or the other way round; one without a price comes last."""
    x = exchange()
    seats = [
        Seat(0, scripted("a")),
        Seat(1, scripted("b"), prices=[Price(1 * DOLLAR, 10 * DOLLAR)]),
        Seat(2, scripted("c"), prices=[Price(5 * DOLLAR, 2 * DOLLAR)]),
    ]
    way = Cost(_draw(), 500, _needs)
    x.needs = Needs(input_tokens=10_000)
    assert _tally(way, seats, x, 10) == [0, 10, 0]
    x.needs = Needs(input_tokens=10)
    assert _tally(way, seats, x, 10) == [0, 0, 10]
    x.needs = Needs(input_tokens=100, output_tokens=1)
    assert _tally(way, seats, x, 10) == [0, 10, 0]
    assert way.figure(seats[1], x, 0.0) == "about $0.00011 for 100 tokens in and 1 out"
    assert "not known" in way.figure(seats[0], x, 0.0)


def test_of_equal_prices_the_least_busy(scripted: Any, exchange: Any) -> None:
    """Two accounts of one model share."""
    x = exchange()
    x.needs = Needs(input_tokens=10)
    seats = [Seat(at, scripted(f"t{at}"), prices=[Price(1, 1)]) for at in range(2)]
    seats[0].healths[0].in_flight = 1
    assert _tally(Cost(_draw(), 500, _needs), seats, x, 5) == [0, 5]


def _told(limit: int, left: int, reset: bytes = b"60s") -> list[Header]:
    return [
        (b"x-ratelimit-limit-tokens", b"%d" % limit),
        (b"x-ratelimit-remaining-tokens", b"%d" % left),
        (b"x-ratelimit-reset-tokens", reset),
    ]


def test_the_largest_share_left_is_taken(scripted: Any, exchange: Any) -> None:
    """Shares, not numbers; and news replace what was read before."""
    now = time.monotonic()
    seats, x, way = _seats(scripted, 2), exchange(), MostLeft(_draw())
    for seat, told in zip(seats, (_told(1000, 900), _told(100_000, 5000)), strict=True):
        seat.healths[0].told, seat.healths[0].told_at = told, now
    assert _tally(way, seats, x, 10, now) == [10, 0]
    seats[0].healths[0].told = _told(1000, 10)
    assert _tally(way, seats, x, 10, now + 0.2) == [0, 10]
    assert way.figure(seats[0], x, now + 0.2) == "1% of its limits left"


def test_what_is_not_known_counts_as_free(scripted: Any, exchange: Any) -> None:
    """Until an answer tells."""
    now = time.monotonic()
    seats, x, way = _seats(scripted, 2), exchange(), MostLeft(_draw())
    seats[0].healths[0].told, seats[0].healths[0].told_at = _told(1000, 990), now
    assert _tally(way, seats, x, 10, now) == [0, 10]


@pytest.mark.parametrize("way", [Random(_draw()), Latency(_draw(), 500), LeastBusy(_draw()), MostLeft(_draw())])
def test_a_nested_node_is_one_seat(way: Way, context: Any, scripted: Any, exchange: Any) -> None:
    """Its leaves count together."""
    inner = Fallback((scripted("a"), scripted("b")), frozenset(), context.needs)
    seats = [Seat(0, inner), Seat(1, scripted("c"))]
    assert way.pick(seats, exchange(), 0.0) in seats
    assert seats[0].name == "a, b"
    assert seats[0].usable(0.0)
    assert way.figure(seats[0], exchange(), 0.0)
