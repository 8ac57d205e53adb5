"""How the application learns that the process is on its way out."""

from __future__ import annotations

import asyncio
import math


class Draining:
    """Set by the server at the first SIGTERM; ``/readyz`` answers 503 from then on, and streams may end early.

    ``ends`` is the ``time.monotonic()`` at which requests that still run are cancelled with the message ``draining``.
    """

    __slots__ = ("_event", "ends")

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.ends = math.inf

    @property
    def active(self) -> bool:
        return self._event.is_set()

    def begin(self, ends: float) -> None:
        self.ends = ends
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()
