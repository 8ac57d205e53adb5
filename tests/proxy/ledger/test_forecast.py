"""What a month will cost, and when a budget ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from proxy.ledger.export import open_source
from proxy.ledger.forecast import (
    Budget,
    Pace,
    day_of,
    forecast,
    history,
    micros,
    month,
    runway,
    runways,
)
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink

_NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday
_TODAY = day_of(_NOON)
_START = day_of(datetime(2026, 11, 1, tzinfo=UTC))
_EVEN = {_TODAY - back: 100 for back in range(1, 8)}


def test_months_begin_and_end() -> None:
    assert month(_NOON) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert month(datetime(2026, 12, 31, 23, tzinfo=UTC))[1] == datetime(2027, 1, 1, tzinfo=UTC)
    assert history(_NOON) == micros(datetime(2026, 10, 24, tzinfo=UTC))
    assert history(datetime(2026, 10, 31, tzinfo=UTC)) == micros(datetime(2026, 10, 1, tzinfo=UTC))


def test_even_days_go_on_as_they_were() -> None:
    """Nine and a half days are left."""
    found = forecast(_EVEN | {_TODAY: 50}, _NOON)
    assert (found.spent, found.expected) == (750, 750 + 950)
    assert (found.low, found.high) == (1700, 1700)
    assert (found.days, found.is_weekly) == (7, False)


def test_only_the_last_week_counts() -> None:
    early = {_TODAY - back: 1000 for back in range(8, 11)}
    assert forecast(_EVEN | early, _NOON).expected == 3700 + 950


def test_days_without_requests_count_as_days() -> None:
    assert forecast({_TODAY - 7: 700}, _NOON).expected == 700 + 950


def test_weekdays_have_their_own_means_after_two_weeks() -> None:
    """Saturdays and Sundays cost 10, others 100; November ends on a Monday."""

    def cost(day: int) -> int:
        return 10 if (datetime(1970, 1, 1) + timedelta(days=day)).weekday() >= 5 else 100

    found = forecast({_TODAY - back: cost(_TODAY - back) for back in range(1, 15)}, _NOON)
    left = 5 + sum(cost(day) for day in range(_TODAY + 1, _START + 30))
    assert found.is_weekly
    assert found.expected == found.spent + left
    assert found.low == found.high == found.expected


def test_uneven_days_make_an_uncertain_month() -> None:
    uneven = {day: cost * (1 + day % 2) for day, cost in _EVEN.items()}
    found = forecast(uneven, _NOON)
    assert found.expected is not None
    assert found.low is not None
    assert found.high is not None
    assert found.spent <= found.low < found.expected < found.high
    wild = forecast({_TODAY - 7: 10, _TODAY - 1: 5000}, _NOON)
    assert wild.low == wild.spent  # what was spent is not given back


def test_little_is_known_of_one_day_and_nothing_of_none() -> None:
    yesterday = forecast({_TODAY - 1: 100}, _NOON)
    assert (yesterday.expected, yesterday.low, yesterday.high) == (1050, None, None)
    today = forecast({_TODAY: 50}, _NOON)
    assert (today.expected, today.days) == (50 + 950, 0)
    assert forecast({}, _NOON).expected is None
    assert forecast({_TODAY: 50}, _NOON.replace(hour=0, minute=30)).expected is None


def test_what_was_spent_before_the_month_is_not_of_it() -> None:
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    found = forecast({_START - 1: 100, _START - 2: 100, _START: 40}, now)
    assert (found.spent, found.expected) == (40, 40 + 2950)


def test_a_budget_ends_within_a_day() -> None:
    """At 100 a day, 150 last until noon of the second day from now."""
    pace = Pace(_EVEN, _TODAY)
    budget = Budget("team", "a", 1000, "month")
    assert runway(budget, 850, pace.on, _NOON).ends == micros(_NOON + timedelta(hours=36))
    assert runway(budget, 1000, pace.on, _NOON).ends == micros(_NOON)
    assert runway(budget, 10, pace.on, _NOON).ends is None


@pytest.mark.parametrize(("window", "lasts"), [("day", True), ("month", False), ("total", False)])
def test_a_budget_is_new_with_its_window(window: str, lasts: bool) -> None:
    budget = Budget("team", "a", 1000, window)  # type: ignore[arg-type]
    assert (runway(budget, 900, Pace(_EVEN, _TODAY).on, _NOON).ends is None) is lasts


def test_nobody_looks_ahead_for_ever() -> None:
    assert runway(Budget("team", "a", 10**9, "total"), 0, Pace(_EVEN, _TODAY).on, _NOON).ends is None
    assert runway(Budget("team", "a", 10**9, "total"), 0, Pace({}, _TODAY).on, _NOON).ends is None


def test_budgets_are_read_from_the_ledger(tmp_path: Path) -> None:
    """By path or by name, each in its own window; the most urgent first."""
    sink = SqliteSink(tmp_path / "ledger.sqlite")
    owners = [("acme", "a", "web", 1), ("acme", "b", "web", 2), ("other", "a", "web", 100)]
    days = [_TODAY - 60, _TODAY - 25, *range(_TODAY - 7, _TODAY)]
    rows = [
        Row(f"{day}{owner}", "r", 1, day * 86_400_000_000, organisation=owner, team=team, key=key, cost=cost)
        for day in days
        for owner, team, key, cost in owners
        if not (team == "b" and owner != "acme")
    ]
    for at, row in enumerate(rows):
        row.id = str(at)
    sink.write(rows, [])
    sink.close()
    source = open_source(tmp_path / "ledger.sqlite")
    budgets = [
        Budget("key", "acme/b/web", 100, "total"),
        Budget("organisation", "other", 10_000, "month"),
        Budget("team", "acme/a", 7, "month"),
        Budget("team", "a", 705, "month"),
        Budget("key", "nobody/at/all", 5, "day"),
    ]
    found = {one.budget.name: one for one in runways(source, budgets, _NOON)}
    assert {name: one.spent for name, one in found.items()} == {
        "acme/b/web": 18,
        "other": 700,
        "acme/a": 7,
        "a": 707,
        "nobody/at/all": 0,
    }
    assert {name for name, one in found.items() if one.ends == micros(_NOON)} == {"acme/a", "a"}
    assert list(found)[2] == "acme/b/web"
    source.close()
