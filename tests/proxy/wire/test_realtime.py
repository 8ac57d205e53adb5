"""The relay between two WebSockets, each end played by hand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from proxy.errors import BadAnswer
from proxy.policy import Answer
from proxy.wire.realtime import Relay


class Provider:
    """The provider's socket."""

    protocol = "realtime"

    def __init__(self) -> None:
        self.says: asyncio.Queue[Any] = asyncio.Queue()
        self.heard: list[str | bytes] = []
        self.closed: list[int] = []
        self.close_code = 4000

    async def receive(self) -> Any:
        """What the test puts in; an exception is raised."""
        found = await self.says.get()
        if isinstance(found, Exception):
            raise found
        return found

    async def send(self, message: str | bytes) -> None:
        """Keep."""
        self.heard.append(message)

    async def close(self, code: int = 1000) -> None:
        """Keep."""
        self.closed.append(code)


class Client:
    """The client's end, as the server shows it."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.says.put_nowait({"type": "websocket.connect"})
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def run(self, answer: Answer) -> Any:
        """Deliver the answer to this client."""
        return await Relay(self.says.get).deliver(self.heard.put, answer, [(b"x-request-id", b"r")])


async def test_messages_pass_and_the_providers_end_is_the_clients() -> None:
    """Text stays text, bytes stay bytes, the close code is handed on."""
    provider, client = Provider(), Client()
    running = asyncio.ensure_future(client.run(Answer(101, [], socket=provider)))
    accepted = await client.heard.get()
    assert accepted == {"type": "websocket.accept", "subprotocol": "realtime", "headers": [(b"x-request-id", b"r")]}
    await client.says.put({"type": "websocket.receive", "text": "hello"})
    await client.says.put({"type": "websocket.receive", "bytes": b"\x00"})
    for said in ("hi", b"\xff", None):
        await provider.says.put(said)
    assert await client.heard.get() == {"type": "websocket.send", "text": "hi"}
    assert await client.heard.get() == {"type": "websocket.send", "bytes": b"\xff"}
    assert await client.heard.get() == {"type": "websocket.close", "code": 4000}
    outcome = await running
    assert (outcome.complete, outcome.bytes_sent, provider.heard) == (True, 3, ["hello", b"\x00"])


async def test_the_clients_end_is_the_providers() -> None:
    """Its code is handed on, once the client has left."""
    provider, client = Provider(), Client()
    await client.says.put({"type": "websocket.disconnect", "code": 4321})
    outcome = await client.run(Answer(101, [], socket=provider))
    assert outcome.complete
    assert provider.closed[0] == 4321


async def test_a_broken_provider_closes_with_1011() -> None:
    """The client can tell it from a normal end."""
    provider, client = Provider(), Client()
    await provider.says.put(BadAnswer("not a WebSocket any more"))
    outcome = await client.run(Answer(101, [], socket=provider))
    await client.heard.get()
    assert (await client.heard.get())["code"] == 1011
    assert (outcome.complete, outcome.code) == (False, "bad_upstream_answer")


async def test_a_refusal_answers_the_handshake() -> None:
    """Status, headers and body of a usual answer."""
    client = Client()
    outcome = await client.run(Answer(404, [], body=b"{}", code="model_not_found"))
    start, body = await client.heard.get(), await client.heard.get()
    assert (start["type"], start["status"], body["body"]) == ("websocket.http.response.start", 404, b"{}")
    assert outcome.code == "model_not_found"


async def test_a_cancelled_relay_closes_the_provider() -> None:
    """A shutdown leaves nothing open."""
    provider, client = Provider(), Client()
    running = asyncio.ensure_future(client.run(Answer(101, [], socket=provider)))
    await client.heard.get()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert provider.closed
