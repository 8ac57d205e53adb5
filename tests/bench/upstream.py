"""The bench's provider: a process that answers from rendered bytes, as cheaply as Python can.

``python -m tests.bench.upstream`` prints the port that it listens on and serves until its standard input closes.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

from tests.bench.wire import SCRIPTS, Script

_STALL_S = 30.0
_NAMES = tuple((f'"{name}"'.encode(), script) for name, script in SCRIPTS.items())
_UNKNOWN = Script((b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",), b"")


def _script(body: bytes) -> Script:
    head = body[:200]  # where the clients put the model
    for name, script in _NAMES:
        if name in head:
            return script
    return next((script for name, script in _NAMES if name in body), _UNKNOWN)


class _Connection(asyncio.Protocol):
    """One keep-alive connection: reads a whole request, plays the script that its model names."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._size = 0
        self._need = 0  # bytes of the request; 0: head not complete, -1: chunked
        self._head = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._need == 0 and not self._read_head():
            return
        if self._size >= self._need if self._need > 0 else b"".join(self._parts[-2:]).endswith(b"0\r\n\r\n"):
            body = b"".join(self._parts)[self._head :]
            self._parts, self._size, self._need = [], 0, 0
            self._play(_script(body), 0, self._loop.time())

    def _read_head(self) -> bool:
        whole = b"".join(self._parts)
        self._parts = [whole]
        end = whole.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = whole[: end + 2].lower()
        self._head = end + 4
        if b"expect: 100-continue" in head:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            self._need = self._head + int(head[at + 17 : head.index(b"\r\n", at + 17)])
        else:
            self._need = -1 if b"chunked" in head else self._head
        return True

    def _play(self, script: Script, at: int, began: float) -> None:
        """Write part ``at`` now, and the others one per turn of the loop or one per gap."""
        if self._transport.is_closing():
            return
        self._transport.write(script.writes[at])
        if at + 1 < len(script.writes):
            if script.gap:
                self._loop.call_at(began + (at + 1) * script.gap, self._play, script, at + 1, began)
            else:
                self._loop.call_soon(self._play, script, at + 1, began)
        elif script.ends == "close":
            self._transport.close()
        elif script.ends == "reset":
            self._transport.abort()
        elif script.ends == "stall":
            self._loop.call_later(_STALL_S, self._transport.abort)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    uvloop.run(_serve())
