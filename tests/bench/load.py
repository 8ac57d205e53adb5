"""The load generator: N connections in a closed loop, raw protocol, every answer verified.

A phase sends until its time is over, then waits for what is in flight, so that what was spent can be divided by what
was answered without a remainder.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import cast

from tests.bench.wire import unchunk

_UNKNOWN, _CHUNKED = -1, -2

Verify = Callable[[bytes, bytes], str | None]  # (status, body) → what is wrong with it


class Phase:
    """What one phase measured. Latencies in seconds."""

    def __init__(self, latencies: list[float], elapsed: float, errors: Counter[str]) -> None:
        self.latencies = sorted(latencies)
        self.elapsed = elapsed
        self.errors = errors

    @property
    def count(self) -> int:
        return len(self.latencies)

    def quantile(self, q: float) -> float:
        return self.latencies[min(self.count - 1, int(q * self.count))] if self.latencies else float("nan")


class _Connection(asyncio.Protocol):
    """Sends the request, collects one answer, tells the load; again until the load says stop."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._parts: list[bytes] = []
        self._size = 0
        self._need = _UNKNOWN
        self._body_at = 0
        self._started = 0.0
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def fire(self) -> None:
        self._parts, self._size, self._need = [], 0, _UNKNOWN
        self.busy = True
        self._started = perf_counter()
        self.transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._need == _UNKNOWN:
            whole = b"".join(self._parts)
            self._parts = [whole]
            if not self._read_head(whole):
                return
            data = whole
        if self._need == _CHUNKED:
            end = data if len(data) >= 5 else b"".join(self._parts[-6:])
            if end.endswith(b"0\r\n\r\n"):
                self._finish()
        elif self._size >= self._need:
            self._finish()

    def _read_head(self, whole: bytes) -> bool:
        end = whole.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = whole[: end + 2].lower()
        self._body_at = end + 4
        at = head.find(b"\r\ncontent-length:")
        if at >= 0:
            self._need = self._body_at + int(head[at + 17 : head.index(b"\r\n", at + 17)])
        elif b"\r\ntransfer-encoding: chunked\r\n" in head:
            self._need = _CHUNKED
        else:
            self._need = self._size
        return True

    def _finish(self) -> None:
        seconds = perf_counter() - self._started
        whole = b"".join(self._parts)
        self.busy = False
        problem: str | None
        try:
            body = unchunk(whole[self._body_at :]) if self._need == _CHUNKED else whole[self._body_at :]
            problem = self._load.verify(whole[9:12], body)
        except ValueError as error:
            problem = f"broken framing: {error}"
        self._load.answered(self, seconds, problem)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self, exc)


class Load:
    """N open connections to one address that all send the same request."""

    def __init__(self, request: bytes, verify: Verify) -> None:
        self.request = request
        self.verify = verify
        self._connections: list[_Connection] = []
        self._until = 0.0
        self._in_flight = 0
        self._latencies: list[float] = []
        self._errors: Counter[str] = Counter()
        self._done: asyncio.Future[None] | None = None
        self._closing = False

    async def open(self, host: str, port: int, connections: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: _Connection(self), host, port)
            self._connections.append(connection)

    async def phase(self, seconds: float, patience: float = 120.0) -> Phase:
        """Send for ``seconds``, then wait for the answers that are still out."""
        self._latencies, self._errors = [], Counter()
        self._done = asyncio.get_running_loop().create_future()
        started = perf_counter()
        self._until = started + seconds
        alive = [connection for connection in self._connections if not connection.transport.is_closing()]
        self._in_flight = len(alive)
        if not alive:
            raise ConnectionError("every connection is lost")
        for connection in alive:
            connection.fire()
        async with asyncio.timeout(seconds + patience):
            await self._done
        return Phase(self._latencies, perf_counter() - started, self._errors)

    def answered(self, connection: _Connection, seconds: float, problem: str | None) -> None:
        self._latencies.append(seconds)
        if problem is not None:
            self._errors[problem] += 1
        if perf_counter() < self._until:
            connection.fire()
        else:
            self._retire()

    def lost(self, connection: _Connection, exc: Exception | None) -> None:
        if self._closing or not connection.busy:
            return
        connection.busy = False
        self._errors[f"connection lost: {exc}"] += 1
        self._retire()

    def _retire(self) -> None:
        self._in_flight -= 1
        if self._in_flight == 0 and self._done is not None and not self._done.done():
            self._done.set_result(None)

    def close(self) -> None:
        self._closing = True
        for connection in self._connections:
            connection.transport.close()
