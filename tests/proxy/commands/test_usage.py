"""``sluicegate usage``, as it is typed."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy.commands import Edge, Place, parse_time, parse_where
from proxy.commands.usage import add_usage
from proxy.ledger.forecast import Budget
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink

_NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_HOUR = 3_600_000_000
_AT = parse_time("now", _NOW)

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command with these arguments, beside a ledger of this month and of the last."""
    sink = SqliteSink(tmp_path / "ledger.sqlite")
    sink.write(
        [
            Row("1", "r1", 1, _AT - _HOUR // 2, 1, "error", team="a", model="large", user="u\x1b[2J"),
            Row("2", "r1", 2, _AT - _HOUR // 3, 1, "ok", team="a", model="small", input=10, output=5, cost=10**9),
            Row("3", "r2", 1, _AT - 48 * _HOUR, 1, "ok", team="search", model="large", cached_read=7, cost=3 * 10**9),
            Row("4", "r3", 1, _AT - 24 * 30 * _HOUR, 1, "ok", team="a", model="old", cost=10**9),
        ],
        [],
    )
    sink.close()

    def go(*words: str, address: Path = tmp_path / "ledger.sqlite", budgets: tuple[Budget, ...] = ()) -> int:
        edge = Edge(lambda _: Place(address, budgets), {}, _NOW.timestamp)
        parser = argparse.ArgumentParser(prog="sluicegate")
        config, output = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
        config.add_argument("--config", type=Path, default=Path("gateway.yaml"))
        output.add_argument("--json", action="store_true")
        add_usage(parser.add_subparsers(required=True), config, output, edge)
        args = parser.parse_args(["usage", *words])
        code: int = args.run(args)
        return code

    return go


def _lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_this_month_by_team_and_model(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """What needs no argument: a table, a total, and what is to come. No colours: this is no terminal."""
    assert run() == 0
    lines = _lines(capsys)
    assert lines[0] == ["2026-11-01", "00:00", "to", "2026-11-21", "12:00", "UTC"]
    counted = ["requests", "attempts", "errors", "input", "cached", "output", "hits"]
    assert lines[2] == ["team", "model", *counted, "saved", "cost", "share"]
    assert lines[3] == ["search", "large", "1", "1", "0", "0", "7", "0", "0", "$0", "$3.00", "75.0%"]
    assert lines[4] == ["a", "small", "1", "1", "0", "10", "0", "5", "0", "$0", "$1.00", "25.0%"]
    assert lines[5] == ["a", "large", "1", "1", "1", "0", "0", "0", "0", "$0", "$0", "0.0%"]
    assert lines[7] == ["total", "2", "3", "1", "10", "7", "5", "0", "$0", "$4.00", "100.0%"]
    assert lines[9][:6] == ["burn", "rate", "$1.00/h", "in", "the", "last"]
    assert lines[10][0] == "forecast"
    assert lines[10][-3:] == ["$4.00", "so", "far"]


def test_other_times_and_groups(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a time that is over nothing is to come."""
    assert run("--by", "model", "--since", "last-month", "--until", "month") == 0
    out = capsys.readouterr().out
    assert "old" in out
    assert "small" not in out
    assert "forecast" not in out
    assert run("--by", "day", "--since", "7d", "--where", "team=a,team=search", "--where", "status=ok", "--csv") == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(line["day"], line["cost_usd"]) for line in found] == [
        ("2026-11-19", "3.000000000"),
        ("2026-11-21", "1.000000000"),
    ]


def test_what_a_caller_wrote_does_not_steer_the_terminal(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--by", "user") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "u?[2J" in out
    assert "\n-  " in out  # nobody's


def test_lines_that_are_left_out_are_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--limit", "1") == 0
    out = capsys.readouterr().out
    assert "2 more lines are in the total" in out
    assert "small" not in out


def test_nothing_was_asked(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--where", "team=nobody") == 0
    assert capsys.readouterr().out.endswith("No attempts in this time.\n")


def test_for_machines(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget("team", "a", 10**9, "month")
    assert run("--json", "--by", "team", budgets=(budget,)) == 0
    found = json.loads(capsys.readouterr().out)
    assert [group["team"] for group in found["groups"]] == ["search", "a"]
    assert found["total"]["cost_usd"] == 4.0
    assert found["rates"]["last_hour"] == 10**9
    assert found["forecast"]["spent"] == 4 * 10**9
    assert found["runways"][0]["ends"] == _AT
    assert found["until"] is None


def test_budgets_and_when_they_end(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    budgets = (
        Budget("team", "a", 10**9, "month"),
        Budget("team", "search", 10**13, "month"),
        Budget("team", "search", 4 * 10**9, "total"),
    )
    assert run(budgets=budgets) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("budget")]
    assert told[0] == "budget     team a, month: $1.00 of $1.00 (100.0%), used up"
    assert told[1].startswith("budget     team search, total: $3.00 of $4.00 (75.0%), used up about 2026-11-2")
    assert told[2].endswith("lasts to the end of the month")


def test_no_ledger_yet(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(address=tmp_path / "none.sqlite") == 1
    assert "there is no ledger yet" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--by", "cost"],
        ["--by", ""],
        ["--since", "yore"],
        ["--where", "team"],
        ["--where", "cost=1"],
        ["--limit", "0"],
        ["--limit", "²"],
        ["--sort", "name"],
    ],
)
def test_wrong_use_is_refused(run: Run, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
    assert "usage: error: argument" in capsys.readouterr().err.replace("sluicegate ", "")


def test_one_form_at_a_time(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "--csv") == 2
    assert "not both" in capsys.readouterr().err


def test_help_shows_how_it_is_used(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--help")
    assert ended.value.code == 0
    assert "sluicegate usage --by team,day --since 7d" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "time"),
    [
        ("now", "2026-11-21T12:00"),
        ("today", "2026-11-21T00:00"),
        ("yesterday", "2026-11-20T00:00"),
        ("month", "2026-11-01T00:00"),
        ("last-month", "2026-10-01T00:00"),
        ("all", "1970-01-01T00:00"),
        ("24h", "2026-11-20T12:00"),
        ("7d", "2026-11-14T12:00"),
        ("2w", "2026-11-07T12:00"),
        ("99999w", "1970-01-01T00:00"),
        ("2026-11-02", "2026-11-02T00:00"),
        ("2026-11-02T02:00+02:00", "2026-11-02T00:00"),
    ],
)
def test_times(words: str, time: str) -> None:
    assert parse_time(words, _NOW) == datetime.fromisoformat(f"{time}+00:00").timestamp() * 1_000_000


def test_where_is_pairs() -> None:
    assert parse_where("key=web,team=a=b,user=") == [("key", "web"), ("team", "a=b"), ("user", "")]
