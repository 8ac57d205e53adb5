"""``sluicegate replay --ledger``: past traffic through another file, without calling anyone."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from proxy.commands import DONE, Edge, add_selection, guarded, selection
from proxy.ledger.export import Source, open_source, pages
from proxy.ledger.row import Row
from proxy.ledger.shown import Style, count, decimal, moment, money, share, style_for, table, text
from proxy.rehearsal.backtest import backtest
from proxy.rehearsal.differences import Differences, Sum, largest
from proxy.rehearsal.play import Compile

_SHOWN = 30  # lines of a table
_SEED = 1  # of what is drawn at random: the same past and the same file give the same report
HELP = """With --ledger: what a file would have done with past traffic. Targets that failed then fail again, all others
answer with the tokens of then; limits are counted anew, on the clock of then. Bodies are not in the ledger: what
depends on them is named as not judged. Every request is taken for a chat completion.

examples:
  sluicegate replay --ledger --config new.yaml --since 7d
  sluicegate replay --ledger /srv/sluicegate/ledger.sqlite --config new.yaml --since last-month --until month --json"""


class BacktestEdge(msgspec.Struct, frozen=True):
    """What the command is told of the world. ``compile`` gives the file, or None and tells what is wrong with it."""

    edge: Edge
    compile: Callable[[Path], Compile | None]


def add_backtest(command: argparse.ArgumentParser, edge: Edge) -> None:
    """Add the arguments to ``replay``; with ``--ledger`` its run is ``run_backtest``."""
    command.add_argument(
        "--ledger",
        nargs="?",
        const="",
        metavar="PATH|URL",
        help="replay what a ledger tells: a SQLite file or postgresql://…; without a value that of --config",
    )
    add_selection(command, edge, "all")


def run_backtest(args: argparse.Namespace, edge: BacktestEdge) -> int:
    """Exit code 0 whatever the differences are, 1 if there is no ledger, 2 for a wrong file."""
    compile = edge.compile(args.config)
    if compile is None:
        return 2
    return guarded(lambda args: _backtest(args, edge.edge, compile))(args)


def _backtest(args: argparse.Namespace, edge: Edge, compile: Compile) -> int:
    chosen = selection(args, 0)
    address: Path | str = args.ledger
    if not args.ledger:
        address = edge.place(args.config).address
    elif "://" not in args.ledger:
        address = Path(args.ledger)
    random.seed(_SEED)
    found, began = Differences(), time.perf_counter()
    period = [0, 0]
    with closing(open_source(address)) as source:
        backtest(compile, _rows(source, chosen, period), found)
    seconds = time.perf_counter() - began
    if args.json:
        print(json.dumps(as_data(found, period, seconds), indent=2))
    else:
        print(as_text(found, period, seconds, style_for(sys.stdout, edge.environ)))
    return DONE


def _rows(source: Source, chosen: Any, period: list[int]) -> Iterator[Row]:
    """All that are chosen; ``period`` gets the times of the first and the last."""
    for page in pages(source, chosen):
        for _, row in page:
            period[0] = period[0] or row.opened
            period[1] = row.opened
            if not row.cache:  # nobody was asked
                yield row


def as_data(found: Differences, period: list[int], seconds: float) -> dict[str, Any]:
    """For --json; money in dollars, as text."""
    return {
        "requests": found.requests,
        "attempts": found.rows,
        "since": period[0],
        "until": period[1],
        "seconds": round(seconds, 3),
        "same": found.same,
        "failed_again": found.failed,
        "cost": _money(found.total),
        "elsewhere": [
            {"from": move.before, "to": move.after, "requests": one.requests} | _money(one)
            for move, one in largest(found.moved)
        ],
        "refused": [
            {"by": why.by or None, "code": why.code, "rule": why.rule or None, "requests": one.requests, **_money(one)}
            for why, one in largest(found.refused)
        ],
        "teams": [{"team": name} | _money(one) for name, one in largest(found.teams)],
        "targets": [{"target": name} | _money(one) for name, one in largest(found.models)],
        "not_judged": found.unjudged,
        "unpriced": found.unpriced,
    }


def _money(one: Sum) -> dict[str, str]:
    return {"before": decimal(one.before), "after": decimal(one.after)}


def as_text(found: Differences, period: list[int], seconds: float, style: Style) -> str:
    """Tables for people."""
    if not found.requests:
        return "no requests in that time"
    lines = [
        style.bold(f"{count(found.requests)} requests, {moment(period[0])} to {moment(period[1])} UTC"),
        f"{count(found.same)} ({share(found.same, found.requests)}) would have been answered by the same target",
    ]
    if found.failed:
        lines.append(f"{count(found.failed)} failed then, and would again")
    moved = [
        [text(move.before), text(move.after), count(one.requests), *_cells(one)] for move, one in _top(found.moved)
    ]
    lines += _table("would have gone elsewhere", ["from", "to", "requests", *_HEAD], moved, found.moved, style, left=2)
    refused = [
        [text(why.by or "-"), why.code, text(why.rule), count(one.requests), money(one.before)]
        for why, one in _top(found.refused)
    ]
    head = ["policy", "code", "rule", "requests", "cost then"]
    lines += _table("would have been refused, or failed", head, refused, found.refused, style, left=3)
    for title, groups in (("team", found.teams), ("target", found.models)):
        rows = [[text(name), *_cells(one)] for name, one in _top(groups)]
        lines += _table(f"cost by {title}", [title, *_HEAD], rows, groups, style, left=1)
    total = found.total
    lines += ["", style.bold(f"cost: {money(total.before)} then, {money(total.after)} now ({_change(total)})")]
    lines += [f"not judged: {name} ({count(number)} requests)" for name, number in sorted(found.unjudged.items())]
    lines += [f"no price is known: {text(name)} ({count(number)})" for name, number in sorted(found.unpriced.items())]
    rate = found.requests / seconds if seconds else 0.0
    return "\n".join([*lines, style.dim(f"{seconds:.1f} s, {rate:,.0f} requests a second; nobody was called")])


_HEAD = ["before", "after", "change"]


def _cells(one: Sum) -> list[str]:
    return [money(one.before), money(one.after), _change(one)]


def _change(one: Sum) -> str:
    """By how much it is dearer or cheaper."""
    if one.before == one.after:
        return "-"
    return f"{100 * (one.after - one.before) / one.before:+.1f}%" if one.before else "new"


def _top(groups: dict[Any, Sum]) -> list[tuple[Any, Sum]]:
    return list(largest(groups))[:_SHOWN]


def _table(
    title: str, head: list[str], rows: list[list[str]], groups: Mapping[Any, Sum], style: Style, *, left: int
) -> list[str]:
    """With its title; nothing without rows."""
    if not rows:
        return []
    more = [style.dim(f"… and {count(len(groups) - len(rows))} more; see --json")] if len(groups) > len(rows) else []
    return ["", style.bold(title), table(head, rows, left=left, style=style), *more]
