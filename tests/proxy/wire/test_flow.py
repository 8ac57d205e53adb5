"""A stream as it comes in: exact bytes, timers that count content, ends that are ends, and leaving reaches upstream."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from proxy.errors import BadAnswer, Unavailable, UpstreamError, UpstreamTimeout
from proxy.policy import Answer, Timeouts
from proxy.upstream import Upstream
from proxy.wire.flow import Flow
from tests.proxy.scripted import SSE_CHUNKED, SSE_UNTIL_CLOSE, Script, Scripted, Wire, chunked

LONG = Timeouts(connect=5, first_token=5, gap=5, total=20)
DONE = b"data: [DONE]\n\n"
EVENTS = [
    b": hello\r\n\r\n",
    'data: {"a": "\u2028 \u0085 \u2029 \U0001f600"}\n\n'.encode(),
    b"event: x\r\ndata:no space\r\n\r\n",
    b"data: two\ndata: lines\n\n",
    b"retry: 10\rid: 1\rdata: carriage\r\r",
    b'data: {"n": "' + b"x" * 5000 + b'"}\n\n',
    b": keep-alive\n\n",
    DONE,
]
STREAM = b"".join(EVENTS)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    client = Upstream()
    yield client
    await client.aclose()


async def stream(
    client: Upstream,
    up: Scripted,
    timeouts: Timeouts = LONG,
    ends: tuple[tuple[bytes, bytes], ...] = ((b"data", b"[DONE]"),),
) -> Answer:
    return await client.request(
        "POST",
        up.url,
        [],
        b"{}",
        timeouts=timeouts,
        ends=ends,
        expect_json=True,
        deadline=time.monotonic() + timeouts.total,
    )


async def take(answer: Answer) -> tuple[bytes, UpstreamError | None]:
    """What was read, and how it failed."""
    got: list[bytes] = []
    assert answer.chunks is not None
    try:
        async for chunk in answer.chunks:
            got.append(chunk)  # what came before an error counts
    except UpstreamError as error:
        return b"".join(got), error
    return b"".join(got), None


async def stream_to_end(client: Upstream, up: Scripted, timeouts: Timeouts) -> None:
    _, error = await take(await stream(client, up, timeouts))
    if error is not None:
        raise error


def say(*parts: bytes, then: str = "gone") -> Script:
    """Answer with the parts, each when the one before has left, then end."""

    async def script(wire: Wire) -> None:
        await wire.request()
        for part in parts:
            await wire.send(part)
            await asyncio.sleep(0)
        if then != "gone":
            getattr(wire, then)()
        if then != "reset":
            await wire.gone()

    return script


def cut_up(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("framed", [True, False], ids=["chunked", "until close"])
async def test_every_split_gives_the_same_bytes(upstream: Upstream, size: int, framed: bool) -> None:
    pieces = cut_up(STREAM, size)
    parts = [chunked(*pieces)] if framed else pieces
    async with Scripted(
        say(SSE_CHUNKED if framed else SSE_UNTIL_CLOSE, *parts, then="gone" if framed else "cut")
    ) as up:
        answer = await stream(upstream, up)
        assert (answer.is_sse, answer.body) == (True, None)
        assert await take(answer) == (STREAM, None)


async def test_whole_events_are_given_out_whatever_the_pieces(upstream: Upstream) -> None:
    async with Scripted(
        say(SSE_CHUNKED, *[chunked(piece, end=False) for piece in cut_up(STREAM, 5)], b"0\r\n\r\n")
    ) as up:
        answer = await stream(upstream, up)
        assert answer.chunks is not None
        given = [chunk async for chunk in answer.chunks]
    bounds, at = {0}, 0
    for event in EVENTS:
        at += len(event)
        bounds.add(at)
    at = 0
    for chunk in given:
        at += len(chunk)
        assert at in bounds


async def test_a_stream_that_ended_leaves_its_connection_to_the_next(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            await wire.send(SSE_CHUNKED + chunked(STREAM))

    async with Scripted(script) as up:
        for _ in range(3):
            assert await take(await stream(upstream, up)) == (STREAM, None)
        assert up.connections == 1


async def test_an_event_passes_while_the_next_is_not_there_yet(upstream: Upstream) -> None:
    seen = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED + chunked(b"data: one\n\n", end=False))
        await seen.wait()
        await wire.send(chunked(b"data: two\n\n", DONE))

    async with Scripted(script) as up:
        answer = await stream(upstream, up)
        assert answer.chunks is not None
        assert await anext(answer.chunks) == b"data: one\n\n"
        seen.set()
        assert await take(answer) == (b"data: two\n\n" + DONE, None)


async def test_an_error_as_first_event_is_left_to_the_caller(upstream: Upstream) -> None:
    event = b'data: {"error": {"message": "overloaded"}}\n\n'
    async with Scripted(say(SSE_CHUNKED, chunked(event))) as up:
        got, error = await take(await stream(upstream, up))
    assert got == event
    assert isinstance(error, BadAnswer)


async def test_a_stream_whose_kind_has_no_end_marker_ends_with_its_body(upstream: Upstream) -> None:
    async with Scripted(say(SSE_CHUNKED, chunked(b"data: a\n\n", b"data: half"))) as up:
        assert await take(await stream(upstream, up, ends=())) == (b"data: a\n\ndata: half", None)


async def test_the_end_of_a_responses_stream_is_its_last_event(upstream: Upstream) -> None:
    ends = ((b"event", b"response.completed"), (b"event", b"response.failed"))
    last = b"event: response.completed\ndata: {}\n\n"
    async with Scripted(say(SSE_CHUNKED, chunked(b"event: a\ndata: {}\n\n", last))) as up:
        assert await take(await stream(upstream, up, ends=ends)) == (b"event: a\ndata: {}\n\n" + last, None)
    async with Scripted(say(SSE_CHUNKED, chunked(b"event: a\ndata: {}\n\n", last[:-1]))) as up:
        _, error = await take(await stream(upstream, up, ends=ends))
        assert isinstance(error, BadAnswer)


# -- timers --------------------------------------------------------------------------------------------------------


async def send_comments(wire: Wire) -> None:
    """Keep-alives until the gateway has gone."""
    with contextlib.suppress(ConnectionError):
        while True:
            await wire.send(chunked(b": keep-alive\n\n", end=False))
            await asyncio.sleep(0.01)
    wire.closed.set()


async def test_silence_before_the_first_token_is_a_timeout(upstream: Upstream) -> None:
    async with Scripted(say()) as up:
        with pytest.raises(UpstreamTimeout, match=r"`first_token` timeout of 0\.1 s"):
            await stream(upstream, up, Timeouts(first_token=0.1))
        await (await up.wires.get()).closed.wait()


@pytest.mark.parametrize("beginning", [b"", b"data: one\n\n"], ids=["first_token", "gap"])
async def test_comments_are_no_content(upstream: Upstream, beginning: bytes) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED + (chunked(beginning, end=False) if beginning else b""))
        await send_comments(wire)

    timeouts = Timeouts(first_token=0.2, gap=0.2, total=20)
    async with Scripted(script) as up:
        name = "gap" if beginning else "first_token"
        with pytest.raises(UpstreamTimeout, match=rf"`{name}` timeout of 0\.2 s"):
            await stream_to_end(upstream, up, timeouts)
        await (await up.wires.get()).closed.wait()


async def test_content_keeps_the_gap_timer_from_firing(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED)
        for _ in range(8):
            await wire.send(chunked(b"data: x\n\n", end=False))
            await asyncio.sleep(0.05)
        await wire.send(chunked(DONE))

    async with Scripted(script) as up:
        answer = await stream(upstream, up, Timeouts(gap=0.2))
        assert answer.pace is not None
        assert answer.pace() is None, "too little has come to tell"
        assert await take(answer) == (b"data: x\n\n" * 8 + DONE, None)
        assert 0.04 < (answer.pace() or 0.0) < 0.2, "about 0.05 s between two events"


async def test_a_gap_shorter_than_the_first_token_time_holds_from_the_first_token(upstream: Upstream) -> None:
    async with Scripted(say(SSE_CHUNKED, chunked(b"data: x\n\n", end=False))) as up:
        _, error = await take(await stream(upstream, up, Timeouts(first_token=10, gap=0.1)))
    assert isinstance(error, UpstreamTimeout)
    assert "`gap`" in error.message


async def test_the_total_time_ends_a_stream_that_goes_on_and_on(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED)
        with contextlib.suppress(ConnectionError):
            while True:
                await wire.send(chunked(b"data: x\n\n", end=False))
                await asyncio.sleep(0.01)
        wire.closed.set()

    async with Scripted(script) as up:
        got, error = await take(await stream(upstream, up, Timeouts(total=0.2)))
        assert got.startswith(b"data: x\n\n")
        assert isinstance(error, UpstreamTimeout)
        assert "total" in error.message
        await (await up.wires.get()).closed.wait()


async def test_a_slow_client_does_not_make_the_upstream_late(upstream: Upstream) -> None:
    async with Scripted(say(SSE_CHUNKED, chunked(b"data: x\n\n", end=False), chunked(DONE))) as up:
        answer = await stream(upstream, up, Timeouts(gap=0.05))
        assert answer.chunks is not None
        await anext(answer.chunks)
        await asyncio.sleep(0.2)  # the client takes this long
        assert (await take(answer))[1] is None


async def test_the_total_time_frees_the_upstream_of_a_client_that_reads_nothing(upstream: Upstream) -> None:
    async with Scripted(say(SSE_CHUNKED, chunked(b"data: x\n\n", end=False))) as up:
        answer = await stream(upstream, up, Timeouts(total=0.1))
        await (await up.wires.get()).closed.wait()
        assert isinstance((await take(answer))[1], UpstreamTimeout)


async def test_an_upstream_that_does_not_close_after_the_end_does_not_keep_the_client(upstream: Upstream) -> None:
    async with Scripted(say(SSE_CHUNKED, chunked(b"data: x\n\n", DONE, end=False))) as up:
        assert await take(await stream(upstream, up, Timeouts(gap=0.1))) == (b"data: x\n\n" + DONE, None)
        await (await up.wires.get()).closed.wait()


# -- broken streams ------------------------------------------------------------------------------------------------

SHORT = b"".join(b'data: {"n": %d}\n\n' % n for n in range(4)) + DONE
CUTS = range(1, len(SHORT) - len(DONE) + 12)


@pytest.mark.parametrize("how", ["cut", "reset", "ended"])
@pytest.mark.parametrize("framed", [True, False], ids=["chunked", "until close"])
async def test_a_stream_cut_anywhere_before_its_end_fails(upstream: Upstream, how: str, framed: bool) -> None:
    place = 0

    async def script(wire: Wire) -> None:
        await wire.request()
        part = SHORT[:place]
        await wire.send(SSE_CHUNKED + chunked(part, end=how == "ended") if framed else SSE_UNTIL_CLOSE + part)
        if how == "reset":
            wire.reset()
        else:
            wire.cut()
            await wire.gone()

    expected: tuple[type[UpstreamError], ...] = (Unavailable,) if how == "reset" else (BadAnswer,)
    async with Scripted(script) as up:
        for place in CUTS:
            try:
                got, error = await take(await stream(upstream, up))
            except UpstreamError as early:
                got, error = b"", early
            assert isinstance(error, expected), place
            assert SHORT.startswith(got)
            assert got == b"" or got.endswith(b"\n\n")
            if how != "reset":
                assert len(SHORT[:place]) - len(got) < len(b'data: {"n": 0}\n\n'), "whole events were lost"


@pytest.mark.parametrize("then", ["cut", "reset"])
async def test_a_stream_that_has_ended_is_complete_whatever_the_connection_does(upstream: Upstream, then: str) -> None:
    async with Scripted(say(SSE_CHUNKED, chunked(b"data: x\n\n", DONE, end=False), then=then)) as up:
        assert await take(await stream(upstream, up)) == (b"data: x\n\n" + DONE, None)


async def test_what_had_come_before_the_break_is_given_out(upstream: Upstream) -> None:
    more = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED + chunked(b"data: one\n\n", end=False))
        await more.wait()
        await wire.send(chunked(b"data: two\n\n", b"data: thr", end=False))
        wire.cut()
        await wire.gone()

    async with Scripted(script) as up:
        answer = await stream(upstream, up)
        assert answer.chunks is not None
        assert await anext(answer.chunks) == b"data: one\n\n"
        more.set()
        await (await up.wires.get()).closed.wait()  # all of it is there, and the end, before anybody reads on
        got, error = await take(answer)
        assert got == b"data: two\n\n"
        assert isinstance(error, BadAnswer)


async def test_framing_that_breaks_in_the_middle_is_a_bad_answer(upstream: Upstream) -> None:
    go = asyncio.Event()

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_CHUNKED + chunked(b"data: x\n\n", end=False))
        await go.wait()
        await wire.send(b"zz\r\nno chunk\r\n")
        await wire.gone()

    async with Scripted(script) as up:
        answer = await stream(upstream, up)
        assert answer.chunks is not None
        assert await anext(answer.chunks) == b"data: x\n\n"
        go.set()
        _, error = await take(answer)
        assert isinstance(error, BadAnswer)
        await (await up.wires.get()).closed.wait()


@pytest.mark.parametrize("size", [64 << 10, 1 << 20, (1 << 20) + 1, 64 << 20])
async def test_an_event_up_to_the_bound_passes_and_a_larger_one_is_refused(upstream: Upstream, size: int) -> None:
    event = b"data: " + b"x" * (size - 8) + b"\n\n"

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_UNTIL_CLOSE)
        with contextlib.suppress(ConnectionError):
            for piece in cut_up(b"data: first\n\n" + event + DONE, 1 << 20):
                await wire.send(piece)
            wire.cut()
            await wire.gone()
        wire.closed.set()

    async with Scripted(script) as up:
        got, error = await take(await stream(upstream, up))
        if size <= 1 << 20:
            assert (got, error) == (b"data: first\n\n" + event + DONE, None)
        else:
            assert got == b"data: first\n\n"
            assert isinstance(error, BadAnswer)
            assert "more than 1048576 bytes" in error.message
        await (await up.wires.get()).closed.wait()


async def test_comments_without_end_are_refused_before_any_content(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(SSE_UNTIL_CLOSE)
        with contextlib.suppress(ConnectionError):
            while True:
                await wire.send(b": nothing to say\n\n" * 1000)

    async with Scripted(script) as up:
        with pytest.raises(BadAnswer, match="comments before any content"):
            await stream(upstream, up)


# -- leaving -------------------------------------------------------------------------------------------------------


async def test_closing_the_answer_closes_the_upstream_at_once(upstream: Upstream) -> None:
    async with Scripted(say(SSE_CHUNKED, chunked(b"data: x\n\n", end=False))) as up:
        answer = await stream(upstream, up)
        assert answer.close is not None
        answer.close()
        answer.close()
        await (await up.wires.get()).closed.wait()
        assert await take(answer) == (b"data: x\n\n", None)


async def cancel(task: asyncio.Task[object]) -> None:
    task.cancel("client_gone")
    with pytest.raises(asyncio.CancelledError, match="client_gone"):
        await task


@pytest.mark.parametrize(
    "sent", [b"", SSE_CHUNKED, SSE_CHUNKED + chunked(b": wait\n\n", end=False), b"HTTP/1.1 200 OK\r\nx"]
)
async def test_cancelling_before_the_first_token_closes_the_upstream(upstream: Upstream, sent: bytes) -> None:
    async with Scripted(say(sent)) as up:
        task = asyncio.create_task(stream(upstream, up))
        wire = await up.wires.get()
        while not up.requests:
            await asyncio.sleep(0)
        await cancel(task)
        await wire.closed.wait()


async def test_cancelling_a_reader_closes_the_upstream(upstream: Upstream) -> None:
    async with Scripted(say(SSE_CHUNKED, chunked(b"data: x\n\n", end=False))) as up:
        answer = await stream(upstream, up)
        task = asyncio.create_task(take(answer))
        await asyncio.sleep(0)
        await cancel(task)
        await (await up.wires.get()).closed.wait()


async def test_cancelling_does_not_send_the_rest_of_the_request(upstream: Upstream) -> None:
    size = 0

    async def script(wire: Wire) -> None:
        nonlocal size
        await wire.reader.readuntil(b"\r\n\r\n")
        started.set()
        await cancelled.wait()
        with contextlib.suppress(ConnectionError):
            while piece := await wire.reader.read(1 << 20):
                size += len(piece)
        wire.closed.set()

    started, cancelled = asyncio.Event(), asyncio.Event()
    async with Scripted(script) as up:
        body = b"x" * (64 << 20)
        task: asyncio.Task[object] = asyncio.create_task(
            upstream.request(
                "POST", up.url, [], body, timeouts=LONG, ends=(), expect_json=True, deadline=time.monotonic() + 20
            )
        )
        await started.wait()
        await cancel(task)
        cancelled.set()
        await (await up.wires.get()).closed.wait()
        assert size < len(body)


async def test_a_reader_that_stops_stops_the_upstream(upstream: Upstream) -> None:
    sent = 0

    async def script(wire: Wire) -> None:
        nonlocal sent
        wire.writer.transport.set_write_buffer_limits(0)
        await wire.request()
        await wire.send(SSE_UNTIL_CLOSE)
        with contextlib.suppress(ConnectionError):
            while sent < 64 << 20:
                await wire.send(b"data: %s\n\n" % (b"x" * 8000))
                sent += 8008

    async with Scripted(script) as up:
        answer = await stream(upstream, up)
        before = -1
        while sent != before:  # until nothing moves any more; what moves then is in the kernel's buffers
            before = sent
            await asyncio.sleep(0.05)
        assert sent < 32 << 20
        assert answer.close is not None
        answer.close()


async def test_what_was_read_may_be_given_out_once_more(upstream: Upstream) -> None:
    """Whoever looks at the beginning of a stream takes nothing away."""
    async with Scripted(say(SSE_CHUNKED, chunked(STREAM))) as up:
        answer = await stream(upstream, up)
        flow = answer.chunks
        assert isinstance(flow, Flow)
        first = await anext(flow)
        flow.unread(first)
        assert (await take(answer))[0] == STREAM
