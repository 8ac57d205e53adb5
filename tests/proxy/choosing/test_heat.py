"""Tries side by side."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxy.choosing.heat import Heat, all_ended
from proxy.errors import Overloaded, Unavailable


class _Prize:
    """What a try brings."""

    discarded = False

    def discard(self) -> None:
        self.discarded = True


async def _after(event: asyncio.Event | None, outcome: Any) -> Any:
    if event is not None:
        await event.wait()
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


async def test_who_is_through_first_is_told_of_first() -> None:
    """Of several in the same moment, who began first; a failure is an outcome."""
    heat: Heat[str, Any] = Heat(set())
    failure, prize = Overloaded("busy"), _Prize()
    heat.start("never", _after(asyncio.Event(), _Prize()))
    heat.start("failed", _after(None, failure))
    heat.start("won", _after(None, prize))
    assert await heat.next(5) == ("failed", failure)
    assert await heat.next(5) == ("won", prize)
    assert await heat.next(0) is None
    assert list(heat.running()) == ["never"]
    await heat.break_off()
    assert len(heat) == 0


async def test_a_prize_that_nobody_took_is_discarded() -> None:
    """And a failure that nobody asked for is nobody's."""
    heat: Heat[str, Any] = Heat(set())
    prize = _Prize()
    heat.start("late", _after(None, prize))
    heat.start("failed", _after(None, Overloaded("busy")))
    await asyncio.sleep(0)
    await heat.break_off()
    assert prize.discarded


async def test_who_does_not_let_go_holds_nobody_up() -> None:
    """It is waited for at the end of all."""
    left: set[asyncio.Task[Any]] = set()
    heat: Heat[str, Any] = Heat(left)
    began, go, prize = asyncio.Event(), asyncio.Event(), _Prize()

    async def stubborn() -> Any:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await go.wait()
        return prize

    heat.start("stubborn", stubborn())
    await began.wait()
    await asyncio.wait_for(heat.break_off(), 5)
    assert len(left) == 1
    go.set()
    await all_ended(left)
    await asyncio.sleep(0)
    assert prize.discarded
    assert not left


async def test_other_failures_are_not_outcomes() -> None:
    """A defect goes up; what was cancelled from below counts as a failure."""
    heat: Heat[str, Any] = Heat(set())
    heat.start("defect", _after(None, RuntimeError("a defect")))
    with pytest.raises(RuntimeError):
        await heat.next(5)
    heat.start("cancelled", _after(None, asyncio.CancelledError()))
    found = await heat.next(5)
    assert found is not None
    assert isinstance(found[1], Unavailable)
