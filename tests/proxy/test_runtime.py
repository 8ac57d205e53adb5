"""Shared state lives as long as a generation holds it; a generation drains before it closes."""

from __future__ import annotations

import asyncio

from proxy.router import Router
from proxy.runtime import Runtime, Shared


class _Closing:
    """Counts its closings."""

    def __init__(self) -> None:
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1


async def test_the_same_name_gives_the_same_object_until_the_last_lease_ends() -> None:
    """A reload that keeps a name keeps its state; one that drops it closes it, once."""
    shared = Shared()
    old, new = shared.lease(), shared.lease()
    kept = old.get("pool:a", _Closing)
    assert old.get("pool:a", _Closing) is kept
    assert new.get("pool:a", _Closing) is kept
    dropped = old.get("pool:b", _Closing)
    await old.release()
    await old.release()
    assert (kept.closed, dropped.closed, len(shared)) == (0, 1, 1)
    await new.release()
    assert (kept.closed, len(shared)) == (1, 0)


async def test_a_generation_waits_for_its_requests() -> None:
    """Bounded: what does not end in time is told."""
    runtime = Runtime(1, Router([]), {}, "digest", Shared().lease())
    assert await runtime.drain(0)
    runtime.enter()
    runtime.enter()
    assert not await runtime.drain(0.01)
    waiting = asyncio.ensure_future(runtime.drain(10))
    runtime.leave()
    runtime.leave()
    assert await waiting
