"""A loop on which pauses take no time, and everything else keeps its order."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

import pytest

from proxy.rehearsal.quick_loop import QuickLoop, Stuck


def run(work: Callable[[QuickLoop], Awaitable[None]]) -> float:
    """Run it; the seconds that have gone by on the loop's clock."""
    loop = QuickLoop()
    began = loop.time()

    async def main() -> None:
        await work(loop)
        loop.skips = False

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    return loop.time() - began


def test_a_pause_takes_no_time_and_is_counted() -> None:
    began = time.monotonic()

    async def work(loop: QuickLoop) -> None:
        await asyncio.sleep(3600)

    assert run(work) == pytest.approx(3600)
    assert time.monotonic() - began < 60


def test_timers_ring_in_their_order() -> None:
    heard: list[str] = []

    async def after(seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        heard.append(name)

    async def work(loop: QuickLoop) -> None:
        await asyncio.gather(after(30, "late"), after(0.3, "soon"), after(5, "then"))

    assert run(work) == pytest.approx(30)
    assert heard == ["soon", "then", "late"]


def test_the_clock_stands_still_while_a_thread_works() -> None:
    """A short patience is not used up by a slow machine."""
    entered = threading.Event()

    def slow() -> str:
        entered.wait(0.05)
        return "done"

    async def work(loop: QuickLoop) -> None:
        assert await asyncio.wait_for(asyncio.to_thread(slow), 0.001) == "done"

    assert run(work) == 0


def test_what_never_happens_is_said() -> None:
    loop = QuickLoop()
    with pytest.raises(Stuck):
        loop.skip(None)
    loop.close()
