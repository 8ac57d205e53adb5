"""An upstream on the test's own loop that sends what no script could hold: floods, endless bodies, lies of any size."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Self

from tests.support.environment import free_port


class Peer:
    """One connection of the gateway. ``sent`` and ``moved`` say how much of an answer left, and when the last byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=0)
        self.requests: list[tuple[bytes, bytes]] = []
        self.sent = 0
        self.moved = time.monotonic()
        self.closed: float | None = None

    async def request(self) -> bytes:
        """Read the next request; its body."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await self._reader.readexactly(int(lengths[0]) if lengths else 0)
        self.requests.append((head, body))
        return body

    async def send(self, data: bytes) -> None:
        """Send, and wait until the kernel has it."""
        self._writer.write(data)
        await self._writer.drain()
        self.sent += len(data)
        self.moved = time.monotonic()

    async def gone(self) -> None:
        """Until the gateway has closed its side."""
        while await self._reader.read(1 << 16):
            pass

    def end(self) -> None:
        """FIN."""
        if not self._writer.is_closing() and self._writer.can_write_eof():
            self._writer.write_eof()


Script = Callable[[Peer], Awaitable[None]]


class RawUpstream:
    """Runs ``script`` for each connection, on a port that stays the same over many tests; ``url`` ends in ``/v1``.

    Use it as ``async with raw.running(script):``; ``peers`` are the connections since then.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.peers: list[Peer] = []
        self._script: Script | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    def running(self, script: Script) -> Self:
        """The server with this script."""
        self._script = script
        self.peers = []
        return self

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        failures, self._failures = self._failures, []
        assert not failures, failures

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert self._script is not None
        self._tasks.add(task)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        peer = Peer(reader, writer)
        self.peers.append(peer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._script(peer)
        except BaseException as error:
            self._failures.append(error)
        finally:
            peer.closed = time.monotonic()
            self._tasks.discard(task)
            writer.transport.abort()
