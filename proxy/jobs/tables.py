"""The tables in the file, and how a row becomes a job."""

from __future__ import annotations

import sqlite3

import msgspec

from proxy.jobs.record import Job

VERSION = 1
# The names of a job's fields are those of its columns.
FIELDS: tuple[str, ...] = Job.__struct_fields__
_TABLES = """
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, scope TEXT NOT NULL, proof BLOB, status TEXT NOT NULL,
    path TEXT NOT NULL, model TEXT NOT NULL, idempotency TEXT, digest BLOB NOT NULL,
    created REAL NOT NULL, started REAL, finished REAL, expires REAL,
    not_before REAL NOT NULL, answer_at REAL, starts INTEGER NOT NULL, interruptions INTEGER NOT NULL,
    code TEXT, webhook TEXT, webhook_state TEXT NOT NULL, webhook_tries INTEGER NOT NULL, webhook_at REAL,
    webhook_status INTEGER,
    owner INTEGER NOT NULL DEFAULT 0, webhook_owner INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX by_idempotency ON jobs(scope, idempotency) WHERE idempotency IS NOT NULL;
CREATE INDEX by_status ON jobs(status, scope, seq);
CREATE INDEX by_scope ON jobs(scope, kind, seq);
CREATE INDEX by_expiry ON jobs(expires) WHERE expires IS NOT NULL;
CREATE INDEX by_delivery ON jobs(webhook_at) WHERE webhook_state = 'pending';
CREATE TABLE bodies (job TEXT PRIMARY KEY REFERENCES jobs(id) ON DELETE CASCADE, request BLOB, response BLOB);
CREATE TABLE totals (jobs INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);
CREATE TRIGGER counted AFTER INSERT ON jobs
    BEGIN UPDATE totals SET jobs = jobs + 1, bytes = bytes + NEW.size; END;
CREATE TRIGGER weighed AFTER UPDATE OF size ON jobs
    BEGIN UPDATE totals SET bytes = bytes + NEW.size - OLD.size; END;
CREATE TRIGGER forgotten AFTER DELETE ON jobs
    BEGIN UPDATE totals SET jobs = jobs - 1, bytes = bytes - OLD.size; END;
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in a new file.

    Raises:
        sqlite3.DatabaseError: the file is none, or of another version.
    """
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another process may have been first
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"the file is of version {version} and this gateway reads {VERSION}")
        if version == 0:
            for statement in _statements():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _statements() -> list[str]:
    """The statements one by one: `executescript` would commit before the first."""
    found: list[str] = []
    text = ""
    for line in _TABLES.splitlines():
        text += line + "\n"
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return found


def columns(prefix: str = "") -> str:
    """The list of columns for a SELECT, in the order of ``read``."""
    return ", ".join(prefix + name for name in FIELDS)


def read(row: tuple[object, ...]) -> Job:
    """A row of ``columns()``."""
    return Job(**dict(zip(FIELDS, row, strict=True)))  # type: ignore[arg-type]


def write(job: Job) -> tuple[object, ...]:
    """The values for an INSERT of ``columns()``."""
    return msgspec.structs.astuple(job)
