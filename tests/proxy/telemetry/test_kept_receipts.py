"""Receipts on disk: written, found by whoever may see them, and deleted in time."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.jobs.writer import StoreBroken
from proxy.telemetry.kept_receipts import NAME, KeptReceipts
from proxy.telemetry.receipts import Filter, Receipts
from tests.support.receipts import END, add, finished, outcome

SECRET = "the-secret-of-the-file"


class House:
    """Receipts with a file, at a time that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.now = END
        self.lost = 0
        self.receipts = Receipts(clock=lambda: self.now)
        self.kept = KeptReceipts(folder, self.receipts, self._lose, lambda: self.now)
        self.follow()

    def _lose(self, number: int) -> None:
        self.lost += number

    def follow(self, **more: object) -> None:
        """What the file says."""
        self.receipts.follow({"keep": 3600.0, "bodies": "redacted", **more}, [SECRET], self.kept)

    async def ids(self, **meant: str) -> list[str]:
        """Of those on disk."""
        return [json.loads(one)["id"] for one in await self.kept.latest(Filter(**meant), 100)]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """In an empty folder."""
    made = House(tmp_path)
    yield made
    await made.kept.aclose()


async def test_what_was_written_is_found(house: House, tmp_path: Path) -> None:
    """Also by another process, with texts for whoever may see them; and no secret is in the file."""
    x = finished("req_1", who=("acme", "search", "web"), headers=[(b"x-api-key", b"key-of-the-caller")])
    x.body = f"a question with {SECRET} and key-of-the-caller".encode()
    house.receipts.add(x, outcome(x), None, 0.03)
    await house.kept.flush()
    other = KeptReceipts(tmp_path, Receipts())
    for bodies, text in ((True, {"text": "a question with *** and ***", "cut": False}), (False, None)):
        found = await other.find("req_1", Filter(), bodies=bodies)
        assert found is not None
        assert json.loads(found)["request"] == text
    await other.aclose()
    data = b"".join(path.read_bytes() for path in tmp_path.glob(f"{NAME}*"))
    assert b"a question with" in data
    assert SECRET.encode() not in data
    assert b"key-of-the-caller" not in data
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


async def test_filters(house: House) -> None:
    """The same as in memory; what waits is written first."""
    add(house.receipts, "a", who=("acme", "search", "web"))
    add(house.receipts, "b", 429, who=("acme", "ads", "web"))
    add(house.receipts, "c", model="slow", route="other")
    assert await house.ids() == ["c", "b", "a"]
    assert await house.ids(team="search") == ["a"]
    assert await house.ids(status="4xx") == ["b"]
    assert await house.ids(status="429", organisation="acme", key="web") == ["b"]
    assert await house.ids(model="slow", route="other") == ["c"]
    assert await house.kept.find("a", Filter(team="ads"), bodies=True) is None


async def test_what_is_too_old_goes(house: House) -> None:
    add(house.receipts, "a")
    house.now += 1800
    add(house.receipts, "b")
    assert await house.ids() == ["b", "a"]
    house.now += 1801
    await house.kept.flush()
    assert await house.ids() == ["b"]


async def test_what_is_too_much_goes(house: House) -> None:
    house.follow(max_kept=2)
    for number in range(5):
        add(house.receipts, str(number))
    assert await house.ids() == ["4", "3"]


async def test_a_file_that_cannot_be_used_loses_receipts_and_nothing_else(tmp_path: Path) -> None:
    """Who asks is told, and whoever counts."""
    (tmp_path / NAME).mkdir()
    house = House(tmp_path)
    add(house.receipts, "a")
    with pytest.raises(StoreBroken):
        await house.ids()
    assert house.lost == 1
    assert house.receipts.find("a") is not None
    await house.kept.aclose()


def test_what_waits_is_bounded(tmp_path: Path) -> None:
    house = House(tmp_path)
    for number in range(5003):
        add(house.receipts, str(number))
    assert house.lost == 3
