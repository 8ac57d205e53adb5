"""A ledger in order, and everything that can be wrong with one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from proxy.chat import Usage
from proxy.ledger.export import SqliteSource, open_source
from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.sqlite import SqliteSink
from proxy.ledger.verify import Report, Sum, verify

_HOUR = 3_600_000_000
_NOW = 100 * _HOUR

_NOTHING: dict[str, object] = {"price": "", "source": "none", "input": 0, "output": 0, "cost": 0, "bound_cost": 0}


def _charge(terms: bytes, usage: Usage, tier: str) -> int:
    """Nano-dollars: the terms are a price of a token, and a tier doubles it."""
    return int(terms) * (usage.input_total + usage.output_total) * (2 if tier else 1)


def _row(**more: object) -> Row:
    values: dict[str, object] = {"id": "att_1", "request": "req_1", "number": 1, "opened": 10, "settled": 20}
    values |= {
        "status": "ok",
        "source": "reported",
        "price": "p",
        "input": 6,
        "output": 4,
        "cost": 50,
        "bound_cost": 90,
    }
    return Row(**values | more)  # type: ignore[arg-type]


def _verified(tmp_path: Path, *rows: Row, terms: bytes = b"5") -> Report:
    sink = SqliteSink(tmp_path / "ledger.sqlite")
    sink.write(rows, [PriceTerms("p", terms)])
    sink.close()
    source = open_source(tmp_path / "ledger.sqlite")
    try:
        return verify(source, _charge, _NOW)
    finally:
        source.close()


def test_a_ledger_in_order(tmp_path: Path) -> None:
    """What is open for less than an hour, unknown or flagged is summed, and no violation."""
    found = _verified(
        tmp_path,
        _row(),
        _row(id="2", number=2),
        _row(id="3", request="b", status="open", settled=0, source="", cost=0, opened=_NOW - _HOUR),
        _row(id="4", request="c", status="unknown", source="bound", cost=90, flags="recovered"),
        _row(id="5", request="d", input=100, cost=520, flags="clamped recovered"),
        _row(id="6", request="e", price="", cost=0, flags="unpriced"),
        _row(id="7", request="f", status="error", source="none", input=0, output=0, cost=0),
        _row(id="8", request="g", cost=100, bound_cost=100, flags="tier:fast"),
        _row(id="9", request="h", cache="exact", saved=70, saved_output=2, **_NOTHING),
    )
    assert found.violations == []
    assert (found.rows, found.cost, found.count) == (9, 50 + 50 + 90 + 520 + 100, 0)
    assert (found.open, found.bound) == (Sum(1, 0), Sum(1, 90))
    assert found.flags == {"recovered": Sum(2, 610), "clamped": Sum(1, 520), "unpriced": Sum(1, 0)}


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("status", {"status": "weird"}),
        ("open", {"status": "open", "settled": 0, "opened": _NOW - _HOUR - 1}),
        ("settled", {"settled": 9}),
        ("settled", {"settled": 0}),
        ("negative", {"cached_read": -1}),
        ("negative", {"bound_output": -1}),
        ("bound", {"bound_cost": 49}),
        ("price", {"price": ""}),
        ("price", {"price": "unknown"}),
        ("cost", {"cost": 51}),
        ("cost", {"reasoning": 1}),
        ("cost", {"status": "error", "source": "none"}),
        ("cache", {"cache": "exact"}),
        ("cache", {"saved": 1}),
        ("cache", {"saved_input": 1}),
        ("negative", {"cache": "exact", **_NOTHING, "saved": -1}),
        ("cache", {"cache": "exact", **_NOTHING, "status": "error"}),
        ("number", {"number": 2}),
    ],
)
def test_each_rule_finds_its_row(tmp_path: Path, rule: str, wrong: dict[str, object]) -> None:
    found = _verified(tmp_path, _row(**wrong))
    assert [violation.rule for violation in found.violations] == [rule]
    assert found.count == 1
    assert found.violations[0].id == ("req_1" if rule == "number" else "att_1")


@pytest.mark.parametrize(("numbers", "count"), [((1, 2, 3), 0), ((2, 1), 0), ((1, 3), 1), ((1, 1), 1), ((0, 1), 1)])
def test_attempts_are_numbered_without_gaps(tmp_path: Path, numbers: tuple[int, ...], count: int) -> None:
    rows = [_row(id=str(at), number=number) for at, number in enumerate(numbers)]
    assert _verified(tmp_path, *rows).count == count


def test_terms_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (violation,) = _verified(tmp_path, _row(), terms=b"garbage").violations
    assert violation.rule == "price"
    assert "cannot be read" in violation.text


def test_an_id_is_there_once(tmp_path: Path) -> None:
    """In a table that does not take care of it by itself."""
    sink = SqliteSink(tmp_path / "ledger.sqlite")
    sink.write([_row(), _row(id="att_2", number=2)], [PriceTerms("p", b"5")])
    sink.close()
    database = sqlite3.connect(tmp_path / "ledger.sqlite")
    database.executescript("CREATE TABLE copy AS SELECT * FROM attempts; DROP TABLE attempts;")
    database.executescript("ALTER TABLE copy RENAME TO attempts; UPDATE attempts SET id = 'att_1';")
    database.close()
    source = SqliteSource(tmp_path / "ledger.sqlite")
    assert [(one.rule, one.id) for one in verify(source, _charge, _NOW).violations] == [("id", "att_1")]
    source.close()


def test_violations_are_kept_within_bounds_and_all_counted(tmp_path: Path) -> None:
    found = _verified(tmp_path, *(_row(id=str(at), request=str(at), cost=51) for at in range(1200)))
    assert (found.count, len(found.violations)) == (1200, 1000)
