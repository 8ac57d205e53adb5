"""``sluicegate cache prefixes``, as it is typed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from proxy.commands import Edge, Place, parse_time
from proxy.commands.prefixes import add_prefixes
from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.sqlite import SqliteSink
from proxy.price import Price

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = parse_time("now", NOW)
PRICE = Price(3 * 10**9, 15 * 10**9, cached_read=3 * 10**8, cache_write_5m=3_750_000_000)
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command with these arguments, beside a ledger of three routes."""
    sink = SqliteSink(tmp_path / "ledger.sqlite")
    known: dict[str, Any] = {"status": "ok", "provider": "a", "model": "m", "price": PRICE.version}
    sink.write(
        [
            Row("1", "r1", 1, AT - 9, route="chat", input=1000, cache_write_5m=1_000_000, **known),
            Row("2", "r2", 1, AT - 8, route="chat", input=1000, cached_read=999_000, **known),
            Row("3", "r3", 1, AT - 7, route="once", cache_write_5m=400_000, **known),
            Row("4", "r4", 1, AT - 6, route="free\x1b[2J", status="ok", input=70),
        ],
        [PriceTerms(PRICE.version, PRICE.terms)],
    )
    sink.close()

    def go(*words: str, address: Path = tmp_path / "ledger.sqlite") -> int:
        edge = Edge(lambda _: Place(address), {}, NOW.timestamp)
        parser = argparse.ArgumentParser(prog="sluicegate")
        config, output = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
        config.add_argument("--config", type=Path, default=Path("gateway.yaml"))
        output.add_argument("--json", action="store_true")
        add_prefixes(parser.add_subparsers(required=True), config, output, edge)
        args = parser.parse_args(["prefixes", *words])
        code: int = args.run(args)
        return code

    return go


def test_this_month_by_route(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """What was saved, what was paid for it, and what for nothing; a caller's text steers no terminal."""
    assert run("--by", "route") == 0
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["2026-11-01", "00:00", "to", "2026-11-21", "12:00", "UTC"]
    assert lines[2] == ["route", "requests", "input", "read", "written", "hits", "saved", "surcharge", "lost", "net"]
    assert lines[3][:6] == ["chat", "2", "2,001,000", "999,000", "1,000,000", "49.9%"]
    assert lines[3][6:] == ["$2.70", "$0.7500", "$0.00075", "$1.95"]
    assert lines[4] == ["once", "1", "400,000", "0", "400,000", "0.0%", "$0", "$0.3000", "$0.3000", "-$0.3000"]
    assert lines[5][:6] == ["free?[2J", "1", "70", "0", "0", "0.0%"]
    assert lines[7][0] == "total"
    assert lines[7][-1] == "$1.65"
    assert "1 requests have no known price" in out
    assert "\x1b" not in out


def test_what_is_left_out_and_what_is_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--limit", "1") == 0
    out = capsys.readouterr().out
    assert "2 more lines are in the total" in out
    assert "route  provider  model" in out
    assert run("--where", "route=none") == 0
    assert capsys.readouterr().out.endswith("No input in this time.\n")


def test_for_machines(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole nano-dollars."""
    assert run("--json", "--where", "route=chat") == 0
    found = json.loads(capsys.readouterr().out)
    (group,) = found["groups"]
    assert (group["route"], group["provider"], group["model"]) == ("chat", "a", "m")
    assert (group["saved"], group["surcharge"], group["lost"]) == (2_697_300_000, 750_000_000, 750_000)
    assert (group["net"], group["net_usd"]) == (1_947_300_000, 1.9473)
    assert found["until"] is None


def test_without_a_ledger(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, and has failed; a dimension that there is not is a mistake."""
    assert run(address=tmp_path / "none.sqlite") == 1
    assert "no ledger yet" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("--by", "weather")
