"""STR-04: a stream whose content comes too slowly to be of use is given up, and a slow reader is not blamed on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from proxy.errors import UpstreamError, UpstreamTimeout
from proxy.policy import Answer, Timeouts
from proxy.upstream import Upstream
from tests.proxy.scripted import SSE_CHUNKED, Scripted, Wire, chunked

DONE = b"data: [DONE]\n\n"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """A client to a provider."""
    client = Upstream()
    yield client
    await client.aclose()


async def stream(client: Upstream, up: Scripted, least: float) -> Answer:
    """A stream that may not fall below that rate."""
    return await client.request(
        "POST",
        up.url,
        [],
        b"{}",
        timeouts=Timeouts(5, 5, 5, 20, least),
        ends=((b"data", b"[DONE]"),),
        expect_json=True,
        deadline=time.monotonic() + 20,
    )


@pytest.mark.parametrize(("least", "given_up"), [(200.0, True), (1.0, False)])
async def test_a_stream_that_only_trickles_is_given_up(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, least: float, given_up: bool
) -> None:
    """Content comes, and too little of it for the time that was waited."""
    monkeypatch.setattr("proxy.wire.flow._RATED", 0.1)

    async def trickle(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED)
        for number in range(20):
            await wire.send(chunked(b'data: {"n": %d}\n\n' % number, end=False))
            await asyncio.sleep(0.02)
        await wire.send(chunked(DONE))

    error: UpstreamError | None = None
    async with Scripted(trickle) as up:
        answer = await stream(upstream, up, least)
        assert answer.chunks is not None
        try:
            async for _ in answer.chunks:
                pass
        except UpstreamError as failed:
            error = failed
    assert isinstance(error, UpstreamTimeout) == given_up
    assert not given_up or "`min_rate` of 200" in str(error)


async def test_a_client_that_reads_slowly_makes_no_stream_trickle(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only waiting for the provider counts."""
    monkeypatch.setattr("proxy.wire.flow._RATED", 0.05)

    async def at_once(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED + chunked(*[b'data: {"n": 1}\n\n'] * 20, DONE))

    seen = 0
    async with Scripted(at_once) as up:
        answer = await stream(upstream, up, 100.0)
        assert answer.chunks is not None
        async for chunk in answer.chunks:
            seen += chunk.count(b"data:")
            await asyncio.sleep(0.1)
    assert seen == 21


async def test_streams_of_aws_do_not_trickle(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their events are frames, and no lines of data."""
    monkeypatch.setattr("proxy.wire.flow._RATED", 0.05)

    async def frames(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED.replace(b"text/event-stream", b"application/vnd.amazon.eventstream"))
        for _ in range(10):
            await wire.send(chunked(b"\x00\x0b:event-type" * 50, end=False))
            await asyncio.sleep(0.02)
        await wire.send(chunked(b"\x00"))

    seen = 0
    async with Scripted(frames) as up:
        answer = await framed(upstream, up)
        assert answer.chunks is not None
        async for chunk in answer.chunks:
            seen += chunk.count(b":event-type")
    assert seen == 500


async def framed(client: Upstream, up: Scripted) -> Answer:
    """A stream of another framing, at 200 events a second."""
    timeouts = Timeouts(connect=5, first_token=5, gap=5, total=20, min_rate=200.0)
    return await client.request(
        "POST", up.url, [], b"{}", timeouts=timeouts, ends=(), expect_json=False, deadline=time.monotonic() + 20
    )
