"""What must survive a request: entries that other requests look up, with a lifetime."""

from __future__ import annotations

from typing import Protocol


class Store(Protocol):
    """Bytes by key, for a while. What is there may be gone at any time: it is a memory and no archive."""

    async def get(self, key: str) -> bytes | None:
        """What is kept under ``key``."""

    async def put(self, key: str, value: bytes, lifetime: float) -> bool:
        """Keep ``value`` for ``lifetime`` seconds, in place of what was there. False: it is too large to be kept."""

    async def delete(self, key: str) -> bool:
        """Forget ``key``; whether it was there."""
