"""Flags over HTTP: seen and set by who may, with a row of the audit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.admin.api import Desk
from proxy.admin.roles import Operator
from proxy.flags.flag import Flags, Setting
from proxy.flags.store import KeptFlags, change
from proxy.flags.table import Place, Table
from proxy.keys import audit
from proxy.keys.audit import Actor
from proxy.keys.service import KeyService
from tests.support.admin import Office, code

OPERATORS = (
    Operator("owner"),
    Operator("admin", "admin"),
    Operator("auditor", "auditor"),
    Operator("of-acme", "admin", "acme"),
    Operator("lead", "team_lead", "acme", "search"),
)


class _Flagged(Office):
    """An office whose file has one flag."""

    def __init__(self, service: KeyService, flags: Flags) -> None:
        super().__init__(Desk(service), OPERATORS)
        self.service, self.flags = service, flags
        self.runtime.flags = Table(flags)
        self.runtime.flags.add("new", Place("chat", "routes.chat.target", "sim/x", True, "10% by user"))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[_Flagged]:
    """With files of its own."""
    flags = Flags()
    service = KeyService(tmp_path, beside=KeptFlags(flags))
    await service.start()
    yield _Flagged(service, flags)
    await service.aclose()


async def test_a_flag_is_set_and_left_again(office: _Flagged) -> None:
    """At once, with who and why in the audit and in the log."""
    before = (await office.data("auditor", "GET", "/admin/flags"))["flags"]
    assert [(row["name"], row["value"], row["places"][0]["rollout"]) for row in before] == [
        ("new", "default", "10% by user")
    ]
    body = b'{"value": "25%", "reason": "a week without a complaint"}'
    found = await office.data("admin", "PUT", "/admin/flags/new", body)
    assert (found["value"], found["reason"], found["who"]) == ("25%", "a week without a complaint", "admin")
    assert office.flags.of("new").setting == Setting("25%", True, 0.25)
    await office.data("owner", "POST", "/admin/flags/new", b'{"value": "default"}')
    assert office.flags.of("new").setting is None
    rows = await office.service.read(lambda db: audit.entries(db, 0, 10))
    assert [(row.who, row.action, row.object, row.after) for row in rows] == [
        ("admin", "flag.set", "new", {"value": "25%", "reason": "a week without a complaint"}),
        ("owner", "flag.set", "new", {"value": "default", "reason": ""}),
    ]
    event, fields = office.log.lines[0]
    assert (event, fields["who"], fields["flag"], fields["value"]) == ("admin.flags", "admin", "new", "25%")


@pytest.mark.parametrize(
    ("who", "method", "status"),
    [
        ("auditor", "GET", 200),
        ("auditor", "PUT", 403),
        ("of-acme", "GET", 403),
        ("of-acme", "PUT", 403),
        ("lead", "GET", 403),
    ],
)
async def test_flags_are_of_the_whole_gateway(office: _Flagged, who: str, method: str, status: int) -> None:
    body = b'{"value": "on"}' if method == "PUT" else None
    assert (await office.ask(who, method, "/admin/flags/new", body)).status == status
    assert office.flags.settings == {}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"value": "half"}, "value"),
        ({"value": "101%"}, "value"),
        ({"value": True}, "value"),
        ({}, "value"),
        ({"value": "on", "reason": "a\nb"}, "reason"),
        ({"value": "on", "until": "noon"}, "until"),
    ],
)
async def test_what_cannot_be_meant(office: _Flagged, body: dict[str, Any], param: str) -> None:
    found = await office.data("owner", "PUT", "/admin/flags/new", json.dumps(body).encode(), status=400)
    assert found["error"]["param"] == param
    assert office.flags.settings == {}


async def test_a_name_that_is_nowhere(office: _Flagged) -> None:
    """Says what was probably meant."""
    for method, body in (("GET", None), ("PUT", b'{"value": "on"}')):
        reply = await office.ask("owner", method, "/admin/flags/nev", body)
        assert code(reply)[:2] == (404, "flag_not_found")
        assert b"did you mean 'new'" in reply.body


async def test_what_is_set_for_a_name_that_the_file_has_no_more(office: _Flagged) -> None:
    """Is seen, and can be left."""
    await office.service.write(lambda db: change(db, Actor("x", "owner"), "gone", Setting("on", True), "", now=1))
    found = (await office.data("owner", "GET", "/admin/flags"))["flags"]
    assert [(row["name"], len(row["places"])) for row in found] == [("new", 1), ("gone", 0)]
    await office.data("owner", "PUT", "/admin/flags/gone", b'{"value": "default"}')
    assert (await office.ask("owner", "GET", "/admin/flags/gone")).status == 404
