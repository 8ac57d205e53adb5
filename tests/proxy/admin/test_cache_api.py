"""Kept answers over HTTP: what they have saved, and having them forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.admin.roles import Operator
from proxy.caching.room import Room, StoreFailed
from tests.support.admin import Office, code, open_office
from tests.support.caching import House, asked

PATH = "/admin/cache"


@pytest.fixture
async def house(tmp_path: Path) -> House:
    """With one answer that was given twice."""
    found = House(tmp_path)
    await found.asks(asked(), asked())
    return found


@pytest.fixture
async def office(tmp_path: Path, house: House) -> AsyncIterator[Office]:
    """With operators of some roles."""
    operators = [Operator("owner"), Operator("auditor", "auditor"), Operator("lead", "team_lead", "acme", "search")]
    async with open_office(tmp_path, operators) as found:
        found.runtime.rooms = house.runtime.rooms
        yield found


async def test_what_is_shown(office: Office, house: House) -> None:
    (found,) = (await office.data("auditor", "GET", PATH))["caches"]
    assert found["size"] > 0
    assert found["saved"].pop("seconds") >= 0
    assert found == {
        "route": "chat",
        "store": "memory",
        "entries": 1,
        "size": house.room.memory.size,
        "evicted": 0,
        "requests": {"miss": 1, "hit": 1},
        "hit_rate": 0.5,
        "answers": {"stored": 1},
        "in_flight": 0,
        "saved": {"cost": 0.0, "tokens": 0},
    }


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", PATH, {"tag": "model:m", "reason": "it was wrong"}),
        ("POST", PATH, {"tag": "team:acme/search", "route": "chat", "reason": "it was wrong"}),
        ("DELETE", f"{PATH}?tag=all&reason=it+was+wrong", None),
    ],
)
async def test_answers_are_forgotten(method: str, path: str, body: Any, office: Office, house: House) -> None:
    """Once, with a row in the audit."""
    found = await office.data("owner", method, path, body)
    assert found["entries"] == 1
    assert await house.asks(asked()) == ["miss"]
    (row,) = (await office.data("owner", "GET", "/admin/audit"))["audit"]
    assert (row["who"], row["action"], row["object"]) == ("owner", "cache.invalidate", found["tag"])
    assert row["after"] == {"reason": "it was wrong"}
    assert office.log.lines[0][0] == "admin.cache"


async def test_others_are_left(office: Office, house: House) -> None:
    assert (await office.data("owner", "POST", PATH, {"tag": "model:n"}))["entries"] == 0
    assert await house.asks(asked()) == ["hit"]


@pytest.mark.parametrize(
    ("who", "body", "expected"),
    [
        ("owner", {}, (400, "invalid_request", "tag")),
        ("owner", {"tag": "models:m"}, (400, "invalid_request", "tag")),
        ("owner", {"tag": "all", "for": "1h"}, (400, "invalid_request", "for")),
        ("owner", {"tag": "all", "route": 1}, (400, "invalid_request", "route")),
        ("owner", {"tag": "all", "route": "none"}, (404, "cache_not_found", None)),
        ("owner", {"tag": "all", "reason": "two\nlines"}, (400, "invalid_request", "reason")),
        ("auditor", {"tag": "all"}, (403, "role_not_allowed", None)),
        ("lead", {"tag": "all"}, (403, "role_not_allowed", None)),
    ],
)
async def test_what_is_refused(
    who: str, body: Any, expected: tuple[int, str, str | None], office: Office, house: House
) -> None:
    """Nothing is forgotten, and nothing audited."""
    assert code(await office.ask(who, "POST", PATH, body)) == expected
    assert (await office.data("owner", "GET", "/admin/audit"))["audit"] == []
    assert await house.asks(asked()) == ["hit"]


async def test_a_store_that_fails_is_told(office: Office, house: House) -> None:
    """Replicas may go on to give what was to be forgotten."""

    class Gone(Room):
        async def invalidate(self, tag: str) -> int:
            raise StoreFailed("TimeoutError")

    room = house.room
    office.runtime.rooms = {"chat": Gone("chat", room._caches, room.memory, lambda *_: None)}
    assert code(await office.ask("owner", "POST", PATH, {"tag": "all"})) == (503, "store_unavailable", None)


async def test_others_see_nothing(office: Office) -> None:
    """It is of the whole gateway."""
    assert (await office.ask("lead", "GET", PATH)).status == 403
