"""A kept answer as it is given again: with an id and a time of its own, at once or at the pace of a model."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, Self

import msgspec

from proxy.caching.entry import Entry
from proxy.exchange import Exchange

_PREFIX = re.compile(r"[A-Za-z]{1,16}[-_]")
_USAGE = re.compile(rb'"usage"\s*:\s*\{')
MAX_VERSION = 200  # characters
_LONGEST_GAP = 0.1  # seconds between two events of a paced stream
_DATA = re.compile(rb"(?:^|[\r\n])data: ?(\{[^\r\n]*)")


class _Named(msgspec.Struct):
    """Where the dialects have id, time and model of an answer: of the whole, or in the first event of a stream."""

    id: Any = None
    responseId: Any = None
    created: Any = None
    created_at: Any = None
    model: Any = None
    modelVersion: Any = None
    message: Any = None
    response: Any = None


_read = msgspec.json.Decoder(_Named).decode


class Signature(NamedTuple):
    """``created``: seconds since the epoch. ``version``: of the model that answered, as it calls itself."""

    id: str = ""
    created: int = 0
    version: str = ""


def identity_of(body: bytes, *, is_sse: bool) -> tuple[str, int]:
    """Id and time of creation of an answer, "" and 0 where it has none."""
    return signature_of(body, is_sse=is_sse)[:2]


def signature_of(body: bytes, *, is_sse: bool) -> Signature:
    """What an answer says of itself, as far as it does."""
    if is_sse:
        first = _DATA.search(body)
        if first is None:
            return Signature()
        body = first[1]
    try:
        found = _read(body)
        for inner in (found.message, found.response):
            if isinstance(inner, dict):
                found = msgspec.convert(inner, _Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Signature()
    name = found.id if isinstance(found.id, str) else found.responseId
    created = found.created if found.created is not None else found.created_at
    version = found.model if isinstance(found.model, str) else found.modelVersion
    return Signature(
        name if isinstance(name, str) else "",
        created if type(created) is int else 0,
        version[:MAX_VERSION] if isinstance(version, str) and version.isprintable() else "",
    )


def tells_usage(body: bytes) -> bool:
    """Whether a stream tells its usage."""
    return _USAGE.search(body) is not None


def new_id(x: Exchange, old: str) -> str:
    """An id for the answer to ``x``, that looks like ``old``."""
    prefix = _PREFIX.match(old)
    return (prefix[0] if prefix else "") + x.request_id.rpartition("_")[2]


def renewed(x: Exchange, body: bytes, old: str, created: int, now: float) -> bytes:
    """``body`` with another id and time. A text that holds the id has its quotes escaped, and is left as it is."""
    if old:
        body = body.replace(b'"%b"' % old.encode(), b'"%b"' % new_id(x, old).encode())
    if created:
        for name in (b'"created":', b'"created": ', b'"created_at":', b'"created_at": '):
            body = body.replace(b"%b%d" % (name, created), b"%b%d" % (name, now))
    return body


class AtOnce:
    """A body that comes in one piece."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._body:
            raise StopAsyncIteration
        body, self._body = self._body, b""
        return body


class Paced:
    """A stream whose events come one after the other, over about ``seconds``."""

    __slots__ = ("_events", "_gap", "_started")

    def __init__(self, body: bytes, seconds: float) -> None:
        events = [event + b"\n\n" for event in body.replace(b"\r\n", b"\n").split(b"\n\n") if event.strip()]
        self._gap = min(_LONGEST_GAP, seconds / max(1, len(events)))
        self._events = iter(events)
        self._started = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._started:
            await asyncio.sleep(self._gap)
        self._started = True
        event = next(self._events, None)
        if event is None:
            raise StopAsyncIteration
        return event


class Renewed:
    """A stream with an id and a time of its own, as it flows."""

    __slots__ = ("_chunks", "_created", "_id", "_now", "_x")

    def __init__(self, x: Exchange, chunks: AsyncIterator[bytes], now: float) -> None:
        self._x = x
        self._chunks = chunks
        self._now = now
        self._id = ""
        self._created = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        if not self._id:
            self._id, self._created = identity_of(chunk, is_sse=True)
        return renewed(self._x, chunk, self._id, self._created, self._now)


def body_of(x: Exchange, entry: Entry, now: float) -> bytes:
    """The body of ``entry`` for ``x``, in the form in which it was kept."""
    return renewed(x, entry.body, entry.id, entry.created, now)
