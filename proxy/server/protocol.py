"""One client connection: reads requests strictly, runs the application, answers within limits."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from time import monotonic
from typing import Any, Protocol

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from proxy.dialects.paths import style_of
from proxy.errors import Header
from proxy.server.chunks import ChunkError, Chunks, too_large
from proxy.server.cycle import App, Cycle, whole_answer
from proxy.server.draining import Draining
from proxy.server.head import CHUNKED, Head, Refusal, check_partial, read_head
from proxy.server.limits import ServerLimits

# Bytes that may wait while the application is busy: of a body it has not asked for, of requests behind the current one.
_HIGH_WATER = 64 * 1024
# After a last answer the client may still be sending; closing at once would destroy that answer on its way. Its bytes
# are dropped for so long, and no longer.
_LINGER = 2.0
# Of the body of a request that is turned away, so much is read and dropped to keep the connection.
_MAX_SKIPPED = 1024 * 1024
_HEAD, _BODY, _CHUNKS, _DISCARD, _SKIP = range(5)
_TIMEOUT = Refusal(408, "request_timeout", "the request took too long to arrive")
_CROWDED = Refusal(503, "too_many_connections", "too many connections; try again")
_RETRY: tuple[Header, ...] = ((b"retry-after", b"1"),)


class Turned(Protocol):
    """A rendered refusal: status line, then (behind the date) the rest, for a connection that stays or ends."""

    before: bytes
    staying: bytes
    closing: bytes


# Is asked with path, headers, client address and requests in flight before anything is begun.
Gate = Callable[[bytes, list[Header], str, int], Turned | None]


class ListenerState(ServerState):
    """What all connections of one server share. ``limits`` may be replaced; it counts for connections that come after.

    ``on_refused(status, code)`` is told of every answer made here rather than by the application.
    """

    def __init__(self, app: App, limits: ServerLimits) -> None:
        super().__init__()
        self.app = app
        self.limits = limits
        self.draining = Draining()
        self.date_line = b""
        self.is_closing = False
        self.turned_away = 0  # connections that are there only to hear that there are too many
        self.turned_requests = 0  # refused by the gate
        self.on_refused: Callable[[int, str], None] | None = None
        self.gate: Gate | None = None


class GateProtocol(HttpToolsProtocol):
    """uvicorn's connection with our own reading and writing: it keeps its addresses, flow control and upgrade.

    A message is read from its head alone, so where it ends is decided once. One request is in work at a time; what a
    client sends behind it waits unread. ``deadline`` and ``write_deadline`` are looked at by the server's sweep.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        assert isinstance(server_state, ListenerState)
        self.shared = server_state
        self.limits = server_state.limits
        self.deadline = math.inf
        self.write_deadline = math.inf
        self.current: Cycle | None = None
        self._turned_away = False
        self._unsent = 0
        self._phase = _HEAD
        self._head_begun = False
        self._pending = b""
        self._left = 0
        self._chunks: Chunks | None = None
        self._body_ends = math.inf

    # Life of the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.deadline = monotonic() + self.limits.header_timeout
        self._head_begun = True
        shared = self.shared
        if len(self.connections) - shared.turned_away > self.limits.max_connections:
            self._turned_away = True
            shared.turned_away += 1
            if shared.turned_away > self.limits.max_connections // 8 + 1:
                transport.abort()  # even the refusals hold too many sockets
            else:
                self._refuse(_CROWDED, _RETRY)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        self.shared.turned_away -= self._turned_away
        self._pending = b""
        cycle = self.current
        if cycle is not None:
            self._stop(cycle, "client_gone")
        self.flow.resume_writing()

    def eof_received(self) -> None:
        """Nothing to do: a client that has closed its side is gone, and the transport closes with it."""

    def shutdown(self) -> None:
        """The server is draining: no further request on this connection."""
        if self.current is None:
            if self._phase != _DISCARD:
                self._close()
        else:
            self.current.keep_alive = False

    def _close(self) -> None:
        self._phase = _DISCARD
        self.deadline = math.inf
        self.write_deadline = monotonic() + self.limits.write_timeout
        self._unsent = self.transport.get_write_buffer_size()
        self.transport.close()

    def _linger(self) -> None:
        """Send what is written and the end of the stream, then drop what still comes, for a short while."""
        self._phase = _DISCARD
        self._pending = b""
        if self.transport.is_closing():
            return
        self.deadline = monotonic() + _LINGER
        self._left = self.limits.max_body
        self.flow.resume_reading()
        self.transport.write_eof()

    def _refuse(self, refusal: Refusal, headers: tuple[Header, ...] = (), path: str = "") -> None:
        """Answer with an error, read nothing further as a request, and end the connection. ``path`` if it is known."""
        cycle = self.current
        if self.shared.on_refused is not None:
            self.shared.on_refused(refusal.status, refusal.code)
        if cycle is not None:
            self._stop(cycle, "refused")
            if cycle.on_wire:
                self._phase = _DISCARD
                self.transport.abort()
                return
            path = cycle.scope["path"]
        status, body = style_of(path).body(refusal.status, refusal.code, refusal.message, None)
        self.transport.write(whole_answer(status, body, self.shared.date_line, headers))
        if refusal is _TIMEOUT:
            self._close()  # there is little on its way from a client that sent nothing
        else:
            self._linger()

    # Deadlines

    def expire(self, now: float) -> None:
        """One of the deadlines has passed."""
        if self.transport.is_closing() or self._phase == _DISCARD or now >= self.write_deadline:
            self._expire_write(now)
        elif self.current is None and not self._pending:
            if self.transport.get_write_buffer_size():
                self.transport.abort()
            else:
                self._close()
        else:
            self._refuse(_TIMEOUT)

    def _expire_write(self, now: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        lingering = now < self.write_deadline
        if unsent and (lingering or unsent < self._unsent):  # slow, but it takes its bytes
            self._unsent = unsent
            self.deadline = math.inf
            self.write_deadline = now + self.limits.write_timeout
            return
        self.deadline = self.write_deadline = math.inf
        self.transport.abort()

    def pause_writing(self) -> None:
        self.flow.pause_writing()
        self._unsent = self.transport.get_write_buffer_size()
        self.write_deadline = monotonic() + self.limits.write_timeout

    def resume_writing(self) -> None:
        self.flow.resume_writing()
        if not self.transport.is_closing():
            self.write_deadline = math.inf

    # Reading

    def data_received(self, data: bytes) -> None:
        if self._pending:
            data = self._pending + data
            self._pending = b""
        while data:
            phase = self._phase
            if phase == _HEAD:
                if self.current is not None:
                    self._hold(data)
                    return
                data = self._take_head(data)
            elif phase == _BODY:
                data = self._take_body(data)
            elif phase == _CHUNKS:
                data = self._take_chunks(data)
            elif phase == _SKIP:
                data = self._skip(data)
            else:
                self._drop(len(data))
                return

    def _drop(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            self.flow.pause_reading()

    def _hold(self, data: bytes) -> None:
        """A request behind the one in work: it waits here, and in the kernel, until that one is answered."""
        self._pending = data
        if len(data) > _HIGH_WATER:
            self.flow.pause_reading()

    def _take_head(self, data: bytes) -> bytes:
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            refusal = check_partial(data, self.limits)
            if refusal is not None:
                self._refuse(refusal)
                return b""
            if not self._head_begun:
                self._head_begun = True
                self.deadline = monotonic() + self.limits.header_timeout
            self._pending = data
            return b""
        head = read_head(data if end == len(data) else data[:end], self.limits)
        if isinstance(head, Refusal):
            self._refuse(head)
            return b""
        rest = data[end:]
        if head.length > self.limits.max_body:
            self._refuse(too_large(self.limits.max_body), path=head.path)
        elif head.upgrade == b"websocket":
            self._upgrade(head, rest)
        elif (turned := self._judge(head)) is not None:
            return self._turn_away(head, rest, turned)
        else:
            return self._begin(head, rest)
        return b""

    def _judge(self, head: Head) -> Turned | None:
        gate = self.shared.gate
        if gate is None:
            return None
        return gate(head.raw_path, head.headers, self.client[0] if self.client else "", len(self.tasks))

    def _turn_away(self, head: Head, rest: bytes, turned: Turned) -> bytes:
        """Refuse a request without beginning it. Its body is dropped, and the connection stays if that is little."""
        self.shared.turned_requests += 1
        length = head.length
        stays = head.keep_alive and not self.shared.is_closing and not self.flow.write_paused
        stays = stays and 0 <= length <= _MAX_SKIPPED and not head.expects_continue
        tail = turned.staying if stays else turned.closing
        self.transport.write(b"".join((turned.before, self.shared.date_line, tail)))
        if not stays:
            self._linger()
            return b""
        self._head_begun = False
        now = monotonic()
        if length <= len(rest):
            self.deadline = now + self.limits.keep_alive
            return rest[length:]
        self._phase = _SKIP
        self._left = length - len(rest)
        self.deadline = now + self.limits.body_total_timeout
        return b""

    def _skip(self, data: bytes) -> bytes:
        """Drop what is left of the body of a request that was turned away."""
        size = len(data)
        if size < self._left:
            self._left -= size
            return b""
        rest = data[self._left :]
        self._phase = _HEAD
        self.deadline = monotonic() + self.limits.keep_alive
        return rest

    def _begin(self, head: Head, rest: bytes) -> bytes:
        """Start the application; the bytes that are returned are still to be read."""
        length = head.length
        whole = 0 <= length <= len(rest)
        body = (rest if length == len(rest) else rest[:length]) if whole else b""
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1" if head.minor == b"1" else "1.0",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": head.method,
            "root_path": "",
            "path": head.path,
            "raw_path": head.raw_path,
            "query_string": head.query,
            "headers": head.headers,
        }
        cycle = Cycle(self, scope, head, body, not whole)
        self.current = cycle
        if whole:
            self.deadline = math.inf
        else:
            self._await_body(length)
        cycle.task = self.loop.create_task(cycle.run(self.shared.app), name="request")
        self.tasks.add(cycle.task)
        return rest[length:] if whole else rest

    def _await_body(self, length: int) -> None:
        if length == CHUNKED:
            self._phase = _CHUNKS
            self._chunks = Chunks(self.limits.max_body)
        else:
            self._phase = _BODY
            self._left = length
        now = monotonic()
        self._body_ends = now + self.limits.body_total_timeout
        self.deadline = min(now + self.limits.body_timeout, self._body_ends)

    def _take_body(self, data: bytes) -> bytes:
        size = len(data)
        if size < self._left:
            self._left -= size
            self._feed(data, True)
            return b""
        end = self._left
        self._phase = _HEAD
        if size == end:
            self._feed(data, False)
            return b""
        self._feed(data[:end], False)
        return data[end:]

    def _take_chunks(self, data: bytes) -> bytes:
        chunks = self._chunks
        assert chunks is not None
        try:
            content = chunks.feed(data)
        except ChunkError as error:
            self._refuse(error.refusal)
            return b""
        if not chunks.done:
            self._feed(content, True)
            return b""
        self._phase = _HEAD
        self._chunks = None
        self._feed(content, False)
        return chunks.rest

    def _feed(self, data: bytes, more_body: bool) -> None:
        cycle = self.current
        assert cycle is not None  # an answer before the end of its body ends the connection
        cycle.feed(data, more_body)
        if not more_body:
            self.deadline = math.inf
        elif cycle.buffered > _HIGH_WATER:
            self.flow.pause_reading()
            self.deadline = math.inf  # now it is the application that keeps the client waiting
        else:
            self.deadline = min(monotonic() + self.limits.body_timeout, self._body_ends)

    def want_body(self) -> None:
        """The application has read all there is and waits for more."""
        if self.flow.read_paused:
            self.flow.resume_reading()
            self.deadline = min(monotonic() + self.limits.body_timeout, self._body_ends)

    # The end of an answer

    def on_response_complete(self) -> None:
        cycle = self.current
        assert cycle is not None
        self.current = None
        self.shared.total_requests += 1
        if self.transport.is_closing():
            return
        if cycle.more_body:
            self._linger()
        elif not cycle.keep_alive or self.shared.is_closing:
            self._close()
        else:
            self._head_begun = False
            self.deadline = monotonic() + self.limits.keep_alive
            if self._pending:
                self.flow.resume_reading()
                self.data_received(b"")

    def _stop(self, cycle: Cycle, reason: str) -> None:
        self.current = None
        if cycle.task is not None:
            # A task that is cancelled before its first step never comes to its own end.
            cycle.task.add_done_callback(self.tasks.discard)
        cycle.stop(reason)

    def _upgrade(self, head: Head, rest: bytes) -> None:
        if rest or head.length:
            self._refuse(Refusal(400, "malformed_request", "nothing may follow an upgrade before it is answered"))
            return
        turned = self._judge(head)
        if turned is not None:
            self.shared.turned_requests += 1
            self.transport.write(b"".join((turned.before, self.shared.date_line, turned.closing)))
            self._linger()
            return
        self.scope = {"method": head.method, "headers": head.headers}  # type: ignore[typeddict-item]
        self.url = head.target
        self._phase = _DISCARD
        self.handle_websocket_upgrade()
