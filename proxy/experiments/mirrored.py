"""What mirrors have compared: rows in the file of experiments, and the sums of them.

Both answers are to one request, so what counts is by how much they differ there; no text of either is kept.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from proxy.experiments import tables
from proxy.experiments.measures import NoExperiments, attach, open_files
from proxy.experiments.statistics import Moments

# What each side has, and what it is, for people.
PAIRS = {
    "latency": "seconds to the last byte",
    "first_token": "seconds to the first byte",
    "cost": "dollars a request",
    "length": "characters of the text",
    "errors": "share of requests that failed",
    "json": "share of texts that are JSON, where that was asked for",
}
# What both have together.
SHARES = {
    "similarity": "share of words that both have",
    "same_text": "share of pairs with the same text",
    "same_stop": "share of pairs that ended for the same reason",
    "same_tools": "share of pairs that call the same tools",
}
_FIGURES = (*(f"{side}_{name}" for name in PAIRS for side in ("main", "shadow")), *SHARES)
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS mirrors (mirror INTEGER PRIMARY KEY, route TEXT NOT NULL, target TEXT NOT NULL)",
    "".join(
        (
            "CREATE TABLE IF NOT EXISTS comparisons (mirror INTEGER NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL,",
            " result TEXT NOT NULL, ",
            " REAL, ".join(_FIGURES),
            " REAL, PRIMARY KEY (mirror, id)) WITHOUT ROWID",
        )
    ),
    "CREATE INDEX IF NOT EXISTS comparisons_at ON comparisons (at)",
)
_COLUMNS = ("mirror", "id", "at", "result", *_FIGURES)
_ADD = "".join(
    ("INSERT OR IGNORE INTO comparisons (", ", ".join(_COLUMNS), ") VALUES (", ", ".join("?" * len(_COLUMNS)), ")")
)
# Of those that both sides have: what is multiplied by nothing is nothing.
_PAIR = (
    "count({0} * {1}), sum({0} + 0 * {1}), sum({1} + 0 * {0}), sum({0} * {0} + 0 * {1}), sum({1} * {1} + 0 * {0}), "
    "sum({0} * {1})"
)
_SUMS = ", ".join(
    (
        "count(*), min(at), max(at), sum(result = 'failed'), sum(result = 'too_long')",
        *(_PAIR.format(f"shadow_{name}", f"main_{name}") for name in PAIRS),
        *(f"count({name}), sum({name}), sum({name} * {name})" for name in SHARES),
    )
)
_READ = "".join(("SELECT ", _SUMS, " FROM replica.comparisons JOIN replica.names ON names.id = mirror WHERE name = ?"))
_LIST = "SELECT name, route, target FROM replica.mirrors JOIN replica.names ON names.id = mirror"


class Comparison(msgspec.Struct, frozen=True):
    """One, as it is kept. ``figures`` by column."""

    mirror: str
    route: str
    target: str
    id: str
    at: int
    result: str
    figures: dict[str, float | None]


class Mirror(msgspec.Struct, frozen=True):
    """Which one it is."""

    name: str
    route: str
    target: str


class Compared(msgspec.Struct):
    """All sums of one. ``pairs``: of each figure, the copy's side as the value, per that of the answer."""

    mirror: Mirror
    requests: int = 0
    failed: int = 0
    too_long: int = 0
    begin: int | None = None  # microseconds
    end: int | None = None
    pairs: dict[str, Moments] = {}
    shares: dict[str, Moments] = {}


def name_of(route: str, target: str) -> str:
    """Under which a mirror is reported: ``mirror-chat-next-gpt-5-mini``."""
    return "mirror-" + re.sub(r"[^a-z0-9]+", "-", f"{route} {target}".lower()).strip("-")[:100]


def comparison_of(fields: dict[str, Any], at: int) -> Comparison:
    """Of what a mirror has told; see ``policies.routing.mirror``. ``at``: microseconds."""
    figures: dict[str, float | None] = {}
    told = {
        "latency": ("total_ms", 1e-3),
        "first_token": ("first_token_ms", 1e-3),
        "cost": ("cost", 1.0),
        "length": ("length", 1.0),
        "json": ("json", 1.0),
    }
    for name, (word, unit) in told.items():
        for side in ("main", "shadow"):
            value = fields.get(word, {}).get(side)
            figures[f"{side}_{name}"] = None if value is None else value * unit
    for side in ("main", "shadow"):
        status = fields.get("status", {}).get(side)
        figures[f"{side}_errors"] = None if status is None else float(status >= 400)
    figures["similarity"] = fields.get("similarity")
    for name, word in (("same_text", "exact"), ("same_stop", "stop"), ("same_tools", "tools")):
        same = fields.get(word, {}).get("same")
        figures[name] = None if same is None else float(same)
    route, target = fields["route"], fields["target"]
    name = name_of(route, target)
    return Comparison(name, route, target, fields["request_id"], at, fields["result"], figures)


def add(database: sqlite3.Connection, found: Sequence[Comparison]) -> None:
    """Write these down, once each."""
    numbers = {one.mirror: tables.number_of(database, one.mirror) for one in found}
    known = {(numbers[one.mirror], one.route, one.target) for one in found}
    database.executemany("INSERT OR REPLACE INTO mirrors VALUES (?, ?, ?)", known)
    rows = [(numbers[one.mirror], one.id, one.at, one.result, *map(one.figures.get, _FIGURES)) for one in found]
    database.executemany(_ADD, rows)


def purge(database: sqlite3.Connection, before: int, most: int) -> int:
    """Delete what is older, not too much at once; how much."""
    old = "SELECT mirror, id FROM comparisons WHERE at < ? LIMIT ?"
    rows = database.execute(old, (before, most)).fetchall()
    database.executemany("DELETE FROM comparisons WHERE mirror = ? AND id = ?", rows)
    return len(rows)


def mirrors(paths: Sequence[Path]) -> list[Mirror]:
    """All that have ever compared, by name.

    Raises:
        NoExperiments: a file cannot be read.
    """
    found: dict[str, Mirror] = {}
    with closing(open_files(paths)) as database:
        for path in paths:
            attach(database, path)
            if _has_tables(database):
                found |= {row[0]: Mirror(*row) for row in database.execute(_LIST).fetchall()}
            database.execute("DETACH replica")
    return [found[name] for name in sorted(found)]


def _has_tables(database: sqlite3.Connection) -> bool:
    """A file in which no mirror was recorded yet may have none."""
    return bool(database.execute("SELECT 1 FROM replica.sqlite_master WHERE name = 'comparisons'").fetchall())


def compared(paths: Sequence[Path], name: str) -> Compared:
    """All that a mirror has compared, in the files of these replicas.

    Raises:
        NoExperiments: nothing.
    """
    known = {one.name: one for one in mirrors(paths)}
    if name not in known:
        raise NoExperiments(f"there is no experiment or mirror {name!r}; `sluicegate experiments list` names them")
    found = Compared(known[name])
    found.pairs = {pair: Moments() for pair in PAIRS}
    found.shares = {share: Moments() for share in SHARES}
    with closing(open_files(paths)) as database:
        for path in paths:
            attach(database, path)
            if _has_tables(database):
                (row,) = database.execute(_READ, (name,))
                _add_up(found, row)
            database.execute("DETACH replica")
    return found


def _add_up(found: Compared, row: tuple[Any, ...]) -> None:
    """One file's sums to those of the others; None is what SQLite says of nothing."""
    requests, begin, end, failed, too_long, *sums = row
    if not requests:
        return
    found.requests += requests
    found.failed += failed
    found.too_long += too_long
    found.begin = begin if found.begin is None else min(begin, found.begin)
    found.end = end if found.end is None else max(end, found.end)
    rest = iter([one or 0 for one in sums])
    for name in PAIRS:
        count, y, x, yy, xx, xy = (next(rest) for _ in range(6))
        found.pairs[name] += Moments(count, y, x, 0.0, yy, xx, 0.0, xy)
    for name in SHARES:
        count, y, yy = (next(rest) for _ in range(3))
        found.shares[name] += Moments(count, y, count, 0.0, yy, count, 0.0, y)
