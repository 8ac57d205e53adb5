"""The other end of an answer that no client waits for: it is put together here, up to a limit."""

from __future__ import annotations

import asyncio
from typing import Any

from proxy.errors import Header
from proxy.jobs.record import Response

# Of the answer's headers only these are kept: what it is, and what the gateway says of it.
_KEPT = frozenset({b"content-type", b"content-disposition", b"content-language", b"x-request-id", b"retry-after"})
_OURS = b"x-sluicegate-"
TOO_LARGE = "result_too_large"


class Collector:
    """Takes what the pipeline sends. More than ``limit`` bytes end it as a client does that goes away."""

    __slots__ = ("_headers", "_limit", "_parts", "_size", "_status", "too_large")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._status = 0
        self._headers: list[Header] = []
        self._parts: list[bytes] = []
        self._size = 0
        self.too_large = False

    async def send(self, message: dict[str, Any]) -> None:
        """ASGI's `send`."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [one for one in message["headers"] if one[0] in _KEPT or one[0].startswith(_OURS)]
            return
        body: bytes = message.get("body", b"")
        self._size += len(body)
        if self._size > self._limit:
            self.too_large = True
            raise asyncio.CancelledError(TOO_LARGE)
        if body:
            self._parts.append(body)

    def response(self) -> Response | None:
        """What has been sent; None if nothing was."""
        return Response(self._status, self._headers, b"".join(self._parts)) if self._status else None
