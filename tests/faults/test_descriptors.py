"""FLT-09: fewer file descriptors than clients."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Callable

from tests.support.gateway import Gateway

_FILES = 256
_CLIENTS = 1000
_CONFIG = "providers: {sim: {kind: simulated}}\nroutes: {chat: {models: [m], target: sim/m}}\n"


def test_flt_09_out_of_descriptors_nothing_ends_and_it_recovers(gateway: Callable[..., Gateway]) -> None:
    """FLT-09: a thousand clients at 256 descriptors: no crash, few lines, some kept in reserve, and service after."""
    running = gateway(_CONFIG)
    resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (_FILES, _FILES))

    async def crowd() -> int:
        async def client() -> asyncio.StreamWriter | None:
            with contextlib.suppress(OSError):
                return (await asyncio.open_connection("127.0.0.1", running.port))[1]
            return None

        writers = await asyncio.gather(*(client() for _ in range(_CLIENTS)))
        await asyncio.sleep(2)  # a stretch of time in which lines would pile up
        held = running.open_files()
        for writer in writers:
            if writer is not None:
                writer.close()
        return held

    assert asyncio.run(crowd()) <= _FILES
    assert running.get("/healthz")[0] == 200
    assert running.output().count("file descriptors") <= 3
    assert running.stop() == 0
