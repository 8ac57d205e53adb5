"""Work that outlives its request."""

from __future__ import annotations

import asyncio

from proxy.background import Background


async def test_work_runs_and_is_forgotten() -> None:
    """Nobody has to keep it alive."""
    background, done = Background(), asyncio.Event()

    async def work() -> None:
        done.set()

    assert background.start(work(), "work")
    await asyncio.wait_for(done.wait(), 5)
    await asyncio.sleep(0)
    assert len(background) == 0


async def test_too_much_is_dropped() -> None:
    """The bound holds, and room comes back."""
    background, go = Background(limit=2), asyncio.Event()

    async def work() -> None:
        await go.wait()

    assert [background.start(work(), "work") for _ in range(3)] == [True, True, False]
    go.set()
    async with asyncio.timeout(5):
        while len(background):
            await asyncio.sleep(0)
    assert background.start(work(), "work")
    await background.aclose()


async def test_closing_ends_what_is_left() -> None:
    """And waits until it has cleaned up."""
    background, cleaned = Background(), list[str]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append("cleaned")

    background.start(work(), "work")
    await asyncio.sleep(0)
    await background.aclose()
    assert cleaned == ["cleaned"]
