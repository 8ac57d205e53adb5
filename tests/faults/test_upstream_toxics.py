"""FLT-01, FLT-02: eight ways in which a network ails, each answered in time and forgotten afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.support.environment import free_port
from tests.support.gateway import Gateway
from tests.support.sse import read_events
from tests.support.traffic import (
    CHAT,
    HEADERS,
    answer_of,
    as_named,
    ask,
    code_of,
    config,
    named,
    open_sockets,
    settled,
    told,
)
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

FIRST_TOKEN, GAP, TOTAL = 0.6, 0.6, 2.0
GRACE = 1.0  # seconds beyond the deadline, by which the client must have heard
_WHOLE = answer_of(
    b'{"object": "chat.completion", "pad": "' + b"x" * 2000 + b'"}', "application/json", framing="length"
)
_STREAM = {"tokens": 12}
# Before anything came, as a toxic does it to a fresh connection; and after the head and some of the body.
_BEFORE: dict[str, dict[str, Any]] = {
    "latency": {"latency": 300},
    "down": {"down": True},
    "bandwidth": {"bandwidth": 20_000},
    # Not reused: to the next request its slowness would be another toxic.
    "slow_close": {"slow_close": 1500, "headers": {"connection": "close"}},
    "timeout": {"timeout": 0},
    "reset_peer": {"reset_peer": 1, "head_ms": 300},
    "slicer": {"slicer": 5},
    "limit_data": {"limit_data": 20},
}
_AFTER: dict[str, dict[str, Any]] = {
    "latency": {"split": 300, "split_ms": 30},
    "down": {"die_at": 400, "how": "reset"},
    "bandwidth": {"bandwidth": 1500},
    "slow_close": {"slow_close": 9000, "framing": "close"},
    "timeout": {"die_at": 400, "how": "hang"},
    "reset_peer": {"reset_peer": 150, "split": 100, "split_ms": 20},
    "slicer": {"slicer": 40, "split_ms": 3},
    "limit_data": {"limit_data": 700},
}
# What must come of it: success, one of these codes, or either where the toxic only slows.
_ENDS: dict[tuple[str, str], set[str]] = {
    ("latency", "before"): {"ok"},
    ("latency", "after"): {"ok"},
    ("bandwidth", "before"): {"ok"},
    ("bandwidth", "after"): {"ok", "upstream_timeout"},
    ("slow_close", "before"): {"ok"},
    ("slow_close", "after"): {"ok", "upstream_timeout"},
    ("slicer", "before"): {"ok"},
    ("slicer", "after"): {"ok"},
    ("down", "before"): {"upstream_unavailable"},
    ("down", "after"): {"upstream_unavailable", "bad_upstream_answer"},
    ("reset_peer", "before"): {"upstream_unavailable"},
    ("reset_peer", "after"): {"upstream_unavailable", "bad_upstream_answer"},
    ("timeout", "before"): {"upstream_timeout"},
    ("timeout", "after"): {"upstream_timeout"},
    ("limit_data", "before"): {"upstream_unavailable", "bad_upstream_answer"},
    ("limit_data", "after"): {"upstream_unavailable", "bad_upstream_answer"},
}


class Cell(NamedTuple):
    """One of the 32."""

    toxic: str
    when: str
    stream: bool

    @property
    def name(self) -> str:
        return f"{self.toxic}/{self.when}/{'stream' if self.stream else 'whole'}"

    @property
    def script(self) -> dict[str, Any]:
        found = (_BEFORE if self.when == "before" else _AFTER)[self.toxic]
        return {**(_STREAM if self.stream else _WHOLE), **found}


CELLS = [Cell(toxic, when, stream) for toxic in _BEFORE for when in ("before", "after") for stream in (False, True)]


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file, every policy on, short timeouts."""
    timeouts = f"first_token: {FIRST_TOKEN * 1000:.0f}ms, gap: {GAP * 1000:.0f}ms, total: {TOTAL:.0f}s"
    return module_gateway(config(upstream_process.url, timeouts=timeouts))


def verdict(status: int, body: bytes, how: str, stream: bool) -> str:
    """`ok`, or the code of the failure as the client is told it."""
    if status != 200:
        return code_of(body)
    if how != "whole":
        return how
    if not stream:
        return "ok"
    last = read_events(body)[-1].data or ""
    return "ok" if last == "[DONE]" else code_of(last.encode())


async def run(running: Gateway, cell: Cell, name: str) -> tuple[str, float]:
    """How it ended for the client, and after how many seconds."""
    wire = await Wire.open(running.port)
    try:
        began = time.monotonic()
        await wire.request("POST", CHAT, ask(stream=cell.stream, **cell.script), as_named(name))
        status, body, how = await told(wire)
        return verdict(status, body, how, cell.stream), time.monotonic() - began
    finally:
        wire.close()


async def test_every_toxic_ends_in_time_and_leaves_nothing(running: Gateway, upstream: FakeUpstream) -> None:
    """Eight toxics × streamed or not × before or after the first byte, three of each at once."""
    sockets = open_sockets(running)
    jobs = [(cell, f"{cell.name}/{number}") for cell in CELLS for number in range(3)]
    found = await asyncio.gather(*(run(running, cell, name) for cell, name in jobs))
    for (cell, name), (ended, seconds) in zip(jobs, found, strict=True):
        assert ended in _ENDS[cell.toxic, cell.when] | ({"fin", "reset"} if _may_cut(cell) else set()), (name, ended)
        assert seconds <= TOTAL + GRACE, name
    # Each was sent once: what may have had an effect is not sent again.
    assert sorted(named(upstream.journal().requests())) == sorted(name for _, name in jobs)
    assert len(upstream.journal().requests()) == len(jobs)
    await settled(running, sockets)


def _may_cut(cell: Cell) -> bool:
    """A whole answer that was on its way to the client has no other way to say that it broke off."""
    return cell.when == "after" and not cell.stream and cell.toxic in ("down", "reset_peer", "timeout", "limit_data")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_black_hole_ends_at_its_timer(
    stream: bool, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    """Accepted and never answered: `first_token` for a stream, `total` for a whole answer; the slot is free again."""
    sockets = open_sockets(running)
    found = await wire(running.port)
    began = time.monotonic()
    status, body = await found.exchange("POST", CHAT, ask(stream=stream, timeout=0), HEADERS)
    seconds = time.monotonic() - began
    limit = FIRST_TOKEN if stream else TOTAL
    assert (status, code_of(body)) == (504, "upstream_timeout")
    assert limit * 0.95 <= seconds <= limit + GRACE
    assert await upstream.journal().wait("closed")
    found.close()
    await settled(running, sockets)


async def test_nobody_listening_is_a_502_at_once(gateway: Any, wire: Any) -> None:
    """A refused connection does not wait for a timer."""
    running = gateway(config(f"http://127.0.0.1:{free_port()}/v1"))
    for stream in (True, False):
        found = await wire(running.port)
        status, body = await found.exchange("POST", CHAT, ask(stream=stream), HEADERS)
        assert (status, code_of(body)) == (502, "upstream_unavailable")
