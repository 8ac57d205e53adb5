"""WebSockets to a provider, against aiohttp's server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import WSMsgType, web
from yarl import URL

from proxy.errors import BadAnswer, Rejected, Unavailable, UpstreamTimeout
from proxy.policy import Timeouts
from proxy.upstream import Upstream
from proxy.wire.websocket import MAX_MESSAGE
from tests.proxy.scripted import Scripted, Wire, once


class Server:
    """Echoes; what it is asked for says how it misbehaves."""

    def __init__(self) -> None:
        self.url = URL()
        self.authorization: str | None = None
        self.ended: asyncio.Queue[int | None] = asyncio.Queue()

    async def echo(self, request: web.Request) -> web.StreamResponse:
        self.authorization = request.headers.get("authorization")
        socket = web.WebSocketResponse(protocols=("realtime",), max_msg_size=0)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data == "leave":
                await socket.close(code=4001, message=b"as asked")
            elif message.type is WSMsgType.TEXT and message.data == "large":
                await socket.send_bytes(b"x" * (MAX_MESSAGE + 1))
            elif message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            else:
                await socket.send_bytes(message.data)
        self.ended.put_nowait(socket.close_code)
        return socket

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=int(request.match_info["status"]), headers={"location": "http://169.254.169.254/"})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.add_routes([web.get("/echo", server.echo), web.get("/{status}", server.refuse)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = URL(f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield server
    await runner.cleanup()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    client = Upstream()
    yield client
    await client.aclose()


async def test_messages_go_both_ways(server: Server, upstream: Upstream) -> None:
    headers = [(b"authorization", b"Bearer k")]
    socket = await upstream.websocket(server.url / "echo", headers, timeouts=Timeouts(), protocols=("realtime", "x"))
    assert socket.protocol == "realtime"
    assert server.authorization == "Bearer k"
    await socket.send("text \u2028")
    await socket.send(b"bytes\x00")
    assert await socket.receive() == "text \u2028"
    assert await socket.receive() == b"bytes\x00"
    await socket.close(4002, "bye")
    assert await server.ended.get() == 4002


async def test_the_providers_close_is_told(server: Server, upstream: Upstream) -> None:
    socket = await upstream.websocket(server.url / "echo", [], timeouts=Timeouts())
    await socket.send("leave")
    assert await socket.receive() is None
    assert socket.close_code == 4001
    with pytest.raises(Unavailable):
        await socket.send("too late")


async def test_a_message_that_is_too_large_is_a_bad_answer(server: Server, upstream: Upstream) -> None:
    socket = await upstream.websocket(server.url / "echo", [], timeouts=Timeouts())
    await socket.send("large")
    with pytest.raises(BadAnswer, match="too large"):
        await socket.receive()
    await socket.close()


@pytest.mark.parametrize(("status", "ours"), [(401, Rejected), (404, Rejected), (503, Unavailable), (200, BadAnswer)])
async def test_a_refused_handshake_tells_its_status(
    server: Server, upstream: Upstream, status: int, ours: type[Rejected | Unavailable | BadAnswer]
) -> None:
    with pytest.raises(ours) as raised:
        await upstream.websocket(server.url / str(status), [], timeouts=Timeouts())
    assert raised.value.raw == (status, (), b"")


async def test_a_redirect_is_not_followed(server: Server, upstream: Upstream) -> None:
    with pytest.raises(BadAnswer, match="redirect"):
        await upstream.websocket(server.url / "302", [], timeouts=Timeouts())


async def test_a_silent_handshake_is_a_timeout(upstream: Upstream) -> None:
    async with Scripted(once(b"")) as up:
        with pytest.raises(UpstreamTimeout):
            await upstream.websocket(up.url, [], timeouts=Timeouts(connect=0.05, first_token=0.05))
        await (await up.wires.get()).closed.wait()


async def test_a_broken_connection_is_the_end(upstream: Upstream) -> None:
    async def script(wire: Wire) -> None:
        wire.reset()

    async with Scripted(script) as up:
        with pytest.raises(Unavailable):
            await upstream.websocket(up.url, [], timeouts=Timeouts())
