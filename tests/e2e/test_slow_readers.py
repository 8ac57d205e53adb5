"""STR-03: clients that do not read hold the provider back, not the gateway's memory, and not for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.raw_upstream import Peer, RawUpstream
from tests.support.traffic import CHAT, HEADERS, ask, config, open_sockets, settled
from tests.support.wire import Wire

READERS = 24
# Bytes that one stalled stream may hold in the gateway: what the loop reads at once, and what is on its way.
HELD = 256 << 10
MEMORY = 512 << 10  # bytes by which one stalled stream may make it grow
WRITE_TIMEOUT = 2.0
_EVENTS = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"x" * 900) * 16
_HEADS = {
    "stream": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    "whole": b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n",
}


async def flood(peer: Peer) -> None:
    """To whoever asks for model `short` a few events and the end; to others events without end."""
    while True:
        body = await peer.request()
        if b'"short"' in body:
            pieces = [_EVENTS, b"data: [DONE]\n\n"]
            await peer.send(
                _HEADS["stream"] + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"
            )
            continue
        kind = "stream" if b'"stream": true' in body else "whole"
        await peer.send(_HEADS[kind])
        piece = b"%x\r\n%b\r\n" % (len(_EVENTS), _EVENTS) if kind == "stream" else _EVENTS
        while True:
            await peer.send(piece)


def in_kernel(*ports: int) -> int:
    """Bytes that wait in the kernel's queues of all connections of these ports, both ends."""
    names = {f"{port:04X}" for port in ports}
    total = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        if state != "0A" and names & {local[-4:], remote[-4:]}:
            waiting, unread = queues.split(":")
            total += int(waiting, 16) + int(unread, 16)
    return total


@pytest.fixture(scope="module")
def raw() -> RawUpstream:
    """The upstream of this file."""
    return RawUpstream()


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], raw: RawUpstream) -> Gateway:
    """One gateway for this file, every policy on, a short write timeout."""
    return module_gateway(config(raw.url, server=f"write_timeout: {WRITE_TIMEOUT:.0f}s"))


async def _stall(running: Gateway, kind: str) -> Wire:
    """Ask for the flood, read the head of the answer, and then nothing."""
    wire = await Wire.open(running.port, receive_buffer=4096)
    await wire.request("POST", CHAT, ask(stream=kind == "stream"), HEADERS)
    assert await wire.head() == 200
    return wire


async def _standstill(peers: list[Peer]) -> None:
    """Until no upstream connection has moved for a while."""
    async with asyncio.timeout(10):
        while time.monotonic() - max(peer.moved for peer in peers) < 0.3:
            await asyncio.sleep(0.02)


async def _read_tables(running: Gateway) -> None:
    """Have a stream counted and priced: what is read for that once is not what a reader holds."""
    one = await Wire.open(running.port)
    await one.exchange("POST", CHAT, ask(model="short", stream=True), HEADERS)
    one.close()


@pytest.mark.parametrize("kind", ["stream", "whole"])
async def test_stalled_readers_hold_the_upstream_back(kind: str, running: Gateway, raw: RawUpstream, wire: Any) -> None:
    """Each holds a bounded amount beside the kernel's buffers until the write timeout ends it; a reader is not hurt."""
    sockets = open_sockets(running)
    async with raw.running(flood):
        await _read_tables(running)
    memory = running.rss()
    async with raw.running(flood):
        stalled = await asyncio.gather(*(_stall(running, kind) for _ in range(READERS)))
        try:
            await _standstill(raw.peers)
            peers = list(raw.peers)
            assert len(peers) == READERS
            held = sum(peer.sent for peer in peers) - in_kernel(running.port, raw.port)
            assert held <= READERS * HELD
            assert all(peer.closed is None for peer in peers)
            assert running.rss() - memory <= READERS * MEMORY
            control = await wire(running.port)
            status, body = await control.exchange("POST", CHAT, ask(model="short", stream=True), HEADERS)
            assert (status, body) == (200, _EVENTS + b"data: [DONE]\n\n")
            control.close()
            async with asyncio.timeout(WRITE_TIMEOUT + 5):
                while any(peer.closed is None for peer in peers):
                    await asyncio.sleep(0.02)
            waits = [(peer.closed or 0.0) - peer.moved for peer in peers]
            assert min(waits) >= WRITE_TIMEOUT - 1
            assert max(waits) <= WRITE_TIMEOUT + 1
        finally:
            for one in stalled:
                one.close()
    await settled(running, sockets + 1)  # the reader's connection rests in the pool


async def test_a_slow_reader_that_reads_is_never_cut(running: Gateway, raw: RawUpstream) -> None:
    """It takes a little, less often than the upstream would like, for longer than the write timeout."""
    async with raw.running(flood):
        one = await _stall(running, "stream")
        try:
            until = time.monotonic() + WRITE_TIMEOUT * 1.5
            async for _ in one.body():
                if time.monotonic() > until:
                    break
                await asyncio.sleep(0.02)
            assert raw.peers[0].closed is None
        finally:
            one.close()
        async with asyncio.timeout(5):
            while raw.peers[0].closed is None:
                await asyncio.sleep(0.01)
