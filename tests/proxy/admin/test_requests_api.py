"""Receipts over HTTP: of no more than the operator sees, listed, one by one, and as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.admin.api import Desk
from proxy.admin.asked import Feed
from proxy.admin.roles import Operator
from proxy.keys.service import KeyService
from proxy.telemetry.kept_receipts import NAME, KeptReceipts
from proxy.telemetry.receipts import MAX_LISTENERS, Filter, Receipts
from tests.support.admin import Office, code
from tests.support.receipts import add, finished, outcome

OPERATORS = (
    Operator("owner"),
    Operator("auditor", "auditor"),
    Operator("of-acme", "admin", "acme"),
    Operator("lead", "team_lead", "acme", "search"),
    Operator("viewer", "viewer", "acme", "ads"),
    Operator("nobody", "viewer"),
)
WHO = {"a": ("acme", "search", "web"), "b": ("acme", "ads", "app"), "c": ("other", "search", "web"), "d": None}


@pytest.fixture
def receipts() -> Receipts:
    """Of four requests."""
    made = Receipts()
    made.follow({"bodies": "redacted"}, ())
    for id, who in WHO.items():
        x = finished(id, who=who)
        x.body = b"a question"
        made.add(x, outcome(x, 429 if id == "b" else 200), None, 0.03)
    return made


@pytest.fixture
async def office(tmp_path: Path, receipts: Receipts) -> AsyncIterator[Office]:
    """With these."""
    service = KeyService(tmp_path)
    yield Office(Desk(service, receipts=receipts), OPERATORS)
    await service.aclose()


async def _ids(office: Office, who: str, query: str = "") -> list[str]:
    found = await office.data(who, "GET", f"/admin/requests?{query}")
    return [one["id"] for one in found["requests"]]


@pytest.mark.parametrize(
    ("who", "ids"),
    [
        ("owner", ["d", "c", "b", "a"]),
        ("auditor", ["d", "c", "b", "a"]),
        ("of-acme", ["b", "a"]),
        ("lead", ["a"]),
        ("viewer", ["b"]),
        ("nobody", []),
    ],
)
async def test_each_sees_their_own(office: Office, who: str, ids: list[str]) -> None:
    """In the list and one by one; what somebody may not see is not there."""
    assert await _ids(office, who) == ids
    for id in WHO:
        reply = await office.ask(who, "GET", f"/admin/requests/{id}")
        assert reply.status == (200 if id in ids else 404)


async def test_filters(office: Office) -> None:
    assert await _ids(office, "owner", "status=429") == ["b"]
    assert await _ids(office, "owner", "team=search&organisation=acme") == ["a"]
    assert await _ids(office, "owner", "limit=1&key=web") == ["c"]
    assert await _ids(office, "lead", "team=ads") == []
    assert await _ids(office, "lead", "organisation=other") == []


async def test_texts_are_for_who_may_issue_keys(office: Office) -> None:
    """And in no list."""
    texts = {who: await office.data(who, "GET", "/admin/requests/a") for who in ("owner", "lead", "auditor")}
    assert [texts[who]["request"] is not None for who in texts] == [True, True, False]
    listed = await office.data("owner", "GET", "/admin/requests")
    assert all(one["request"] is None for one in listed["requests"])


@pytest.mark.parametrize(
    ("query", "param"), [("status=5x", "status"), ("limit=5000", "limit"), ("follow=1", "follow"), ("since=1", "since")]
)
async def test_what_cannot_be_asked(office: Office, query: str, param: str) -> None:
    assert code(await office.ask("owner", "GET", f"/admin/requests?{query}"))[::2] == (400, param)


async def test_none_are_kept(office: Office, receipts: Receipts) -> None:
    receipts.follow({"max": 0}, ())
    assert code(await office.ask("owner", "GET", "/admin/requests"))[:2] == (404, "receipts_disabled")


async def _feed(office: Office, who: str, query: str) -> Feed:
    reply = await office.ask(who, "GET", f"/admin/requests?follow=true&{query}")
    assert isinstance(reply, Feed)
    return reply


async def _next(feed: Feed) -> list[Any]:
    return [json.loads(line)["id"] for line in (await anext(feed.chunks)).splitlines()]


async def test_following(office: Office, receipts: Receipts) -> None:
    """The latest in the order of time, then each that comes and is meant; until the process is about to end."""
    feed = await _feed(office, "of-acme", "limit=5")
    assert (b"content-type", b"application/x-ndjson") in feed.headers
    assert await _next(feed) == ["a", "b"]
    waiting = anext(feed.chunks)
    add(receipts, "e", who=("other", "x", "y"))
    add(receipts, "f", who=("acme", "x", "y"))
    assert [json.loads(line)["id"] for line in (await waiting).splitlines()] == ["f"]
    receipts.draining.begin(0.0)
    with pytest.raises(StopAsyncIteration):
        await anext(feed.chunks)


async def test_who_follows_too_slowly_is_told(office: Office, receipts: Receipts) -> None:
    feed = await _feed(office, "owner", "limit=1")
    assert await _next(feed) == ["d"]
    for number in range(260):
        add(receipts, str(number))
    lines = (await anext(feed.chunks)).splitlines()
    assert json.loads(lines[0]) == {"missed": 4}
    assert json.loads(lines[1])["id"] == "4"
    await feed.chunks.aclose()


async def test_nobody_listens_for_ever(office: Office, receipts: Receipts) -> None:
    """Who has left makes room."""
    feed = await _feed(office, "owner", "limit=1")
    await _next(feed)
    others = [receipts.listen(Filter()) for _ in range(MAX_LISTENERS - 1)]
    assert code(await office.ask("owner", "GET", "/admin/requests?follow=true"))[:2] == (503, "too_many_listeners")
    await feed.chunks.aclose()
    assert not receipts.is_full
    assert len(others) == MAX_LISTENERS - 1


async def test_nobody_follows_what_they_do_not_see(office: Office) -> None:
    feed = await _feed(office, "nobody", "")
    with pytest.raises(StopAsyncIteration):
        await anext(feed.chunks)


async def test_what_is_on_disk_is_found_too(office: Office, receipts: Receipts, tmp_path: Path) -> None:
    """What memory has forgotten; and by nobody who may not see it."""
    kept = KeptReceipts(tmp_path, receipts)
    receipts.follow({"max": 1, "keep": 3600.0}, (), kept)
    add(receipts, "e", who=("acme", "ads", "app"))
    add(receipts, "f")
    assert await _ids(office, "owner") == ["f", "e"]
    assert await _ids(office, "viewer") == ["e"]
    assert (await office.data("viewer", "GET", "/admin/requests/e"))["id"] == "e"
    await office.data("lead", "GET", "/admin/requests/e", status=404)
    await kept.aclose()


async def test_a_broken_file_hides_nothing_of_memory(office: Office, receipts: Receipts, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    kept = KeptReceipts(tmp_path, receipts)
    receipts.follow({"keep": 3600.0}, (), kept)
    assert await _ids(office, "owner", "limit=2") == ["d", "c"]
    await office.data("owner", "GET", "/admin/requests/zzz", status=404)
    assert [event for event, _ in office.log.lines] == ["receipts.store_unavailable"] * 2
    await kept.aclose()
