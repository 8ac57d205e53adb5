"""Where idempotency keys are kept: a SQLite file of this machine, or a store that all replicas share."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from proxy.idempotency import Found, Unavailable
from proxy.jobs.writer import StoreBroken, Writer
from proxy.store.client import client_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

T = TypeVar("T")
SWEEP = 60.0  # seconds between looks for what has expired
MAX_SWEPT = 500  # entries in one transaction
LEASE = 15.0  # seconds after which a process that says nothing is taken for gone
TIMEOUT = 2.0  # seconds for one question
_CONNECTIONS = 32
_PREFIX = b"sluicegate:idempotency:"
_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY, owner TEXT NOT NULL, expires REAL NOT NULL, found BLOB NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS by_expiry ON entries(expires)"
# What begins with its owner is changed only by that owner.
_KEEP = """
local known = redis.call('GET', KEYS[1])
if not known or string.sub(known, 1, #ARGV[1]) == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
"""
_RELEASE = """
local known = redis.call('GET', KEYS[1])
if known and string.sub(known, 1, #ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
_pack = msgspec.msgpack.encode
_unpack = msgspec.msgpack.Decoder(Found).decode


class SqliteStore:
    """The file ``idempotency.sqlite`` in ``directory``. Neither it nor the lock of this process is there before the
    first claim. Several processes of one machine may share it."""

    def __init__(self, directory: Path, now: Callable[[], float] = time.time) -> None:
        self.boot = os.urandom(6).hex()
        self._directory = directory
        self._now = now
        self._lock = -1
        self._next_sweep = 0.0
        self._writer = Writer(directory / "idempotency.sqlite", self._prepare)

    async def claim(self, key: bytes, fingerprint: bytes, owner: str, lifetime: float) -> Found | None:
        """One transaction; it is on the disk when this returns."""

        def work(db: sqlite3.Connection) -> Found | None:
            now = self._now()
            self._sweep(db, now)
            db.execute("DELETE FROM entries WHERE key = ? AND expires <= ?", (key, now))
            made = _pack(Found("started", fingerprint, owner))
            done = db.execute(
                "INSERT INTO entries (key, owner, expires, found) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (key, owner, now + lifetime, made),
            )
            return None if done.rowcount == 1 else self._find(db, key)

        return await _asked(self._writer.write(work))

    async def look(self, key: bytes) -> Found | None:
        """What is there."""
        return await _asked(self._writer.read(lambda db: self._find(db, key)))

    async def keep(self, key: bytes, owner: str, found: Found, lifetime: float) -> None:
        """In the place of the claim."""
        values = (_pack(found), self._now() + lifetime, key, owner)
        change = "UPDATE entries SET found = ?, expires = ? WHERE key = ? AND owner = ?"
        await _asked(self._writer.write(lambda db: db.execute(change, values).rowcount))

    async def release(self, key: bytes, owner: str) -> None:
        """Free again. Its owner releases it only if it has kept nothing."""
        forget = "DELETE FROM entries WHERE key = ? AND owner = ?"
        await _asked(self._writer.write(lambda db: db.execute(forget, (key, owner)).rowcount))

    async def aclose(self) -> None:
        """Close the file, and give up the lock: what is still open here is known to nobody then."""
        await self._writer.aclose()
        if self._lock >= 0:
            self._lock_of(self.boot).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    # In the thread

    def _prepare(self, db: sqlite3.Connection) -> None:
        db.execute(_TABLE)
        db.execute(_INDEX)
        if self._lock < 0:
            self._lock = self._take_lock()
            for path in self._directory.glob("idempotency-*.lock"):
                self._lives(path.stem.partition("-")[2])  # those of processes that are gone are deleted

    def _find(self, db: sqlite3.Connection, key: bytes) -> Found | None:
        row = db.execute("SELECT found FROM entries WHERE key = ? AND expires > ?", (key, self._now())).fetchone()
        found = None if row is None else _unpack(row[0])
        if found is not None and found.state == "started" and not self._lives(_process(found)):
            return msgspec.structs.replace(found, state="unknown")
        return found

    def _sweep(self, db: sqlite3.Connection, now: float) -> None:
        """Delete some of what has expired, now and then."""
        if now < self._next_sweep:
            return
        old = "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires <= ? LIMIT ?)"
        done = db.execute(old, (now, MAX_SWEPT))
        self._next_sweep = now + (1.0 if done.rowcount == MAX_SWEPT else SWEEP)

    def _lock_of(self, boot: str) -> Path:
        return self._directory / f"idempotency-{boot}.lock"

    def _take_lock(self) -> int:
        """A descriptor that holds the lock as long as this process lives. Another may delete the file before it is
        locked, as that of a process that is gone."""
        path = self._lock_of(self.boot)
        while True:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_ino == os.fstat(lock).st_ino:
                return lock
            os.close(lock)

    def _lives(self, boot: str) -> bool:
        """Whether that process is there. The lock of one that is gone is deleted."""
        if boot == self.boot:
            return True
        path = self._lock_of(boot)
        try:
            lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(lock)


class RedisStore:
    """A store that speaks Redis' protocol. What it forgets is free again: it should not evict, and keep its data.

    A process says every few seconds that it lives; its claim and that word are written together.
    """

    def __init__(self, url: str, *, lease: float = LEASE) -> None:
        self.boot = os.urandom(6).hex()
        self._url = url
        self._lease = lease
        self._client: Redis | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def claim(self, key: bytes, fingerprint: bytes, owner: str, lifetime: float) -> Found | None:
        """One round trip, and another where a request of another process is found."""

        async def work(client: Redis) -> Found | None:
            made = _stored(Found("started", fingerprint, owner))
            pipe = client.pipeline(transaction=True)
            pipe.set(self._alive(self.boot), b"1", px=_milliseconds(self._lease))
            pipe.set(_PREFIX + key, made, px=_milliseconds(lifetime), nx=True)
            pipe.get(_PREFIX + key)
            _, is_ours, value = await pipe.execute()
            return None if is_ours else await self._read(client, value)

        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(), name="say that this process lives")
        return await self._ask(work)

    async def look(self, key: bytes) -> Found | None:
        """What is there."""

        async def work(client: Redis) -> Found | None:
            value = await client.get(_PREFIX + key)
            return None if value is None else await self._read(client, value)

        return await self._ask(work)

    async def keep(self, key: bytes, owner: str, found: Found, lifetime: float) -> None:
        """In the place of the claim, or where nothing is: the store may have lost it."""
        values = (owner.encode() + b"\n", _stored(found), _milliseconds(lifetime))
        await self._ask(lambda client: client.eval(_KEEP, 1, _PREFIX + key, *values))

    async def release(self, key: bytes, owner: str) -> None:
        """Free again. Its owner releases it only if it has kept nothing."""
        mine = owner.encode() + b"\n"
        await self._ask(lambda client: client.eval(_RELEASE, 1, _PREFIX + key, mine))

    async def aclose(self) -> None:
        """This process is gone; the store is told, if it hears."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        client, self._client = self._client, None
        if client is not None:
            await asyncio.gather(_within(client.delete(self._alive(self.boot))), return_exceptions=True)
            await client.aclose()

    async def _read(self, client: Redis, value: Any) -> Found:
        """An entry, and whether whoever has claimed it is still there."""
        try:
            found = _unpack(value.partition(b"\n")[2])
        except msgspec.DecodeError as error:
            raise Unavailable(f"the store holds what no gateway has written: {error}") from None
        boot = _process(found)
        if found.state == "started" and boot != self.boot and not await client.exists(self._alive(boot)):
            return msgspec.structs.replace(found, state="unknown")
        return found

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            alive = self._alive(self.boot)
            say = self._ask(lambda client, alive=alive: client.set(alive, b"1", px=_milliseconds(self._lease)))  # type: ignore[misc]
            await asyncio.gather(say, return_exceptions=True)  # the next round is the next try

    @staticmethod
    def _alive(boot: str) -> bytes:
        return _PREFIX + b"process:" + boot.encode()

    async def _ask(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        from redis.asyncio import RedisError

        if self._client is None:
            self._client = client_of(self._url, TIMEOUT, _CONNECTIONS)
        try:
            return await _within(work(self._client))
        except (RedisError, OSError) as error:
            raise Unavailable(f"the store: {type(error).__name__}") from error


async def _asked(work: Awaitable[T]) -> T:
    try:
        return await work
    except StoreBroken as error:
        raise Unavailable(str(error)) from error


async def _within(work: Awaitable[T]) -> T:
    async with asyncio.timeout(TIMEOUT):
        return await work


def _process(found: Found) -> str:
    """Of its owner."""
    return found.owner.partition("-")[0]


def _stored(found: Found) -> bytes:
    """An entry of the store: its owner stands before it."""
    return found.owner.encode() + b"\n" + _pack(found)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
