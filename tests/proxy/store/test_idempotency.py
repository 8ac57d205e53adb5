"""Claims on a disk and in a shared store: atomic, theirs alone, and known to be lost when their process is."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.idempotency import Claim, Found, Idempotency, Replay, Store, Unavailable
from proxy.store.idempotency import MAX_SWEPT, SWEEP, RedisStore, SqliteStore
from tests.support.environment import ROOT, clean_environment
from tests.support.valkey import Valkey

KEY, PRINT = b"k" * 32, b"f" * 32
ANSWER = Replay(200, [(b"content-type", b"text/plain")], b"hello\x00\xff")
DAY = 86_400.0
LEASE = 0.3  # seconds
MakeStore = Callable[[], Store]


@pytest.fixture(params=["sqlite", "redis"])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MakeStore]:
    """Another process's store on the same file or server, each time."""
    made: list[Store] = []
    valkey: Valkey | None = request.getfixturevalue("valkey") if request.param == "redis" else None

    def one() -> Store:
        made.append(SqliteStore(tmp_path) if valkey is None else RedisStore(valkey.url, lease=LEASE))
        return made[-1]

    yield one
    for store in made:
        await store.aclose()


async def test_one_of_many_gets_it(make: MakeStore) -> None:
    """Two processes, fifty at once in each."""
    stores = make(), make()
    asked = [store.claim(KEY, PRINT, f"{store.boot}-{number}", DAY) for number in range(50) for store in stores]
    found = await asyncio.gather(*asked)
    losers = [one for one in found if one is not None]
    assert len(losers) == 99
    assert {one.state for one in losers} == {"started"}
    assert len({one.owner for one in losers}) == 1


async def test_an_answer_comes_back_as_it_was(make: MakeStore) -> None:
    mine, other = make(), make()
    owner = f"{mine.boot}-1"
    assert await mine.claim(KEY, PRINT, owner, DAY) is None
    await other.release(KEY, f"{other.boot}-1")
    kept = Found("kept", PRINT, owner, ANSWER)
    await mine.keep(KEY, owner, kept, DAY)
    assert await other.look(KEY) == kept
    assert await other.claim(KEY, PRINT, f"{other.boot}-2", DAY) == kept
    assert await other.look(b"another") is None


async def test_what_is_released_is_free(make: MakeStore) -> None:
    mine, other = make(), make()
    await mine.claim(KEY, PRINT, f"{mine.boot}-1", DAY)
    await mine.release(KEY, f"{mine.boot}-1")
    assert await other.claim(KEY, PRINT, f"{other.boot}-1", DAY) is None


async def test_nobody_keeps_in_the_place_of_another(make: MakeStore) -> None:
    mine, other = make(), make()
    await mine.claim(KEY, PRINT, f"{mine.boot}-1", DAY)
    await other.keep(KEY, f"{other.boot}-1", Found("kept", PRINT, f"{other.boot}-1", ANSWER), DAY)
    assert await mine.look(KEY) == Found("started", PRINT, f"{mine.boot}-1")


async def test_what_has_expired_is_free(make: MakeStore) -> None:
    mine = make()
    await mine.claim(KEY, PRINT, f"{mine.boot}-1", 0.05)
    async with asyncio.timeout(5):
        while await mine.claim(KEY, PRINT, f"{mine.boot}-2", DAY) is not None:
            await asyncio.sleep(0.01)


async def test_who_comes_second_hears_of_the_answer_in_another_process(make: MakeStore) -> None:
    here, there = Idempotency(make()), Idempotency(make())
    claim = await here.begin(KEY, PRINT, DAY, 5.0)
    assert isinstance(claim, Claim)
    second = asyncio.create_task(there.begin(KEY, PRINT, DAY, 10.0))
    await asyncio.sleep(0.05)
    assert not second.done()
    await claim.keep(ANSWER)
    found = await second
    assert isinstance(found, Found)
    assert found.replay == ANSWER


async def test_a_process_that_ended_leaves_its_requests_unknown(make: MakeStore) -> None:
    mine, other = make(), make()
    await mine.claim(KEY, PRINT, f"{mine.boot}-1", DAY)
    found = await other.look(KEY)
    assert found is not None
    assert found.state == "started"
    await mine.aclose()
    found = await other.claim(KEY, PRINT, f"{other.boot}-1", DAY)
    assert found is not None
    assert found.state == "unknown"


# SQLite

KILLED = """
import asyncio, sys
from pathlib import Path
from proxy.store.idempotency import SqliteStore

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.claim(b"k" * 32, b"f" * 32, store.boot + "-1", 86400.0)
    print("claimed", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_killed_process_is_known_to_be_gone(tmp_path: Path) -> None:
    """The lock goes with the process; its file goes with whoever finds it."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        env=clean_environment(PYTHONPATH=str(ROOT)),
    ) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"claimed\n"
        store = SqliteStore(tmp_path)
        found = await store.claim(KEY, PRINT, f"{store.boot}-1", DAY)
        assert found is not None
        assert found.state == "started"
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
    found = await store.claim(KEY, PRINT, f"{store.boot}-2", DAY)
    assert found is not None
    assert found.state == "unknown"
    assert [path.name for path in tmp_path.glob("*.lock")] == [f"idempotency-{store.boot}.lock"]
    await store.aclose()


async def test_no_file_before_the_first_claim_and_none_for_others(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state")
    assert not (tmp_path / "state").exists()
    await store.claim(KEY, PRINT, f"{store.boot}-1", DAY)
    path = tmp_path / "state" / "idempotency.sqlite"
    assert path.stat().st_mode & 0o777 == 0o600
    await store.aclose()
    assert not list((tmp_path / "state").glob("*.lock"))


async def test_expired_entries_are_deleted_some_at_a_time(tmp_path: Path) -> None:
    clock = [1000.0]
    store = SqliteStore(tmp_path, now=lambda: clock[0])
    count = MAX_SWEPT + 10
    await asyncio.gather(*(store.claim(b"%d" % n, PRINT, f"{store.boot}-{n}", 1.0) for n in range(count)))

    def left() -> int:
        database = sqlite3.connect(tmp_path / "idempotency.sqlite")
        found: int = database.execute("SELECT count(*) FROM entries").fetchone()[0]
        database.close()
        return found

    clock[0] += SWEEP + 1
    await store.claim(b"a", PRINT, f"{store.boot}-a", DAY)
    assert left() == 11
    clock[0] += 2
    await store.claim(b"b", PRINT, f"{store.boot}-b", DAY)
    assert left() == 2
    await store.aclose()


async def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    store = SqliteStore(tmp_path / "state")
    with pytest.raises(Unavailable):
        await store.claim(KEY, PRINT, f"{store.boot}-1", DAY)
    (tmp_path / "state").unlink()
    assert await store.claim(KEY, PRINT, f"{store.boot}-1", DAY) is None
    await store.aclose()


# A shared store


async def test_a_process_that_says_nothing_is_gone(valkey: Valkey) -> None:
    """Its word lasts for as long as its lease; while it lives it is renewed."""
    mine, other = RedisStore(valkey.url, lease=LEASE), RedisStore(valkey.url, lease=LEASE)
    await mine.claim(KEY, PRINT, f"{mine.boot}-1", DAY)
    await asyncio.sleep(3 * LEASE)
    assert (await _known(other)).state == "started"
    assert mine._renewing is not None
    mine._renewing.cancel()  # as if it were killed
    async with asyncio.timeout(5):
        while (await _known(other)).state != "unknown":
            await asyncio.sleep(0.02)
    await mine.aclose()
    await other.aclose()


async def _known(store: Store) -> Found:
    found = await store.look(KEY)
    assert found is not None
    return found


async def test_a_store_that_is_away_or_hangs(valkey: Valkey) -> None:
    store = RedisStore(valkey.url)
    await store.claim(KEY, PRINT, f"{store.boot}-1", DAY)
    valkey.kill()
    with pytest.raises(Unavailable):
        await store.look(KEY)
    valkey.start()
    assert await store.look(KEY) is None
    await store.keep(KEY, f"{store.boot}-1", Found("kept", PRINT, f"{store.boot}-1", ANSWER), DAY)
    assert (await _known(store)).replay == ANSWER  # it was lost, and is known again
    valkey.freeze()
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable):
            await store.claim(KEY, PRINT, f"{store.boot}-2", DAY)
    valkey.thaw()
    await store.aclose()


async def test_what_no_gateway_has_written(valkey: Valkey) -> None:
    from_elsewhere: Any = RedisStore(valkey.url)
    await from_elsewhere.look(KEY)
    await from_elsewhere._client.set(b"sluicegate:idempotency:" + KEY, b"nonsense")
    with pytest.raises(Unavailable):
        await from_elsewhere.look(KEY)
    await from_elsewhere.aclose()
