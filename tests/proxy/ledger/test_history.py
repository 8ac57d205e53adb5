"""What the ledger knows of the past: at every edge of time exactly once, and as much as a plain sum finds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from proxy.ledger.export import Source, open_source
from proxy.ledger.history import TAGS, Past, history
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink
from proxy.limits.limit import Kind

KINDS: tuple[Kind, ...] = ("requests", "input_tokens", "output_tokens", "money")
MICRO = 1_000_000


class Books:
    """A ledger in a file, to which rows are added at will."""

    def __init__(self, path: Path) -> None:
        self.sink = SqliteSink(path)
        self.sink.write((), ())
        self.source: Source = open_source(path)
        self.count = 0

    def add(self, *rows: Row) -> None:
        self.sink.write(rows, ())

    def row(self, at: float, **more: Any) -> Row:
        """Opened at ``at``, in seconds: 1 request of 10 + 5 tokens, 7 nano-dollars."""
        self.count += 1
        fields: dict[str, Any] = {"status": "ok", "input": 10, "output": 5, "cost": 7, "route": "chat", "asked": "fast"}
        fields |= {"id": f"att_{self.count:024}", "request": f"req_{self.count}", "number": 1}
        return Row(opened=round(at * MICRO), **fields | more)

    def past(self, now: float, zone: str = "UTC", *, tags: bool = False, ever: bool = True) -> list[Past]:
        return list(history(self.source, now, zone, tags=tags, ever=ever))


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path / "ledger.sqlite")
    yield made
    made.source.close()
    made.sink.close()


def when(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def sums(past: list[Past]) -> tuple[int, ...]:
    return tuple(sum(one.amounts.by[kind] for one in past) for kind in KINDS)


NOW = when("2026-05-17T15:30:20.500000")


def test_what_a_cache_has_answered_is_a_request_that_used_nothing(books: Books) -> None:
    """As limits have counted it: also in place of a failure."""
    nothing: dict[str, Any] = {"input": 0, "output": 0, "cost": 0, "saved": 7, "saved_input": 10, "saved_output": 5}
    books.add(books.row(NOW - 50, cache="exact", **nothing))
    books.add(books.row(NOW - 40, status="error", input=0, output=0, cost=0))
    books.add(books.row(NOW - 39, request="req_2", number=2, cache="stale", **nothing))
    books.add(books.row(NOW - 30, model="vectors", input=0, output=0, cost=0))
    books.add(books.row(NOW - 29, request="req_4", number=2, cache="semantic", **nothing))
    assert sums(books.past(NOW)) == (3, 0, 0, 0)


@pytest.mark.parametrize(
    ("opened", "at"),
    [
        ("1999-01-01T00:00:00", 0.0),
        ("2026-04-30T23:59:59.999999", 0.0),
        ("2026-05-01T00:00:00", when("2026-05-01T00:00:00")),
        ("2026-05-16T23:59:59.999999", when("2026-05-01T00:00:00")),
        ("2026-05-17T00:00:00", when("2026-05-17T00:00:00")),
        ("2026-05-17T14:30:20.499999", when("2026-05-17T00:00:00")),
        ("2026-05-17T14:30:20.500000", when("2026-05-17T14:30:20.999999")),
        ("2026-05-17T15:30:20.499999", when("2026-05-17T15:30:20.499999")),
    ],
)
def test_each_moment_is_counted_once_where_it_belongs(books: Books, opened: str, at: float) -> None:
    """The last microsecond of a month, of a day, and of the time before the last hour; and the first after.

    In the last hour to the second, as if it had come at its end: nothing is forgotten too early.
    """
    books.add(books.row(when(opened)))
    (past,) = books.past(NOW)
    assert past.at == at
    assert (past.route, past.model) == ("chat", "fast")
    assert sums([past]) == (1, 10, 5, 7)


@pytest.mark.parametrize("opened", ["2026-05-17T15:30:20.500000", "2026-05-17T15:30:20.600000", "2027-01-01T00:00:00"])
def test_what_is_not_past_is_not_counted(books: Books, opened: str) -> None:
    """It is counted as it comes."""
    books.add(books.row(when(opened)))
    assert books.past(NOW) == []


def test_what_is_older_than_a_month_counts_only_where_something_never_ends(books: Books) -> None:
    books.add(books.row(when("2026-04-30T23:00:00")), books.row(when("2026-05-01T00:00:00")))
    assert len(books.past(NOW, ever=True)) == 2
    assert [past.at for past in books.past(NOW, ever=False)] == [when("2026-05-01T00:00:00")]


@pytest.mark.parametrize(
    "now", ["2026-05-01T00:20:00", "2026-05-17T00:20:00", "2026-05-17T00:00:00", "2026-05-01T00:00:00"]
)
def test_shortly_after_midnight_the_last_hour_reaches_into_yesterday(books: Books, now: str) -> None:
    """And on the first of a month into the last one: nothing is counted twice."""
    end = when(now)
    books.add(*(books.row(end - minutes * 60 - 1) for minutes in range(150)))
    past = books.past(end)
    assert sums(past)[0] == 150
    assert sum(one.amounts.by["requests"] for one in past if one.at >= end - 3600) == 60
    assert sums(books.past(end, ever=False))[0] >= 60


@pytest.mark.parametrize(
    ("zone", "opened", "at"),
    [
        ("Asia/Tokyo", "2026-04-30T14:59:59", 0.0),
        ("Asia/Tokyo", "2026-04-30T15:00:00", when("2026-05-01T00:00:00", "Asia/Tokyo")),
        ("Asia/Tokyo", "2026-05-17T14:59:00", when("2026-05-01T00:00:00", "Asia/Tokyo")),
        ("America/Los_Angeles", "2026-05-17T06:59:59", when("2026-05-01T00:00:00", "America/Los_Angeles")),
        ("America/Los_Angeles", "2026-05-17T07:00:00", when("2026-05-17T00:00:00", "America/Los_Angeles")),
        ("Asia/Kathmandu", "2026-05-16T18:14:59", when("2026-05-01T00:00:00", "Asia/Kathmandu")),
        ("Asia/Kathmandu", "2026-05-16T18:15:00", when("2026-05-17T00:00:00", "Asia/Kathmandu")),
    ],
)
def test_days_and_months_begin_where_the_limits_are(books: Books, zone: str, opened: str, at: float) -> None:
    """In their zone, also where it is a quarter of an hour off."""
    now = when("2026-05-17T18:00:00") if zone == "Asia/Tokyo" else when("2026-05-17T17:00:00")
    books.add(books.row(when(opened)))
    assert [past.at for past in books.past(now, zone)] == [at]


def test_a_day_on_which_the_clock_is_changed(books: Books) -> None:
    """Berlin's 25 October 2026 has 25 hours: the hour that comes twice is of one day."""
    start = when("2026-10-25T00:00:00", "Europe/Berlin")
    books.add(*(books.row(start + minutes * 60) for minutes in range(-60, 25 * 60, 10)))
    past = books.past(start + 25 * 3600 - 1, "Europe/Berlin")
    assert sum(one.amounts.by["requests"] for one in past if one.at >= start) == 150
    assert sums(past)[0] == 156


def test_what_is_open_may_cost_up_to_its_bound(books: Books) -> None:
    """Of everything else what it has cost; all classes of tokens."""
    bounds = {"bound_input": 900, "bound_output": 800, "bound_cost": 70_000}
    classes = {"cached_read": 1, "cache_write_5m": 2, "cache_write_1h": 4, "input_audio": 8}
    books.add(books.row(NOW - 7200, status="open", **bounds))
    assert sums(books.past(NOW)) == (1, 900, 800, 70_000)
    books.add(books.row(NOW - 7200, status="unknown", reasoning=16, output_audio=32, **bounds, **classes))
    assert sums(books.past(NOW)) == (2, 900 + 25, 800 + 53, 70_007)


def test_a_request_is_one_however_often_it_was_tried(books: Books) -> None:
    """One that failed before it said anything is none; its second attempt is no other."""
    books.add(
        books.row(NOW - 100, status="error", output=0, input=0, cost=0),
        books.row(NOW - 99, status="ok", number=2),
        books.row(NOW - 98, status="ok"),
        books.row(NOW - 97, status="error"),
        books.row(NOW - 96, status="cancelled", output=0),
    )
    assert sums(books.past(NOW))[0] == 3


def test_tags_are_told_apart_where_they_are_counted(books: Books) -> None:
    """Those that are empty are not told."""
    for at in (NOW - 9000, NOW - 9):
        books.add(books.row(at, user="zoe"), books.row(at, user="zoe", feature="f"), books.row(at))
    assert sorted(books.past(NOW), key=lambda past: past.at)[0].tags == {}
    assert len(books.past(NOW)) == 2
    found = books.past(NOW, tags=True)
    assert sorted(str(past.tags) for past in found) == sorted(
        2 * ["{'user': 'zoe'}", "{'user': 'zoe', 'feature': 'f'}", "{}"]
    )
    assert sums(found) == sums(books.past(NOW))


Key = tuple[str, ...]
_BOUNDS = {"bound_input": 99, "bound_output": 98, "bound_cost": 97}
_COLUMNS = ("route", "organisation", "team", "key", "asked")


def _random_rows(books: Books, seeded: random.Random, count: int) -> list[Row]:
    rows = []
    for _ in range(count):
        ago = seeded.choice([3600, 86_400, 40 * 86_400, 400 * 86_400]) * seeded.random()
        texts = {name: seeded.choice(["", "a", "b"]) for name in (*_COLUMNS, *TAGS, "model")}
        status = seeded.choice(["ok", "ok", "open", "error", "cancelled", "unknown"])
        numbers = {"cost": seeded.randrange(10**12), "output": seeded.randrange(3), "number": seeded.randint(1, 2)}
        rows.append(books.row(NOW - ago, **texts, status=status, **numbers, **_BOUNDS))
    rows.sort(key=lambda row: row.opened)
    return rows


def _amounts(row: Row) -> tuple[int, ...]:
    requests = int(row.number == 1 and (row.status != "error" or row.output > 0))
    if row.status == "open":
        return requests, row.bound_input, row.bound_output, row.bound_cost
    return requests, row.input, row.output, row.cost


def _summed(pairs: Iterator[tuple[Key, tuple[int, ...]]]) -> dict[Key, tuple[int, ...]]:
    totals = {kind: Counter[Key]() for kind in KINDS}
    for key, amounts in pairs:
        for kind, amount in zip(KINDS, amounts, strict=True):
            totals[kind][key] += amount
    return {key: tuple(totals[kind][key] for kind in KINDS) for key in totals["requests"]}


@pytest.mark.parametrize("tags", [False, True])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland"])
def test_thousands_of_rows_are_what_a_plain_sum_finds(books: Books, zone: str, tags: bool) -> None:
    """In this hour, today, in this month, and ever, for each of whom there are limits; oldest first."""
    rows = _random_rows(books, random.Random(5), 4000)
    books.add(*rows)
    here = datetime.fromtimestamp(NOW, ZoneInfo(zone))
    day = here.replace(hour=0, minute=0, second=0, microsecond=0)
    names = TAGS if tags else ()
    found = books.past(NOW, zone, tags=tags)
    edges = [0.0, day.replace(day=1).timestamp(), day.timestamp(), NOW - 3600]
    assert edges == sorted(edges)
    for since in edges:
        first = int(since * MICRO)
        expected = _summed(
            (tuple(getattr(row, name) for name in (*_COLUMNS, *names)), _amounts(row))
            for row in rows
            if first <= row.opened < NOW * MICRO
        )
        told = _summed(
            (
                (
                    past.route,
                    past.organisation,
                    past.team,
                    past.key,
                    past.model,
                    *(past.tags.get(n, "") for n in names),
                ),
                tuple(past.amounts.by[kind] for kind in KINDS),
            )
            for past in found
            if past.at >= int(since)
        )
        assert told == expected
    assert all(before.at <= after.at for before, after in pairwise(found))
