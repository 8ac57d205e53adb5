"""The HTTP client to one provider account: a bounded pool of connections, one attempt per request.

It stands on aiohttp's connector, connection and parser, without aiohttp's session: the session costs as much CPU as
all the rest (cookies, redirects, a task per body, copies of headers), and it decides about resending. Here a request
with effects is sent once and never again. A pooled connection may be closed by the provider in the very moment of its
use, and nobody can know whether such a POST was acted upon: it is ``Unavailable``, and the route may say what comes
next. What keeps that rare is that connections rest in the pool for less time than usual servers allow
(``keep_alive``). GET and HEAD are sent once more.
"""

from __future__ import annotations

import asyncio
import socket
import time
from weakref import WeakKeyDictionary

import msgspec
from aiohttp import AddrInfoType, BaseConnector, ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver
from aiohttp.client_exceptions import ClientOSError, ServerDisconnectedError
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.helpers import TimerNoop
from aiohttp.http import RawResponseMessage
from yarl import URL

from proxy.dialects.endpoint import End
from proxy.errors import BadAnswer, BadRequest, Header, Unavailable, UpstreamError, UpstreamTimeout
from proxy.policy import Answer, Timeouts
from proxy.tokens.told import Told, read_told
from proxy.wire.flow import Flow
from proxy.wire.foreign import translate
from proxy.wire.passing import Facts, passed_on
from proxy.wire.sse import Scanner
from proxy.wire.websocket import Socket, Sockets

# Seconds that a connection rests in the pool: less than the other side keeps it, so that no request meets a connection
# that is just being closed. uvicorn and Node close after 5; the front ends of hosted providers later (AWS 60, nginx
# 75), and there a new connection costs a TLS handshake.
KEEP_ALIVE = 4.0
KEEP_ALIVE_TLS = 55.0
NAMES_FOR = 10.0  # seconds that the addresses behind a name are believed
# Seconds after which a connection is not used again: one that is never idle would hold on to an address for good. It
# may begin with an address that is about to be forgotten, so an old address is asked for no longer than both together.
MAX_AGE = 50.0
MAX_WHOLE = 1 << 20  # bytes of a body that is read whole
MAX_HEADERS = 100
# The kernel doubles it. The loop takes at once what is there, so this bounds what a stalled stream holds on both sides;
# at 50 ms from the provider it still lets more than a megabyte a second through.
RECEIVE_BUFFER = 80 << 10
MAX_UNASKED = 16  # connections in a row on which something came before a request was sent
READ_BUFFER = 32 << 10  # a connection is paused when twice as much waits for a slow client

_OURS = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"accept-encoding", b"connection", b"expect", b"te"}
)
_SAFE = ("GET", "HEAD")
_NO_TIMER = TimerNoop()
_NEVER_ROUND_UP = 1e9  # aiohttp rounds timers above this many seconds


class Upstream:
    """Connections to one provider account. Made anywhere; used on one event loop; closed with ``aclose``."""

    __slots__ = (
        "_born",
        "_closed",
        "_connect_timeouts",
        "_connector",
        "_doors",
        "_keep_alive",
        "_max_age",
        "_max_connections",
        "_names_for",
        "_resolver",
        "_sockets",
    )

    def __init__(
        self,
        *,
        max_connections: int = 1024,
        keep_alive: float = KEEP_ALIVE,
        resolver: AbstractResolver | None = None,
        names_for: float = NAMES_FOR,
        max_age: float = MAX_AGE,
    ) -> None:
        self._max_connections = max_connections
        self._keep_alive = keep_alive
        self._resolver = resolver
        self._names_for = names_for
        self._max_age = max_age
        self._born: WeakKeyDictionary[ResponseHandler, float] = WeakKeyDictionary()
        self._connector: BaseConnector | None = None
        self._sockets: Sockets | None = None
        self._doors: dict[tuple[str, str], ClientRequest] = {}
        self._connect_timeouts: dict[float, ClientTimeout] = {}
        self._closed = False

    async def request(
        self,
        method: str,
        url: URL,
        headers: list[Header],
        body: bytes,
        *,
        timeouts: Timeouts,
        ends: tuple[End, ...],
        expect_json: bool,
        deadline: float,
        confirms: bool = False,
    ) -> Answer:
        """Send one request and wait until it is known what the answer is worth.

        ``deadline`` is in ``time.monotonic()``. The answer has its whole body, or an event stream's first content, or
        the start of a large body. ``confirms``: who reads a stream tells it when its first content came
        (``Flow.content_came``). Framing headers in ``headers`` are replaced by our own. Raises an
        ``UpstreamError``.
        """
        flow, message = await self._exchange(method, url, headers, body, timeouts, deadline)
        try:
            return await _judge(flow, message, ends, expect_json, confirms)
        except BaseException:
            flow.close()
            raise

    async def probe(self, url: URL, headers: list[Header], *, within: float) -> int:
        """The status of a GET, whatever it is and whatever comes with it."""
        timeouts = Timeouts(connect=within, first_token=within, gap=within, total=within)
        flow, message = await self._exchange("GET", url, headers, b"", timeouts, time.monotonic() + within)
        if flow.body_at_once() is None:
            flow.close()
        return message.code

    async def websocket(
        self, url: URL, headers: list[Header], *, timeouts: Timeouts, protocols: tuple[str, ...] = ()
    ) -> Socket:
        """Open a WebSocket. A refused handshake raises an ``UpstreamError`` whose ``raw`` holds the status."""
        connector = self._connector or self._open()
        if self._sockets is None:
            self._sockets = Sockets(connector)
        return await self._sockets.connect(url, headers, timeouts, protocols)

    async def aclose(self) -> None:
        """Close every connection, also those in use."""
        self._closed = True
        if self._sockets is not None:
            await self._sockets.aclose()
        if self._connector is not None:
            await self._connector.close()

    def _open(self) -> BaseConnector:
        if self._closed:
            raise Unavailable("the connections to this provider are closed")
        self._connector = TCPConnector(
            limit=self._max_connections,
            keepalive_timeout=self._keep_alive,
            resolver=self._resolver,
            ttl_dns_cache=self._names_for,  # type: ignore[arg-type]  # seconds; fractions work
            dns_cache_max_size=64,
            timeout_ceil_threshold=_NEVER_ROUND_UP,
            socket_factory=_make_socket,
        )
        return self._connector

    async def _exchange(
        self, method: str, url: URL, headers: list[Header], body: bytes, timeouts: Timeouts, deadline: float
    ) -> tuple[Flow, RawResponseMessage]:
        """Connect, send, and read the head of the answer."""
        head = _head(method, url, headers, body)
        for last in (False, True):
            flow = await self._connect(url, timeouts, deadline, method == "HEAD")
            try:
                flow.write(head, body)
                return flow, await flow.head()
            except asyncio.CancelledError:
                flow.close()
                raise
            except Exception as foreign:
                flow.close()
                lost = isinstance(foreign, (ServerDisconnectedError, ClientOSError))
                if not lost or last or method not in _SAFE:
                    raise translate(foreign, timeouts) from foreign
        raise AssertionError("unreachable")

    async def _connect(self, url: URL, timeouts: Timeouts, deadline: float, no_body: bool) -> Flow:
        left = deadline - time.monotonic()
        if left <= 0:
            raise UpstreamTimeout("the request's total time was used up before it was sent to the provider")
        try:
            connection, protocol = await self._quiet_connection(url, self._connect_timeout(min(left, timeouts.connect)))
        except Exception as foreign:
            raise translate(foreign, timeouts) from foreign
        protocol.set_response_params(
            timer=_NO_TIMER,
            skip_payload=no_body,
            read_until_eof=True,
            auto_decompress=False,
            read_bufsize=READ_BUFFER,
            max_headers=MAX_HEADERS,
        )
        return Flow(connection, timeouts, deadline)

    async def _quiet_connection(self, url: URL, within: ClientTimeout) -> tuple[Connection, ResponseHandler]:
        """A connection on which nothing has come since its last answer: that would be taken for the next caller's."""
        connector = self._connector or self._open()
        unasked = 0
        while unasked < MAX_UNASKED:
            connection = await connector.connect(self._door(url), [], within)
            protocol = connection.protocol
            assert protocol is not None
            now = time.monotonic()
            if protocol.should_close:
                unasked += 1
            elif now - self._born.setdefault(protocol, now) <= self._max_age:  # a new one is of age 0
                return connection, protocol
            connection.close()
        raise BadAnswer("the provider keeps sending answers that nobody asked for")

    def _door(self, url: URL) -> ClientRequest:
        """What the connector wants to know of a request: where it goes. One per origin."""
        key = (url.scheme, url.raw_authority)
        door = self._doors.get(key)
        if door is None:
            if len(self._doors) >= 64:
                self._doors.clear()
            door = self._doors[key] = ClientRequest("GET", url.origin(), loop=asyncio.get_running_loop())
        return door

    def _connect_timeout(self, seconds: float) -> ClientTimeout:
        found = self._connect_timeouts.get(seconds)
        if found is None:
            if len(self._connect_timeouts) >= 64:  # remainders of deadlines
                self._connect_timeouts.clear()
            found = ClientTimeout(total=None, connect=seconds, ceil_threshold=_NEVER_ROUND_UP)
            self._connect_timeouts[seconds] = found
        return found


def _make_socket(address: AddrInfoType) -> socket.socket:
    """A socket whose kernel buffer is bounded: otherwise it grows to megabytes while a slow client holds a stream."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return made


def _head(method: str, url: URL, headers: list[Header], body: bytes) -> bytes:
    """Request line and headers. Refuses what would break the framing: nothing that the caller gives can add a line."""
    target, host = url.raw_path_qs, url.host_port_subcomponent or ""
    parts = [f"{method} {target} HTTP/1.1\r\nhost: {host}\r\naccept-encoding: identity\r\n".encode()]
    lines = 4
    for name, value in headers:
        if name not in _OURS:
            parts.append(b"%s: %s\r\n" % (name, value))
            lines += 1
    if body or method not in _SAFE:
        parts.append(b"content-length: %d\r\n" % len(body))
        lines += 1
    parts.append(b"\r\n")
    head = b"".join(parts)
    if head.count(b"\n") != lines or head.count(b"\r") != lines or " " in target or not target.isascii():
        raise BadRequest("The path or a header cannot be sent on: it holds a line break, or the path a space.")
    return head


async def _judge(
    flow: Flow, message: RawResponseMessage, ends: tuple[End, ...], expect_json: bool, confirms: bool
) -> Answer:
    """Read as much of the answer as it takes to trust it."""
    status = message.code
    if status >= 400:
        return await _judge_error(flow, message)
    if status >= 300:
        raise BadAnswer(f"the provider answered with a redirect ({status}), which is never followed")
    headers, facts = passed_on(message.raw_headers, is_error=False)
    if facts.is_sse and not facts.encoded:
        await flow.first_content(Scanner(ends), confirms=confirms)
        answer = Answer(status, headers, chunks=flow, close=flow.close, is_sse=True)
        answer.pace, answer.told_failure = flow.pace, flow.told_failure
    else:
        answer = await _judge_body(flow, status, headers, facts, expect_json)
    answer.told = facts.told
    return answer


async def _judge_body(flow: Flow, status: int, headers: list[Header], facts: Facts, expect_json: bool) -> Answer:
    if facts.encoded:
        raise BadAnswer("the provider compressed its answer although it was asked not to")
    body = flow.body_at_once()
    if body is None and (expect_json or facts.is_json) and facts.length <= MAX_WHOLE:
        body = await flow.collect(MAX_WHOLE)
    elif body is None:
        await flow.begin()
    summary = _read_json(body, facts.is_json) if expect_json else None
    if body is not None:
        answer = Answer(status, headers, body=body)
        answer.summary = summary
        return answer
    if facts.length >= 0:
        headers.append((b"content-length", b"%d" % facts.length))
    return Answer(status, headers, chunks=flow, close=flow.close)


async def _judge_error(flow: Flow, message: RawResponseMessage) -> Answer:
    """A refusal or failure. Where its body is of no use, status and retry-after still tell what happened."""
    headers, facts = passed_on(message.raw_headers, is_error=True)
    try:
        body = flow.body_at_once()
        if body is None:
            body = await flow.collect(MAX_WHOLE)
    except UpstreamError:
        body = None
    if body is None or facts.encoded:
        flow.close()
        headers = [header for header in headers if header[0] != b"content-type"]
        body = b""
    answer = Answer(message.code, headers, body=body)
    answer.told = facts.told
    return answer


def _read_json(body: bytes | None, is_json: bool) -> Told | None:
    """What it tells of its usage; that it is JSON is found out with it."""
    if body is None:
        if not is_json:
            raise BadAnswer("the provider's answer should be JSON and is not")
        return None
    try:
        return read_told(body)
    except (msgspec.DecodeError, RecursionError) as error:
        what = "HTML" if body.lstrip()[:1] == b"<" else "broken JSON" if body else "empty"
        if isinstance(error, RecursionError):
            what = "nested too deep"
        raise BadAnswer(f"the provider's answer should be JSON and is {what}") from error
