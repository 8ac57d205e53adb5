"""``sluicegate ledger``, as it is typed."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy.chat import Usage
from proxy.commands import Edge, Place, parse_time
from proxy.commands.ledger import add_ledger, charge
from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.sqlite import SqliteSink
from proxy.price import Price

_NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_AT = parse_time("2026-11-02", _NOW)
_PRICE = Price(1_000_000_000, 2_000_000_000)  # a dollar for a million tokens of input, two of output
_COST = _PRICE.cost(Usage(input=1_000_000, output=500_000))

Run = Callable[..., int]


def _row(at: int, **more: object) -> Row:
    values: dict[str, object] = {"request": f"r{at}", "number": 1, "opened": _AT + at, "settled": _AT + at}
    values |= {"status": "ok", "model": "m", "provider": "openai", "price": _PRICE.version, "source": "reported"}
    values |= {"input": 1_000_000, "output": 500_000, "cost": _COST, "bound_cost": _COST}
    return Row(f"att_{at}", **values | more)  # type: ignore[arg-type]


def _write(path: Path, *rows: Row) -> None:
    sink = SqliteSink(path)
    sink.write(rows, [PriceTerms(_PRICE.version, _PRICE.terms)])
    sink.close()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Two rows of two dollars each, in order."""
    path = tmp_path / "ledger.sqlite"
    _write(path, _row(1, team="a"), _row(2, flags="partial"))
    return path


@pytest.fixture
def run(ledger: Path) -> Run:
    """Runs the command with these arguments beside that ledger."""

    def go(*words: object, address: Path = ledger) -> int:
        edge = Edge(lambda _: Place(address), {}, _NOW.timestamp)
        parser = argparse.ArgumentParser(prog="sluicegate")
        config, output = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
        config.add_argument("--config", type=Path, default=Path("gateway.yaml"))
        output.add_argument("--json", action="store_true")
        add_ledger(parser.add_subparsers(required=True), config, output, edge)
        args = parser.parse_args(["ledger", *map(str, words)])
        code: int = args.run(args)
        return code

    return go


def _invoice(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "invoice.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_price_that_was_kept_is_the_price_that_is_charged() -> None:
    assert charge(_PRICE.terms, Usage(input=1_000_000, output=500_000), "") == 2_000_000_000
    with pytest.raises(ValueError, match="truncated"):
        charge(b"{", Usage(), "")


def test_a_ledger_in_order(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify") == 0
    assert capsys.readouterr().out == "1 rows flagged partial: $2.00\n2 rows, $4.00: in order\n"
    assert run("verify", "--json") == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_a_wrong_cost_is_found(run: Run, ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(ledger, _row(3, cost=_COST - 1))
    assert run("verify") == 1
    out = capsys.readouterr().out
    assert out.startswith("cost: att_3: cost 1999999999, but its tokens")
    assert out.endswith(": 1 violations\n")
    assert run("verify", "--json") == 1
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["violations"]] == ["att_3"]


def test_an_invoice_that_agrees(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its days say what is compared with it."""
    invoice = _invoice(tmp_path, "date,model,input tokens,output tokens,cost", "2026-11-02,m,2000000,1000000,$4.01")
    assert run("reconcile", "--against", invoice, "--provider", "openai") == 0
    assert capsys.readouterr().out == "Agrees within 1 % in 1 cells (input, output, cost).\n"


def test_an_invoice_that_differs(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    invoice = _invoice(tmp_path, "model,cost,requests", "m,8,4")
    assert run("reconcile", "--against", invoice) == 1
    out = capsys.readouterr().out
    assert "m      cost       $4.00     $8.00      -50.0%" in out
    assert "2 requests did not pass the gateway" in out
    assert run("reconcile", "--against", invoice, "--json") == 1
    assert len(json.loads(capsys.readouterr().out)["differences"]) == 2
    assert run("reconcile", "--against", invoice, "--provider", "other") == 1
    assert "no such requests passed the gateway" in capsys.readouterr().out


def test_a_bad_invoice_is_refused(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    invoice = _invoice(tmp_path, "model,cost", "m,much")
    assert run("reconcile", "--against", invoice) == 2
    assert capsys.readouterr().err == f"{invoice}: line 2: 'cost' is no number: 'much'\n"
    invoice.write_bytes(b"model,cost\n\xff,1\n")
    assert run("reconcile", "--against", invoice) == 2
    assert run("reconcile", "--against", tmp_path / "none.csv") == 1


def test_rows_are_exported(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "rows.csv"
    assert run("export", "--format", "csv", "--output", target) == 0
    assert [row["cost_usd"] for row in csv.DictReader(target.read_text().splitlines())] == [
        "2.000000000",
        "2.000000000",
    ]
    assert capsys.readouterr().err == f"{target}: 2 rows\n"
    assert run("export", "--format", "jsonl", "--where", "team=a") == 0
    shown = capsys.readouterr()
    assert [json.loads(line)["id"] for line in shown.out.splitlines()] == ["att_1"]
    assert shown.err == ""


def test_nothing_is_deleted_without_a_yes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prune", "--before", "2026-11-03") == 0
    assert capsys.readouterr().out == (
        "would delete 2 rows opened before 2026-11-03 00:00 UTC ($4.00); say --yes to do it\n"
    )
    assert run("prune", "--before", "2026-11-03", "--yes") == 0
    assert capsys.readouterr().out == "deleted 2 of 2 rows opened before 2026-11-03 00:00 UTC ($4.00)\n"
    assert run("verify") == 0
    assert capsys.readouterr().out == "0 rows, $0: in order\n"


@pytest.mark.parametrize("words", [["verify"], ["export", "--format", "csv"], ["prune", "--before", "today", "--yes"]])
def test_no_ledger_yet(run: Run, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words, address=tmp_path / "none.sqlite") == 1
    assert "there is no ledger yet" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("words", [[], ["export"], ["export", "--format", "xml"], ["reconcile"], ["prune"]])
def test_wrong_use_is_refused(run: Run, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["verify", "reconcile", "export", "prune"])
def test_every_verb_has_an_example(run: Run, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(verb, "--help")
    assert ended.value.code == 0
    assert f"example:\n  sluicegate ledger {verb}" in capsys.readouterr().out
