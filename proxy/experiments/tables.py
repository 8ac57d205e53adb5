"""The file of experiments: its tables, and the rows in them.

Subjects are hashes; names of experiments and variants are numbered, 0 being none. Times are microseconds since the
epoch, durations seconds, costs nano-dollars. Requests lie in the order in which reports read them: by experiment,
subject and variant.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

import msgspec

from proxy.experiments.plan import Plan

NAME = "experiments.sqlite"  # in the directory of state
VERSION = 1  # of the tables, in `user_version`
CANARY = "canary/"  # before the name of a canary, where an experiment's would stand
NO_SUBJECT = b""  # of a request in no experiment
SCHEMA = (
    "CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE requests (
    experiment INTEGER NOT NULL, subject BLOB NOT NULL, variant INTEGER NOT NULL, id TEXT NOT NULL, job TEXT,
    scope TEXT NOT NULL, at INTEGER NOT NULL, duration REAL NOT NULL, first REAL, cost INTEGER, input INTEGER NOT NULL,
    output INTEGER NOT NULL, status INTEGER NOT NULL, code TEXT, error INTEGER NOT NULL, refusal INTEGER NOT NULL,
    guardrail INTEGER NOT NULL, hit INTEGER NOT NULL, stream INTEGER NOT NULL,
    PRIMARY KEY (experiment, subject, variant, id)) WITHOUT ROWID""",
    "CREATE INDEX requests_id ON requests (id)",
    "CREATE INDEX requests_job ON requests (job) WHERE job IS NOT NULL",
    "CREATE INDEX requests_at ON requests (at)",
    """CREATE TABLE feedback (
    experiment INTEGER NOT NULL, name TEXT NOT NULL, subject BLOB NOT NULL, variant INTEGER NOT NULL,
    request TEXT NOT NULL, number REAL, value TEXT NOT NULL, comment TEXT, scope TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (experiment, name, subject, variant, request)) WITHOUT ROWID""",
    "CREATE INDEX feedback_at ON feedback (at)",
    """CREATE TABLE plans (
    experiment INTEGER NOT NULL, since INTEGER NOT NULL, plan BLOB NOT NULL, PRIMARY KEY (experiment, since))""",
    "CREATE TABLE allocations (experiment INTEGER PRIMARY KEY, at INTEGER NOT NULL, weights BLOB NOT NULL)",
    "PRAGMA user_version = 1",
)
ADD = """INSERT OR IGNORE INTO requests (experiment, subject, variant, id, job, scope, at, duration, first, cost, input,
    output, status, code, error, refusal, guardrail, hit, stream)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
TELL = """INSERT INTO feedback (experiment, name, subject, variant, request, number, value, comment, scope, at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET number = excluded.number, value = excluded.value,
    comment = excluded.comment, at = excluded.at"""

SAID = """SELECT value FROM feedback
    WHERE experiment = ? AND name = ? AND subject = ? AND variant = ? AND request = ?"""


class Record(NamedTuple):
    """What became of one request, after experiment (its name), subject and variant; "" where it is in none."""

    experiment: str
    subject: bytes
    variant: str
    id: str
    job: str | None
    scope: str
    at: int
    duration: float
    first: float | None
    cost: int | None
    input: int
    output: int
    status: int
    code: str | None
    error: bool
    refusal: bool
    guardrail: bool
    hit: bool
    stream: bool


def prepare(database: sqlite3.Connection) -> None:
    """Make the tables, if the file is new.

    Raises:
        sqlite3.DatabaseError: it is of another version.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        ((version,),) = database.execute("PRAGMA user_version")
        if version == 0:
            for statement in SCHEMA:
                database.execute(statement)
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"the tables are of version {version}, and {VERSION} is known here")
    finally:
        database.execute("COMMIT")


def number_of(database: sqlite3.Connection, name: str) -> int:
    """The number of a name, which gets one if it has none; 0 for none."""
    if not name:
        return 0
    found = database.execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()
    if found is None:
        found = database.execute("INSERT INTO names (name) VALUES (?) RETURNING id", (name,)).fetchone()
    number: int = found[0]
    return number


def add(database: sqlite3.Connection, records: list[Record]) -> None:
    """Write these down, once each."""
    numbers = {name: number_of(database, name) for one in records for name in (one.experiment, one.variant)}
    rows = [(numbers[one[0]], one[1], numbers[one[2]], *one[3:]) for one in records]
    database.executemany(ADD, rows)


def plan_of(database: sqlite3.Connection, experiment: str) -> Plan | None:
    """The latest that is known of an experiment."""
    found = phases(database, experiment)
    return found[-1][1] if found else None


def phases(database: sqlite3.Connection, experiment: str) -> list[tuple[int, Plan]]:
    """All that an experiment was, and from when on (microseconds)."""
    rows = database.execute(
        "SELECT since, plan FROM plans JOIN names ON names.id = experiment WHERE name = ? ORDER BY since", (experiment,)
    )
    return [(since, msgspec.json.decode(plan, type=Plan)) for since, plan in rows]


def allocation_of(database: sqlite3.Connection, experiment: str) -> dict[str, float]:
    """What a bandit gives each arm; empty without one."""
    found = database.execute(
        "SELECT weights FROM allocations JOIN names ON names.id = experiment WHERE name = ?", (experiment,)
    ).fetchone()
    return {} if found is None else msgspec.json.decode(found[0], type=dict[str, float])


def keep_plan(database: sqlite3.Connection, plan: Plan, now: int) -> None:
    """Write down what an experiment is, if that is new."""
    known = phases(database, plan.name)
    if not known or known[-1][1] != plan:
        row = (number_of(database, plan.name), now, msgspec.json.encode(plan))
        database.execute("INSERT OR REPLACE INTO plans VALUES (?, ?, ?)", row)


def purge(database: sqlite3.Connection, before: int, most: int) -> int:
    """Delete what is older, not too much at once; how much."""
    old = "SELECT experiment, subject, variant, id FROM requests WHERE at < ? LIMIT ?"
    rows = database.execute(old, (before, most)).fetchall()
    database.executemany("DELETE FROM requests WHERE experiment = ? AND subject = ? AND variant = ? AND id = ?", rows)
    told = "SELECT experiment, name, subject, variant, request FROM feedback WHERE at < ? LIMIT ?"
    said = database.execute(told, (before, most)).fetchall()
    database.executemany(
        "DELETE FROM feedback WHERE experiment = ? AND name = ? AND subject = ? AND variant = ? AND request = ?", said
    )
    return len(rows) + len(said)
