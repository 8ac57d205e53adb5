"""Reading the ledger, exporting it, and making it shorter."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.ledger.export import (
    COLUMNS,
    NoLedger,
    PostgresSource,
    Selection,
    Source,
    SqliteSource,
    open_source,
    pages,
    prunable,
    prune,
    write,
)
from proxy.ledger.postgres import PostgresSink
from proxy.ledger.reconcile import booked
from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.sqlite import SqliteSink
from proxy.ledger.usage import daily, usage
from proxy.ledger.verify import verify
from tests.support.postgres import Postgres

_DAY = 86_400_000_000
_NAMES = ("id", "team", "cost", "cost_usd", "stream", "user")


def _fill(path: Path, *rows: Row) -> Path:
    sink = SqliteSink(path)
    sink.write(rows, [])
    sink.close()
    return path


def _row(at: int, **more: object) -> Row:
    values: dict[str, object] = {
        "request": f"r{at}",
        "number": 1,
        "opened": at,
        "settled": at,
        "status": "ok",
    }
    return Row(f"att_{at:06}", **values | more)  # type: ignore[arg-type]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Source]:
    """Four rows of three teams."""
    path = _fill(
        tmp_path / "ledger.sqlite",
        _row(1, team="a", key="web", cost=1_500_000_000, stream=True),
        _row(2, team="b", key="web"),
        _row(3, team="c", user='=HYPERLINK("x")'),
        _row(4, team="a", key="job", status="error"),
    )
    opened = open_source(path)
    yield opened
    opened.close()


def _ids(source: Source, selection: Selection) -> list[int]:
    return [row.opened for page in pages(source, selection) for _, row in page]


def test_no_ledger_is_told_as_that(tmp_path: Path) -> None:
    with pytest.raises(NoLedger, match="there is no ledger yet"):
        open_source(tmp_path / "ledger.sqlite")
    assert not (tmp_path / "ledger.sqlite").exists()
    (tmp_path / "other").write_text("no database, but long enough to look like one " * 9)
    with pytest.raises(NoLedger, match="this is no ledger"):
        SqliteSource(tmp_path / "other")


def test_a_server_that_cannot_be_reached_is_told_without_the_password() -> None:
    with pytest.raises(NoLedger) as found:
        PostgresSource("postgresql://someone:hunter2@127.0.0.1:1/ledger")
    assert "hunter2" not in str(found.value)


def test_who_reads_cannot_write(source: Source) -> None:
    with pytest.raises(Exception, match="readonly"):
        source.execute("DELETE FROM attempts")


def test_a_server_is_asked_as_a_file_is() -> None:
    """The same statements, with all that the two write differently: parameters, percent signs, types of sums."""
    server = Postgres()
    try:
        url = server.fresh("ledger")
        with pytest.raises(NoLedger, match="no ledger yet"):
            open_source(url)
        sink = PostgresSink(url)
        rows = [_row(at, team="ab"[at % 2], user="50%s?", cost=at, model="m", price="p") for at in range(1, 5)]
        sink.write([*rows, _row(5, number=2, request="gap", price="p")], [PriceTerms("p", b"0")])
        sink.close()
        _ask(url)
    finally:
        server.close()


def _ask(url: str) -> None:
    reader, writer = open_source(url), open_source(url, writable=True)
    chosen = Selection(where={"user": ("50%s?",)})
    found = usage(reader, chosen, ["team", "user", "day"])
    assert [(group.names[0], group.requests, group.cost) for group in found.groups] == [("a", 2, 6), ("b", 2, 4)]
    assert daily(reader, chosen, ["team"]) == {("a",): {0: 6}, ("b",): {0: 4}}
    assert booked(reader, chosen, by_day=True)["1970-01-01", "m"].cost == 10
    report = verify(reader, lambda terms, used, tier: int(terms), 9)
    assert (report.rows, report.cost) == (5, 10)
    assert [one.id for one in report.violations if one.rule == "number"] == ["gap"]
    assert _ids(reader, Selection(2)) == [2, 3, 4, 5]
    assert prunable(reader, 3) == (2, 3)
    with pytest.raises(NoLedger, match="read-only"):
        prune(reader, 3)
    assert prune(writer, 3) == 2
    assert _ids(reader, Selection()) == [3, 4, 5]
    reader.close()
    writer.close()


def test_rows_are_selected(source: Source) -> None:
    assert _ids(source, Selection()) == [1, 2, 3, 4]
    assert _ids(source, Selection(2, 4)) == [2, 3]
    assert _ids(source, Selection(where={"team": ("a", "c")})) == [1, 3, 4]
    assert _ids(source, Selection(where={"team": ("a",), "key": ("web",)})) == [1]
    assert _ids(source, Selection(where={"key": ("",)})) == [3]
    with pytest.raises(ValueError, match="no column"):
        Selection(where={"cost": ("1",)}).condition()


def test_pages_join_without_a_gap(tmp_path: Path) -> None:
    """More rows than a page."""
    path = _fill(tmp_path / "ledger.sqlite", *(_row(number) for number in range(1, 10_002)))
    source = open_source(path)
    sizes = [len(page) for page in pages(source, Selection())]
    assert (sizes, len(set(_ids(source, Selection())))) == ([5000, 5000, 1], 10_001)
    told: list[int] = []
    assert write(source, Selection(), "jsonl", io.StringIO(), told.append) == 10_001
    assert told == [5000, 10_000, 10_001]
    source.close()


def test_csv_has_every_column_and_dollars(source: Source) -> None:
    file = io.StringIO()
    assert write(source, Selection(), "csv", file) == 4
    found = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert list(found[0]) == [*COLUMNS, "cost_usd", "saved_usd"]
    assert [found[0][name] for name in _NAMES] == ["att_000001", "a", "1500000000", "1.500000000", "1", ""]
    assert found[2]["user"] == '\'=HYPERLINK("x")'  # no spreadsheet runs it


def test_lines_of_json_hold_texts_as_they_are(source: Source) -> None:
    file = io.StringIO()
    assert write(source, Selection(3), "jsonl", file) == 2
    first = json.loads(file.getvalue().splitlines()[0])
    assert [first[name] for name in _NAMES] == ["att_000003", "c", 0, "0.000000000", False, '=HYPERLINK("x")']


def test_old_rows_are_pruned_by_whole_requests(tmp_path: Path) -> None:
    """Not those that are open, nor a request that lies across the border."""
    border = 10 * _DAY
    path = _fill(
        tmp_path / "ledger.sqlite",
        _row(1, cost=7),
        _row(2, status="open"),
        _row(border - 2, request="across"),
        _row(border - 1, cost=5),
        _row(border + 1, request="across", number=2),
        _row(border + 2),
    )
    reader = open_source(path)
    assert prunable(reader, border) == (2, 12)
    writer = open_source(path, writable=True)
    assert prune(writer, border) == 2
    writer.close()
    assert _ids(reader, Selection()) == [2, border - 2, border + 1, border + 2]
    assert prunable(reader, border) == (0, 0)
    reader.close()
