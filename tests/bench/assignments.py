"""``python -m tests.bench.assignments``: what an assignment costs, how exact shares are, how long a report takes.

Aims: under 5 µs for an assignment, 1,000,000 subjects within 0.2 points of their shares, a report over 1,000,000
requests in under 5 s.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from policies.routing.experiment import Experiment
from proxy.experiments import tables
from proxy.experiments.plan import Outcome, Plan, subject_hash
from proxy.experiments.report import report
from tests.policies.conftest import Context, Scripted

SUBJECTS = 1_000_000
ROWS = 1_000_000
NAMES = ("control", "concise")
PLAN = Plan("bench", "chat", "user", NAMES, (0.9, 0.1), "control", outcomes={"solved": Outcome(primary=True)})


def _node(plan: Plan) -> Experiment:
    return Experiment(tuple(Scripted(name) for name in plan.arms), 0, plan, cast(Any, Context()))


def assign() -> tuple[float, float]:
    """Microseconds of an assignment, with the question whether the subject takes part; points off the shares."""
    node = _node(PLAN)
    raw = [f"user-{number}".encode() for number in range(SUBJECTS)]
    counts = [0, 0]
    began = time.process_time()
    for subject in raw:
        if node.takes_part(subject, 0.0):
            counts[node.assign(subject)] += 1
    spent = time.process_time() - began
    return spent / SUBJECTS * 1e6, abs(counts[0] / SUBJECTS - PLAN.weights[0]) * 100


def fill(path: Path, subjects: int) -> None:
    """A file of ``ROWS`` requests."""
    rng = random.Random(7)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        tables.prepare(database)
        database.execute("BEGIN")
        tables.keep_plan(database, PLAN, 1)
        hashes = [subject_hash(PLAN.name, f"user-{number}") for number in range(subjects)]
        records, node = [], _node(PLAN)
        arms = [PLAN.arms[node.assign(f"user-{number}".encode())] for number in range(subjects)]
        for number in range(ROWS):
            who = number if number < subjects else rng.randrange(subjects)
            duration = rng.expovariate(2.0)
            request = f"req_{number:024x}"
            records.append(
                tables.Record(
                    PLAN.name, hashes[who], arms[who], request, None, "", number * 1000, duration, duration / 2,
                    rng.randrange(10**6), 100, 200, 200, None, False, False, False, False, False,
                )
            )  # fmt: skip
            if number % 4 == 0:
                row = (1, "solved", hashes[who], 2 + (arms[who] != "control"), request, float(rng.random() < 0.6))
                database.execute(tables.TELL, (*row, "true", None, "", number))
        for start in range(0, ROWS, 50_000):
            tables.add(database, records[start : start + 50_000])
        database.execute("COMMIT")


def main() -> int:
    """Print it. Exit code 1 if an aim was missed."""
    micros, points = assign()
    print(f"- assignment: {micros:.2f} µs; {SUBJECTS:,} subjects are {points:.3f} points off their shares")
    missed = micros >= 5 or points > 0.2
    for subjects in (100_000, ROWS):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / tables.NAME
            fill(path, subjects)
            began, cpu = time.perf_counter(), time.process_time()
            found = report([path], PLAN.name, now=time.time())
            spent, cpu = time.perf_counter() - began, time.process_time() - cpu
            size = path.stat().st_size / ROWS
        took = f"{spent:.2f} s, {cpu:.2f} s of CPU ({size:.0f} bytes each on disk)"
        print(f"- report over {ROWS:,} requests of {subjects:,} subjects: {took}")
        missed |= cpu >= 5 or sum(found.requests) != ROWS
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
