"""What a gateway's ledger holds, read as anybody may: by SQL, beside the gateway."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from pathlib import Path
from typing import Any

from proxy.ledger.row import Row
from tests.support.gateway import Gateway
from tests.support.scale import PATIENCE

POLL = 0.02  # seconds


def hashed(key: str) -> str:
    """How a file names a key."""
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def rows(folder: Path) -> list[Row]:
    """All rows of the ledger in a state directory, in the order in which they were written."""
    path = folder / "ledger.sqlite"
    if not path.exists():
        return []
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        names = ", ".join(f'"{name}"' for name in Row.__struct_fields__)
        found = database.execute(f"SELECT {names} FROM attempts ORDER BY opened, seq").fetchall()
    finally:
        database.close()
    return [Row(*values) for values in found]


def state(running: Gateway) -> Path:
    """Where a gateway of the tests keeps its state."""
    return running.folder / ".sluicegate"


async def settled(running: Gateway, count: int, timeout: float = PATIENCE) -> list[Row]:
    """The rows, once there are ``count`` and none is open."""
    end = time.monotonic() + timeout
    while True:
        found: list[Row] = await asyncio.to_thread(rows, state(running))
        if len(found) >= count and all(row.status != "open" for row in found):
            assert len(found) == count, [(row.request, row.number, row.status) for row in found]
            return found
        assert time.monotonic() < end, f"{len(found)} of {count}: {[row.status for row in found]}"
        await asyncio.sleep(POLL)


def cost(found: list[Row]) -> int:
    """Nano-dollars of these rows."""
    return sum(row.cost for row in found)


def usage_of(row: Row) -> dict[str, Any]:
    """Tokens that are not 0, by class."""
    classes = ["input", "cached_read", "cache_write_5m", "cache_write_1h", "input_audio"]
    classes += ["output", "reasoning", "output_audio"]
    return {name: found for name in classes if (found := getattr(row, name))}
