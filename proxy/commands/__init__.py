"""Commands of the command line that read what the gateway has written."""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import msgspec

from proxy.ledger.export import TEXTS, NoLedger, Selection
from proxy.ledger.forecast import Budget, micros, month

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
DONE, FAILED, WRONG = 0, 1, 2


class Place(msgspec.Struct, frozen=True):
    """Where the ledger of a file is (the path of a SQLite file, or a postgresql:// URL), and its budgets."""

    address: Path | str
    budgets: Sequence[Budget] = ()


class Edge(msgspec.Struct, frozen=True):
    """What commands are told of the world. ``place``: of a configuration file, which need not exist; it raises
    ``NoLedger`` for one that cannot be read. ``now``: seconds since the epoch."""

    place: Callable[[Path], Place]
    environ: Mapping[str, str]
    now: Callable[[], float]

    @property
    def today(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)


def guarded(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """A command for which there is no ledger, or none that can be read, says so and has failed."""

    def run(args: argparse.Namespace) -> int:
        try:
            return command(args)
        except (NoLedger, OSError, sqlite3.Error) as error:
            print(error, file=sys.stderr)
            return FAILED

    return run


def add_selection(command: argparse.ArgumentParser, edge: Edge, default: str) -> None:
    """The arguments that choose rows."""
    times = "2026-11-01, 2026-11-01T12:00, 7d, 24h, today, yesterday, month, last-month or all"

    def time(text: str) -> int:
        return parse_time(text, edge.today)

    command.add_argument("--since", type=time, metavar="TIME", help=f"UTC: {times} (default: {default})")
    command.add_argument("--until", type=time, metavar="TIME", help="before this time (default: now)")
    command.add_argument(
        "--where",
        type=parse_where,
        action="append",
        default=[],
        metavar="COLUMN=TEXT,…",
        help="only these rows; a column that is named twice may be either, and `user=` has none",
    )


def selection(args: argparse.Namespace, since: int) -> Selection:
    """What the arguments chose; ``since`` (microseconds) if they did not say."""
    where: dict[str, tuple[str, ...]] = {}
    for pairs in args.where:
        for column, text in pairs:
            where[column] = (*where.get(column, ()), text)
    return Selection(since if args.since is None else args.since, args.until or 0, where)


def parse_time(text: str, now: datetime) -> int:
    """Microseconds since the epoch.

    Raises:
        argparse.ArgumentTypeError: it is no time.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start, _ = month(now)
    named = {
        "now": now,
        "today": midnight,
        "yesterday": midnight - timedelta(days=1),
        "month": start,
        "last-month": month(start - timedelta(days=1))[0],
        "all": datetime.fromtimestamp(0, UTC),
    }
    if text in named:
        return micros(named[text])
    if ago := re.fullmatch(r"(\d{1,5})([hdw])", text):
        unit = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[ago[2]]
        return max(0, micros(now) - int(ago[1]) * (unit // timedelta(microseconds=1)))
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 2026-11-01, 7d, 24h, today, month …") from error
    return max(0, micros(found if found.tzinfo else found.replace(tzinfo=UTC)))


def parse_where(text: str) -> list[tuple[str, str]]:
    """``key=web,team=search`` as pairs.

    Raises:
        argparse.ArgumentTypeError: a column that does not exist, or no pair.
    """
    pairs = []
    for part in text.split(","):
        column, equals, value = part.partition("=")
        if not equals or column not in TEXTS:
            raise argparse.ArgumentTypeError(f"{part!r} is not COLUMN=TEXT with one of: {', '.join(TEXTS)}")
        pairs.append((column, value))
    return pairs
