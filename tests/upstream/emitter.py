"""Writes one answer to one connection the way its script says, down to the byte, and notes it in the journal."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import struct
from collections.abc import Iterator

from tests.upstream.journal import Journal
from tests.upstream.script import Script

NEVER = 3600.0  # seconds; no test waits so long


class Ended(Exception):
    """The answer ends here, as its script says. The connection is of no further use."""


class Emitter:
    """One answer. ``body_bytes`` and ``events`` are what has been handed to the kernel."""

    def __init__(self, writer: asyncio.StreamWriter, journal: Journal, request: int, script: Script) -> None:
        self._writer = writer
        self._journal = journal
        self._request = request
        self._script = script
        self._chunked = False
        self._sizes = self._pieces()
        self._wire = 0
        self._first_write = True
        self.body_bytes = 0
        self.events = 0

    async def head(self, status: int, headers: list[tuple[str, str]], *, chunked: bool) -> None:
        """Status line and headers."""
        script = self._script
        self._chunked = chunked
        await asyncio.sleep(script.head_ms / 1000)
        for _ in range(script.interim):
            await self._write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers), "", ""]
        self._journal.write("head", id=self._request, status=status)
        await self._write("\r\n".join(lines).encode("latin-1"))

    async def body(self, data: bytes, *, is_event: bool = False) -> None:
        """Part of the body, framed, cut and split as scripted."""
        script = self._script
        room = None if script.die_at is None else script.die_at - self.body_bytes
        if room is not None and len(data) >= room:
            await self._split(data[:room])
            self._note()
            await self.die(script.how)
        await self._split(data)
        if is_event:
            self.events += 1
        self._note()
        if script.die_after is not None and self.events >= script.die_after:
            await self.die(script.how)

    async def wait(self, milliseconds: float) -> None:
        """Pause before an event; comments are sent meanwhile if the script wants them."""
        every = self._script.keepalive_ms
        while every and milliseconds > every:
            await asyncio.sleep(every / 1000)
            milliseconds -= every
            await self._split(b": keep-alive\n\n")
            self._note()
        if milliseconds:
            await asyncio.sleep(milliseconds / 1000)

    async def raw(self, data: bytes) -> None:
        """Bytes as they are, then the end of the connection."""
        for piece in self._cut(data):
            await self._write(piece)
        self.body_bytes += len(data)
        self._note()
        await self.die("fin" if self._script.die_at is None else self._script.how)

    async def end(self) -> None:
        """The answer is whole."""
        if self._chunked:
            await self._write(b"0\r\n\r\n")
        if self._script.slow_close:
            await asyncio.sleep(self._script.slow_close / 1000)
        self._finished("whole")

    async def die(self, how: str) -> None:
        """End before the end. Does not return."""
        if how == "truncate" and self._chunked:
            await self._write(b"0\r\n\r\n")
        self._finished(how)
        if how == "hang":
            await asyncio.sleep(NEVER)
        if how == "reset":
            self.reset()
        raise Ended

    def reset(self) -> None:
        """RST instead of FIN."""
        found = self._writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    def _finished(self, how: str) -> None:
        self._journal.write("finished", id=self._request, how=how, bytes=self.body_bytes, events=self.events)

    def _note(self) -> None:
        self._journal.write("emitted", id=self._request, bytes=self.body_bytes, events=self.events)

    def _pieces(self) -> Iterator[int]:
        script = self._script
        if isinstance(script.split, list):
            return itertools.cycle(script.split)
        if script.slicer:
            chance = random.Random(script.slicer)
            return iter(lambda: chance.randint(1, 2 * script.slicer), 0)
        size = script.split or (max(1, script.bandwidth // 20) if script.bandwidth else 1 << 30)
        return itertools.repeat(size)

    def _cut(self, data: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(data):
            size = next(self._sizes)
            yield data[at : at + size]
            at += size

    async def _split(self, data: bytes) -> None:
        for piece in self._cut(data):
            framed = b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece
            await self._write(framed)
            self.body_bytes += len(piece)

    async def _write(self, data: bytes) -> None:
        script = self._script
        if self._first_write:
            self._first_write = False
            await asyncio.sleep(script.latency / 1000)
        elif script.split_ms:
            await asyncio.sleep(script.split_ms / 1000)
        if script.limit_data is not None and self._wire + len(data) >= script.limit_data:
            self._writer.write(data[: script.limit_data - self._wire])
            self._finished("fin")
            raise Ended
        self._writer.write(data)
        await self._writer.drain()
        self._wire += len(data)
        if script.bandwidth:
            await asyncio.sleep(len(data) / script.bandwidth)
