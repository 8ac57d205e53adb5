"""The ledger in a PostgreSQL database, which the replicas of a gateway share."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from proxy.ledger.row import PriceTerms, Row
from proxy.ledger.sqlite import LONGEST, PRUNE, RECOVER, SINCE_2, WRITE
from proxy.ledger.writer import SinkFailed, values

if TYPE_CHECKING:
    from psycopg import Connection, Error

T = TypeVar("T")
NEEDS_EXTRA = "a ledger in PostgreSQL needs the extra `postgres`: pip install 'sluicegate[postgres]'"
UNREACHABLE = "the database cannot be reached"
VERSION = 2  # of the tables, in `ledger_version`
CONNECT_TIMEOUT = 5  # seconds
_OPTIONS = "-c statement_timeout=10s -c lock_timeout=5s -c client_encoding=UTF8"
_OURS = 5_713_908_021  # any number: who holds this lock creates the tables, others wait

_KINDS = {int: "BIGINT NOT NULL", bool: "BOOLEAN NOT NULL"}
SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger_version (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    {}
);
CREATE INDEX IF NOT EXISTS attempts_opened ON attempts (opened);
CREATE INDEX IF NOT EXISTS attempts_several ON attempts (opened, request) WHERE number > 1;
CREATE INDEX IF NOT EXISTS attempts_groups ON attempts (team, model, "key", organisation, route, asked);
CREATE INDEX IF NOT EXISTS attempts_open ON attempts (opened) WHERE status = 'open';
CREATE TABLE IF NOT EXISTS prices (version TEXT PRIMARY KEY, terms BYTEA NOT NULL, since BIGINT NOT NULL);
""".format(
    ",\n    ".join(
        '"{}" {}'.format(field.name, _KINDS.get(field.type, "TEXT NOT NULL") + " UNIQUE" * (field.name == "id"))
        for field in msgspec.structs.fields(Row)
    )
)
# Replicas of the version before go on meanwhile: their rows are attempts.
_UPGRADE = "".join(
    [
        *("ALTER TABLE attempts ADD COLUMN IF NOT EXISTS " + name + " " + kind + ";" for name, kind in SINCE_2.items()),
        "UPDATE ledger_version SET version = 2 WHERE version < 2;",
    ]
)
_VERSION = "INSERT INTO ledger_version SELECT %s WHERE NOT EXISTS (SELECT FROM ledger_version)"
_WRITE = WRITE.replace("?", "%s")
_RECOVER = RECOVER.replace("?", "%s")
_PRUNE = PRUNE.replace("?", "%s")
_PRICE = (
    "INSERT INTO prices VALUES (%s, %s, (extract(epoch FROM now()) * 1000000)::bigint) ON CONFLICT (version) DO NOTHING"
)


def has_extra() -> bool:
    """Whether the client library is installed."""
    return importlib.util.find_spec("psycopg") is not None


class PostgresSink:
    """A ``proxy.ledger.writer.Sink``. Connects when it is first written to, and again after each failure."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def write(self, rows: Sequence[Row], prices: Sequence[PriceTerms]) -> None:
        """As ``Sink`` says."""

        def work(connection: Connection) -> None:
            with connection.cursor() as cursor:
                cursor.executemany(_PRICE, [(terms.version, terms.terms) for terms in prices])
                cursor.executemany(_WRITE, [values(row) for row in rows])

        self._transact(work)

    def recover(self, open_before: int, now: int) -> int:
        """As ``Sink`` says."""
        return self._transact(lambda connection: connection.execute(_RECOVER, (now, open_before)).rowcount)

    def prune(self, opened_before: int, most: int) -> int:
        """As ``Sink`` says."""
        bounds = (opened_before, most, opened_before + LONGEST)
        return self._transact(lambda connection: connection.execute(_PRUNE, bounds).rowcount)

    def close(self) -> None:
        """As ``Sink`` says."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        from psycopg import Error

        try:
            if self._connection is None:
                self._connection = self._connect()
            with self._connection.transaction():
                return work(self._connection)
        except Error as error:
            self.close()
            raise SinkFailed(_told(error)) from None
        except BaseException:
            self.close()
            raise

    def _connect(self) -> Connection:
        import psycopg

        connection = psycopg.connect(
            self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT, options=_OPTIONS, keepalives_idle=10
        )
        try:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_OURS,))
                connection.execute(SCHEMA)
                connection.execute(_VERSION, (VERSION,))
                found = connection.execute("SELECT max(version) FROM ledger_version").fetchone()
                if found is not None and found[0] < VERSION:
                    connection.execute(_UPGRADE)
        except BaseException:
            connection.close()
            raise
        if found is not None and found[0] > VERSION:
            connection.close()
            raise SinkFailed("the tables were made by a newer version of the gateway")
        return connection


def _told(error: Error) -> str:
    """What the server said. Without it, the text is the client's and may hold parts of the address."""
    return error.diag.message_primary or UNREACHABLE
