"""Claims: one at a time, given back when they come to nothing, waited for by those who come second."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from proxy.idempotency import Claim, Found, Idempotency, MemoryStore, Replay, Unavailable

KEY, PRINT = b"k" * 32, b"f" * 32
ANSWER = Replay(200, [(b"content-type", b"text/plain")], b"hello")
DAY = 86_400.0


class Slow(MemoryStore):
    """Answers when it is told to; may fail instead."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.broken = False

    async def claim(self, key: bytes, fingerprint: bytes, owner: str, lifetime: float) -> Found | None:
        """Once the gate is open."""
        found = await super().claim(key, fingerprint, owner, lifetime)
        self.asked.set()
        await self.gate.wait()
        return found

    async def keep(self, key: bytes, owner: str, found: Found, lifetime: float) -> None:
        """Not while it is broken."""
        if self.broken:
            raise Unavailable("broken")
        await self.gate.wait()
        await super().keep(key, owner, found, lifetime)


async def begin(known: Idempotency, *, wait: float = 5.0, fingerprint: bytes = PRINT) -> Claim | Found:
    """Of the one key."""
    return await known.begin(KEY, fingerprint, DAY, wait)


async def first(known: Idempotency) -> Claim:
    """A claim."""
    found = await begin(known)
    assert isinstance(found, Claim)
    return found


async def freed(known: Idempotency) -> None:
    """Wait until what was begun in the background is done."""
    while known._tasks:
        await asyncio.wait(known._tasks)


async def test_one_claim_and_its_answer_for_all() -> None:
    """A hundred at once: one is the first, the others get what it kept."""
    known = Idempotency()

    async def one() -> str:
        found = await begin(known)
        if isinstance(found, Claim):
            await asyncio.sleep(0.01)
            await found.keep(ANSWER)
            return "first"
        assert found.replay == ANSWER
        return found.state

    assert Counter(await asyncio.gather(*(one() for _ in range(100)))) == {"first": 1, "kept": 99}


async def test_who_comes_second_takes_over_what_failed() -> None:
    known = Idempotency()
    claim = await first(known)
    second = asyncio.create_task(begin(known))
    await asyncio.sleep(0)
    claim.release()
    found = await second
    assert isinstance(found, Claim)
    assert found.owner != claim.owner


async def test_the_wait_ends() -> None:
    known = Idempotency()
    await first(known)
    found = await begin(known, wait=0.02)
    assert isinstance(found, Found)
    assert found.state == "started"


async def test_another_request_does_not_wait() -> None:
    known = Idempotency()
    await first(known)
    async with asyncio.timeout(2):
        found = await begin(known, wait=60.0, fingerprint=b"g" * 32)
    assert isinstance(found, Found)
    assert found.fingerprint == PRINT


async def test_what_is_kept_stays_when_it_is_released() -> None:
    known = Idempotency()
    claim = await first(known)
    await claim.keep(None)
    claim.release()
    await freed(known)
    found = await begin(known)
    assert isinstance(found, Found)
    assert found.state == "too_large"
    assert found.replay is None


async def test_a_claim_for_somebody_who_left_is_taken_back() -> None:
    """It is in the store by then, and nobody would ever end it."""
    store = Slow()
    known = Idempotency(store)
    store.gate.clear()
    leaving = asyncio.create_task(begin(known))
    await store.asked.wait()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    store.gate.set()
    await freed(known)
    assert await store.look(KEY) is None
    await first(known)


async def test_an_answer_is_kept_for_somebody_who_left() -> None:
    store = Slow()
    known = Idempotency(store)
    claim = await first(known)
    store.gate.clear()
    keeping = asyncio.create_task(claim.keep(ANSWER))
    await asyncio.sleep(0)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    claim.release()
    store.gate.set()
    await freed(known)
    found = await store.look(KEY)
    assert found is not None
    assert found.replay == ANSWER


async def test_what_could_not_be_kept_is_unknown() -> None:
    """The provider was asked: nobody may ask it again, and nobody waits for what is over."""
    store = Slow()
    known = Idempotency(store)
    claim = await first(known)
    second = asyncio.create_task(begin(known, wait=60.0))
    await asyncio.sleep(0)
    store.broken = True
    with pytest.raises(Unavailable):
        await claim.keep(ANSWER)
    claim.release()
    async with asyncio.timeout(2):
        found = await second
    assert isinstance(found, Found)
    assert found.state == "unknown"


async def test_memory_forgets_in_time_and_is_bounded() -> None:
    clock = [0.0]
    store = MemoryStore(now=lambda: clock[0])
    for number in range(10_000):
        assert await store.claim(b"%d" % number, PRINT, "a-1", 10.0) is None
    with pytest.raises(Unavailable):
        await store.claim(KEY, PRINT, "a-2", 10.0)
    clock[0] = 11.0
    assert await store.look(b"1") is None
    assert await store.claim(KEY, PRINT, "a-2", 10.0) is None


async def test_only_its_owner_ends_a_claim() -> None:
    store = MemoryStore()
    await store.claim(KEY, PRINT, "a-1", DAY)
    await store.release(KEY, "b-1")
    await store.keep(KEY, "b-1", Found("kept", PRINT, "b-1", ANSWER), DAY)
    found = await store.look(KEY)
    assert found == Found("started", PRINT, "a-1")
    await store.aclose()
