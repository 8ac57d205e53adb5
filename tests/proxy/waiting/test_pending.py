"""Work that is waited for in pieces, and given up."""

from __future__ import annotations

import asyncio

import pytest

from proxy.errors import Unavailable
from proxy.waiting.pending import Pending


class Brought:
    """What the work brings."""

    def __init__(self) -> None:
        self.discarded = 0

    def discard(self) -> None:
        self.discarded += 1


class Work:
    """Brings something when ``gate`` opens, fails if told so; a stubborn one does so even when it is cancelled."""

    def __init__(self, *, fails: bool = False, stubborn: bool = False) -> None:
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()
        self.over = asyncio.Event()
        self.brought = Brought()
        self._fails = fails
        self._stubborn = stubborn
        self.pending = Pending(self._go(), "work", self.over.set)

    async def _go(self) -> Brought:
        self.begun.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            if not self._stubborn:
                raise
        if self._fails:
            raise Unavailable("It is down.")
        return self.brought


async def test_waiting_in_pieces() -> None:
    """A wait that ends too early leaves the work alone; one that is long enough has its outcome."""
    work = Work()
    assert not await work.pending.within(0.001)
    assert not work.pending.done
    work.gate.set()
    assert await work.pending.within(5)
    assert work.pending.result() is work.brought
    assert not work.brought.discarded
    assert not work.over.is_set()


async def test_a_failure_is_the_outcome() -> None:
    """It is raised to whoever asks for the result."""
    work = Work(fails=True)
    work.gate.set()
    assert await work.pending.within(5)
    with pytest.raises(Unavailable):
        work.pending.result()


@pytest.mark.parametrize("begun", [True, False])
async def test_given_up_while_it_goes_on(begun: bool) -> None:
    """It is cancelled, even before its first step, and tells when it has let go."""
    work = Work()
    if begun:
        await work.begun.wait()
    work.pending.give_up()
    assert not work.over.is_set()
    async with asyncio.timeout(5):
        await work.over.wait()
    assert work.begun.is_set() == begun
    assert work.pending.done


@pytest.mark.parametrize("done", [True, False])
async def test_what_nobody_wants_is_discarded_once(done: bool) -> None:
    """Whether it was there already, or came although it was cancelled; however often it is given up."""
    work = Work(stubborn=True)
    await work.begun.wait()
    if done:
        work.gate.set()
        assert await work.pending.within(5)
    work.pending.give_up()
    work.pending.give_up()
    async with asyncio.timeout(5):
        await work.over.wait()
    work.pending.give_up()
    assert work.brought.discarded == 1


async def test_who_waits_is_cancelled() -> None:
    """Then the work is given up as well."""
    work = Work()
    waiting = asyncio.create_task(work.pending.within(60))
    await work.begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(5):
        await work.over.wait()
