"""``sluicegate experiments``: which there are, what they are, and what can be concluded."""

from __future__ import annotations

import argparse
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from proxy.commands import DONE, Commands, Edge, guarded
from proxy.experiments import tables
from proxy.experiments.figures import percent
from proxy.experiments.measures import NoExperiments, names
from proxy.experiments.mirror_report import mirror_report, mirror_summary
from proxy.experiments.mirror_shown import as_text as mirror_as_text
from proxy.experiments.mirror_shown import page as mirror_page
from proxy.experiments.mirrored import mirrors
from proxy.experiments.page import page
from proxy.experiments.plan import Plan
from proxy.experiments.report import report, summary
from proxy.experiments.shown import as_text
from proxy.ledger.export import NoLedger
from proxy.ledger.shown import Style, style_for, table

State = Callable[[], Path]


def add_experiments(commands: Commands, output: ArgumentParser, edge: Edge, state: State) -> None:
    """Add the command. ``output`` is a parent: --json; ``state`` says where the gateway keeps what survives it."""
    command = commands.add_parser("experiments", help="list experiments, and report what they show")
    verbs = command.add_subparsers(metavar="VERB", required=True)
    where = argparse.ArgumentParser(add_help=False)
    text = "a state directory; of several replicas, one each (default: the gateway's)"
    where.add_argument("--state", type=Path, action="append", metavar="DIR", help=text)

    def add(name: str, help: str, run: Callable[[argparse.Namespace], int]) -> ArgumentParser:
        verb = verbs.add_parser(name, parents=[where, output], help=help)
        verb.set_defaults(run=guarded(lambda args: _told(run, args)), edge=edge, place=state)
        return verb

    add("list", "all that were ever recorded, and what mirrors compare", _list)
    verb = add("show", "one, as the file had it last", _show)
    verb.add_argument("name", metavar="NAME")
    verb = add("report", "what can be concluded of one, now", _report)
    verb.add_argument("name", metavar="NAME")
    verb.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots that needs nothing else")


def _told(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    """What cannot be read is said as of the ledger."""
    try:
        return run(args)
    except NoExperiments as error:
        raise NoLedger(str(error)) from error


def _paths(args: argparse.Namespace) -> list[Path]:
    return [folder / tables.NAME for folder in args.state or [args.place()]]


def _list(args: argparse.Namespace) -> int:
    now, paths = args.edge.now(), _paths(args)
    found = [report(paths, plan.name, now=now) for plan in names(paths)]
    compared = [mirror_report(paths, one.name) for one in mirrors(paths)]
    if args.json:
        _print([*(summary(one) for one in found), *(mirror_summary(one) for one in compared)])
    elif not found and not compared:
        print("No experiment was recorded yet.")
    else:
        rows = [
            [one.name, one.state, one.plan.route, f"{sum(one.subjects):,}", f"{sum(one.requests):,}", one.verdict[0]]
            for one in found
        ]
        rows += [[one.name, "mirror", one.route, "-", f"{one.requests:,}", one.verdict[0]] for one in compared]
        print(
            table(["experiment", "state", "route", "subjects", "requests", "verdict"], _left(rows), style=_style(args))
        )
    return DONE


def _left(rows: Sequence[list[str]]) -> list[list[str]]:
    """The last column begins where the longest does."""
    width = max(len(row[-1]) for row in rows)
    return [[*row[:-1], row[-1].ljust(width)] for row in rows]


def _show(args: argparse.Namespace) -> int:
    known = {plan.name: plan for plan in names(_paths(args))}
    if args.name in (one.name for one in mirrors(_paths(args))):
        return _report_mirror(args)
    if args.name not in known:
        raise NoExperiments(f"there is no experiment {args.name!r}; there are: {', '.join(known) or 'none'}")
    if args.json:
        _print(known[args.name])
    else:
        print("\n".join(_shown(known[args.name], args.edge.now())))
    return DONE


def _shown(plan: Plan, now: float) -> list[str]:
    def moment(at: float | None) -> str:
        return "-" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")

    lines = [
        f"experiment  {plan.name} (route {plan.route}), {plan.state(now)}",
        f"subject     {plan.subject}; {percent(plan.share)} may take part, {percent(plan.share_at(now))} do now",
        f"time        {moment(plan.start)} to {moment(plan.end)}",
    ]
    if plan.group:
        lines.append(f"group       {plan.group}")
    for arm, weight in zip(plan.arms, plan.weights, strict=True):
        lines.append(f"variant     {arm} {percent(weight)}{' (control)' if arm == plan.control else ''}")
    for name, outcome in plan.outcomes.items():
        decides = ", decides" if name == plan.primary else ""
        lines.append(f"outcome     {name}: {outcome.type}, {outcome.better} is better{decides}")
    lines += [f"guard       {name}: at most {percent(margin)} worse" for name, margin in plan.guards.items()]
    if plan.bandit is not None:
        lines.append(f"bandit      follows {plan.bandit.outcome}, {percent(plan.bandit.floor)} for each at least")
    return lines


def _report_mirror(args: argparse.Namespace) -> int:
    found = mirror_report(_paths(args), args.name)
    html = getattr(args, "html", None)
    if html is not None:
        html.write_text(mirror_page(found), encoding="utf-8")
        print(f"{html}: written", file=sys.stderr)
    if args.json:
        _print(found)
    elif html is None:
        print(mirror_as_text(found, _style(args)))
    return DONE


def _report(args: argparse.Namespace) -> int:
    if args.name in (one.name for one in mirrors(_paths(args))):
        return _report_mirror(args)
    found = report(_paths(args), args.name, now=args.edge.now())
    if args.html is not None:
        args.html.write_text(page(found), encoding="utf-8")
        print(f"{args.html}: written", file=sys.stderr)
    if args.json:
        _print(found)
    elif args.html is None:
        print(as_text(found, _style(args)))
    return DONE


def _style(args: argparse.Namespace) -> Style:
    return style_for(sys.stdout, args.edge.environ)


def _print(value: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(value)).decode())
