"""FLT-10: what the gateway depends on is gone, dies or hangs, and requests are served all the same."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from proxy.store.shared_health import UNREACHABLE
from tests.support.gateway import Gateway
from tests.support.scale import PATIENCE
from tests.support.traffic import CHAT, told
from tests.support.valkey import Valkey
from tests.support.wire import Wire

PASSWORD = "store-password-of-the-tests"


def _config(store: str) -> str:
    return f"""
store: {store}
providers:
  sim: {{kind: simulated, first_token: 1ms}}
routes:
  chat: {{models: [chat], open: true, target: sim/m}}
"""


async def _serves(one: Gateway, count: int = 20) -> None:
    """That many requests, each of which is answered long before the store's timeout."""
    wire = await Wire.open(one.port)
    try:
        for _ in range(count):
            body = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}]}
            await asyncio.wait_for(wire.request("POST", CHAT, body), 5)
            assert (await told(wire))[0] == 200
    finally:
        wire.close()


def _ready(one: Gateway) -> list[str]:
    """The reasons of `/readyz`, which must be 200."""
    status, body = one.get("/readyz")
    assert status == 200
    reasons: list[str] = json.loads(body).get("reasons", [])
    return reasons


def _up(one: Gateway) -> bool:
    return "sluicegate_store_up 1.0" in one.get("/metrics")[1].decode()


async def _tells_of_loss(one: Gateway) -> None:
    await one.logged("store.lost", timeout=PATIENCE)
    assert _ready(one) == [UNREACHABLE]
    assert not _up(one)


async def _tells_of_return(one: Gateway) -> None:
    await one.logged("store.back", timeout=PATIENCE)
    assert _ready(one) == []
    assert _up(one)
    assert len(one.log("store.lost")) == len(one.log("store.back")) == 1


async def test_a_store_that_is_down_at_the_start(gateway: Callable[..., Gateway], valkey: Valkey) -> None:
    """FLT-10: the gateway starts without it, tells no secret of it, and finds it when it is there."""
    valkey.kill()
    one = gateway(_config(valkey.url))
    await _tells_of_loss(one)
    await _serves(one)
    valkey.start()
    await _tells_of_return(one)


@pytest.mark.parametrize("how", ["dies", "hangs"])
async def test_a_store_that_goes_away_under_load(gateway: Callable[..., Gateway], valkey: Valkey, how: str) -> None:
    """FLT-10: requests go on, whether its connections break or nothing is answered any more."""
    one = gateway(_config(valkey.url))
    await _serves(one, 1)
    (valkey.kill if how == "dies" else valkey.freeze)()
    lost = asyncio.create_task(_tells_of_loss(one))
    began = time.monotonic()
    while not lost.done():
        await _serves(one)
        assert time.monotonic() < began + PATIENCE, one.log("store.lost") or one.output()[-1000:]
    await lost
    await _serves(one)
    (valkey.start if how == "dies" else valkey.thaw)()
    await _tells_of_return(one)


async def test_a_store_that_hangs_holds_up_neither_reload_nor_end(
    gateway: Callable[..., Gateway], valkey: Valkey
) -> None:
    """FLT-10: another store, or none, is taken over at once; the process ends in time."""
    one = gateway(_config(valkey.url))
    valkey.freeze()
    await _tells_of_loss(one)
    one.write(_config(valkey.url).replace(f"store: {valkey.url}", ""))
    await one.reloaded(2)
    assert _ready(one) == []
    one.write(_config(valkey.url))
    await one.reloaded(3)
    began = time.monotonic()
    assert one.stop() == 0
    assert time.monotonic() < began + 5


async def test_the_password_of_a_store_is_told_nowhere(gateway: Callable[..., Gateway], valkey: Valkey) -> None:
    """FLT-10: neither by a failure to log in nor by a reload that changes it."""
    url = valkey.url.replace("://", "://nobody:${env:STORE_PASSWORD}@")
    one = gateway(_config(url), env={"STORE_PASSWORD": PASSWORD})
    await _tells_of_loss(one)  # who is not known there
    one.write(_config(valkey.url))
    await one.reloaded(2)
    await one.logged("reload.applied")
    assert PASSWORD not in one.output()
    assert PASSWORD not in one.get("/readyz")[1].decode() + one.get("/metrics")[1].decode()
