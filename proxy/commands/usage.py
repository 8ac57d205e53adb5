"""``sluicegate usage``: who used what, what it cost, and what the month will cost."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence

import msgspec

from proxy.commands import DONE, WRONG, Commands, Edge, Place, add_selection, guarded, selection
from proxy.ledger.export import Selection, Source, open_source
from proxy.ledger.forecast import Forecast, Runway, forecast, history, micros, month, runways
from proxy.ledger.shown import Style, count, decimal, moment, money, share, style_for, table, text
from proxy.ledger.usage import DIMENSIONS, HOUR, SORTS, Group, Usage, as_data, daily, spent, usage

_HEAD = ("requests", "attempts", "errors", "input", "cached", "output", "hits", "saved", "cost")
_BUDGETS = 20  # that are shown
_HELP = """A row of the ledger is one attempt: a request that failed over has several. `input` are tokens that were
not read from a provider's cache, `cached` those that were. `hits` are requests that the gateway has answered from a
cache of its own, without an attempt and at no cost; `saved` is what their answers had cost at first. Times are UTC.

examples:
  sluicegate usage
  sluicegate usage --by team,day --since 7d --where organisation=acme
  sluicegate usage --by user --since last-month --until month --sort tokens --csv"""


class Rates(msgspec.Struct, frozen=True):
    """Nano-dollars of an hour."""

    last_hour: int
    period: int


class Outlook(msgspec.Struct, frozen=True):
    """What is to come. ``forecast`` is None of a period that is over."""

    rates: Rates
    forecast: Forecast | None
    runways: list[Runway]


def add_usage(commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: Edge) -> None:
    """Add the command. ``config`` and ``output`` are parents: --config and --json."""
    command = commands.add_parser(
        "usage",
        parents=[config, output],
        help="show who used what, and what it cost",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ", ".join(DIMENSIONS)
    command.add_argument(
        "--by",
        type=dimensions,
        default=("team", "model"),
        metavar="NAME,…",
        help=f"{names} (default: team,model)",
    )
    add_selection(command, edge, "month")
    command.add_argument("--sort", choices=SORTS, default="cost", help="the largest first (default: %(default)s)")
    command.add_argument("--limit", type=positive, default=50, metavar="N", help="lines (default: %(default)s)")
    command.add_argument("--csv", action="store_true", help="print CSV")
    command.set_defaults(run=guarded(lambda args: _usage(args, edge)))


def dimensions(words: str) -> tuple[str, ...]:
    """What ``--by`` takes.

    Raises:
        argparse.ArgumentTypeError: a dimension that does not exist.
    """
    names = tuple(dict.fromkeys(words.split(",")))
    if wrong := [name for name in names if name not in DIMENSIONS]:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} is none of: {', '.join(DIMENSIONS)}")
    return names


def positive(word: str) -> int:
    """What ``--limit`` takes.

    Raises:
        argparse.ArgumentTypeError: no whole number above 0, or a very large one.
    """
    if not (word.isascii() and word.isdecimal() and 0 < len(word) < 7 and int(word)):
        raise argparse.ArgumentTypeError(f"{word!r} is no number from 1 to 999999")
    return int(word)


def _usage(args: argparse.Namespace, edge: Edge) -> int:
    if args.json and args.csv:
        print("--json or --csv, not both", file=sys.stderr)
        return WRONG
    place = edge.place(args.config)
    chosen = selection(args, micros(month(edge.today)[0]))
    source = open_source(place.address)
    try:
        found = usage(source, chosen, args.by, sort=args.sort, limit=args.limit)
        outlook = None if args.csv else _outlook(source, chosen, found, place, edge)
    finally:
        source.close()
    if args.csv:
        _write_csv(found)
    elif args.json:
        data = as_data(found) | {"since": chosen.since, "until": chosen.until or None}
        print(json.dumps(data | msgspec.to_builtins(outlook), indent=2))
    else:
        assert outlook is not None
        print(_report(found, outlook, chosen, edge, style_for(sys.stdout, edge.environ)))
    return DONE


def _outlook(source: Source, chosen: Selection, found: Usage, place: Place, edge: Edge) -> Outlook:
    now = edge.today
    at = micros(now)
    last_hour = spent(source, Selection(at - HOUR, 0, chosen.where))
    end = min(chosen.until or at, at)
    hours = max(1.0, (end - chosen.since) / HOUR)
    ahead = None
    if not chosen.until or chosen.until > at:
        days = daily(source, Selection(history(now), 0, chosen.where)).get((), {})
        ahead = forecast(days, now)
    return Outlook(Rates(last_hour, round(found.total.cost / hours)), ahead, runways(source, place.budgets, now))


def _write_csv(found: Usage) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*found.by, *_HEAD[:-2], "saved_usd", "cost_usd"])
    for group in found.groups:
        writer.writerow([*group.names, *_sums(group), decimal(group.saved), decimal(group.cost)])


def _report(found: Usage, outlook: Outlook, chosen: Selection, edge: Edge, style: Style) -> str:
    until = chosen.until or micros(edge.today)
    lines = [style.dim(f"{moment(chosen.since)} to {moment(until)} UTC"), ""]
    if not found.count:
        return "\n".join([*lines, "No attempts in this time."])
    rows = [_line([text(name) for name in group.names], group, found.total) for group in found.groups]
    names = ["total", *[""] * (len(found.by) - 1)]
    total = _line(names, found.total, found.total)
    lines.append(table([*found.by, *_HEAD, "share"], rows, left=len(found.by), total=total, style=style))
    if found.count > len(found.groups):
        lines.append(style.dim(f"{count(found.count - len(found.groups))} more lines are in the total; see --limit"))
    lines += ["", *_rates(outlook.rates), *_ahead(outlook.forecast), *_budgets(outlook.runways, style)]
    return "\n".join(lines)


def _line(names: Sequence[str], group: Group, total: Group) -> list[str]:
    amounts = (money(group.saved), money(group.cost), share(group.cost, total.cost))
    return [*names, *(count(number) for number in _sums(group)), *amounts]


def _sums(group: Group) -> tuple[int, ...]:
    """Those that are counted, in the order of the columns."""
    return group.requests, group.attempts, group.errors, group.input, group.cached, group.output, group.hits


def _rates(rates: Rates) -> list[str]:
    return [f"burn rate  {money(rates.last_hour)}/h in the last hour, {money(rates.period)}/h over the period"]


def _ahead(found: Forecast | None) -> list[str]:
    if found is None:
        return []
    if found.expected is None:
        return ["forecast   too little is known yet"]
    if not found.days:
        basis = "as today went so far"
    elif found.is_weekly:
        basis = f"by the weekdays of {found.days} days"
    else:
        days = min(found.days, 7)
        basis = f"by the last {days} days" if days > 1 else "by yesterday alone"
    between = "" if found.low is None or found.high is None else f" ({money(found.low)} to {money(found.high)})"
    return [
        f"forecast   {money(found.expected)}{between} at the end of the month, {basis}; {money(found.spent)} so far"
    ]


def _budgets(found: Sequence[Runway], style: Style) -> list[str]:
    lines = []
    for one in found[:_BUDGETS]:
        budget = one.budget
        used = f"{money(one.spent)} of {money(budget.limit_nano)} ({share(one.spent, budget.limit_nano)})"
        line = f"budget     {budget.scope} {text(budget.name)}, {budget.window}: {used}, "
        if one.spent >= budget.limit_nano:
            lines.append(style.red(f"{line}used up"))
        elif one.ends is not None:
            lines.append(f"{line}used up about {moment(one.ends)} UTC")
        else:
            lasts = "for a year and more" if budget.window == "total" else f"to the end of the {budget.window}"
            lines.append(f"{line}lasts {lasts}")
    if len(found) > _BUDGETS:
        lines.append(style.dim(f"{len(found) - _BUDGETS} more budgets last longer; see --json"))
    return lines
