"""Spending unlike its own past: nothing is said of even spend, and of what goes beyond a factor something is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.ledger.anomaly import LEAST, LEAST_HOURS, Anomaly, anomalies
from proxy.ledger.export import SqliteSource, open_source
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink

HOUR = 3600
LAST = 500_000 * HOUR  # the last full hour
NOW = LAST + HOUR + 1234.5
CENT = 10_000_000

Spend = dict[tuple[str, int], list[int]]  # organisation and hours before the last one → what requests cost
MakeLedger = Callable[[Spend], SqliteSource]


def write(path: Path, spend: Spend) -> SqliteSource:
    """A ledger in which that was spent."""
    path.unlink(missing_ok=True)
    sink, draw = SqliteSink(path), random.Random(7)
    rows = [
        Row(
            id=f"att_{organisation}_{back}_{at}",
            request="req_1",
            number=1,
            opened=(LAST - back * HOUR) * 1_000_000 + draw.randrange(HOUR * 1_000_000),
            status="ok",
            organisation=organisation,
            cost=cost,
        )
        for (organisation, back), costs in spend.items()
        for at, cost in enumerate(costs)
    ]
    sink.write(rows, ())
    sink.close()
    source = open_source(path)
    assert isinstance(source, SqliteSource)
    return source


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[MakeLedger]:
    """``ledger(spend)`` makes one."""
    opened: list[SqliteSource] = []

    def make(spend: Spend) -> SqliteSource:
        opened.append(write(tmp_path / "ledger.sqlite", spend))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def even(cost: int, hours: int = LEAST_HOURS, organisation: str = "acme") -> Spend:
    """The same in each of so many hours before the last one."""
    return {(organisation, back): [cost] for back in range(1, hours + 1)}


@given(
    cost=st.integers(1, 10**12),
    hours=st.integers(LEAST_HOURS, 168),
    parts=st.integers(1, 3),
    factor=st.floats(1, 1000),
)
def test_even_spend_is_no_anomaly(
    tmp_path_factory: pytest.TempPathFactory, cost: int, hours: int, parts: int, factor: float
) -> None:
    """However much it is, and by however many requests."""
    spend = {key: costs * parts for key, costs in even(cost, hours).items()} | {("acme", 0): [cost] * parts}
    source = write(tmp_path_factory.mktemp("even") / "ledger.sqlite", spend)
    try:
        assert anomalies(source, NOW, factor) == []
    finally:
        source.close()


@given(cost=st.integers(CENT, 10**12), factor=st.integers(1, 100))
def test_what_is_more_than_the_factor_is_one(tmp_path_factory: pytest.TempPathFactory, cost: int, factor: int) -> None:
    """And what is exactly as much is none."""
    at, beyond = cost * factor, cost * factor + 1
    spend = even(cost) | even(cost, organisation="globex") | {("acme", 0): [at], ("globex", 0): [beyond]}
    source = write(tmp_path_factory.mktemp("factor") / "ledger.sqlite", spend)
    try:
        found = anomalies(source, NOW, factor)
    finally:
        source.close()
    assert found == ([Anomaly("globex", LAST, beyond, cost)] if beyond > LEAST else [])


def test_a_short_past_says_nothing(ledger: MakeLedger) -> None:
    """A day of hours with spend is needed; those without do not count."""
    short = even(CENT, LEAST_HOURS - 1) | {("acme", 0): [100 * CENT]}
    assert anomalies(ledger(short), NOW, 5) == []
    assert anomalies(ledger(short | {("acme", 90): [0]}), NOW, 5) == []
    assert len(anomalies(ledger(short | {("acme", 90): [CENT]}), NOW, 5)) == 1


def test_the_past_is_a_week_of_hours_with_spend(ledger: MakeLedger) -> None:
    spend = even(CENT, 24) | {("acme", 168): [26 * CENT], ("acme", 169): [10_000 * CENT], ("acme", 0): [11 * CENT]}
    assert anomalies(ledger(spend), NOW, 5) == [Anomaly("acme", LAST, 11 * CENT, 2 * CENT)]


def test_the_hour_that_goes_on_does_not_count(ledger: MakeLedger) -> None:
    assert anomalies(ledger(even(CENT) | {("acme", -1): [1000 * CENT]}), NOW, 5) == []


def test_a_cent_alarms_nobody(ledger: MakeLedger) -> None:
    assert anomalies(ledger(even(1) | {("acme", 0): [LEAST]}), NOW, 5) == []
    assert len(anomalies(ledger(even(1) | {("acme", 0): [LEAST, 1]}), NOW, 5)) == 1


def test_a_factor_of_0_asks_for_nothing(ledger: MakeLedger) -> None:
    assert anomalies(ledger(even(1) | {("acme", 0): [1000 * CENT]}), NOW, 0) == []


def test_the_dearest_comes_first(ledger: MakeLedger) -> None:
    spend = even(CENT) | even(CENT, organisation="globex") | {("acme", 0): [7 * CENT], ("globex", 0): [9 * CENT]}
    assert [one.organisation for one in anomalies(ledger(spend), NOW, 5)] == ["globex", "acme"]
