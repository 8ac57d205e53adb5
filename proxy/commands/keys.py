"""``sluicegate keys``: keys that are issued, listed, revoked and rotated in the file of the gateway's state.

A gateway that runs beside it knows of every change within a second.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from proxy.commands import DONE, FAILED, WRONG, Commands
from proxy.errors import GatewayError
from proxy.keys import audit, store
from proxy.keys.audit import Actor
from proxy.keys.record import MICRO, IssuedKey, read_name, read_properties, view
from proxy.ledger.shown import moment, style_for, table, text
from proxy.units import Duration

_PAGE = 1000
_OPTIONS = ("tier", "models", "routes", "addresses", "limits", "expires")


class KeysEdge(msgspec.Struct, frozen=True):
    """What the commands are told of the world. ``folder``: of the state of a configuration file; ``user``: who types;
    ``now``: seconds since the epoch."""

    folder: Callable[[Path], Path]
    user: str
    now: Callable[[], float]

    @property
    def micros(self) -> int:
        return int(self.now() * MICRO)

    @property
    def actor(self) -> Actor:
        """Whoever can write the file owns it."""
        return Actor(f"(command) {self.user}"[:80], "owner")

    def open(self, args: argparse.Namespace) -> AbstractContextManager[sqlite3.Connection]:
        return store.writing(self.folder(args.config))


def add_keys(verbs: Commands, config: ArgumentParser, output: ArgumentParser, edge: KeysEdge) -> None:
    """Add the verbs beside ``new``. ``config`` and ``output`` are parents: --config and --json."""
    parents = [config, output]

    def add(name: str, help: str, run: Callable[[argparse.Namespace, KeysEdge], int]) -> ArgumentParser:
        verb = verbs.add_parser(name, parents=parents, help=help)
        verb.set_defaults(run=lambda args: _guarded(run, args, edge))
        return verb

    verb = add("create", "issue a key, at once and without a change of the file", _create)
    verb.add_argument("name", metavar="ORGANISATION/TEAM/NAME")
    verb.add_argument("--tier", help="free, basic, premium or enterprise (default: its team's)")
    for option, metavar, help in (
        ("model", "GLOB", "a model it is for (default: its team's)"),
        ("route", "NAME", "a route it is for"),
        ("address", "CIDR", "a network it may come from"),
        ("limit", "TEXT", "a limit of its own, like 60/min"),
    ):
        plural = f"{option}es" if option == "address" else f"{option}s"
        verb.add_argument(f"--{option}", dest=plural, action="append", metavar=metavar, help=f"{help}; may be repeated")
    verb.add_argument("--expires", metavar="TIME", help="30d, or 2027-01-31T12:00:00Z (default: never)")
    verb = add("list", "list the issued keys", _list)
    verb.add_argument("--organisation", default="", metavar="NAME")
    verb.add_argument("--team", default="", metavar="NAME")
    add("show", "show an issued key", _show).add_argument("id", metavar="ID")
    add("revoke", "end a key now, for good", _revoke).add_argument("id", metavar="ID")
    verb = add("rotate", "issue another secret for a key", _rotate)
    verb.add_argument("id", metavar="ID")
    verb.add_argument("--overlap", default="24h", metavar="TIME", help="the old one lasts that long (default: 24h)")
    verb = add("audit", "show who changed what", _audit)
    verb.add_argument("--verify", action="store_true", help="only check that no row was changed or removed")


def _guarded(run: Callable[[argparse.Namespace, KeysEdge], int], args: argparse.Namespace, edge: KeysEdge) -> int:
    try:
        return run(args, edge)
    except GatewayError as error:
        print(error.message, file=sys.stderr)
        return WRONG if error.http_status == 400 else FAILED
    except (OSError, sqlite3.Error) as error:
        print(f"The keys cannot be used: {error}", file=sys.stderr)
        return FAILED


def _create(args: argparse.Namespace, edge: KeysEdge) -> int:
    parts = args.name.split("/")
    if len(parts) != 3:
        print("NAME is organisation/team/key, for example acme/search/web", file=sys.stderr)
        return WRONG
    organisation, team, name = (
        read_name(part, what) for part, what in zip(parts, ("organisation", "team", "name"), strict=True)
    )
    given = {option: value for option in _OPTIONS if (value := getattr(args, option)) is not None}
    values = read_properties(given, edge.micros)
    with edge.open(args) as db:
        key, secret = store.create(db, edge.actor, (organisation, team, name), values, now=edge.micros)
    return _issued(args, key, secret, edge)


def _issued(args: argparse.Namespace, key: IssuedKey, secret: str, edge: KeysEdge) -> int:
    """The only time that a secret is shown: alone on standard output, so that it can be piped."""
    if args.json:
        print(json.dumps(view(key, edge.micros) | {"secret": secret}))
        return DONE
    print(secret, flush=True)
    print(f"Give this key to its user; it is shown once. Its id is {key.id}.", file=sys.stderr)
    return DONE


def _list(args: argparse.Namespace, edge: KeysEdge) -> int:
    with edge.open(args) as db:
        found = store.keys(db, args.organisation, args.team)
    if args.json:
        print(json.dumps([view(key, edge.micros) for key in found], indent=2))
        return DONE
    rows = [
        [
            key.id,
            text(f"{key.organisation}/{key.team}/{key.name}"),
            f"{text(key.prefix)}…",
            key.state(edge.micros),
            moment(key.created),
            "never" if key.expires is None else moment(key.expires),
        ]
        for key in found
    ]
    head = ["id", "name", "begins", "state", "created", "expires"]
    print(table(head, rows, left=len(head), style=style_for(sys.stdout, {"NO_COLOR": "1"})))
    return DONE


def _show(args: argparse.Namespace, edge: KeysEdge) -> int:
    with edge.open(args) as db:
        key = store.find(db, args.id)
    return _shown(args, key, edge)


def _shown(args: argparse.Namespace, key: IssuedKey, edge: KeysEdge) -> int:
    found = view(key, edge.micros)
    if args.json:
        print(json.dumps(found, indent=2))
        return DONE
    for name, value in found.items():
        print(f"{name:<13} {_line(value)}")
    return DONE


def _line(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name}={content}" for name, content in value.items()]
    if isinstance(value, list | tuple):
        value = ", ".join(value)
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)) if value else "-"


def _revoke(args: argparse.Namespace, edge: KeysEdge) -> int:
    with edge.open(args) as db:
        key = store.revoke(db, edge.actor, args.id, now=edge.micros)
    return _shown(args, key, edge)


def _rotate(args: argparse.Namespace, edge: KeysEdge) -> int:
    try:
        overlap = float(Duration.parse(args.overlap))
    except ValueError as error:
        print(f"--overlap: {error}", file=sys.stderr)
        return WRONG
    if overlap > store.MAX_OVERLAP:
        print(f"--overlap: at most {store.MAX_OVERLAP / 86_400:.0f}d", file=sys.stderr)
        return WRONG
    with edge.open(args) as db:
        key, _, secret = store.rotate(db, edge.actor, args.id, overlap, now=edge.micros)
    return _issued(args, key, secret, edge)


def _audit(args: argparse.Namespace, edge: KeysEdge) -> int:
    with edge.open(args) as db:
        if args.verify:
            return _verified(args, audit.verify_chain(db), *audit.head(db))
        after = 0
        while found := audit.entries(db, after, _PAGE):
            for entry in found:
                print(json.dumps(msgspec.to_builtins(entry)) if args.json else _row(entry))
            after = found[-1].seq
    return DONE


def _row(entry: audit.Entry) -> str:
    words = (f"{entry.who} ({entry.role})", entry.action, entry.object)
    return "  ".join([f"{entry.seq:>6}", moment(entry.at), *(_line(word) for word in words)])


def _verified(args: argparse.Namespace, broken: int | None, rows: int, newest: bytes) -> int:
    """With the newest hash, which tells a later reader whether rows were cut off since."""
    if args.json:
        print(json.dumps({"ok": broken is None, "broken": broken, "rows": rows, "head": newest.hex()}))
    elif broken is None:
        print(f"{rows} rows, in order; the newest has the hash {newest.hex()}")
    else:
        print(f"row {broken} is not what was written, or is missing")
    return FAILED if broken is not None else DONE
