"""When an answer is kept: at once if it is short, else in the background, and nobody else asks meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.caching import House, answered, asked, said


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_a_long_answer_is_kept_in_the_background(house: House) -> None:
    """Who asks in between gets it, too."""
    for expected in ("miss", "hit", "hit"):
        x = asked()
        answer = answered(x, said("a" * 40_000)) if expected == "miss" else None
        assert (await house.ask(x, answer))[0] == expected
    while len(house.room.background):
        await asyncio.sleep(0)
    assert house.room.stats.kept["stored"] == 1
    assert len(house.room.flights) == 0
    assert house.room.memory.size < 20_000  # it is packed


async def test_why_it_is_not_kept_is_counted_and_noted(house: House) -> None:
    x = asked()
    await house.ask(x, answered(x, said(finish="length")))
    assert house.room.stats.kept == {"finished by length": 1}
    assert x.notes["cache"].endswith("not kept: finished by length")


async def test_what_cannot_be_read_is_not_kept(house: House) -> None:
    x = asked(path="/v1/messages", max_tokens=5)
    await house.ask(x, answered(x, b'{"type": "message"}'))
    x = asked(path="/v1/embeddings", input="Hi")
    await house.ask(x, answered(x, b"[]"))
    assert house.room.stats.kept == {"it cannot be read": 1, "no JSON object": 1}


async def test_what_has_no_room_is_not_kept(tmp_path: Path) -> None:
    house = House(tmp_path, "{temperature: any, max_size: 64KiB, max_body: 16MiB}")
    x = asked()
    text = "".join(f"{number:05x}" * 3 for number in range(0, 2**20, 7))[:900_000]
    await house.ask(x, answered(x, said(text)))
    while len(house.room.background):
        await asyncio.sleep(0)
    assert len(house.room.memory) == 0
    assert house.room.stats.kept["stored"] == 0
