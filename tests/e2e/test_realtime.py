"""WebSockets pass through, both ways, and end together."""

from __future__ import annotations

import json
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect


def config(url: str) -> str:
    """A route with a key, a provider that speaks WebSocket."""
    return f"""
listen: 127.0.0.1:8080
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
routes:
  talk:
    models: [voice]
    target: up/gpt-realtime
"""


async def test_messages_pass_both_ways(gateway: Any, upstream: Any) -> None:
    """Text and bytes; the model in the query is replaced; the provider's credential is the gateway's."""
    running = gateway(config(upstream.url))
    async with connect(f"ws://127.0.0.1:{running.port}/v1/realtime?model=voice") as socket:
        first = await socket.recv()
        for message in ('{"type":"hello"}', b"\x00\xff" * 1000, "ünïcödé"):
            await socket.send(message)
            assert await socket.recv() == message
    assert first is not None
    (seen,) = upstream.journal().requests()
    assert "model=gpt-realtime" in json.dumps(seen)
    assert "Bearer sk-upstream" in json.dumps(seen["headers"])
    line = await running.logged("request", path="/v1/realtime")
    assert (line["status"], line["route"]) == (101, "talk")


@pytest.mark.parametrize(("query", "status"), [("?model=unknown", 404), ("", 400), ("?model=voice&model=other", 400)])
async def test_a_refused_handshake_says_why(query: str, status: int, gateway: Any, upstream: Any) -> None:
    """An HTTP status and the usual error object."""
    running = gateway(config(upstream.url))
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with connect(f"ws://127.0.0.1:{running.port}/v1/realtime{query}"):
            pass
    assert caught.value.response.status_code == status
    assert json.loads(caught.value.response.body or b"{}")["error"]["code"]


async def test_a_dead_provider_refuses_the_handshake(gateway: Any) -> None:
    """502, before anything is accepted."""
    running = gateway(config("http://127.0.0.1:1/v1"))
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with connect(f"ws://127.0.0.1:{running.port}/v1/realtime?model=voice"):
            pass
    assert caught.value.response.status_code == 502
