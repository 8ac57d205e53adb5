"""What is asked for anew behind a stale answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.caching import House, asked

SETTINGS = "{temperature: any, ttl: 1m, stale_while_revalidate: 1h}"


async def over(house: House) -> None:
    """Wait for all that goes on."""
    while len(house.room.background):
        await asyncio.sleep(0)


@pytest.mark.parametrize("stream", [False, True])
async def test_it_is_asked_once(stream: bool, tmp_path: Path) -> None:
    """However many get the old one."""
    house = House(tmp_path, SETTINGS)
    await house.ask(asked(stream=stream))
    house.clock.at += 120
    assert await house.asks(*(asked(stream=stream) for _ in range(3))) == ["stale"] * 3
    assert len(house.room.refreshing) == 1
    await over(house)
    assert not house.room.refreshing
    assert await house.asks(asked(stream=stream)) == ["hit"]
    assert house.room.stats.kept["stored"] == 2


async def test_a_failure_leaves_the_old_one(tmp_path: Path) -> None:
    """And is tried again with the next."""
    house = House(tmp_path, SETTINGS, fails=True)
    await house.ask(asked())
    house.clock.at += 120
    for _ in range(2):
        assert await house.asks(asked()) == ["stale"]
        await over(house)
    assert not house.room.refreshing


async def test_nobody_asks_for_who_wants_nothing_kept(tmp_path: Path) -> None:
    house = House(tmp_path, SETTINGS)
    await house.ask(asked())
    house.clock.at += 120
    assert await house.asks(asked(control=b"no-store")) == ["stale"]
    assert not house.room.refreshing
