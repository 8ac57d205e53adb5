"""What is kept of jobs, and every change of it: each a transaction that is committed before anybody hears of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import msgspec

from proxy.jobs import tables
from proxy.jobs.owners import Owners
from proxy.jobs.record import Job, Kind, Request, Response, Settings
from proxy.jobs.writer import Writer

FILE = "jobs.sqlite"
_LOCK = "jobs.lock"
_ENCODER = msgspec.msgpack.Encoder()
_REQUEST = msgspec.msgpack.Decoder(Request)
_RESPONSE = msgspec.msgpack.Decoder(Response)
_MAX_INTERRUPTIONS = 1  # a job that was interrupted more often is not begun again
_PURGED_AT_ONCE = 200
# What was made without a key belongs to whoever has its id.
_OWN = "id = ? AND kind = ? AND scope IN (?, '')"
_EXPIRED = "expires <= ? AND webhook_state != 'pending'"


class Full(Exception):
    """There is no room for another job. ``code`` says of what there is too much."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Claimed(msgspec.Struct):
    """A job that this process has to run."""

    job: Job
    request: Request


class View(msgspec.Struct):
    """What there is to do: for this process, and in all."""

    mine: set[str]  # jobs that the file says are running here
    dead: set[int]  # processes that have ended with jobs or webhooks in their hands
    due: bool  # a job can begin
    hooks: bool  # a webhook is due
    expired: bool


class Store:
    """The jobs in the folder ``folder``. Safe for several processes of one machine."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._owners = Owners(folder / _LOCK)
        self._writer = Writer(self._file, self._prepare)

    @property
    def problem(self) -> str:
        """What is wrong with the file, "" while nothing is."""
        return self._writer.problem

    def exists(self) -> bool:
        """Whether there is such a file already."""
        return self._file.exists()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._owners.open()
        tables.prepare(connection)

    async def aclose(self) -> None:
        """Finish what was asked for, and close."""
        await self._writer.aclose()
        self._owners.close()

    # For callers

    async def add(self, job: Job, request: Request, limits: Settings) -> Job:
        """Keep a new job; the one that the same caller made with the same idempotency key, if there is one.

        Raises:
            Full: there is no room.
            StoreBroken: it is not kept.
        """

        def work(db: sqlite3.Connection) -> Job:
            packed = _ENCODER.encode(request)
            if job.idempotency is not None and (known := _known(db, job.scope, job.idempotency)) is not None:
                return known
            _check_room(db, job.scope, len(packed), limits)
            marks = ", ".join("?" * len(tables.FIELDS))
            db.execute(
                f"INSERT INTO jobs ({tables.columns()}, size) VALUES ({marks}, ?)",  # noqa: S608 - names of columns
                (*tables.write(job), len(packed)),
            )
            db.execute("INSERT INTO bodies (job, request) VALUES (?, ?)", (job.id, packed))
            return job

        return await self._writer.write(work)

    async def get(self, identity: str, kind: Kind, scope: str) -> tuple[Job, Response | None] | None:
        """A job of that caller, and its answer if it has one."""

        def work(db: sqlite3.Connection) -> tuple[Job, Response | None] | None:
            job = _find(db, _OWN, (identity, kind, scope))
            return None if job is None else (job, _response(db, identity))

        return await self._writer.read(work)

    async def response(self, identity: str) -> Response | None:
        """The answer of a job."""
        return await self._writer.read(lambda db: _response(db, identity))

    async def newest(self, kind: Kind, scope: str, limit: int, before: str | None) -> list[Job]:
        """The newest jobs of that caller, those older than ``before``."""

        def work(db: sqlite3.Connection) -> list[Job]:
            sql = f"SELECT {tables.columns()} FROM jobs WHERE scope = ? AND kind = ?"  # noqa: S608
            values: list[object] = [scope, kind]
            if before is not None:
                sql += " AND seq < (SELECT seq FROM jobs WHERE id = ? AND scope = ?)"
                values += [before, scope]
            rows = db.execute(f"{sql} ORDER BY seq DESC LIMIT ?", (*values, limit))
            return [tables.read(row) for row in rows]

        return await self._writer.read(work)

    async def cancel(self, identity: str, kind: Kind, scope: str, now: float, lifetime: float) -> Job | None:
        """Cancel a job of that caller that is not over; the job as it is then. None: there is no such job."""

        def work(db: sqlite3.Connection) -> Job | None:
            job = _find(db, _OWN, (identity, kind, scope))
            if job is None or job.is_over:
                return job
            _end(db, job, "cancelled", "cancelled", now, lifetime, None)
            return _find(db, "id = ?", (identity,))

        return await self._writer.write(work)

    # For the runner

    async def look(self, now: float) -> View:
        """What there is to do."""
        return await self._writer.read(lambda db: self._look(db, now))

    def _look(self, db: sqlite3.Connection, now: float) -> View:
        self._owners.open()
        number = self._owners.number
        rows = db.execute("SELECT id, owner FROM jobs WHERE status = 'running'").fetchall()
        hooks = db.execute("SELECT webhook_at, webhook_owner FROM jobs WHERE webhook_state = 'pending'").fetchall()
        exists = "SELECT EXISTS (SELECT 1 FROM jobs WHERE {})"
        (due,) = db.execute(exists.format("status = 'queued' AND not_before <= ?"), (now,)).fetchone()
        (expired,) = db.execute(exists.format(_EXPIRED), (now,)).fetchone()
        owners = {owner for _, owner in (*rows, *hooks) if owner}
        return View(
            mine={identity for identity, owner in rows if owner == number},
            dead={owner for owner in owners if not self._owners.lives(owner)},
            due=bool(due),
            hooks=any(not owner and at <= now for at, owner in hooks),
            expired=bool(expired),
        )

    async def counts(self) -> dict[tuple[str, str], int]:
        """Jobs by kind and status."""
        sql = "SELECT kind, status, count(*) FROM jobs GROUP BY kind, status"
        rows = await self._writer.read(lambda db: db.execute(sql).fetchall())
        return {(kind, status): count for kind, status, count in rows}

    async def probe(self) -> None:
        """Find out whether the file can be written."""
        await self._writer.write(lambda db: db.execute("UPDATE totals SET jobs = jobs"))

    async def reclaim(self, owners: Iterable[int], now: float, settings: Settings) -> list[Job]:
        """Take jobs and webhooks from processes that have ended; the jobs as they are then."""
        numbers = list(owners)

        def work(db: sqlite3.Connection) -> list[Job]:
            dead = [number for number in numbers if not self._owners.lives(number)]
            found: list[Job] = []
            for number in dead:
                db.execute("UPDATE jobs SET webhook_owner = 0 WHERE webhook_owner = ?", (number,))
                rows = db.execute("SELECT id FROM jobs WHERE status = 'running' AND owner = ?", (number,)).fetchall()
                found += [self._interrupt(db, identity, now, settings) for (identity,) in rows]
            return found

        return await self._writer.write(work)

    async def interrupted(self, identity: str, now: float, settings: Settings) -> Job | None:
        """A job of this process was cut short by its end: it goes back, or has failed. None: it was cancelled."""
        return await self._writer.write(
            lambda db: self._interrupt(db, identity, now, settings) if self._is_mine(db, identity) else None
        )

    def _is_mine(self, db: sqlite3.Connection, identity: str) -> bool:
        mine = "id = ? AND status = 'running' AND owner = ?"
        return _find(db, mine, (identity, self._owners.number)) is not None

    @staticmethod
    def _interrupt(db: sqlite3.Connection, identity: str, now: float, settings: Settings) -> Job:
        db.execute("UPDATE jobs SET interruptions = interruptions + 1 WHERE id = ?", (identity,))
        job = _must_find(db, identity)
        if settings.interrupted == "fail" or job.interruptions > _MAX_INTERRUPTIONS:
            _end(db, job, "failed", "interrupted", now, settings.lifetime, None)
        else:
            db.execute("UPDATE jobs SET status = 'queued', owner = 0 WHERE id = ?", (identity,))
        return _must_find(db, identity)

    async def claim(self, count: int, now: float) -> list[Claimed]:
        """At most ``count`` jobs to begin here: first of callers with the fewest running, of each the oldest."""
        return await self._writer.write(lambda db: self._claim(db, count, now))

    def _claim(self, db: sqlite3.Connection, count: int, now: float) -> list[Claimed]:
        running = dict(db.execute("SELECT scope, count(*) FROM jobs WHERE status = 'running' GROUP BY scope"))
        waiting = _waiting_scopes(db)
        found: list[Claimed] = []
        while waiting and len(found) < count:
            scope = min(waiting, key=lambda one: running.get(one, 0))
            due = "status = 'queued' AND scope = ? AND not_before <= ? ORDER BY seq LIMIT 1"
            job = _find(db, due, (scope, now))
            if job is None:
                waiting.remove(scope)
                continue
            running[scope] = running.get(scope, 0) + 1
            db.execute(
                "UPDATE jobs SET status = 'running', owner = ?, starts = starts + 1, started = ? WHERE id = ?",
                (self._owners.number, now, job.id),
            )
            (packed,) = db.execute("SELECT request FROM bodies WHERE job = ?", (job.id,)).fetchone()
            found.append(Claimed(_must_find(db, job.id), _REQUEST.decode(packed)))
        return found

    async def put_off(self, identity: str, until: float, *, begun: bool) -> None:
        """A job of this process goes back and waits until then. ``begun`` False: it has asked nobody."""

        def work(db: sqlite3.Connection) -> None:
            if self._is_mine(db, identity):
                db.execute(
                    "UPDATE jobs SET status = 'queued', owner = 0, not_before = ?, starts = starts - ? WHERE id = ?",
                    (until, 0 if begun else 1, identity),
                )

        await self._writer.write(work)

    async def finish(
        self, identity: str, code: str | None, response: Response | None, now: float, lifetime: float
    ) -> Job | None:
        """A job of this process is over: ``code`` says why it has failed. None: it was cancelled meanwhile."""

        def work(db: sqlite3.Connection) -> Job | None:
            if not self._is_mine(db, identity):
                return None
            packed = None if response is None else _ENCODER.encode(response)
            status = "succeeded" if code is None else "failed"
            _end(db, _must_find(db, identity), status, code, now, lifetime, packed)
            return _must_find(db, identity)

        return await self._writer.write(work)

    async def purge(self, now: float) -> int:
        """Forget jobs whose time is over, not too many at once; how many."""

        def work(db: sqlite3.Connection) -> int:
            old = f"SELECT id FROM jobs WHERE {_EXPIRED} LIMIT ?"  # noqa: S608
            sql = f"DELETE FROM jobs WHERE id IN ({old})"  # noqa: S608
            return db.execute(sql, (now, _PURGED_AT_ONCE)).rowcount

        return await self._writer.write(work)

    # Webhooks

    async def claim_hooks(self, count: int, now: float) -> list[Job]:
        """At most ``count`` webhooks to deliver from here."""

        def work(db: sqlite3.Connection) -> list[Job]:
            where = "webhook_state = 'pending' AND webhook_owner = 0 AND webhook_at <= ? ORDER BY webhook_at LIMIT ?"
            rows = db.execute(f"SELECT {tables.columns()} FROM jobs WHERE {where}", (now, count))  # noqa: S608
            found = [tables.read(row) for row in rows]
            for job in found:
                job.webhook_tries += 1
                sql = "UPDATE jobs SET webhook_owner = ?, webhook_tries = webhook_tries + 1 WHERE id = ?"
                db.execute(sql, (self._owners.number, job.id))
            return found

        return await self._writer.write(work)

    async def told(self, identity: str, state: str, status: int | None, again_at: float | None) -> None:
        """What became of one delivery."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE jobs SET webhook_state = ?, webhook_status = ?, webhook_at = ?, webhook_owner = 0 WHERE id = ?",
                (state, status, again_at, identity),
            )

        await self._writer.write(work)


def _find(db: sqlite3.Connection, where: str, values: tuple[object, ...]) -> Job | None:
    row = db.execute(f"SELECT {tables.columns()} FROM jobs WHERE {where}", values).fetchone()  # noqa: S608
    return None if row is None else tables.read(row)


def _must_find(db: sqlite3.Connection, identity: str) -> Job:
    job = _find(db, "id = ?", (identity,))
    assert job is not None
    return job


def _known(db: sqlite3.Connection, scope: str, idempotency: str) -> Job | None:
    return _find(db, "scope = ? AND idempotency = ?", (scope, idempotency))


def _response(db: sqlite3.Connection, identity: str) -> Response | None:
    row = db.execute("SELECT response FROM bodies WHERE job = ?", (identity,)).fetchone()
    return None if row is None or row[0] is None else _RESPONSE.decode(row[0])


def _check_room(db: sqlite3.Connection, scope: str, size: int, limits: Settings) -> None:
    jobs, kept = db.execute("SELECT jobs, bytes FROM totals").fetchone()
    if jobs >= limits.max_jobs:
        raise Full("too_many_jobs")
    if kept + size > limits.max_size:
        raise Full("job_store_full")
    unfinished = "SELECT count(*) FROM jobs WHERE status = ? AND scope = ?"
    mine = sum(db.execute(unfinished, (status, scope)).fetchone()[0] for status in ("queued", "running"))
    if mine >= limits.max_per_key:
        raise Full("too_many_jobs_of_key")


def _waiting_scopes(db: sqlite3.Connection) -> list[str]:
    """Callers with queued jobs; from one to the next by the index, however many jobs each has."""
    found: list[str] = []
    sql = "SELECT min(scope) FROM jobs WHERE status = 'queued'"
    (scope,) = db.execute(sql).fetchone()
    while scope is not None:
        found.append(scope)
        (scope,) = db.execute(f"{sql} AND scope > ?", (scope,)).fetchone()
    return found


def _end(
    db: sqlite3.Connection, job: Job, status: str, code: str | None, now: float, lifetime: float, response: bytes | None
) -> None:
    """The one way to an end: what was asked is forgotten, and its webhook becomes due, in the same transaction."""
    hook = ("pending", now) if job.webhook is not None else ("waiting", None)
    db.execute(
        "UPDATE jobs SET status = ?, code = ?, finished = ?, expires = ?, owner = 0, size = ?, webhook_state = ?,"
        " webhook_at = ? WHERE id = ?",
        (status, code, now, now + lifetime, len(response or b""), *hook, job.id),
    )
    db.execute("UPDATE bodies SET request = NULL, response = ? WHERE job = ?", (response, job.id))
