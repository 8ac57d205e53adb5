"""Starting, changing limits while running, and stopping, inside this process."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from proxy.server.limits import ServerLimits
from proxy.server.serve import Server, bind


async def hello(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@contextlib.asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    """The server on this loop, stopped and awaited at the end."""
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
            if task.done():
                task.result()
        yield server
    finally:
        server.stop()
        await asyncio.wait_for(task, 5)


async def ask(port: int, data: bytes = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_hooks_run_when_it_listens_and_when_it_has_ended() -> None:
    seen: list[str] = []

    def started(server: Server) -> None:
        seen.append(f"listening {server.port > 0}")

    async def stopped(server: Server) -> None:
        await asyncio.sleep(0)
        seen.append(f"over {server.draining.active}")

    async with serving(Server(hello, ServerLimits(drain=1), port=0, on_started=started, on_stopped=stopped)) as server:
        assert (await ask(server.port)).endswith(b"hello")
    assert seen == ["listening True", "over True"]


async def test_new_limits_count_for_connections_that_come_after() -> None:
    long_url = b"GET /" + b"x" * 100 + b" HTTP/1.1\r\nHost: a\r\n\r\n"
    async with serving(Server(hello, ServerLimits(drain=1), port=0)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(long_url)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        server.limits = ServerLimits(drain=1, max_url=50)
        assert (await ask(server.port, long_url)).startswith(b"HTTP/1.1 414")
        writer.write(long_url)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_refusals_are_counted() -> None:
    seen: list[tuple[int, str]] = []
    server = Server(hello, ServerLimits(drain=1), port=0, on_refused=lambda status, code: seen.append((status, code)))
    async with serving(server):
        await ask(server.port, b"nonsense\r\n\r\n")
    assert seen == [(400, "malformed_request")]


async def test_address_in_use_is_said_with_its_name() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            await Server(hello, ServerLimits(), port=port).serve()


def test_unknown_host_is_said_with_its_name() -> None:
    with pytest.raises(OSError, match=r"cannot listen on no\.such\.host\.invalid:80"):
        bind("no.such.host.invalid", 80)


def test_all_addresses_of_a_name_get_one_port() -> None:
    sockets = bind("localhost", 0)
    try:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
    finally:
        for sock in sockets:
            sock.close()


async def test_no_more_file_descriptors_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Server(hello, ServerLimits(drain=1), port=0)):
        loop = asyncio.get_running_loop()
        for _ in range(100):
            loop.call_exception_handler({"message": "accept failed", "exception": OSError(24, "Too many open files")})
        assert [record.message[:23] for record in caplog.records] == ["out of file descriptors"]
