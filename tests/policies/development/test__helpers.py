"""Whom a fault meets: chance that can be repeated, headers, callers, the clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policies.development._helpers import Conditions, Counter, chance
from proxy.errors import Header
from proxy.exchange import Exchange, Identity

MakeExchange = Callable[..., Exchange]
ALWAYS = 1.0


def test_chance_is_even_and_the_same_each_time() -> None:
    """A tenth of requests is a tenth of requests; another seed, request or decision is another draw."""
    drawn = [chance(7, str(number), "0") for number in range(10_000)]
    assert drawn == [chance(7, str(number), "0") for number in range(10_000)]
    assert 900 < sum(one < 0.1 for one in drawn) < 1100
    assert len({chance(7, "1", "0"), chance(8, "1", "0"), chance(7, "2", "0"), chance(7, "1", "1")}) == 4


def test_requests_are_counted_from_one() -> None:
    counter = Counter()
    assert [counter.next(), counter.next()] == ["1", "2"]


@pytest.mark.parametrize(("drawn", "holds"), [(0.0, True), (0.0999, True), (0.1, False), (0.9, False)])
def test_a_share_is_a_share(drawn: float, holds: bool, exchange: MakeExchange) -> None:
    assert Conditions(0.1).hold(exchange(), drawn, 0.0) is holds


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        ([(b"x-chaos", b"cut")], True),
        ([(b"x-chaos", b"reset")], False),
        ([(b"x-other", b"cut")], False),
        ([(b"x-chaos", b"cut"), (b"x-any", b"")], True),
        ([], False),
    ],
)
def test_a_header_must_be_equal(given: list[Header], holds: bool, exchange: MakeExchange) -> None:
    assert Conditions(ALWAYS, ((b"x-chaos", b"cut"),)).hold(exchange(given), 0.5, 0.0) is holds


def test_a_star_is_any_value(exchange: MakeExchange) -> None:
    any_value = Conditions(ALWAYS, ((b"x-chaos", b"*"),))
    assert any_value.hold(exchange([(b"x-chaos", b"")]), 0.5, 0.0)
    assert not any_value.hold(exchange(), 0.5, 0.0)


@pytest.mark.parametrize(
    ("keys", "holds"),
    [(("acme/search/web",), True), (("acme/search/*",), True), (("acme/ads/*", "*/*/web"), True), (("a/b/c",), False)],
)
def test_callers_are_met_by_name(keys: tuple[str, ...], holds: bool, exchange: MakeExchange) -> None:
    x = exchange()
    assert not Conditions(ALWAYS, keys=keys).hold(x, 0.5, 0.0)  # nobody knows who that is
    x.identity = Identity("acme", "search", "web")
    assert Conditions(ALWAYS, keys=keys).hold(x, 0.5, 0.0) is holds


@pytest.mark.parametrize(("now", "holds"), [(0.0, True), (9.99, True), (10.0, False), (59.9, False), (60.0, True)])
def test_a_schedule_comes_again(now: float, holds: bool, exchange: MakeExchange) -> None:
    assert Conditions(ALWAYS, schedule=(60.0, 10.0)).hold(exchange(), 0.5, now) is holds


def test_what_is_said_of_them() -> None:
    said = str(Conditions(0.1, ((b"x-chaos", b"cut"),), ("acme/*/*",), (60.0, 10.0)))
    assert said == "10% of requests with x-chaos: cut of acme/*/* in the first 10 s of every 60 s"
