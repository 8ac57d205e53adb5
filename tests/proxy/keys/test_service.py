"""Keys in memory: as the file has them, whoever changed it."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

from proxy.jobs.writer import StoreBroken
from proxy.keys import audit, store
from proxy.keys.audit import Actor
from proxy.keys.record import digest_of
from proxy.keys.service import KeyService

ADA = Actor("ada", "owner")


def _create(folder: Path, name: str = "web", now: int = 1) -> tuple[str, bytes]:
    """Id and digest of a key that another process made."""
    with store.writing(folder) as db:
        key, secret = store.create(db, ADA, ("acme", "search", name), {}, now=now)
    return key.id, digest_of(secret)


def _revoke(folder: Path, identity: str) -> None:
    with store.writing(folder) as db:
        store.revoke(db, ADA, identity, now=2)


class _Watched:
    """A service that tells of each change."""

    def __init__(self, folder: Path) -> None:
        self.changed = asyncio.Event()
        self.clock = 1_800_000_000.0
        self.service = KeyService(folder, now=lambda: self.clock, on_change=self.changed.set)

    async def __aenter__(self) -> _Watched:
        await self.service.start()
        self.changed.clear()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.service.aclose()

    async def change(self) -> None:
        """The next change; it must come within a second, and some for a busy machine."""
        await asyncio.wait_for(self.changed.wait(), 10)
        self.changed.clear()


async def test_what_another_process_changes_is_seen(tmp_path: Path) -> None:
    """A new key, then that it is revoked."""
    first, digest = _create(tmp_path)
    async with _Watched(tmp_path) as watched:
        found = watched.service.find(digest)
        assert found is not None
        assert found.id == first
        _, other = _create(tmp_path, "other")
        await watched.change()
        assert watched.service.find(other) is not None
        _revoke(tmp_path, first)
        await watched.change()
        assert watched.service.find(digest) is None
        assert set(watched.service.keys) == {other}


async def test_a_revocation_elsewhere_counts_within_a_second(tmp_path: Path) -> None:
    """The gateway looks twice in a second, so one look that comes late is made up for by the next."""
    identity, digest = _create(tmp_path)
    async with _Watched(tmp_path) as watched:
        best = 60.0
        for _ in range(3):  # a machine that is busy may be late, but not always
            _revoke(tmp_path, identity)
            began = time.monotonic()
            await watched.change()
            assert watched.service.find(digest) is None
            best = min(best, time.monotonic() - began)
            identity, digest = _create(tmp_path)
            await watched.change()
        assert best < 1.0


async def test_what_is_changed_here_counts_at_once(tmp_path: Path) -> None:
    """When the write returns."""
    async with _Watched(tmp_path) as watched:
        key, secret = await watched.service.write(
            lambda db: store.create(db, ADA, ("acme", "search", "web"), {}, now=1)
        )
        assert watched.service.find(digest_of(secret)) == key
        assert watched.changed.is_set()
        await watched.service.write(lambda db: store.revoke(db, ADA, key.id, now=2))
        assert watched.service.find(digest_of(secret)) is None


async def test_a_key_ends_when_it_expires(tmp_path: Path) -> None:
    """Without anybody's doing."""
    async with _Watched(tmp_path) as watched:
        ends = {"expires": watched.service.micros() + 5_000_000}
        _, secret = await watched.service.write(
            lambda db: store.create(db, ADA, ("acme", "search", "web"), ends, now=1)
        )
        assert watched.service.find(digest_of(secret)) is not None
        watched.clock += 5
        assert watched.service.find(digest_of(secret)) is None


async def test_rows_that_are_of_no_key_change_nothing(tmp_path: Path) -> None:
    """An order to a target is in the same audit."""
    async with _Watched(tmp_path) as watched:
        await watched.service.write(lambda db: audit.append(db, ADA, "target.drain", "up/x", None, None, now=1))
        assert not watched.changed.is_set()


async def test_looking_makes_no_file(tmp_path: Path) -> None:
    """Who issues no keys has none."""
    async with _Watched(tmp_path / "state") as watched:
        assert watched.service.find(bytes(32)) is None
        assert not (tmp_path / "state").exists()
        _, digest = _create(tmp_path / "state")
        await watched.change()
        assert watched.service.find(digest) is not None


async def test_a_file_that_was_put_in_its_place(tmp_path: Path) -> None:
    """Its keys count, and the others no more."""
    for number in range(3):
        _, digest = _create(tmp_path / "here", f"k{number}")
    _, other = _create(tmp_path / "backup")
    async with _Watched(tmp_path / "here") as watched:
        assert watched.service.find(digest) is not None
        await watched.service.read(lambda db: db.execute("PRAGMA database_list").fetchall())
        for path in (tmp_path / "here").glob("keys.sqlite-*"):
            path.unlink()
        (tmp_path / "backup" / store.FILE).replace(tmp_path / "here" / store.FILE)
        await watched.change()
        assert set(watched.service.keys) == {other}


async def test_a_broken_file_is_told_and_what_was_known_stays(tmp_path: Path) -> None:
    """Nobody is locked out by a disk."""
    _, digest = _create(tmp_path)
    async with _Watched(tmp_path) as watched:
        broken = tmp_path / "broken"
        broken.write_bytes(b"no database" * 100)
        for path in tmp_path.glob("keys.sqlite-*"):
            path.unlink()
        broken.replace(tmp_path / store.FILE)
        with pytest.raises(StoreBroken):
            await watched.service.read(lambda db: store.keys(db))
        assert "not a database" in watched.service.problem
        assert watched.service.find(digest) is not None


async def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    """The error is the one that was raised."""
    async with _Watched(tmp_path) as watched:

        def work(db: sqlite3.Connection) -> None:
            store.create(db, ADA, ("acme", "search", "web"), {}, now=1)
            raise store.NoSuchKey("no")

        with pytest.raises(store.NoSuchKey):
            await watched.service.write(work)
        assert await watched.service.read(lambda db: (store.keys(db), audit.head(db)[0])) == ([], 0)
