"""Every change of a job, in order, by one process or two."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.jobs.record import Job, Request, Response, Settings
from proxy.jobs.store import FILE, Full, Store

REQUEST = Request("POST", "/v1/chat/completions", b"", [(b"content-type", b"application/json")], b"{}")
RESPONSE = Response(200, [(b"content-type", b"application/json")], b'{"a":1}')
LIMITS = Settings()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """One in a folder of its own."""
    made = Store(tmp_path)
    yield made
    await made.aclose()


async def _add(store: Store, name: str, scope: str = "a/b/c", **more: object) -> Job:
    return await store.add(Job(id=name, scope=scope, created=1.0, **more), REQUEST, LIMITS)  # type: ignore[arg-type]


async def test_the_life_of_a_job(store: Store) -> None:
    """Queued, running, over, forgotten; what was asked is gone with the end, the answer with the lifetime."""
    await _add(store, "one")
    (claimed,) = await store.claim(5, 2.0)
    assert (claimed.request, claimed.job.status, claimed.job.starts) == (REQUEST, "running", 1)
    assert await store.claim(5, 2.0) == []
    done = await store.finish("one", None, RESPONSE, 3.0, 10.0)
    assert done is not None
    assert (done.status, done.finished, done.expires) == ("succeeded", 3.0, 13.0)
    assert await store.get("one", "job", "a/b/c") == (done, RESPONSE)
    assert await store.finish("one", "again", None, 4.0, 10.0) is None
    assert await store.purge(12.9) == 0
    assert await store.purge(13.0) == 1
    assert await store.get("one", "job", "a/b/c") is None
    assert await store.response("one") is None


async def test_whose_it_is(store: Store) -> None:
    """Of another caller, or of another kind, it does not exist; without a key it is whoever's has the id."""
    await _add(store, "one")
    await _add(store, "free", scope="")
    assert await store.get("one", "job", "a/b/d") is None
    assert await store.get("one", "queue", "a/b/c") is None
    assert await store.cancel("one", "job", "a/b/d", 2.0, 1.0) is None
    assert await store.get("free", "job", "a/b/d") is not None
    assert [job.id for job in await store.newest("job", "a/b/c", 9, None)] == ["one"]


async def test_those_with_the_fewest_running_come_first(store: Store) -> None:
    """However many somebody else has made before."""
    for number in range(6):
        await _add(store, f"greedy{number}", scope="greedy")
    await _add(store, "modest", scope="modest")
    assert [one.job.id for one in await store.claim(2, 1.0)] == ["greedy0", "modest"]
    await _add(store, "late", scope="late")
    assert [one.job.id for one in await store.claim(3, 1.0)] == ["late", "greedy1", "greedy2"]


async def test_put_off(store: Store) -> None:
    """It waits until its time; one that asked nobody was not begun."""
    await _add(store, "one")
    await store.claim(1, 1.0)
    await store.put_off("one", 5.0, begun=False)
    assert await store.claim(1, 4.9) == []
    ((claimed),) = await store.claim(1, 5.0)
    assert claimed.job.starts == 1


async def test_interruptions(store: Store) -> None:
    """One is forgiven, a second is not; where the file says so, not even one."""
    await _add(store, "one")
    for status in ("queued", "failed"):
        await store.claim(1, 1.0)
        job = await store.interrupted("one", 2.0, LIMITS)
        assert job is not None
        assert job.status == status
    found = await store.get("one", "job", "a/b/c")
    assert found is not None
    assert (found[0].code, found[0].interruptions) == ("interrupted", 2)
    await _add(store, "two")
    await store.claim(1, 1.0)
    job = await store.interrupted("two", 2.0, Settings(interrupted="fail"))
    assert job is not None
    assert (job.status, job.code) == ("failed", "interrupted")
    assert await store.interrupted("two", 3.0, LIMITS) is None


async def test_what_the_dead_left_behind(store: Store, tmp_path: Path) -> None:
    """Their jobs go back, and their webhooks too; those of the living are left alone."""
    await _add(store, "one")
    await _add(store, "two", webhook="https://a/")
    await store.claim(2, 1.0)
    await store.finish("two", None, RESPONSE, 1.0, 10.0)
    assert [job.id for job in await store.claim_hooks(5, 1.0)] == ["two"]
    view = await store.look(1.0)
    assert (view.mine, view.dead, view.hooks) == ({"one"}, set(), False)
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("UPDATE jobs SET owner = 12345 WHERE owner != 0")
        database.execute("UPDATE jobs SET webhook_owner = 12345 WHERE webhook_owner != 0")
    database.close()
    view = await store.look(1.0)
    assert (view.mine, view.dead) == (set(), {12345})
    (back,) = await store.reclaim(view.dead, 2.0, LIMITS)
    assert (back.id, back.status, back.interruptions) == ("one", "queued", 1)
    assert (await store.look(1.0)).hooks
    (hook,) = await store.claim_hooks(5, 1.0)
    assert hook.webhook_tries == 2


async def test_a_cancelled_job_takes_no_answer(store: Store) -> None:
    """Whatever comes afterwards."""
    await _add(store, "one")
    await store.claim(1, 1.0)
    job = await store.cancel("one", "job", "a/b/c", 2.0, 10.0)
    assert job is not None
    assert job.status == "cancelled"
    assert (await store.look(2.0)).mine == set()
    assert await store.finish("one", None, RESPONSE, 3.0, 10.0) is None
    again = await store.cancel("one", "job", "a/b/c", 4.0, 10.0)
    assert again is not None
    assert (again.finished, await store.response("one")) == (2.0, None)


async def test_room(store: Store) -> None:
    """Is limited by number, by key and by size; each has its code."""

    async def code(limits: Settings, scope: str = "a/b/c") -> str:
        with pytest.raises(Full) as caught:
            await store.add(Job(id="more", scope=scope), REQUEST, limits)
        return caught.value.code

    await _add(store, "one")
    assert await code(Settings(max_jobs=1), "other") == "too_many_jobs"
    assert await code(Settings(max_per_key=1)) == "too_many_jobs_of_key"
    assert await code(Settings(max_size=90), "other") == "job_store_full"
    assert await store.counts() == {("job", "queued"): 1}


async def test_one_job_for_one_idempotency_key(store: Store) -> None:
    """Of one caller; another has its own."""
    first = await _add(store, "one", idempotency="k")
    assert await _add(store, "two", idempotency="k") == first
    assert (await _add(store, "three", scope="other", idempotency="k")).id == "three"


async def test_a_webhook_that_is_due_keeps_its_job(store: Store) -> None:
    """Beyond its lifetime, until its tries are over."""
    await _add(store, "one", webhook="https://a/")
    await store.claim(1, 1.0)
    await store.finish("one", None, RESPONSE, 1.0, 1.0)
    assert await store.purge(9.0) == 0
    await store.claim_hooks(1, 9.0)
    await store.told("one", "failed", 500, None)
    assert await store.purge(9.0) == 1
