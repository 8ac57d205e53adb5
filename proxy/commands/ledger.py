"""``sluicegate ledger``: whether it is in order, whether a provider agrees, its rows as a file, and fewer of them."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import TextIO

import msgspec

from proxy.chat import Usage
from proxy.commands import DONE, FAILED, WRONG, Commands, Edge, add_selection, guarded, parse_time, selection
from proxy.ledger.export import Selection, open_source, prunable, prune, write
from proxy.ledger.forecast import micros, month
from proxy.ledger.reconcile import HELP, BadInvoice, Difference, Invoice, booked, compare, read_invoice
from proxy.ledger.shown import Style, count, moment, money, style_for, table, text
from proxy.ledger.usage import DAY
from proxy.ledger.verify import Report, verify
from proxy.price import Price

_SHOWN = 100  # violations, and differences


def add_ledger(commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: Edge) -> None:
    """Add the command. ``config`` and ``output`` are parents: --config and --json."""
    command = commands.add_parser("ledger", help="check, compare, export or shorten the ledger")
    verbs = command.add_subparsers(metavar="VERB", required=True)
    _add_verify(verbs, config, output, edge)
    _add_reconcile(verbs, config, output, edge)
    _add_export(verbs, config, edge)
    _add_prune(verbs, config, edge)


def _add(verbs: Commands, name: str, parents: list[ArgumentParser], help: str, more: str) -> ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    return verbs.add_parser(name, parents=parents, help=help, description=more, formatter_class=form)


def _add_verify(verbs: Commands, config: ArgumentParser, output: ArgumentParser, edge: Edge) -> None:
    verb = _add(
        verbs,
        "verify",
        [config, output],
        "compute every cost again, and look for what cannot be",
        "Looks at every row; exit code 1 if something is wrong.\n\nexample:\n  sluicegate ledger verify",
    )
    verb.set_defaults(run=guarded(lambda args: _verify(args, edge)))


def _add_reconcile(verbs: Commands, config: ArgumentParser, output: ArgumentParser, edge: Edge) -> None:
    verb = _add(
        verbs,
        "reconcile",
        [config, output],
        "compare with a provider's usage or cost export",
        f"Lists what differs by more than 1 %, with the likely cause; exit code 1 if anything does.\n\n{HELP}\n\n"
        "example:\n  sluicegate ledger reconcile --against invoice.csv --provider openai --since 2026-10-01",
    )
    verb.add_argument("--against", type=Path, required=True, metavar="FILE", help="the provider's CSV")
    verb.add_argument("--provider", metavar="NAME", help="the account of the file that it is of (default: all)")
    add_selection(verb, edge, "the first day of the CSV, or month")
    verb.set_defaults(run=guarded(lambda args: _reconcile(args, edge)))


def _add_export(verbs: Commands, config: ArgumentParser, edge: Edge) -> None:
    verb = _add(
        verbs,
        "export",
        [config],
        "write all rows, with all columns",
        "Money is in nano-dollars, and cost_usd in dollars; times are microseconds since the epoch. In CSV, a text\n"
        "that a spreadsheet would take for a formula begins with an apostrophe.\n\n"
        "example:\n  sluicegate ledger export --format csv --since last-month --until month --output october.csv",
    )
    verb.add_argument("--format", choices=["csv", "jsonl"], required=True)
    add_selection(verb, edge, "all")
    verb.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    verb.set_defaults(run=guarded(lambda args: _export(args, edge)))


def _add_prune(verbs: Commands, config: ArgumentParser, edge: Edge) -> None:
    verb = _add(
        verbs,
        "prune",
        [config],
        "delete old rows",
        "Deletes settled rows; export them before. A request is deleted with all its attempts, or kept.\n\n"
        "example:\n  sluicegate ledger prune --before 2026-01-01 --yes",
    )
    before = "rows opened before this time (UTC)"
    verb.add_argument(
        "--before", type=lambda word: parse_time(word, edge.today), required=True, metavar="TIME", help=before
    )
    verb.add_argument("--yes", action="store_true", help="do it; else only say what would be deleted")
    verb.set_defaults(run=guarded(lambda args: _prune(args, edge)))


def charge(terms: bytes, usage: Usage, tier: str) -> int:
    """What a usage costs by the terms that were kept, in nano-dollars.

    Raises:
        ValueError: the terms cannot be read.
    """
    return Price.decode(terms).cost(usage, tier=tier)


def _verify(args: argparse.Namespace, edge: Edge) -> int:
    with closing(open_source(edge.place(args.config).address)) as source:
        report = verify(source, charge, micros(edge.today))
    if args.json:
        print(json.dumps({"ok": not report.count} | msgspec.to_builtins(report), indent=2))
    else:
        print(_verified(report, style_for(sys.stdout, edge.environ)))
    return FAILED if report.count else DONE


def _verified(report: Report, style: Style) -> str:
    lines = [style.red(f"{one.rule}: {text(one.id)}: {one.text}") for one in report.violations[:_SHOWN]]
    if report.count > _SHOWN:
        lines.append(f"… and {count(report.count - _SHOWN)} more; --json lists a thousand")
    notes = [("open", report.open), ("unknown, counted at their bound", report.bound)]
    notes += [(f"flagged {text(word)}", found) for word, found in sorted(report.flags.items())]
    lines += [f"{count(found.rows)} rows {name}: {money(found.cost)}" for name, found in notes if found.rows]
    result = f"{count(report.count)} violations" if report.count else "in order"
    lines.append(style.bold(f"{count(report.rows)} rows, {money(report.cost)}: {result}"))
    return "\n".join(lines)


def _reconcile(args: argparse.Namespace, edge: Edge) -> int:
    try:
        with args.against.open(newline="", encoding="utf-8-sig") as file:
            invoice = read_invoice(file)
    except (BadInvoice, UnicodeDecodeError) as error:
        print(f"{args.against}: {error}", file=sys.stderr)
        return WRONG
    chosen = _period(args, edge, invoice)
    with closing(open_source(edge.place(args.config).address)) as source:
        here = booked(source, chosen, by_day=invoice.days is not None)
    found = compare(here, invoice)
    if args.json:
        data = {"ok": not found, "since": chosen.since, "until": chosen.until or None}
        print(json.dumps(data | {"differences": msgspec.to_builtins(found)}, indent=2))
    else:
        print(_reconciled(found, invoice, style_for(sys.stdout, edge.environ)))
    return FAILED if found else DONE


def _period(args: argparse.Namespace, edge: Edge, invoice: Invoice) -> Selection:
    """What was asked for; else the days of the file."""
    first, last = micros(month(edge.today)[0]), 0
    if invoice.days is not None:
        first, last = (parse_time(day, edge.today) for day in invoice.days)
        last += DAY
    chosen = selection(args, first)
    where = dict(chosen.where) | ({"provider": (args.provider,)} if args.provider else {})
    return Selection(chosen.since, chosen.until or last, where)


def _reconciled(found: list[Difference], invoice: Invoice, style: Style) -> str:
    compared = ", ".join(name for name in ("input", "cached", "output", "cost", "requests") if name in invoice.columns)
    if not found:
        return f"Agrees within 1 % in {count(len(invoice.cells))} cells ({compared})."
    rows = [
        [
            one.day or "-",
            text(one.model),
            one.what,
            *(money(value) if one.what == "cost" else count(value) for value in (one.here, one.there)),
            "-" if one.part is None else f"{100 * one.part:+.1f}%",
            "  " + "; ".join(one.causes),
        ]
        for one in found[:_SHOWN]
    ]
    head = ["day", "model", "what", "ledger", "provider", "difference", "  likely cause"]
    lines = [table(head, rows, left=3, style=style)]
    if len(found) > _SHOWN:
        lines.append(style.dim(f"… and {count(len(found) - _SHOWN)} more; see --json"))
    lines.append(style.bold(f"{count(len(found))} differences of more than 1 % ({compared})"))
    return "\n".join(lines)


def _export(args: argparse.Namespace, edge: Edge) -> int:
    chosen = selection(args, 0)

    def progress(rows: int) -> None:
        print(f"\r{count(rows)} rows", end="", file=sys.stderr, flush=True)

    is_watched = sys.stderr.isatty() and (args.output is not None or not sys.stdout.isatty())
    with closing(open_source(edge.place(args.config).address)) as source:

        def run(file: TextIO) -> int:
            return write(source, chosen, args.format, file, progress if is_watched else None)

        if args.output is None:
            run(sys.stdout)
        else:
            with args.output.open("w", newline="", encoding="utf-8") as file:
                rows = run(file)
            print(f"{chr(13) if is_watched else ''}{args.output}: {count(rows)} rows", file=sys.stderr)
            return DONE
    if is_watched:
        print(file=sys.stderr)
    return DONE


def _prune(args: argparse.Namespace, edge: Edge) -> int:
    with closing(open_source(edge.place(args.config).address, writable=args.yes)) as source:
        rows, cost = prunable(source, args.before)
        what = f"{count(rows)} rows opened before {moment(args.before)} UTC ({money(cost)})"
        if args.yes:
            print(f"deleted {count(prune(source, args.before))} of {what}")
        else:
            print(f"would delete {what}; say --yes to do it")
    return DONE
