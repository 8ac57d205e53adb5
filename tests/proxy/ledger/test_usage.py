"""Rows in groups."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.ledger.export import Selection, Source, open_source
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink
from proxy.ledger.usage import DAY, DIMENSIONS, HOUR, Group, as_data, daily, spent, usage

_START = 20_000 * DAY  # 2024-10-04


@pytest.fixture
def rows() -> list[Row]:
    """Requests of one to three attempts, over three days."""
    draw = random.Random(7)
    found: list[Row] = []
    for request in range(400):
        opened = _START + draw.randrange(3 * DAY)
        team, key = draw.choice("abc"), draw.choice(["web", ""])
        for number in range(1, draw.choice([1, 1, 1, 1, 2, 3]) + 1):
            row = Row(f"att_{len(found)}", f"req_{request}", number, opened + number, status="ok", team=team, key=key)
            row.model, row.cost = draw.choice(["large", "small"]), draw.randrange(10**9)
            row.status = draw.choice(["ok", "error", "cancelled"])
            row.input, row.cached_read, row.cache_write_5m = draw.randrange(99), draw.randrange(99), draw.randrange(9)
            row.cache_write_1h, row.input_audio = draw.randrange(9), draw.randrange(9)
            row.output, row.reasoning, row.output_audio = draw.randrange(99), draw.randrange(99), draw.randrange(9)
            found.append(row)
        if draw.random() < 0.3:  # or answered from a cache, perhaps after failures
            hit = Row(f"att_{len(found)}", f"req_{request + draw.choice([0, 1000])}", 1, opened + 9, status="ok")
            hit.number += sum(row.request == hit.request for row in found)
            hit.team, hit.key, hit.model = team, key, draw.choice(["large", "small"])
            hit.cache, hit.saved = draw.choice(["exact", "stale"]), draw.randrange(10**9)
            hit.saved_input, hit.saved_output = draw.randrange(99), draw.randrange(99)
            found.append(hit)
    return found


@pytest.fixture
def source(tmp_path: Path, rows: list[Row]) -> Iterator[Source]:
    """They are in a file."""
    sink = SqliteSink(tmp_path / "ledger.sqlite")
    sink.write(rows, [])
    sink.close()
    opened = open_source(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def _expected(names: tuple[str, ...], rows: list[Row]) -> Group:
    return Group(
        names,
        len({row.request for row in rows}),
        sum(not row.cache for row in rows),
        sum(row.status == "error" for row in rows),
        sum(row.input + row.cache_write_5m + row.cache_write_1h + row.input_audio for row in rows),
        sum(row.cached_read for row in rows),
        sum(row.output + row.reasoning + row.output_audio for row in rows),
        sum(row.cost for row in rows),
        sum(bool(row.cache) for row in rows),
        sum(row.saved for row in rows),
        sum(row.saved_input + row.saved_output for row in rows),
    )


@pytest.mark.parametrize("by", [("team", "model"), ("model",), ("key", "status"), ("cache",), ()])
def test_groups_are_what_their_rows_are(source: Source, rows: list[Row], by: tuple[str, ...]) -> None:
    """Against the same sums, done by hand."""
    found = usage(source, Selection(_START), by)
    keys = {tuple(getattr(row, name) for name in by) for row in rows}
    expected = [_expected(key, [row for row in rows if tuple(getattr(row, n) for n in by) == key]) for key in keys]
    assert found.groups == sorted(expected, key=lambda group: (-group.cost, group.names))
    assert found.total == _expected((), rows)
    assert found.count == len(keys)


def test_a_selection_is_summed_alone(source: Source, rows: list[Row]) -> None:
    chosen = Selection(_START + DAY, _START + 2 * DAY, {"team": ("a",), "model": ("large",)})
    inside = [r for r in rows if _START + DAY <= r.opened < _START + 2 * DAY and (r.team, r.model) == ("a", "large")]
    found = usage(source, chosen, ["team"])
    assert found.groups == [_expected(("a",), inside)]
    assert spent(source, chosen) == sum(row.cost for row in inside)


def test_the_largest_come_first_and_the_rest_is_in_the_total(source: Source, rows: list[Row]) -> None:
    for sort in ("cost", "requests", "tokens"):
        every = usage(source, Selection(), ["team", "model"], sort=sort)
        values = [group.tokens if sort == "tokens" else getattr(group, sort) for group in every.groups]
        assert values == sorted(values, reverse=True)
        two = usage(source, Selection(), ["team", "model"], sort=sort, limit=2)
        assert two.groups == every.groups[:2]
        assert (two.total, two.count) == (every.total, 6)


def test_times_are_in_order_and_of_utc(source: Source) -> None:
    days = usage(source, Selection(), ["day"]).groups
    assert [group.names for group in days] == [("2024-10-04",), ("2024-10-05",), ("2024-10-06",)]
    hours = [group.names[0] for group in usage(source, Selection(_START, _START + 3 * HOUR), ["hour"]).groups]
    assert hours == ["2024-10-04T00:00Z", "2024-10-04T01:00Z", "2024-10-04T02:00Z"]


def test_nothing_is_nothing(source: Source) -> None:
    found = usage(source, Selection(1, 2), [])
    assert (found.groups, found.total, found.count) == ([], Group(()), 0)
    assert spent(source, Selection(1, 2)) == 0
    assert as_data(found)["total"]["share"] == 0.0


def test_days_of_every_team(source: Source, rows: list[Row]) -> None:
    found = daily(source, Selection(), ["team"])
    assert found.keys() == {("a",), ("b",), ("c",)}
    day = [row.cost for row in rows if row.team == "b" and row.opened // DAY == 20_001]
    assert found["b",][20_001] == sum(day)
    assert sum(daily(source, Selection())[()].values()) == sum(row.cost for row in rows)


def test_what_is_no_dimension_is_refused(source: Source) -> None:
    assert {
        "organisation",
        "team",
        "key",
        "user",
        "route",
        "asked",
        "variant",
        "status",
        "day",
        "hour",
    } <= DIMENSIONS.keys()
    for ask in (lambda: usage(source, Selection(), ["cost"]), lambda: daily(source, Selection(), ["1; DROP"])):
        with pytest.raises(ValueError, match="cannot be grouped by"):
            ask()


def test_for_machines(source: Source) -> None:
    data = as_data(usage(source, Selection(), ["team"]))
    assert data["by"] == ["team"]
    assert data["groups"][0]["cost_usd"] == data["groups"][0]["cost"] / 1e9
    assert sum(group["share"] for group in data["groups"]) == pytest.approx(1.0)
    assert "names" not in data["total"]
