"""The client of a store: what it does when nobody answers."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as Refused

from proxy.store.client import client_of
from tests.support.valkey import Valkey


async def test_it_gives_up_at_once(valkey: Valkey) -> None:
    """It tries once; a store that is back is found by the next question."""
    client = client_of(valkey.url, 5.0, 2)
    try:
        assert await client.ping()
        valkey.kill()
        with pytest.raises(Refused):
            await client.ping()
        with pytest.raises(Refused):
            await client.ping()
        valkey.start()
        assert await client.ping()
    finally:
        await client.aclose()


async def test_who_finds_no_connection_waits_for_one(valkey: Valkey) -> None:
    """More questions than connections at once fail nobody."""
    client = client_of(valkey.url, 20.0, 2)
    try:
        assert await asyncio.gather(*(client.ping() for _ in range(20))) == [True] * 20
        assert len(await client.client_list()) <= 2
    finally:
        await client.aclose()
