"""A client on a bare socket: sends any bytes, sees every byte, and tells FIN from RST."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from typing import Any, Literal

from tests.support.sse import Event, SseReader

TIMEOUT = 10.0  # seconds; every wait is bounded


class Cut(Exception):
    """The answer ended before its end. ``how`` is ``fin`` or ``reset``; ``body`` is what had come."""

    def __init__(self, how: str, body: bytes = b"") -> None:
        super().__init__(how)
        self.how = how
        self.body = body


class Wire:
    """One connection. ``ended`` is None while the server keeps it open; ``log`` is (monotonic time, bytes) received."""

    def __init__(self, found: socket.socket) -> None:
        self._socket = found
        self._buffer = b""
        self.ended: Literal["fin", "reset"] | None = None
        self.log: list[tuple[float, bytes]] = []
        self.status = 0
        self.headers: list[tuple[str, str]] = []

    @classmethod
    async def open(cls, port: int, *, receive_buffer: int | None = None) -> Wire:
        """Connect to the loopback. ``receive_buffer`` bounds what the kernel takes for a client that does not read."""
        found = socket.socket()
        found.setblocking(False)
        if receive_buffer is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(found, ("127.0.0.1", port))
        return cls(found)

    async def send(self, data: bytes, *, split: int = 0, pause: float = 0.0) -> None:
        """Send bytes, in pieces of ``split`` with ``pause`` seconds between. A server gone ends it quietly."""
        loop = asyncio.get_running_loop()
        step = split or len(data) or 1
        try:
            for at in range(0, len(data), step):
                async with asyncio.timeout(TIMEOUT):
                    await loop.sock_sendall(self._socket, data[at : at + step])
                if pause:
                    await asyncio.sleep(pause)
        except (ConnectionResetError, BrokenPipeError):
            self.ended = self.ended or "reset"

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] = b"",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a well-formed request; a dict as JSON."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()
            headers = {"content-type": "application/json", **(headers or {})}
        lines = [
            f"{method} {path} HTTP/1.1",
            "host: test",
            *(f"{key}: {value}" for key, value in (headers or {}).items()),
        ]
        if body or method == "POST":
            lines.append(f"content-length: {len(body)}")
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def head(self, timeout: float = TIMEOUT) -> int:
        """Read status line and headers (interim answers are skipped); the status."""
        while True:
            while b"\r\n\r\n" not in self._buffer:
                if not await self._more(timeout):
                    raise Cut(self.ended or "fin", self._buffer)
            block, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
            first, *lines = block.decode("latin-1").split("\r\n")
            self.status = int(first.split(" ")[1])
            self.headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
            if self.status >= 200 or self.status == 101:
                return self.status

    def header(self, name: str) -> str | None:
        """A header of the answer."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    async def body(self, timeout: float = TIMEOUT) -> AsyncIterator[bytes]:
        """Pieces of the body as they arrive. Ends only where the framing says so; else raises ``Cut``."""
        if self.header("transfer-encoding") == "chunked":
            while size := int(await self._line(timeout), 16):
                yield await self._exactly(size, timeout)
                await self._line(timeout)
            await self._line(timeout)
        elif (length := self.header("content-length")) is not None:
            left = int(length)
            while left:
                if not self._buffer and not await self._more(timeout):
                    raise Cut(self.ended or "fin")
                piece, self._buffer = self._buffer[:left], self._buffer[left:]
                left -= len(piece)
                yield piece
        else:
            while self._buffer or await self._more(timeout):
                piece, self._buffer = self._buffer, b""
                yield piece
            if self.ended == "reset":
                raise Cut("reset")

    async def whole(self, timeout: float = TIMEOUT) -> bytes:
        """The body of an answer; ``Cut.body`` has what came of a broken one."""
        parts: list[bytes] = []
        try:
            async for piece in self.body(timeout):
                parts += (piece,)
        except Cut as cut:
            raise Cut(cut.how, b"".join(parts) + self._buffer) from None
        return b"".join(parts)

    async def exchange(
        self, method: str, path: str, body: bytes | dict[str, Any] = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Request, status and whole body."""
        await self.request(method, path, body, headers)
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        """Status and whole body of the answer."""
        return await self.head(), await self.whole()

    async def events(self, timeout: float = TIMEOUT) -> AsyncIterator[Event]:
        """Server-sent events of the body as they arrive."""
        reader = SseReader()
        async for piece in self.body(timeout):
            for event in reader.feed(piece):
                yield event
        for event in reader.finish():
            yield event

    async def until_closed(self, timeout: float = TIMEOUT) -> bytes:
        """Everything until the server closes. ``ended`` says how.

        Raises:
            TimeoutError: it did not close in time.
        """
        async with asyncio.timeout(timeout):
            while await self._more(timeout):
                pass
        found, self._buffer = self._buffer, b""
        return found

    def close(self) -> None:
        """FIN; quiet when it is closed already."""
        self._socket.close()

    def reset(self) -> None:
        """RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def half_close(self) -> None:
        """FIN, but go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    async def _more(self, timeout: float) -> bool:
        if self.ended is not None and self.ended == "fin":
            return False
        try:
            async with asyncio.timeout(timeout):
                data = await asyncio.get_running_loop().sock_recv(self._socket, 1 << 16)
        except ConnectionResetError:
            self.ended = "reset"
            return False
        if not data:
            self.ended = self.ended or "fin"
            return False
        self.log.append((time.monotonic(), data))
        self._buffer += data
        return True

    async def _line(self, timeout: float) -> bytes:
        while b"\r\n" not in self._buffer:
            if not await self._more(timeout):
                raise Cut(self.ended or "fin")
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line

    async def _exactly(self, size: int, timeout: float) -> bytes:
        while len(self._buffer) < size:
            if not await self._more(timeout):
                raise Cut(self.ended or "fin")
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found
