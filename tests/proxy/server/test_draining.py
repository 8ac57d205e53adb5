"""What the application sees of the end."""

from __future__ import annotations

import asyncio
import math

from proxy.server.draining import Draining


async def test_draining_wakes_who_waits_for_it() -> None:
    draining = Draining()
    assert (draining.active, draining.ends) == (False, math.inf)
    waiting = asyncio.create_task(draining.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    draining.begin(12.5)
    await asyncio.wait_for(waiting, 1)
    assert (draining.active, draining.ends) == (True, 12.5)
