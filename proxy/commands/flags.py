"""``sluicegate flags``: what the file names for switching, and setting it while the gateway runs.

A gateway that runs beside it knows of every change within a second.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proxy.commands import DONE, FAILED, WRONG, Commands
from proxy.commands.keys import KeysEdge
from proxy.errors import GatewayError
from proxy.flags import store
from proxy.flags.flag import DEFAULT, Setting, is_flag_name
from proxy.flags.shown import in_file, missing, rows
from proxy.flags.table import Table
from proxy.ledger.shown import style_for, table, text

# The flags of a file; None where it cannot be read.
ReadTable = Callable[[Path], Table | None]


def add_flags(
    commands: Commands, config: ArgumentParser, output: ArgumentParser, edge: KeysEdge, read: ReadTable
) -> None:
    """Add the command. ``config`` and ``output`` are parents: --config and --json."""
    command = commands.add_parser("flags", help="switch policies and targets while the gateway runs")
    verbs = command.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser("list", parents=[config, output], help="list the flags of the file, and what is set")
    verb.set_defaults(run=lambda args: _guarded(_list, args, edge, read))
    verb = verbs.add_parser("set", parents=[config, output], help="set a flag, without a change of the file")
    verb.add_argument("name", metavar="NAME")
    verb.add_argument("value", metavar="VALUE", help="on, off, a share such as 25%%, or default: as the file says")
    verb.add_argument("--reason", default="", metavar="TEXT", help="stands in the audit")
    verb.set_defaults(run=lambda args: _guarded(_set, args, edge, read))


def _guarded(
    run: Callable[[argparse.Namespace, KeysEdge, Table | None], int],
    args: argparse.Namespace,
    edge: KeysEdge,
    read: ReadTable,
) -> int:
    try:
        return run(args, edge, read(args.config))
    except GatewayError as error:
        print(error.message, file=sys.stderr)
        return FAILED
    except ValueError as error:
        print(error, file=sys.stderr)
        return WRONG
    except (OSError, sqlite3.Error) as error:
        print(f"The flags cannot be used: {error}", file=sys.stderr)
        return FAILED


def _list(args: argparse.Namespace, edge: KeysEdge, known: Table | None) -> int:
    with edge.open(args) as db:
        found = rows(known or Table(), store.kept(db))
    if known is None:
        _warn(args.config)
    if args.json:
        print(json.dumps({"flags": found}, indent=2))
        return DONE
    head = ["flag", "set to", "in the file", "what", "reason"]
    lines = [line for row in found for line in _lines(row)]
    print(table(head, lines, left=len(head), style=style_for(sys.stdout, {"NO_COLOR": "1"})))
    return DONE


def _lines(row: dict[str, Any]) -> list[list[str]]:
    """One for each place."""
    places = row["places"] or [None]
    head = [row["name"], row["value"]]
    return [
        [
            *(head if at == 0 else ["", ""]),
            "-" if place is None else text(in_file(place)),
            "not in the file" if place is None else text(f"{place['route']}: {place['what']}"),
            text(row["reason"] or "-") if at == 0 else "",
        ]
        for at, place in enumerate(places)
    ]


def _set(args: argparse.Namespace, edge: KeysEdge, known: Table | None) -> int:
    setting, reason = Setting.parse(args.value), store.read_reason(args.reason)
    if not is_flag_name(args.name):
        raise ValueError(f"{args.name[:64]!r} is no name of a flag")
    with edge.open(args) as db:
        names = [row["name"] for row in rows(known or Table(), store.kept(db))]
        if known is not None and args.name not in names:
            raise ValueError(missing(args.name, names))
        store.change(db, edge.actor, args.name, setting, reason, now=edge.micros)
    if known is None:  # the gateway may run on what was there before
        _warn(args.config)
    value = DEFAULT if setting is None else setting.text
    print(json.dumps({"name": args.name, "value": value}) if args.json else f"{args.name}: {value}")
    return DONE


def _warn(path: Path) -> None:
    print(f"notice: {path} cannot be read, so nobody knows which flags it has", file=sys.stderr)
