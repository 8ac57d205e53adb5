"""A file of an experiment whose truth is known."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from proxy.experiments import mirrored, tables
from proxy.experiments.plan import Outcome, Plan, subject_hash
from proxy.experiments.tables import Record

NOW = 1_800_000_000.0  # seconds since the epoch
MICRO = 10**6
PLAN = Plan(
    "short",
    "chat",
    "user",
    ("control", "concise"),
    (0.5, 0.5),
    "control",
    outcomes={"solved": Outcome(primary=True), "rating": Outcome(type="number")},
    guards={"latency": 0.1},
    planned=1000,
)


def record(subject: str = "ada", variant: str = "control", number: int = 0, plan: Plan = PLAN, **more: Any) -> Record:
    """One request that went well."""
    found = Record(
        experiment=plan.name,
        subject=subject_hash(plan.name, subject),
        variant=variant,
        id=f"req_{subject}_{number}",
        job=None,
        scope="",
        at=round(NOW * MICRO) + number,
        duration=0.5,
        first=0.25,
        cost=1000,
        input=10,
        output=20,
        status=200,
        code=None,
        error=False,
        refusal=False,
        guardrail=False,
        hit=False,
        stream=False,
    )
    return found._replace(**more)


def open_file(folder: Path) -> sqlite3.Connection:
    """The file in ``folder``, made if there is none. Each row is a transaction: none waits for the disk."""
    folder.mkdir(exist_ok=True)
    database = sqlite3.connect(folder / tables.NAME, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    tables.prepare(database)
    return database


def write(folder: Path, records: Sequence[Record], plan: Plan = PLAN, since: float = 0.0) -> Path:
    """These records under that plan."""
    with closing(open_file(folder)) as database:
        tables.keep_plan(database, plan, round(since * MICRO))
        database.execute("BEGIN")
        tables.add(database, list(records))
        database.execute("COMMIT")
    return folder / tables.NAME


def tell(path: Path, one: Record, name: str, number: float | None) -> None:
    """Feedback of one request."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        ids = [tables.number_of(database, text) for text in (one.experiment, one.variant)]
        row = (ids[0], name, one.subject, ids[1], one.id, number, str(number), None, one.scope, one.at)
        database.execute(tables.TELL, row)


def lived(
    folder: Path,
    subjects: int,
    helped: Callable[[str], float],
    plan: Plan = PLAN,
    latency: Sequence[float] = (0.5, 0.5),
) -> Path:
    """As many subjects, in turn in each variant, with one to three requests each, of which so many were solved."""
    rng = random.Random(3)
    records = []
    with closing(open_file(folder)) as database:
        tables.keep_plan(database, plan, 0)
        database.execute("BEGIN")
        for number in range(subjects):
            arm = number % len(plan.arms)
            for turn in range(rng.choice((1, 1, 2, 3))):
                at = round(NOW * MICRO) + number * MICRO + turn
                one = record(
                    f"user-{number}", plan.arms[arm], turn, plan, at=at, duration=rng.gauss(latency[arm], 0.05)
                )
                records.append(one)
        tables.add(database, records)
        ids = {name: tables.number_of(database, name) for name in (plan.name, *plan.arms)}
        rows = []
        for one in records:
            solved = float(rng.random() < helped(one.variant))
            told = (one.id, solved, str(solved), None, "", one.at)
            rows.append((ids[plan.name], "solved", one.subject, ids[one.variant], *told))
        database.executemany(tables.TELL, rows)
        database.execute("COMMIT")
    return folder / tables.NAME


MIRROR = "mirror-chat-sim-next"


def told(number: int = 0, **more: Any) -> dict[str, Any]:
    """What a mirror tells of one request: the copy is twice as quick, and a third longer."""
    return {
        "request_id": f"req_{number}-shadow",
        "route": "chat",
        "main": "sim/now",
        "target": "sim/next",
        "result": "compared",
        "status": {"main": 200, "shadow": 200, "same": True},
        "total_ms": {"main": 1000.0 + number % 7, "shadow": 500.0 + number % 5},
        "first_token_ms": {"main": None, "shadow": 100.0},
        "cost": {"main": 0.002, "shadow": 0.002},
        "length": {"main": 30 + number % 3, "shadow": 40 + 2 * (number % 3)},
        "stop": {"main": "stop", "shadow": "stop", "same": True},
        "exact": {"same": number % 4 == 0},
        "similarity": 0.5 + 0.25 * (number % 2),
        **more,
    }


def mirrored_file(folder: Path, pairs: Sequence[dict[str, Any]]) -> Path:
    """A file of these comparisons."""
    with closing(open_file(folder)) as database:
        for statement in mirrored.SCHEMA:
            database.execute(statement)
        database.execute("BEGIN")
        found = [mirrored.comparison_of(one, round(NOW * MICRO) + at) for at, one in enumerate(pairs)]
        mirrored.add(database, found)
        database.execute("COMMIT")
    return folder / tables.NAME
