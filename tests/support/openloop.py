"""An open-loop load: requests come at their times whether or not earlier ones were answered.

A latency runs from the time at which a request was due, so a gateway that keeps the generator waiting cannot hide it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from time import perf_counter
from typing import cast

import msgspec

_END = b"\r\n\r\n"


class Answered(msgspec.Struct):
    """One request: when it was due, how long it took, what came (0: nothing, the connection broke or it hung)."""

    due: float
    seconds: float
    status: int
    body: bytes = b""
    head: bytes = b""


def post(path: str, body: bytes, key: str = "") -> bytes:
    """The bytes of a request."""
    proof = f"authorization: Bearer {key}\r\n" if key else ""
    head = f"POST {path} HTTP/1.1\r\nhost: gate\r\n{proof}content-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class _Link(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, load: OpenLoop) -> None:
        self._load = load
        self._got = b""
        self._due = 0.0
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes, due: float) -> None:
        self._got, self._due, self.busy = b"", due, True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(_END)
        if end < 0 or not self.busy:
            return
        head = self._got[:end].lower()
        at = head.find(b"content-length:")
        if at >= 0:
            whole = len(self._got) - end - 4 >= int(head[at + 15 :].split(b"\r\n", 1)[0])
        else:
            whole = self._got.endswith(b"0\r\n\r\n")
        if whole:
            self._finish(int(head[9:12]), head, self._got[end + 4 :])

    def _finish(self, status: int, head: bytes, body: bytes) -> None:
        self.busy = False
        self._load.answered.append(Answered(self._due, perf_counter() - self._due, status, body[:400], head))
        if not self.transport.is_closing() and b"connection: close" not in head:
            self._load.idle.append(self)
        self._load.open -= 1

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self._load.idle:
            self._load.idle.remove(self)
        if self.busy:
            self._finish(0, b"connection: close", str(exc).encode())


class OpenLoop:
    """Sends one request at a rate, with exponential gaps from a seed. Connections are reused, and made when none is."""

    def __init__(self, port: int, request: bytes, seed: int = 1) -> None:
        self._port = port
        self._request = request
        self._random = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self.idle: list[_Link] = []
        self.open = 0
        self.answered: list[Answered] = []

    async def run(self, rate: float, seconds: float, patience: float = 10.0) -> list[Answered]:
        """What became of each request of these seconds; those still out after ``patience`` are given as status 0."""
        before, self.answered = self.answered, []
        due = begun = perf_counter()
        sent = 0
        while (due := due + self._random.expovariate(rate)) < begun + seconds:
            pause = due - perf_counter()
            if pause > 0.001 or sent % 32 == 0:
                await asyncio.sleep(max(0.0, pause))
            self._send(due)
            sent += 1
        ends = perf_counter() + patience
        while len(self.answered) < sent and perf_counter() < ends:
            await asyncio.sleep(0.01)
        found, self.answered = self.answered, before
        return found + [Answered(begun, patience, 0, b"hung")] * (sent - len(found))

    def _send(self, due: float) -> None:
        self.open += 1
        if self.idle:
            self.idle.pop().ask(self._request, due)
            return
        task = asyncio.get_running_loop().create_task(self._connect(due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, due: float) -> None:
        try:
            _, link = await asyncio.get_running_loop().create_connection(lambda: _Link(self), "127.0.0.1", self._port)
        except OSError as error:
            self.open -= 1
            self.answered.append(Answered(due, perf_counter() - due, 0, str(error).encode()))
            return
        link.ask(self._request, due)

    def close(self) -> None:
        """Close what is idle."""
        for link in list(self.idle):
            link.transport.abort()


def statuses(answers: list[Answered]) -> Counter[int]:
    """How many of each."""
    return Counter(answer.status for answer in answers)


def quantile(answers: list[Answered], q: float) -> float:
    """Of the seconds that these took; NaN for none."""
    seconds = sorted(answer.seconds for answer in answers)
    return seconds[min(len(seconds) - 1, int(q * len(seconds)))] if seconds else float("nan")
