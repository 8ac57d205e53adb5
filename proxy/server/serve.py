"""Listening, the sweep over all connections, and a bounded end."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from email.utils import formatdate
from time import monotonic
from typing import Any

import msgspec
from uvicorn.config import Config

from proxy.server.cycle import App
from proxy.server.draining import Draining
from proxy.server.limits import ServerLimits
from proxy.server.protocol import GateProtocol, ListenerState
from proxy.server.websocket import GateWebSocket

_log = logging.getLogger("proxy.server")

_BACKLOG = 2048
# uvloop takes one new connection from a listener in each turn of its loop. Under load a turn takes long, and callers
# would wait for seconds to be refused; so it is given the same listener several times.
_ACCEPTED_AT_ONCE = 16
# Bytes that the kernel takes for a client that does not read; the rest of the pressure goes back to the upstream.
_UNSENT_IN_KERNEL = 64 * 1024
# After the drain: time for cancelled requests to say so in their streams, and for that to be sent.
_LAST_WORDS = 1.5
_HURRIED_WORDS = 0.2
_GONE_AFTER_DRAIN = 2.0
_LOG_PAUSE = 10.0
_OTHER_FILES = 64

Hook = Callable[["Server"], Awaitable[None] | None]


def bind(host: str, port: int) -> list[socket.socket]:
    """Bind and listen on every address of ``host``; all get the same port, also when ``port`` is 0."""
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in found:
            sock = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_IN_KERNEL)
            sock.bind((address[0], sockets[0].getsockname()[1] if len(sockets) > 1 else port, *address[2:]))
            sock.listen(_BACKLOG)
            sock.setblocking(False)
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return sockets


class Server:
    """Serves one ASGI application on one address until SIGTERM or SIGINT.

    ``limits`` may be replaced at any time; connections accepted from then on have the new ones. ``draining`` tells the
    application that the end has begun. ``on_started`` runs once the listener is open, ``on_stopped`` after the last
    request; both get the server and may be coroutine functions. ``on_refused(status, code)`` counts what is refused
    before the application sees it.
    """

    def __init__(
        self,
        app: App,
        limits: ServerLimits,
        host: str = "127.0.0.1",
        port: int = 8080,
        *,
        sockets: Iterable[socket.socket] | None = None,
        on_started: Hook | None = None,
        on_stopped: Hook | None = None,
        on_refused: Callable[[int, str], None] | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._sockets = None if sockets is None else list(sockets)
        self._on_started = on_started
        self._on_stopped = on_stopped
        self.state = ListenerState(app, limits)
        self.state.on_refused = on_refused
        self.config = Config(
            app,
            http=GateProtocol,
            ws=GateWebSocket,
            ws_max_size=limits.max_websocket_message,
            ws_per_message_deflate=False,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
        )
        self._most = limits.max_connections  # as many as there are descriptors for
        self.started = False
        self._listeners: list[asyncio.Server] = []
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._owns_process = False
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._quiet_until = 0.0

    @property
    def limits(self) -> ServerLimits:
        return self.state.limits

    @limits.setter
    def limits(self, limits: ServerLimits) -> None:
        most = min(limits.max_connections, self._most)
        self.state.limits = msgspec.structs.replace(limits, max_connections=most)
        self.config.ws_max_size = limits.max_websocket_message

    @property
    def draining(self) -> Draining:
        return self.state.draining

    @property
    def port(self) -> int:
        """The port that is listened on; known once the server has started."""
        return self._port

    def run(self) -> None:
        """Serve and return when all is over. Owns the process: if the end takes too long, the process is ended."""
        self._owns_process = True
        _raise_file_limit(2 * self.limits.max_connections + 256)
        self._most = connections_within(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self.limits = self.limits
        with asyncio.Runner(loop_factory=self.config.get_loop_factory()) as runner:
            runner.run(self.serve())

    async def serve(self) -> None:
        """Serve on the running loop until ``stop`` is called or a signal comes."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_loop_error)
        if not self.config.loaded:
            self.config.load()
        sockets = self._sockets if self._sockets is not None else bind(self._host, self._port)
        self._port = sockets[0].getsockname()[1]
        self._sweep()
        signals = self._watch_signals(loop)
        try:
            for sock in sockets:
                for copy in (sock, *(sock.dup() for _ in range(_ACCEPTED_AT_ONCE - 1))):
                    self._listeners.append(await loop.create_server(self._connection, sock=copy, backlog=_BACKLOG))
            self.started = True
            await self._call(self._on_started)
            await self._stopping.wait()
            await self._drain()
            await self._call(self._on_stopped)
        finally:
            self._close_listeners()
            if self._sweep_timer is not None:
                self._sweep_timer.cancel()
            for number in signals:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Begin to drain, as at SIGTERM; called again: end at once."""
        if self._stopping.is_set():
            self._hurry.set()
            return
        limits = self.limits
        self.draining.begin(monotonic() + limits.shutdown_delay + limits.drain)
        if not limits.shutdown_delay:
            self._close_listeners()
        self._stopping.set()
        if self._owns_process:
            longest = limits.shutdown_delay + limits.drain + _GONE_AFTER_DRAIN
            watchdog = threading.Timer(longest, os._exit, (1,))
            watchdog.daemon = True
            watchdog.start()

    async def _call(self, hook: Hook | None) -> None:
        if hook is not None:
            result = hook(self)
            if inspect.isawaitable(result):
                await result

    def _connection(self) -> GateProtocol:
        return GateProtocol(self.config, self.state, {})

    def _watch_signals(self, loop: asyncio.AbstractEventLoop) -> list[int]:
        if threading.current_thread() is not threading.main_thread():
            return []
        # One that is ignored stays so: in a worker SIGINT is the supervisor's business.
        signals = [n for n in (signal.SIGTERM, signal.SIGINT) if signal.getsignal(n) is not signal.SIG_IGN]
        for number in signals:
            loop.add_signal_handler(number, self.stop)
        return list(signals)

    def _sweep(self) -> None:
        """Once a second: the date of all answers, and every connection whose time is over."""
        now = monotonic()
        state = self.state
        state.date_line = b"date: %b\r\n" % formatdate(usegmt=True).encode()
        late: list[Any] = [c for c in state.connections if c.deadline <= now or c.write_deadline <= now]  # type: ignore[union-attr]
        for connection in late:
            connection.expire(now)
        self._sweep_timer = asyncio.get_running_loop().call_later(state.limits.sweep_interval(), self._sweep)

    # The end

    def _close_listeners(self) -> None:
        if self.state.is_closing:
            return
        self.state.is_closing = True
        for listener in self._listeners:
            listener.close()
        for connection in list(self.state.connections):
            connection.shutdown()

    async def _drain(self) -> None:
        ends = self.draining.ends
        await self._wait(lambda: False, ends - self.limits.drain)
        self._close_listeners()
        tasks = self.state.tasks
        await self._wait(lambda: not tasks, ends)
        if tasks:
            _log.warning("%d requests outlived the drain and are ended", len(tasks))
        for task in list(tasks):
            task.add_done_callback(tasks.discard)
            task.cancel(msg="draining")
        last = monotonic() + (_HURRIED_WORDS if self._hurry.is_set() else _LAST_WORDS)
        self._hurry.clear()
        connections = self.state.connections
        await self._wait(lambda: not tasks and not connections, last)
        for connection in list(connections):
            connection.transport.abort()

    async def _wait(self, over: Callable[[], bool], until: float) -> None:
        """Until it is over, at the latest ``until``, or a second signal comes. It looks, as this is the end."""
        while not over() and (left := until - monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), min(left, 0.02))
                return

    # Trouble

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what the loop could not hand to anyone; being out of file descriptors is said once in a while."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (23, 24):  # ENFILE, EMFILE
            if monotonic() >= self._quiet_until:
                self._quiet_until = monotonic() + _LOG_PAUSE
                _log.error("out of file descriptors: connections wait or are refused; raise the limit (ulimit -n)")
            return
        _log.error(context.get("message", "error in the event loop"), exc_info=error)


def connections_within(files: int) -> int:
    """Clients for which there is a descriptor, with as many left for providers, and some for files and pipes."""
    if files == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(1, (files - _OTHER_FILES) // 2 * 8 // 9)  # a ninth is for those who hear that there are too many


def _raise_file_limit(wanted: int) -> None:
    """Each request takes a socket to the client and one to the provider; the usual limit of 1024 is soon reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            _log.warning("the limit of open files stays at %d: %s", soft, error)
    if sys.platform == "linux" and soft < 256:
        _log.warning("only %d open files are allowed", soft)
