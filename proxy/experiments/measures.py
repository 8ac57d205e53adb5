"""From the files of all replicas to sums over subjects, which is all that statistics ask for. SQLite does the work.

A subject counts in the variant that it had. One that had several, as weights were changed, is left out and counted,
but under a bandit, whose arms are each looked at by themselves.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import accumulate, pairwise
from pathlib import Path

import msgspec

from proxy.experiments import tables
from proxy.experiments.plan import METRICS, Plan
from proxy.experiments.statistics import Moments

BUCKETS = 48  # points of time in the plot
_BUSY = 10.0  # seconds to wait while another process holds a file
# Metric → its sum over the requests of a subject, and the number of requests that it is counted per.
_SUMS = {
    "latency": ("sum(duration)", "count(*)"),
    "first_token": ("coalesce(sum(first), 0)", "count(first)"),
    "cost": ("coalesce(sum(cost), 0) / 1e9", "count(cost)"),
    "tokens": ("sum(input + output)", "count(*)"),
    "errors": ("sum(error)", "count(*)"),
    "refusals": ("sum(refusal)", "count(*)"),
    "guardrails": ("sum(guardrail)", "count(*)"),
    "cache_hits": ("sum(hit)", "count(*)"),
}
_PER = {"first_token": "first_tokens", "cost": "costs"}  # the others are per request
_COLUMNS = ("requests", *_PER.values(), *METRICS)
_VALUES = ("count(*)", *(_SUMS[name][1] for name in _PER), *(_SUMS[name][0] for name in METRICS))
_MOVED, _STRANGE = -2, -1  # in the place of an arm: the subject had several; it has one that is no more
_MAKE = (
    "CREATE TEMP TABLE arms (variant INTEGER PRIMARY KEY, arm INTEGER NOT NULL)",
    "CREATE TEMP TABLE pieces (subject BLOB, part INTEGER, arm INTEGER, seen INTEGER, "
    + ", ".join(_COLUMNS)
    + ", PRIMARY KEY (subject, part)) WITHOUT ROWID",
    """CREATE TEMP TABLE said (name TEXT, subject BLOB, part INTEGER, value REAL, times INTEGER,
    PRIMARY KEY (name, subject, part)) WITHOUT ROWID""",
)


def _load(part: str, by: str) -> str:
    """A statement that adds the requests of one file. ``part``: what a subject is divided into, and ``by`` what."""
    return "".join(
        (
            "INSERT INTO pieces SELECT subject, ",
            part,
            " AS part, CASE WHEN low = high THEN coalesce((SELECT arm FROM arms WHERE variant = low), -1) ELSE -2 END,",
            " seen, ",
            ", ".join(_COLUMNS),
            " FROM (SELECT subject, min(variant) AS low, max(variant) AS high, min(at) AS seen, ",
            ", ".join(" AS ".join(pair) for pair in zip(_VALUES, _COLUMNS, strict=True)),
            " FROM replica.requests WHERE experiment = (SELECT id FROM replica.names WHERE name = ?) GROUP BY ",
            by,
            ") WHERE true ON CONFLICT DO UPDATE SET seen = min(seen, excluded.seen),",
            " arm = CASE WHEN arm = excluded.arm THEN arm ELSE -2 END, ",
            ", ".join(f"{name} = {name} + excluded.{name}" for name in _COLUMNS),
        )
    )


def _hear(part: str, by: str) -> str:
    """A statement that adds the feedback of one file."""
    return "".join(
        (
            "INSERT INTO said SELECT name, subject, ",
            part,
            " AS part, value, times FROM (SELECT name, subject, min(variant) AS low, sum(number) AS value, ",
            "count(number) AS times FROM replica.feedback WHERE experiment = (SELECT id FROM replica.names WHERE",
            " names.name = ?) AND number IS NOT NULL GROUP BY name, ",
            by,
            ") WHERE true ON CONFLICT DO UPDATE SET value = value + excluded.value, times = times + excluded.times",
        )
    )


# A subject as a whole; under a bandit, its time with each arm.
_WHOLE = (_load("0", "subject"), _hear("0", "subject"))
_OF_ARM = "coalesce((SELECT arm FROM arms WHERE variant = low), -1)"
_APART = (_load(_OF_ARM, "subject, variant"), _hear(_OF_ARM, "subject, variant"))
_FIVE = "sum({0}), sum({1}), sum({0} * {0}), sum({1} * {1}), sum({0} * {1})"
_FIGURES = [_FIVE.format(name, _PER.get(name, "requests")) for name in METRICS]
# One arm after the other, without grouping: SQLite would sort all subjects for that.
_COUNT = "".join(
    ("SELECT count(*), sum(requests), sum(seen >= ?1), ", ", ".join(_FIGURES), " FROM pieces WHERE arm = ?2")
)
_COUNT_SAID = "".join(
    (
        "SELECT count(*), ",
        _FIVE.format("value", "times"),
        " FROM said JOIN pieces USING (subject, part) WHERE said.name = ? AND arm = ?",
    )
)
_BUCKET = "SELECT arm, min(?1 - 1, (seen - ?2) * ?1 / ?3) AS bucket, count(*), "
_COURSES = {
    name: "".join((_BUCKET, figure, " FROM pieces WHERE arm >= 0 GROUP BY arm, bucket"))
    for name, figure in zip(METRICS, _FIGURES, strict=True)
}
_COURSE_SAID = "".join(
    (
        _BUCKET,
        _FIVE.format("value", "times"),
        " FROM said JOIN pieces USING (subject, part) WHERE said.name = ?4 AND arm >= 0 GROUP BY arm, bucket",
    )
)


class NoExperiments(Exception):
    """There are none to read, or not this one, or they cannot be read; the message is for people."""


class Measured(msgspec.Struct, frozen=True):
    """All sums, by arm. ``begin`` and ``end``: microseconds, of subjects' first requests.

    ``figures``: of each metric and outcome. ``course``: of the primary one, by bucket of time, of the subjects that had
    come until its end. ``recent``: subjects that came since the weights are what they are. ``moved``: subjects that had
    several variants. ``strange``: of variants that the plan has no more. ``undeclared``: names of feedback that no
    outcome has → how often it was said.
    """

    plan: Plan
    begin: int
    end: int
    requests: tuple[int, ...]
    recent: tuple[int, ...]
    figures: dict[str, tuple[Moments, ...]]
    course: tuple[tuple[Moments, ...], ...]
    moved: int
    strange: int
    undeclared: dict[str, int]
    allocation: dict[str, float]


def open_files(paths: Sequence[Path]) -> sqlite3.Connection:
    """A connection that reads one file at a time, as ``replica``.

    Raises:
        NoExperiments: one of the files is not there.
    """
    for path in paths:
        if not path.is_file():
            raise NoExperiments(f"{path}: nothing was recorded yet; it begins with the first experiment of the file")
    database = sqlite3.connect("file::memory:", uri=True, timeout=_BUSY, isolation_level=None)
    database.execute("PRAGMA temp_store = MEMORY")
    return database


def attach(database: sqlite3.Connection, path: Path) -> None:
    """Read this file from now on.

    Raises:
        NoExperiments: it cannot be read.
    """
    try:
        database.execute("ATTACH ? AS replica", (f"{path.absolute().as_uri()}?mode=ro",))
        ((version,),) = database.execute("PRAGMA replica.user_version")
    except sqlite3.Error as error:
        raise NoExperiments(f"{path}: {error}") from error
    if version != tables.VERSION:
        raise NoExperiments(f"{path}: the tables are of version {version}, and {tables.VERSION} is known here")


def names(paths: Sequence[Path]) -> list[Plan]:
    """The latest plan of every experiment that was ever recorded, by name."""
    found: dict[str, Plan] = {}
    with closing(open_files(paths)) as database:
        for path in paths:
            attach(database, path)
            rows = database.execute("SELECT DISTINCT name FROM replica.names JOIN replica.plans ON experiment = id")
            for (name,) in rows.fetchall():
                plan = tables.plan_of(database, name)
                if plan is not None:
                    found.setdefault(name, plan)
            database.execute("DETACH replica")
    return [found[name] for name in sorted(found)]


def measure(paths: Sequence[Path], name: str) -> Measured:
    """All that was recorded of an experiment.

    Raises:
        NoExperiments: nothing was.
    """
    with closing(open_files(paths)) as database:
        history: list[tuple[int, Plan]] = []
        allocation: dict[str, float] = {}
        for statement in _MAKE:
            database.execute(statement)
        for path in paths:
            attach(database, path)
            if not history:
                history, allocation = tables.phases(database, name), tables.allocation_of(database, name)
            if history:
                _read(database, history[-1][1])
            database.execute("DETACH replica")
        if not history:
            raise NoExperiments(f"there is no experiment {name!r}; `sluicegate experiments list` names them")
        return _summed(database, history, allocation)


def _read(database: sqlite3.Connection, plan: Plan) -> None:
    """One file. It has numbers of its own for the arms."""
    numbers = dict(database.execute("SELECT name, id FROM replica.names"))
    arms = [(numbers[arm], at) for at, arm in enumerate(plan.arms) if arm in numbers]
    database.execute("DELETE FROM arms")
    database.executemany("INSERT INTO arms VALUES (?, ?)", arms)
    for statement in _WHOLE if plan.bandit is None else _APART:
        database.execute(statement, (plan.name,))


def _summed(database: sqlite3.Connection, history: list[tuple[int, Plan]], allocation: dict[str, float]) -> Measured:
    plan = history[-1][1]
    since = _since(history)
    figures: dict[str, list[Moments]] = {name: [] for name in (*METRICS, *plan.outcomes)}
    requests, recent = [], []
    for arm in range(len(plan.arms)):
        ((subjects, asked, late, *sums),) = database.execute(_COUNT, (since, arm))
        requests.append(asked or 0)
        recent.append(late or 0)
        for at, metric in enumerate(METRICS):
            figures[metric].append(_moments(subjects, *sums[5 * at : 5 * at + 5]))
        for outcome in plan.outcomes:
            ((subjects, *sums),) = database.execute(_COUNT_SAID, (outcome, arm))
            figures[outcome].append(_moments(subjects, *sums))
    odd = dict(database.execute("SELECT arm, count(*) FROM pieces WHERE arm < 0 GROUP BY arm"))
    ((begin, end),) = database.execute("SELECT coalesce(min(seen), 0), coalesce(max(seen), 0) FROM pieces")
    said = dict(database.execute("SELECT name, sum(times) FROM said GROUP BY name"))
    return Measured(
        plan=plan,
        begin=begin,
        end=end,
        requests=tuple(requests),
        recent=tuple(recent),
        figures={name: tuple(found) for name, found in figures.items()},
        course=_course(database, plan, begin, end),
        moved=odd.get(_MOVED, 0),
        strange=odd.get(_STRANGE, 0),
        undeclared={name: times for name, times in said.items() if name not in plan.outcomes},
        allocation=allocation,
    )


def _course(database: sqlite3.Connection, plan: Plan, begin: int, end: int) -> tuple[tuple[Moments, ...], ...]:
    place = (BUCKETS, begin, max(end - begin, 1))
    if plan.primary in plan.outcomes:
        rows = database.execute(_COURSE_SAID, (*place, plan.primary))
    else:
        rows = database.execute(_COURSES[plan.primary], place)
    cells = {(arm, bucket): _moments(subjects, *sums) for arm, bucket, subjects, *sums in rows}
    return tuple(
        tuple(accumulate(cells.get((arm, bucket), Moments()) for bucket in range(BUCKETS)))
        for arm in range(len(plan.arms))
    )


def _moments(
    subjects: int, y: float | None, x: float | None, yy: float | None, xx: float | None, xy: float | None
) -> Moments:
    """None is what SQLite says of nothing."""
    return Moments(subjects, y or 0.0, x or 0.0, 0.0, yy or 0.0, xx or 0.0, 0.0, xy or 0.0)


def _since(history: list[tuple[int, Plan]]) -> int:
    """When the weights became what they are; 0 if they always were."""
    found, last = 0, history[-1][1]
    for (_, before), (since, plan) in pairwise(history):
        if (before.arms, before.weights) != (plan.arms, plan.weights):
            found = since
    return found if last.bandit is None else 0
