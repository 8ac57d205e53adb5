"""One upstream answer as it comes in: its head, its body, its clock.

Four limits, one timer: it is set once and looks again when it fires, so that a chunk costs it nothing but a glance at
the clock. What counts as waiting is only the time in which somebody wanted to read; a slow client never makes an
upstream late.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from aiohttp import ServerDisconnectedError, StreamReader
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage

from proxy.errors import BadAnswer, UpstreamError, UpstreamTimeout
from proxy.policy import Timeouts
from proxy.wire.foreign import translate
from proxy.wire.sse import Scanner

MAX_BODY = 256 << 20  # bytes of any answer, streams as well: no answer that anybody waits for is larger
MAX_INTERIM = 16  # answers 1xx before the real one
LINGER = 5.0  # seconds in which an upstream has to close a stream that it has ended
_JOIN = 64 << 10  # bytes up to which copying costs less than a second write
_PIECE = 32 << 10  # bytes given out at a time: one is on its way while a slow client takes another
_DATA = b"data:"
_FRAME = b":event-type"  # in each event of an AWS stream
_PACED = 8  # events that tell how quickly they come
_RATED = 10.0  # seconds of waiting over which a rate is measured
_EARLY = 0.002  # seconds by which a timer may fire too soon: the loop counts milliseconds

_LATE = {
    "first_token": "the provider sent no content within its `first_token` timeout of {:g} s",
    "gap": "the provider's answer stopped: no content for longer than its `gap` timeout of {:g} s",
}
_TOTAL = "the request's total time was used up while the provider was answering"
_NO_END = "the provider's stream ended without its end marker"


class Flow:
    """Reads from one connection and gives it back: to the pool after a whole answer, to nobody after anything else.

    An async iterator over the body. The chunks of an event stream end where events end, so that what follows them may
    be an event of our own; half an event at the end of a broken stream is dropped. ``close`` may be called at any
    time.
    """

    __slots__ = (
        "_closed",
        "_confirms",
        "_connection",
        "_deadline",
        "_events",
        "_failure",
        "_framed",
        "_has_content",
        "_held",
        "_left",
        "_limit",
        "_limit_name",
        "_loop",
        "_lost",
        "_payload",
        "_piece",
        "_protocol",
        "_rated_events",
        "_rated_waited",
        "_ready",
        "_scanner",
        "_spent",
        "_timeouts",
        "_timer",
        "_waited",
        "_waiting_since",
    )

    def __init__(self, connection: Connection, timeouts: Timeouts, deadline: float) -> None:
        protocol = connection.protocol
        assert protocol is not None
        self._connection = connection
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._timeouts = timeouts
        self._deadline = deadline
        self._limit = timeouts.first_token
        self._limit_name = "first_token"
        self._payload: StreamReader | None = None
        self._scanner: Scanner | None = None
        self._framed = True
        self._left = MAX_BODY
        self._piece = _PIECE
        self._ready = b""  # read already, not yet given out
        self._held: list[bytes] = []  # the beginning of an event that is not whole yet
        self._failure: UpstreamError | None = None
        self._lost: asyncio.Future[None] | None = None
        self._closed = False
        self._spent = 0.0  # seconds waited since the last content, without the wait that is going on
        self._has_content = False
        self._confirms = False  # whoever reads says what content is
        self._rated_events = 0  # the same two, since a rate was measured last
        self._rated_waited = 0.0
        self._events = 0  # with data, after the first content; providers send about one token in each
        self._waited = 0.0  # seconds for them
        self._waiting_since = now = monotonic()  # 0.0 while nobody waits
        self._timer = self._loop.call_later(max(0.0, min(self._limit, deadline - now)), self._look_at_clock)

    def write(self, head: bytes, body: bytes) -> None:
        """Send the request. Nothing waits for it to leave: the body is in memory anyhow, and the clock is running."""
        transport = self._protocol.transport
        if transport is None:
            raise ServerDisconnectedError
        if len(body) < _JOIN:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)

    async def head(self) -> RawResponseMessage:
        """Status and headers of the answer. Failures come as foreign exceptions: ``Upstream`` may try again."""
        for _ in range(MAX_INTERIM):
            message, payload = await self._protocol.read()
            if message.code >= 200:
                self._payload = payload
                self._framed = message.chunked or "content-length" in message.headers
                return message
            if message.code == 101:
                raise BadAnswer("the provider changed to another protocol without being asked")
        raise BadAnswer(f"the provider sent more than {MAX_INTERIM} interim answers")

    def body_at_once(self) -> bytes | None:
        """The body if all of it is here already; the connection is free then."""
        payload = self._payload
        assert payload is not None
        if not payload.is_eof() or payload.exception() is not None or not self._framed:
            return None
        body = payload.read_nowait()
        self._release()
        return body

    async def begin(self) -> None:
        """Wait for the first piece of a body that will flow."""
        self._watch()
        async for chunk in self:
            self._ready = chunk
            break

    async def collect(self, limit: int) -> bytes | None:
        """The whole body; None if it is larger than ``limit``: then it can be iterated over, from its start."""
        self._watch()
        self._piece = limit  # all that is there at once: it stays in memory anyhow
        parts: list[bytes] = []
        size = 0
        async for chunk in self:
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                self._piece = _PIECE
                self._ready = b"".join(parts)
                return None
        return b"".join(parts)

    def _watch(self) -> None:
        """Hear of the connection's end: aiohttp's parser does not tell the reader of framing that breaks half-way."""
        lost = self._protocol.closed
        if lost is None:
            self._on_lost()
        else:
            lost.remove_done_callback(_retrieve)
            lost.add_done_callback(self._on_lost)
            self._lost = lost

    def _on_lost(self, lost: asyncio.Future[None] | None = None) -> None:
        if lost is not None:
            _retrieve(lost)
        payload = self._payload
        if payload is not None and not payload.is_eof() and payload.exception() is None:
            payload.set_exception(self._protocol.exception() or ServerDisconnectedError())

    async def first_content(self, scanner: Scanner, *, confirms: bool = False) -> None:
        """Wait for the first content of an event stream. Reading begins with everything that came up to it.

        ``confirms``: the first event with data is not yet content: the limit of the first token holds until the reader
        says ``content_came``.
        """
        self._watch()
        self._scanner = scanner
        self._confirms = confirms
        parts: list[bytes] = []
        size = 0
        async for chunk in self:
            parts.append(chunk)
            size += len(chunk)
            if self._has_content or confirms:
                break
            if size > scanner.max_event:
                raise self._fail(BadAnswer(f"the provider sent {size} bytes of comments before any content"))
        self._ready = b"".join(parts)

    def __aiter__(self) -> Flow:
        return self

    async def __anext__(self) -> bytes:
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        while not self._closed:
            since = self._waiting_since = monotonic()
            try:
                chunk = await self._payload.read(self._piece)  # type: ignore[union-attr]  # set by head()
            except asyncio.CancelledError:
                self.close()
                raise
            except Exception as foreign:
                return self._break(foreign)
            if not chunk:
                return self._end()
            chunk = self._take(chunk, since)
            if chunk:
                return chunk
        if self._failure is not None:
            raise self._failure
        raise StopAsyncIteration

    def content_came(self) -> None:
        """The first content has been read: from now on the gap between pieces of it counts."""
        if not self._has_content:
            self._has_content = True
            self._spent = 0.0
            if not self._closed and self._limit_name == "first_token":
                self._set_limit("gap", self._timeouts.gap)

    def unread(self, data: bytes) -> None:
        """Give these bytes out once more, before what comes next."""
        self._ready = data + self._ready

    @property
    def ended(self) -> bool:
        """Whether the provider's own end mark has been given out."""
        return self._scanner is not None and self._scanner.ended

    def told_failure(self) -> bool:
        """Whether the provider has said in its stream, in its own words, that it failed."""
        return self._scanner is not None and self._scanner.failed

    def pace(self) -> float | None:
        """Seconds that were waited for each event after the first content; None as long as there were too few."""
        return self._waited / self._events if self._events >= _PACED else None

    def close(self) -> None:
        """Break off: the connection is closed within this tick of the loop, not politely but surely."""
        if self._closed:
            return
        self._closed = True
        self._timer.cancel()
        transport = self._connection.transport
        if transport is not None:
            transport.abort()
        self._connection.close()

    def _take(self, chunk: bytes, since: float) -> bytes:
        """Account for what has come; what may be given out of it: of an event stream, whole events."""
        self._left -= len(chunk)
        if self._left < 0:
            raise self._fail(BadAnswer(f"the provider's answer is larger than {MAX_BODY >> 20} MiB"))
        scanner = self._scanner
        self._waiting_since = 0.0
        try:
            content = scanner is None or scanner.feed(chunk)
        except BadAnswer as error:
            raise self._fail(error) from None
        if content and self._has_content:
            events = chunk.count(_DATA) if scanner is not None else max(1, chunk.count(_FRAME))
            waited = self._spent + monotonic() - since
            self._events += events
            self._waited += waited
            self._spent = 0.0
            if self._timeouts.min_rate:
                self._rate(events, waited)
        elif content and not self._confirms:
            self.content_came()
        else:
            self._spent += monotonic() - since
        if scanner is None:
            return chunk
        if scanner.ended and self._limit_name != "end":
            self._set_limit("end", min(LINGER, self._timeouts.gap))
        if not scanner.tail and not self._held:
            return chunk
        return self._hold(chunk, scanner.tail)

    def _rate(self, events: int, waited: float) -> None:
        """Fail if what came in the last seconds of waiting was too little."""
        self._rated_events += events
        self._rated_waited += waited
        if self._rated_waited < _RATED:
            return
        if self._rated_events < self._timeouts.min_rate * self._rated_waited:
            rate = self._rated_events / self._rated_waited
            text = f"the provider sent {rate:.2g} events a second, less than its `min_rate` of"
            raise self._fail(UpstreamTimeout(f"{text} {self._timeouts.min_rate:g}"))
        self._rated_events, self._rated_waited = 0, 0.0

    def _hold(self, chunk: bytes, tail: int) -> bytes:
        """Keep back the last ``tail`` bytes; what was kept before, and ``chunk`` up to there."""
        if tail == len(chunk):
            self._held.append(chunk)
            return b""
        whole = b"".join([*self._held, chunk[: len(chunk) - tail]])
        self._held = [chunk[-tail:]] if tail else []
        return whole

    def _end(self) -> bytes:
        """The body is over as its framing allows. A last event without its blank line is given out first."""
        lost = None if self._framed else self._protocol.exception()
        if isinstance(lost, OSError):
            return self._break(lost)
        scanner = self._scanner
        if scanner is not None and scanner.wants_end and not scanner.ended:
            raise self._fail(BadAnswer("the provider's stream ended without its end marker"))
        self._release()
        return self._last(b"")

    def _break(self, foreign: Exception) -> bytes:
        """The connection failed. What had come is given out first; a stream that had ended before has not failed."""
        lost = self._protocol.exception()
        rest = b""
        if foreign is not self._failure:
            self._failure = translate(lost if isinstance(lost, OSError) else foreign, self._timeouts)
            self._failure.__cause__ = foreign
            rest = self._rescue()
        self.close()
        scanner = self._scanner
        if scanner is not None and scanner.ended:
            self._failure = None
            return self._last(rest)
        if rest:
            return rest
        assert self._failure is not None
        raise self._failure

    def _rescue(self) -> bytes:
        """What the reader had not been given yet when the connection failed."""
        payload = self._payload
        assert payload is not None
        payload.set_exception(None)  # type: ignore[arg-type]  # it refuses to be read while it has one
        rest = payload.read_nowait()
        return self._take(rest, self._waiting_since) if rest else b""

    def _last(self, rest: bytes) -> bytes:
        last = b"".join([rest, *self._held])
        self._held = []
        if not last:
            raise StopAsyncIteration
        return last

    def _fail(self, error: UpstreamError) -> UpstreamError:
        self._failure = error
        self.close()
        return error

    def _release(self) -> None:
        """Back to the pool; not if the upstream answered before it had read the request."""
        if self._protocol.writing_paused:
            self.close()
        elif not self._closed:
            self._closed = True
            self._timer.cancel()
            lost = self._lost
            if lost is not None:
                lost.remove_done_callback(self._on_lost)
                lost.add_done_callback(_retrieve)
            self._connection.release()

    def _set_limit(self, name: str, limit: float) -> None:
        """From now on another limit holds."""
        self._limit_name, self._limit = name, limit
        self._timer.cancel()
        self._look_at_clock()

    def _look_at_clock(self) -> None:
        """Fail if a limit has passed, else set the timer for the earliest moment at which one could."""
        now, waiting = monotonic(), self._waiting_since
        left = self._deadline - now
        idle_left = self._limit - self._spent - (now - waiting if waiting else 0.0)
        if left <= _EARLY:
            self._expire(_TOTAL)
        elif waiting and idle_left <= _EARLY:
            self._expire(_LATE.get(self._limit_name, "").format(self._limit))
        else:
            self._timer = self._loop.call_later(max(_EARLY, min(left, idle_left)), self._look_at_clock)

    def _expire(self, message: str) -> None:
        """Wake whoever waits with the failure. If nobody does, the connection is closed here."""
        error = self._failure = UpstreamTimeout(message)
        if not self._waiting_since:
            self.close()
        elif self._payload is None:
            self._protocol.set_exception(error)
        else:
            self._payload.set_exception(error)


def _retrieve(lost: asyncio.Future[None]) -> None:
    """Take the exception out of the future of an idle connection, so that nobody reports it as lost."""
    if not lost.cancelled():
        lost.exception()
