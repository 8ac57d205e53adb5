"""A provider's answer in the caller's dialect: whole, or event by event as it flows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import msgspec

from proxy.chat import Begin, Chat, Close, Completion, Delta, End, Event, Finish, Open, ToolCall
from proxy.dialects.dialect import Frames, Reader, Writer
from proxy.errors import BadAnswer, UpstreamError
from proxy.gather import Gather
from proxy.targets.seam import Seam, Told
from proxy.wire.flow import Flow
from proxy.wire.sse import MAX_EVENT, Splitter, has_ended, read_data

Keep = Callable[[Completion], Awaitable[None]]
Resume = Callable[[UpstreamError, Told], Awaitable["Translated | None"]]


class Charged(Protocol):
    """Whoever pays for a stream."""

    def heard(self, events: list[Event]) -> None:
        """These have come."""

    async def finish(self) -> None:
        """It is about to end well."""


_CONTENT = (Delta, Close, Finish, End)


class Translated:
    """An async iterator over the bytes of a translated stream.

    ``identify`` gives the answer's id where the gateway has one of its own. ``keep`` is handed the whole answer before
    the client sees its end, so that what it asks next finds what was kept.

    ``charge`` is told what comes, and that it was all before the client is.

    ``chat`` is given where another may have to go on with the answer: what it is an answer to. Then ``on_failure`` may
    be set. It is asked for the rest when the provider breaks off; without any, the failure goes on.
    """

    __slots__ = (
        "_charge",
        "_chunks",
        "_ended",
        "_failure",
        "_first",
        "_frames",
        "_gather",
        "_identity",
        "_keep",
        "_over",
        "_reader",
        "_ready",
        "_seam",
        "_taken",
        "_told",
        "_writer",
        "chat",
        "on_failure",
    )

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        frames: Frames,
        reader: Reader,
        writer: Writer,
        *,
        identity: str | None = None,
        keep: Keep | None = None,
        chat: Chat | None = None,
        charge: Charged | None = None,
    ) -> None:
        self._charge = charge
        self.chat = chat
        self.on_failure: Resume | None = None
        self._told = None if chat is None else Told()
        self._seam: Seam | None = None
        self._first: list[Event] = []  # not written yet: they may be the rest of another answer
        self._chunks = chunks
        self._frames = frames
        self._reader = reader
        self._writer = writer
        self._identity = identity
        self._keep = keep
        self._gather = None if keep is None else Gather()
        self._ready = b""
        self._failure: UpstreamError | None = None  # to be raised once what came before it has been told
        self._taken = 0  # bytes of the provider's stream
        self._ended = False  # the provider's own mark has come
        self._over = False

    async def begin(self) -> None:
        """Wait for the first content: what goes wrong until then is this attempt's failure, and no stream's."""
        parts: list[bytes] = []
        while self._taken <= MAX_EVENT:
            events = await self._next()
            if self._told is None:
                parts.append(self._writer.feed(events))
            else:
                self._first += events
            if self._over or any(map(_is_content, events)):
                self._ready = b"".join(parts)
                if isinstance(self._chunks, Flow):
                    self._chunks.content_came()
                return
        raise BadAnswer(f"the provider sent {self._taken} bytes before any content")

    def __aiter__(self) -> Translated:
        return self

    async def __anext__(self) -> bytes:
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        if self._first:
            first, self._first = self._first, []
            if out := self._writer.feed(first):
                return out
        while not self._over:
            out = self._writer.feed(await self._onward())
            if out:
                return out
        if self._charge is not None:
            await self._charge.finish()
        raise StopAsyncIteration

    async def _onward(self) -> list[Event]:
        """The next events, of another source if this one breaks off."""
        try:
            return await self._next()
        except UpstreamError as error:
            if self.on_failure is None or self._told is None:
                raise
            other = await self.on_failure(error, self._told)
            if other is None:
                raise
        return await self._take_over(other, self._told)

    async def _take_over(self, other: Translated, told: Told) -> list[Event]:
        """Go on with what ``other`` has and will get."""
        self._chunks, self._frames, self._reader = other._chunks, other._frames, other._reader
        self._taken, self._over, self._failure = other._taken, other._over, other._failure
        self._charge = other._charge
        self._seam = Seam(told)
        first, other._first = other._first, []
        return await self._heard(first)

    async def _next(self) -> list[Event]:
        """The events of the next chunk of the provider."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            events = self._last()
            self._over = self._failure is None
        else:
            self._taken += len(chunk)
            events = self._read(self._frames.feed(chunk))
        return await self._heard(events)

    async def _heard(self, events: list[Event]) -> list[Event]:
        """What the caller is to be told of these events, noted."""
        if self._seam is not None:
            events = self._seam.join(events)
        if events:
            self._note(events)
            if self._ended and self._gather is not None and self._keep is not None:
                keep, self._keep = self._keep, None
                await keep(self._gather.completion())
            if self._ended and self._charge is not None:
                await self._charge.finish()
        return events

    def _read(self, frames: list[bytes]) -> list[Event]:
        if len(frames) == 1:
            return self._reader.feed(frames[0])
        events: list[Event] = []
        try:
            for frame in frames:
                events += self._reader.feed(frame)
        except UpstreamError as error:
            self._fail_after(events, error)
        return events

    def _last(self) -> list[Event]:
        """What is left when the provider has sent all. A stream without its end is a failure."""
        events = self._read(self._frames.finish())
        if self._ended or self._failure is not None:
            return events
        try:
            return events + self._reader.finish()
        except UpstreamError as error:
            self._fail_after(events, error)
            return events

    def _fail_after(self, events: list[Event], error: UpstreamError) -> None:
        """What came before a failure is told first."""
        if not events:
            raise error
        self._failure = error

    def _note(self, events: list[Event]) -> None:
        """Name the answer, and remember what is needed of it."""
        if self._identity is not None:
            for event in events:
                if isinstance(event, Begin):
                    event.id, self._identity = self._identity, None
                    break
        if self._gather is not None:
            self._gather.feed(events)
        if self._told is not None:
            self._told.feed(events)
        if self._charge is not None:
            self._charge.heard(events)
        self._ended = self._ended or isinstance(events[-1], End)


def _is_content(event: Event) -> bool:
    """A call of a tool is one as soon as it has a name: its arguments may take their time."""
    return isinstance(event, _CONTENT) or (isinstance(event, Open) and isinstance(event.part, ToolCall))


def _has_content(frames: list[bytes], reader: Reader, is_prelude: Callable[[bytes], bool]) -> bool:
    """Whether one of these holds content, or cannot be read; what comes after the first is not looked at."""
    try:
        for frame in frames:
            events = reader.feed(frame)
            if any(map(_is_content, events)) or not (events or is_prelude(frame)):
                return True
    except BadAnswer:  # it passes as it is: the caller may know better
        return True
    return False


async def until_content(
    flow: Flow, frames: Frames, reader: Reader, is_prelude: Callable[[bytes], bool] = lambda frame: True
) -> None:
    """Wait for the first content of a stream that passes untouched; nothing of it is taken away.

    ``is_prelude`` judges events of which the reader tells nothing.

    Raises:
        UpstreamError: it failed before that, in words that the dialect knows. What cannot be read passes as it is.
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in flow:
        parts.append(chunk)
        size += len(chunk)
        if _has_content(frames.feed(chunk), reader, is_prelude):
            break
        if size > MAX_EVENT:
            raise BadAnswer(f"the provider sent {size} bytes before any content")
    else:
        if not parts:
            raise BadAnswer("the provider's stream is empty")
        if not _has_content(frames.finish(), reader, is_prelude):
            reader.finish()
    flow.content_came()
    flow.unread(b"".join(parts))


async def whole(chunks: AsyncIterator[bytes]) -> bytes:
    """A body that flows, as one; the connection bounds its size."""
    parts = [chunk async for chunk in chunks]
    return b"".join(parts)


class Watched:
    """A stream that passes untouched, of a dialect without an end mark: ``watch`` tells at the end whether it was one.

    ``see`` is given every chunk, and ``complete`` says afterwards whether the answer was. Half an event at the end is
    dropped.
    """

    __slots__ = ("_chunks", "_complete", "_see")

    def __init__(
        self, chunks: AsyncIterator[bytes], see: Callable[[bytes], None], complete: Callable[[], bool]
    ) -> None:
        self._chunks = chunks
        self._see = see
        self._complete = complete

    def __aiter__(self) -> Watched:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            if not self._complete():
                raise _unended() from None
            raise
        if not has_ended(chunk) and not _is_whole(chunk):
            raise _unended()
        self._see(chunk)
        return chunk


def _unended() -> UpstreamError:
    return BadAnswer("the provider's stream ended without telling why it stopped")


def _is_whole(chunk: bytes) -> bool:
    """Whether the last event, which has no blank line behind it, is nevertheless all there."""
    splitter = Splitter()
    *_, last = splitter.feed(chunk) + splitter.finish()
    data = read_data(last)
    try:
        msgspec.json.decode(data or b"null")
    except msgspec.DecodeError:
        return False
    return True
