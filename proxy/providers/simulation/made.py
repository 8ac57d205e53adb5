"""An answer before it is sent: whole, or as the pieces of a stream with their timing."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from proxy.errors import BadAnswer, UpstreamTimeout

CREATED = 1_767_225_600  # 2026-01-01: answers are the same whenever they are asked for
_BLOCK = 64  # tokens in one piece when nothing keeps them apart


class Whole(msgspec.Struct, frozen=True):
    """A complete body. ``tokens`` decides how long it takes to make."""

    body: bytes
    tokens: int = 1
    content_type: bytes = b"application/json"


class Events(msgspec.Struct, frozen=True):
    """A stream: what comes with the first token, one rendered event per token, what comes with the last."""

    opening: bytes
    tokens: list[bytes]
    closing: bytes


def data(value: Any) -> bytes:
    """One event."""
    return b"data: %b\n\n" % msgspec.json.encode(value)


def named(kind: str, value: dict[str, Any]) -> bytes:
    """One typed event."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **value}))


class Drip:
    """Yields a stream's pieces at their times. The wait before the first is over when it is made."""

    __slots__ = ("_at", "_closed", "_cut", "_gap", "_limit", "_pieces")

    def __init__(self, events: Events, gap: float, limit: float, cut_after: int | None) -> None:
        tokens = events.tokens if cut_after is None else events.tokens[:cut_after]
        size = 1 if gap else _BLOCK
        pieces = [b"".join(tokens[at : at + size]) for at in range(0, len(tokens), size)] or [b""]
        pieces[0] = events.opening + pieces[0]
        if cut_after is None:
            pieces[-1] += events.closing
        self._pieces = pieces
        self._gap = gap
        self._limit = limit
        self._cut = cut_after is not None
        self._at = 0
        self._closed = False

    def __aiter__(self) -> Drip:
        return self

    async def __anext__(self) -> bytes:
        at = self._at
        if self._closed or (at == len(self._pieces) and not self._cut):
            raise StopAsyncIteration
        if at and self._gap:
            await asyncio.sleep(min(self._gap, self._limit))
            if self._gap > self._limit:
                raise UpstreamTimeout(
                    f"The provider's answer stopped: no content for longer than its `gap` timeout of {self._limit:g} s."
                )
        if at == len(self._pieces):
            raise BadAnswer("The provider's stream ended without its end marker.")
        self._at = at + 1
        return self._pieces[at]

    def close(self) -> None:
        """Nothing more is wanted."""
        self._closed = True
