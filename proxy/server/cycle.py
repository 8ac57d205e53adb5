"""One request and its answer: the ASGI side of a connection."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from proxy.dialects.paths import style_of
from proxy.errors import Header
from proxy.server.head import Head

Message = dict[str, Any]
App = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]

_log = logging.getLogger("proxy.server")

# Everything but the controls that could end a header line; what is left of a head are its own line ends.
_PRINTABLE = bytes(code for code in range(256) if code >= 0x20 or code == 0x09)
_CONTENT_LENGTH = (b"content-length", b"Content-Length")
# The framing and the life of the connection are decided here; what the application says of them is read, not sent.
_OWN_HEADERS = frozenset({*_CONTENT_LENGTH, b"transfer-encoding", b"Transfer-Encoding", b"connection", b"Connection"})
# A body up to this size leaves in one write with its head.
_JOIN_BELOW = 32 * 1024
# The first lines of chunks of usual size, ready made.
_SIZE_LINES = tuple(b"%x\r\n" % size for size in range(4096))
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
_DISCONNECT: Message = {"type": "http.disconnect"}


class Shared(Protocol):
    """What a cycle needs to know of the server."""

    date_line: bytes
    is_closing: bool


class Connection(Protocol):
    """What a cycle needs of its connection."""

    transport: asyncio.Transport
    flow: FlowControl
    loop: asyncio.AbstractEventLoop

    tasks: set[asyncio.Task[None]]

    @property
    def shared(self) -> Shared: ...
    def on_response_complete(self) -> None: ...
    def want_body(self) -> None: ...


def whole_answer(status: int, body: bytes, date_line: bytes, headers: Iterable[Header] = ()) -> bytes:
    """The bytes of a JSON answer after which the connection ends."""
    lines = [STATUS_LINE[status], date_line]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body))
    lines.append(body)
    return b"".join(lines)


def reset(transport: asyncio.Transport) -> None:
    """End the connection with RST instead of FIN."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    transport.abort()


class Cycle:
    """Runs the application for one request; ``receive`` and ``send`` are its two ends.

    ``disconnected`` is true once nothing the application sends can reach the client. Its task is then cancelled with a
    message that says why: ``client_gone``, ``refused`` (the rest of the request is unusable) or ``draining``.
    """

    __slots__ = (
        "_chunked",
        "_connection",
        "_delivered",
        "_flow",
        "_has_body",
        "_held",
        "_left",
        "_parts",
        "_waiter",
        "_write",
        "buffered",
        "complete",
        "disconnected",
        "expects_continue",
        "http11",
        "is_head",
        "keep_alive",
        "more_body",
        "on_wire",
        "scope",
        "started",
        "task",
    )

    def __init__(self, connection: Connection, scope: dict[str, Any], head: Head, body: bytes, more_body: bool) -> None:
        self._connection = connection
        self._flow = connection.flow
        self._write = connection.transport.write
        self.scope = scope
        self.is_head = head.method == "HEAD"
        self.http11 = head.minor == b"1"
        self.keep_alive = head.keep_alive
        self.expects_continue = head.expects_continue
        self.more_body = more_body
        self.disconnected = False
        self.started = False  # the application sent its head
        self.on_wire = False  # the client may have seen a part of the answer
        self.complete = False
        self.buffered = len(body)
        self.task: asyncio.Task[None] | None = None
        self._parts = [body] if body else []
        self._delivered = False
        self._waiter: asyncio.Future[None] | None = None
        self._held: bytes | None = None
        self._chunked = False
        self._has_body = True
        self._left: int | None = None

    # From the connection

    def feed(self, data: bytes, more_body: bool) -> None:
        """Take a piece of the request body."""
        if data:
            self._parts.append(data)
            self.buffered += len(data)
        self.more_body = more_body
        self._wake()

    def stop(self, reason: str) -> None:
        """Cut the application off from the client and cancel it."""
        self.disconnected = True
        if self.task is not None:
            self.task.cancel(msg=reason)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # The application

    async def run(self, app: App) -> None:
        """Run the application and see to it that the client learns how it ended."""
        try:
            await app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.disconnected and not self.complete:
                self._fail(503, "shutting_down", "the server is shutting down")
        except Exception:
            if not self.disconnected:
                _log.exception("the application failed")
                self._fail(500, "internal_error", "internal error")
        else:
            if not self.complete and not self.disconnected:
                if not self.started:
                    _log.error("the application ended without an answer")
                self._fail(500, "internal_error", "internal error")  # after its head: the answer is cut on purpose
        finally:
            if self.task is not None:
                self._connection.tasks.discard(self.task)

    def _fail(self, status: int, code: str, message: str) -> None:
        """Answer if nothing was sent yet; otherwise end the connection so that the answer is seen to be incomplete."""
        if self.complete:
            return
        self.complete = True
        self.keep_alive = False
        connection = self._connection
        if not self.on_wire:
            status, body = style_of(self.scope["path"]).body(status, code, message, None)
            self._write(whole_answer(status, body, connection.shared.date_line))
        elif not self._chunked and self._left is None:
            reset(connection.transport)  # only a reset tells this body from a whole one
            return
        connection.on_response_complete()

    # ASGI

    async def receive(self) -> Message:
        if self.expects_continue and self.more_body and not self.disconnected and not self.started:
            self.expects_continue = False
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not (self.disconnected or self.complete):
            if self._parts or not (self.more_body or self._delivered):
                parts = self._parts
                body = parts[0] if len(parts) == 1 else b"".join(parts)
                self._parts = []
                self.buffered = 0
                self._delivered = not self.more_body
                return {"type": "http.request", "body": body, "more_body": self.more_body}
            if self.more_body:
                self._connection.want_body()
            self._waiter = self._connection.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return _DISCONNECT

    async def send(self, message: Message) -> None:
        if self._flow.write_paused and not self.disconnected:
            await self._flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            more_body = message.get("more_body", False)
            if more_body and self._chunked and body and not self.complete:  # an event of a stream: the short way
                size = len(body)
                line = _SIZE_LINES[size] if size < 4096 else b"%x\r\n" % size
                self._write(b"".join((line, body, b"\r\n")))
            else:
                self._write_body(body, more_body)
        elif message["type"] == "http.response.start":
            self._write_head(message["status"], message.get("headers", ()))
        elif message["type"] == "http.response.reset":
            self.complete = True
            self.keep_alive = False
            reset(self._connection.transport)
        else:
            raise RuntimeError(f"an HTTP answer has no message {message['type']!r}")

    def _write_head(self, status: int, headers: Iterable[Header]) -> None:
        if self.started:
            raise RuntimeError("the answer has begun already")
        shared = self._connection.shared
        lines = [STATUS_LINE[status], shared.date_line]
        count = 2
        for name, value in headers:
            if name in _OWN_HEADERS:
                if name not in _CONTENT_LENGTH:
                    if value.lower() == b"close":
                        self.keep_alive = False
                    continue
                self._left = int(value)
            lines += (name, b": ", value, b"\r\n")
            count += 1
        # A body that is still arriving would be read as the next request: the connection ends with this answer.
        if not self.keep_alive or self.more_body or shared.is_closing:
            self.keep_alive = False
            lines.append(b"connection: close\r\n")
            count += 1
        self._has_body = not (self.is_head or status in (204, 304))
        if self._has_body and self._left is None:
            if self.http11:
                self._chunked = True
                lines.append(b"transfer-encoding: chunked\r\n")
                count += 1
            else:
                self.keep_alive = False
        lines.append(b"\r\n")
        head = b"".join(lines)
        if len(head.translate(None, _PRINTABLE)) != 2 * count + 2:
            raise RuntimeError("a header of the answer holds a line end or another control character")
        self.started = True
        if self._left is None:
            self.on_wire = True
            self._write(head)
        else:
            self._held = head  # leaves with the body, which is at hand when its length is known

    def _write_body(self, body: bytes, more_body: bool) -> None:
        if not self.started or self.complete:
            raise RuntimeError("a body comes after the head of the answer and before its end")
        write = self._write
        if not self._has_body:
            body = b""
        if self._chunked:
            if not more_body:
                write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n")
        else:
            if self._left is not None and self._has_body:
                self._left -= len(body)
                if self._left < 0 or (self._left and not more_body):
                    raise RuntimeError("the body is not as long as its Content-Length")
            if self._held is not None:
                self.on_wire = True
                if len(body) <= _JOIN_BELOW:
                    body = self._held + body
                else:
                    write(self._held)
                self._held = None
            if body:
                write(body)
        if not more_body:
            self.complete = True
            self._wake()
            self._connection.on_response_complete()
