"""The pump: bytes as they came, whole answers in one piece, and failures that the client can tell from an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from proxy.errors import BadAnswer, GatewayError, HungUp, Unavailable, UpstreamTimeout
from proxy.exchange import RESET
from proxy.policy import Answer
from proxy.stream import AnswerCut, Outcome, pump

HEADERS = [(b"content-type", b"text/event-stream")]
EVENTS = [b'data: {"a": 1}\n\n', b": ping\n\n", b"data: [DONE]\n\n"]


class Client:
    """What the ASGI server would have sent; ``full`` is set to make it stop taking."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.got = asyncio.Semaphore(0)

    async def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self.got.release()
        await self.takes.wait()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def ended(self) -> bool:
        last = self.messages[-1]
        return last["type"] == "http.response.body" and not last.get("more_body", False)


class Source:
    """Chunks from a list; an exception in it is raised, an event is awaited."""

    def __init__(self, *items: bytes | Exception | asyncio.Event) -> None:
        self._items = list(items)
        self.closed = 0
        self.read = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while self._items:
            self.read += 1
            item = self._items.pop(0)
            if isinstance(item, bytes):
                return item
            if isinstance(item, Exception):
                raise item
            await item.wait()
        raise StopAsyncIteration

    def close(self) -> None:
        self.closed += 1


def flowing(source: Source, *, is_sse: bool = True) -> Answer:
    return Answer(200, HEADERS, chunks=source, close=source.close, is_sse=is_sse)


def facts(outcome: Outcome) -> tuple[int, bool, str | None, int, int]:
    return outcome.status, outcome.complete, outcome.code, outcome.bytes_sent, outcome.chunks


async def test_a_stream_is_sent_chunk_by_chunk_untouched() -> None:
    client, source = Client(), Source(*EVENTS)
    outcome = await pump(client.send, flowing(source), HEADERS)
    assert client.messages[0] == {"type": "http.response.start", "status": 200, "headers": HEADERS}
    assert [message["body"] for message in client.messages[1:]] == [*EVENTS, b""]
    assert client.ended
    assert facts(outcome) == (200, True, None, len(b"".join(EVENTS)), 3)
    assert outcome.first_byte is not None
    assert source.closed


async def test_a_whole_answer_is_sent_in_one_piece_with_its_length() -> None:
    client = Client()
    outcome = await pump(client.send, Answer(404, [], body=b"gone", code="x"), [(b"a", b"b")])
    assert client.messages == [
        {"type": "http.response.start", "status": 404, "headers": [(b"a", b"b"), (b"content-length", b"4")]},
        {"type": "http.response.body", "body": b"gone"},
    ]
    assert facts(outcome)[:4] == (404, True, "x", 4)


@pytest.mark.parametrize(
    "failure", [BadAnswer("no end"), Unavailable("reset"), UpstreamTimeout("late"), GatewayError("a filter said no")]
)
async def test_a_stream_that_fails_ends_with_an_error_event_and_without_done(failure: GatewayError) -> None:
    client, source = Client(), Source(EVENTS[0], failure)
    outcome = await pump(client.send, flowing(source), HEADERS)
    assert client.body.startswith(EVENTS[0] + b"data: ")
    error = msgspec.json.decode(client.body[len(EVENTS[0]) + 6 :])["error"]
    assert (error["message"], error["code"]) == (failure.message, failure.error_code)
    assert client.body.endswith(b"\n\n")
    assert b"[DONE]" not in client.body
    assert client.ended
    assert facts(outcome) == (200, False, failure.error_code, len(EVENTS[0]), 1)
    assert source.closed


@pytest.mark.parametrize(
    ("half", "closing"), [(b'data: {"a', b"\n\n"), (b"data: 1\n\ndata: 2\n", b"\n\n"), (b"x\r\r", b"")]
)
async def test_half_an_event_is_closed_before_the_error_event(half: bytes, closing: bytes) -> None:
    client = Client()
    await pump(client.send, flowing(Source(half, BadAnswer("no end"))), HEADERS)
    assert client.body.startswith(half + closing + b'data: {"error"')


async def test_another_body_that_fails_is_cut_so_that_the_client_can_tell() -> None:
    client, source = Client(), Source(b"mp3", Unavailable("reset"))
    with pytest.raises(AnswerCut) as raised:
        await pump(client.send, flowing(source, is_sse=False), [])
    assert isinstance(raised.value.__cause__, Unavailable)
    assert facts(raised.value.outcome) == (200, False, "upstream_unavailable", 3, 1)
    assert not client.ended
    assert source.closed


@pytest.mark.parametrize("is_sse", [True, False], ids=["stream", "other"])
async def test_a_body_that_hangs_up_says_nothing_more(is_sse: bool) -> None:
    """Not even that it failed."""
    client, source = Client(), Source(EVENTS[0], HungUp("asked_for"))
    with pytest.raises(AnswerCut) as raised:
        await pump(client.send, flowing(source, is_sse=is_sse), HEADERS)
    assert facts(raised.value.outcome) == (200, False, "asked_for", len(EVENTS[0]), 1)
    assert client.body == EVENTS[0]
    assert source.closed


async def test_a_reset_is_the_servers_to_do() -> None:
    client = Client()
    outcome = await pump(client.send, Answer(RESET, [], body=b"", code="connection_reset"), HEADERS)
    assert client.messages == [{"type": "http.response.reset"}]
    assert facts(outcome) == (RESET, False, "connection_reset", 0, 0)


async def test_nothing_is_read_while_the_client_takes_nothing() -> None:
    client, source = Client(), Source(*EVENTS * 100)
    client.takes.clear()
    task = asyncio.create_task(pump(client.send, flowing(source), HEADERS))
    await client.got.acquire()
    assert source.read == 0
    client.takes.set()
    assert (await task).complete


async def stall() -> tuple[Client, Source, asyncio.Task[Outcome]]:
    """A pump whose upstream has fallen silent after one event."""
    client, source = Client(), Source(EVENTS[0], asyncio.Event())
    task = asyncio.create_task(pump(client.send, flowing(source), HEADERS))
    while len(client.messages) < 2:
        await client.got.acquire()
    return client, source, task


async def test_a_client_that_left_gets_nothing_more_and_the_upstream_is_closed() -> None:
    client, source, task = await stall()
    task.cancel("client_gone")
    with pytest.raises(asyncio.CancelledError, match="client_gone"):
        await task
    assert client.body == EVENTS[0]
    assert not client.ended
    assert source.closed


async def test_a_shutdown_ends_a_stream_with_a_word() -> None:
    client, source, task = await stall()
    task.cancel("draining")
    outcome = await task
    assert msgspec.json.decode(client.body[len(EVENTS[0]) + 6 :])["error"]["code"] == "server_shutting_down"
    assert client.ended
    assert facts(outcome)[:3] == (200, False, "server_shutting_down")
    assert source.closed
    assert not task.cancelled()


async def test_a_shutdown_cuts_another_body() -> None:
    client, source = Client(), Source(b"mp3", asyncio.Event())
    task = asyncio.create_task(pump(client.send, flowing(source, is_sse=False), []))
    while len(client.messages) < 2:
        await client.got.acquire()
    task.cancel("draining")
    with pytest.raises(AnswerCut, match="server_shutting_down"):
        await task
    assert not client.ended
    assert source.closed
