"""FLT-08: a name that changes its address, or does not resolve for a while, is followed."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from proxy.errors import Unavailable
from proxy.policy import Timeouts
from proxy.upstream import MAX_AGE, NAMES_FOR, Upstream
from tests.support.scale import PATIENCE

TTL = 0.1
LONG = Timeouts(connect=5, first_token=5, gap=5, total=10)
NAME = "provider.example"


class Names(AbstractResolver):
    """Says ``address`` for every name; None: there is no such name."""

    def __init__(self) -> None:
        self.address: str | None = None
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As told."""
        self.asked += 1
        if self.address is None:
            raise OSError(None, "no such name")
        return [
            ResolveResult(
                hostname=host, host=self.address, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
            )
        ]

    async def close(self) -> None:
        """Nothing to close."""


class House:
    """Servers on one port of several loopback addresses, each of which answers with its address."""

    def __init__(self) -> None:
        self.open: dict[str, int] = {}
        self.port = 0
        self._servers: list[asyncio.Server] = []

    async def add(self, address: str) -> None:
        """Listen there too."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.open[address] = self.open.get(address, 0) + 1
            body = b'"%s"' % address.encode()
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                    writer.write(head % len(body) + body)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                self.open[address] -= 1
                writer.close()

        server = await asyncio.start_server(serve, address, self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._servers.append(server)

    async def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()


class Client:
    """Asks by name."""

    def __init__(self, port: int, keep_alive: float, max_age: float = MAX_AGE) -> None:
        self.names = Names()
        self.upstream = Upstream(keep_alive=keep_alive, resolver=self.names, names_for=TTL, max_age=max_age)
        self._url = URL(f"http://{NAME}:{port}/v1/models")

    async def ask(self) -> str:
        """Which address has answered."""
        answer = await self.upstream.request(
            "POST", self._url, [], b"", timeouts=LONG, ends=(), expect_json=True, deadline=time.monotonic() + 10
        )
        return (answer.body or b"").decode().strip('"')

    async def until(self, address: str) -> list[str]:
        """What is answered up to the first answer from ``address``."""
        seen: list[str] = []
        end = time.monotonic() + PATIENCE
        while not seen or seen[-1] != address:
            assert time.monotonic() < end, f"never {address}: {seen[-5:]}"
            try:
                seen.append(await self.ask())
            except Unavailable:
                seen.append("")
            await asyncio.sleep(0.01)
        return seen


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    await made.add("127.0.0.1")
    await made.add("127.0.0.2")
    yield made
    await made.close()


async def test_a_name_is_followed_when_it_fails_and_when_it_moves(house: House) -> None:
    """Errors only while nothing resolves, each typed and at once; then the new address, without a restart."""
    client = Client(house.port, keep_alive=0.01)
    try:
        client.names.address = "127.0.0.1"
        assert await client.ask() == "127.0.0.1"
        client.names.address = None
        await _ended(house, "127.0.0.1")
        await asyncio.sleep(TTL)  # what was resolved may be believed for so long, and no longer
        for _ in range(5):
            with pytest.raises(Unavailable, match="cannot be resolved"):
                await asyncio.wait_for(client.ask(), 2)
        client.names.address = "127.0.0.2"
        assert await client.ask() == "127.0.0.2", "that there was no such name is not remembered"
    finally:
        await client.upstream.aclose()


async def test_no_address_is_kept_beyond_its_time(house: House) -> None:
    """While both addresses serve, requests move to the new one, and connections to the old one end."""
    client = Client(house.port, keep_alive=0.01)
    try:
        client.names.address = "127.0.0.1"
        assert await client.ask() == "127.0.0.1"
        client.names.address = "127.0.0.2"
        assert set(await client.until("127.0.0.2")) <= {"127.0.0.1", "127.0.0.2"}
        assert [await client.ask() for _ in range(5)] == ["127.0.0.2"] * 5
        await _ended(house, "127.0.0.1")
    finally:
        await client.upstream.aclose()


async def test_a_connection_that_is_never_idle_does_not_hold_on_to_an_address(house: House) -> None:
    """Connections that are used all the time come to an end too, and what they served goes to the new address."""
    client = Client(house.port, keep_alive=30.0, max_age=2 * TTL)
    try:
        client.names.address = "127.0.0.1"
        assert await client.ask() == "127.0.0.1"
        client.names.address = "127.0.0.2"
        seen = await client.until("127.0.0.2")
        assert "" not in seen, "no request fails for that"
        await _ended(house, "127.0.0.1")
    finally:
        await client.upstream.aclose()


def test_an_old_address_is_asked_for_a_minute_at_most() -> None:
    """FLT-08: a connection may begin with what is about to be forgotten, and be used for as long as one is."""
    assert NAMES_FOR + MAX_AGE <= 60


async def test_within_its_time_a_name_is_asked_for_once(house: House) -> None:
    """Many connections at the same time need one answer."""
    client = Client(house.port, keep_alive=1.0)
    try:
        client.names.address = "127.0.0.1"
        await asyncio.gather(*(client.ask() for _ in range(20)))
        assert client.names.asked == 1
    finally:
        await client.upstream.aclose()


async def _ended(house: House, address: str) -> None:
    end = time.monotonic() + PATIENCE
    while house.open.get(address):
        assert time.monotonic() < end, f"{house.open[address]} connections to {address} are still open"
        await asyncio.sleep(0.01)
