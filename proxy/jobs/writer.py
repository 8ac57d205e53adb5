"""One SQLite file, one connection, one thread that owns it: the event loop never waits for a disk.

What is asked for meanwhile is done in one transaction with one commit, so that durability (`synchronous=FULL`) costs
little under load. Whatever goes wrong with the file is told to those who asked; the next to ask finds it opened anew.
"""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
_MAX_BATCH = 500
_PASSES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL)
_BUSY = 1.0  # seconds that another process may hold the file
_LAST = 5.0  # seconds that the thread may take to end


class StoreBroken(Exception):
    """The file cannot be read or written now. The text is for operators."""


class _Asked:
    """One thing to do, and who waits for it."""

    __slots__ = ("future", "loop", "work", "writes")

    def __init__(self, work: Work, writes: bool) -> None:
        self.work = work
        self.writes = writes
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def answer(self, result: Any, error: BaseException | None) -> None:
        """From the thread: hand over what came of it."""

        def settle() -> None:
            if self.future.done():  # nobody waits any more
                return
            if error is not None:
                self.future.set_exception(error)
            else:
                self.future.set_result(result)

        self.loop.call_soon_threadsafe(settle)


class Writer:
    """Runs functions on a connection to the file at ``path``, in order, in its own thread.

    ``prepare`` is called on each new connection. ``problem`` says what is wrong with the file, "" while nothing is.
    """

    def __init__(self, path: Path, prepare: Callable[[sqlite3.Connection], None], *, max_waiting: int = 2000) -> None:
        self.problem = ""
        self._write_failed = False  # that something can be read mends nothing then
        self._path = path
        self._prepare = prepare
        self._max_waiting = max_waiting
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in a transaction; return when it is committed. What it raises takes back what it did.

        Raises:
            StoreBroken: the file could not be used; nothing was done.
        """
        return await self._ask(work, writes=True)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same for what changes nothing: it also works while the disk is full.

        Raises:
            StoreBroken: the file could not be used.
        """
        return await self._ask(work, writes=False)

    async def _ask(self, work: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        if self._closed:
            raise StoreBroken("the store is closed")
        if self._asked.qsize() >= self._max_waiting:
            raise StoreBroken("the disk does not keep up")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="jobs-store", daemon=True)
            self._thread.start()
        asked = _Asked(work, writes)
        self._asked.put(asked)
        found: T = await asked.future
        return found

    async def aclose(self) -> None:
        """Do what was asked for so far, then close the file."""
        self._closed = True
        if self._thread is not None:
            self._asked.put(None)
            await asyncio.to_thread(self._thread.join, _LAST)

    # In the thread

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            batch = [self._asked.get()]
            while len(batch) < _MAX_BATCH and not self._asked.empty():
                batch.append(self._asked.get())
            goes_on = None not in batch
            known = [asked for asked in batch if asked is not None]
            for writes in (True, False):
                group = [asked for asked in known if asked.writes is writes]
                if group:
                    self._transact(group, writes)
        self._close()

    def _transact(self, group: list[_Asked], writes: bool) -> None:
        """All of a group in one transaction. If the file fails, all of them have failed and nothing was done."""
        try:
            connection = self._open() if self._connection is None or self._is_gone() else self._connection
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            results = [_one(connection, asked.work) for asked in group]
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._take_back(error)
            self.problem = f"{self._path}: {error}"
            self._write_failed = self._write_failed or writes
            for asked in group:
                asked.answer(None, StoreBroken(self.problem))
            return
        if writes or not self._write_failed:
            self.problem, self._write_failed = "", False
        for asked, (result, failed) in zip(group, results, strict=True):
            asked.answer(result, failed)

    def _take_back(self, error: Exception) -> None:
        """Nothing of the group was done. A file that is only busy or full stays open, so that it can be read."""
        connection = self._connection
        if connection is None:
            return
        keep = getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSES
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            keep = False
        if not keep:
            self._close()

    def _is_gone(self) -> bool:
        """Whether somebody took the file away: what is written then would be lost with the process."""
        try:
            return self._path.stat().st_ino != self._inode
        except FileNotFoundError:
            return True

    def _open(self) -> sqlite3.Connection:
        self._close()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # what is asked is nobody else's
        connection = sqlite3.connect(self._path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._inode = connection, self._path.stat().st_ino
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _one(connection: sqlite3.Connection, work: Work) -> tuple[Any, Exception | None]:
    """One of several in a transaction: what it raises takes back its own changes and nobody else's."""
    connection.execute("SAVEPOINT one")
    try:
        result = work(connection)
    except (sqlite3.Error, OSError):
        raise
    except Exception as error:
        connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")
        return None, error
    connection.execute("RELEASE one")
    return result, None
