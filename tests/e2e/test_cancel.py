"""STR-02: a client that leaves takes its upstream request with it within a second, whatever the two were at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.gateway import Gateway
from tests.support.traffic import CHAT, KEY, as_named, ask, config, in_flight, named, open_sockets, settled
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

PROMISE = 1.0  # seconds between the client's end and the upstream's
EACH = 4  # clients per phase and way of leaving, all at once

_TOOL = [{"name": "get_weather", "arguments": {"cities": ["Kyiv", "Oslo"] * 40}}]
# What the upstream does, whether the client asked for a stream, and how much of the body it reads before it leaves.
_PHASES: dict[str, tuple[dict[str, Any], bool, int]] = {
    "before the head": ({"head_ms": 9000}, True, 0),
    "before the first token": ({"ttft_ms": 9000}, True, 0),
    "while only comments come": ({"ttft_ms": 9000, "keepalive_ms": 20}, True, 0),
    "in the stream": ({"tokens": 2000, "gap_ms": 10}, True, 600),
    "in a pause of the stream": ({"tokens": 9, "gap_ms": 9000}, True, 50),
    "in a tool call": ({"tool_calls": _TOOL, "gap_ms": 30}, True, 900),
    "in half an event": ({"pad": 100_000, "split": 100, "split_ms": 5}, True, 50),
    "before a whole answer": ({"head_ms": 9000}, False, 0),
    "in a whole answer": ({"split": 3, "split_ms": 50}, False, 0),
    "in a large answer": ({"pad": 3 << 20, "split": 20_000, "split_ms": 10}, False, 1),
}


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file, every policy on, timers too long to help."""
    return module_gateway(config(upstream_process.url))


def _leave(wire: Wire, how: str) -> None:
    """RST; FIN with the socket gone; or FIN and still reading, as `shutdown(SHUT_WR)` does."""
    if how == "rst":
        wire.reset()
    elif how == "fin":
        wire.half_close()
    else:
        wire.close()


async def _one(running: Gateway, upstream: FakeUpstream, name: str, phase: str, how: str) -> float:
    """Ask, wait until the phase has begun, leave; the moment of leaving."""
    script, streams, enough = _PHASES[phase]
    wire = await Wire.open(running.port)
    try:
        await wire.request("POST", CHAT, ask(stream=streams, **script), as_named(name))
        journal = upstream.journal()
        await journal.until(lambda: name in named(journal.requests()), f"request {name}")
        if enough:
            assert await wire.head() == 200
            size = 0
            async for piece in wire.body():
                size += len(piece)
                if size >= enough:
                    break
        elif "head" not in phase and "before a whole" not in phase:
            number = named(journal.requests())[name]["id"]
            await journal.wait("head", id=number)
        left = time.monotonic()
        _leave(wire, how)
        if how == "fin":
            await wire.until_closed()  # the gateway ends its side too
        return left
    finally:
        wire.close()


@pytest.mark.parametrize("how", ["rst", "fin", "close"])
async def test_the_upstream_hears_within_a_second(how: str, running: Gateway, upstream: FakeUpstream) -> None:
    """Ten phases, several clients each, all at the same time, by the upstream's own clock."""
    sockets = open_sockets(running)
    before = len(running.log("request", end="client_gone"))
    jobs = [(f"{phase}/{number}", phase) for phase in _PHASES for number in range(EACH)]
    left = await asyncio.gather(*(_one(running, upstream, name, phase, how) for name, phase in jobs))
    journal = upstream.journal()
    requests = named(journal.requests())
    for (name, _), at in zip(jobs, left, strict=True):
        closed = await journal.wait("closed", id=requests[name]["id"])
        assert closed["at"] - at <= PROMISE, name
        assert not journal.entries("finished", id=requests[name]["id"]), name
    await settled(running, sockets)
    gone = running.log("request", end="client_gone")[before:]
    assert len(gone) == len(jobs)
    assert all(line["status"] == 499 and line["attempts"] for line in gone)


async def test_others_are_not_disturbed_by_those_who_leave(running: Gateway, upstream: FakeUpstream) -> None:
    """Streams that stay arrive whole while their neighbours are cut off, over the same pool of connections."""

    async def stay(number: int) -> bytes:
        wire = await Wire.open(running.port)
        try:
            await wire.request("POST", CHAT, ask(stream=True, tokens=20, gap_ms=20), as_named(f"stay{number}"))
            return (await wire.answer())[1]
        finally:
            wire.close()

    async def go(number: int) -> None:
        await _one(running, upstream, f"go{number}", "in the stream", "rst" if number % 2 else "close")

    answers = await asyncio.gather(*(stay(number) for number in range(20)), *(go(number) for number in range(20)))
    assert {answer for answer in answers if answer is not None} == {answers[0]}
    assert answers[0] is not None
    assert answers[0].endswith(b"data: [DONE]\n\n")


async def test_a_client_that_leaves_in_its_own_request_reaches_nobody(running: Gateway, upstream: FakeUpstream) -> None:
    """Half a body, then gone: no upstream request, nothing left in flight."""
    sockets = open_sockets(running)
    for how in ("rst", "fin", "close"):
        wire = await Wire.open(running.port)
        head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: 5000\r\n\r\n"
        await wire.send(head.encode() + ask()[:50])
        async with asyncio.timeout(5):
            while not in_flight(running):
                await asyncio.sleep(0.005)
        _leave(wire, how)
        await settled(running, sockets + 1)
        wire.close()
    assert not upstream.journal().requests()
