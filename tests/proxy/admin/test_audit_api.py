"""The audit over HTTP, and that what operators do is in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.admin.roles import Operator, Role
from proxy.keys.audit import verify_chain
from tests.support.admin import ROLES, Office, code, open_office

TARGET = "/admin/targets/up/gpt-4o"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """With an operator of each role."""
    operators = [Operator(role, role, *_place(role)) for role in ROLES]  # type: ignore[arg-type]
    async with open_office(tmp_path, operators) as found:
        yield found


def _place(role: str) -> tuple[str, ...]:
    return ("acme", "search") if role in ("team_lead", "viewer") else ()


async def test_orders_to_targets_are_audited(office: Office) -> None:
    """Who, as what, what was and what shall be; also one that changes nothing."""
    await office.data("admin", "POST", TARGET, {"action": "drain", "for": "1h", "reason": "a disk"})
    await office.data("owner", "POST", TARGET, {"action": "restore"})
    found = await office.data("auditor", "GET", "/admin/audit")
    rows = found["audit"]
    assert [(row["seq"], row["who"], row["role"], row["action"], row["object"]) for row in rows] == [
        (1, "admin", "admin", "target.drain", "up/gpt-4o"),
        (2, "owner", "owner", "target.restore", "up/gpt-4o"),
    ]
    assert rows[0]["before"] == {"state": "closed"}
    assert rows[0]["after"] == {"seconds": 3600.0, "reason": "a disk"}
    assert rows[1]["before"] == {"state": "drained"}
    assert office.desk is not None
    assert await office.desk.service.read(verify_chain) is None


async def test_what_was_refused_is_not_in_it(office: Office) -> None:
    """Nothing was done."""
    for body in ({"action": "stop"}, {"action": "drain", "for": "25h"}):
        assert (await office.ask("owner", "POST", TARGET, body)).status == 400
    assert (await office.ask("auditor", "POST", TARGET, {"action": "drain"})).status == 403
    assert (await office.ask("owner", "POST", "/admin/targets/up/none", {"action": "drain"})).status == 404
    assert await office.data("owner", "GET", "/admin/audit") == {"audit": [], "next": 0}


async def test_what_cannot_be_audited_is_not_done(tmp_path: Path) -> None:
    """The target stays as it is."""
    (tmp_path / "keys.sqlite").write_bytes(b"no database" * 100)
    async with open_office(tmp_path, [Operator("owner")]) as office:
        assert code(await office.ask("owner", "POST", TARGET, {"action": "drain"}))[:2] == (503, "store_unavailable")
        assert (await office.data("owner", "GET", TARGET))["state"] == "closed"


async def test_pages(office: Office) -> None:
    """Oldest first; the end can be asked again."""
    for _ in range(5):
        await office.data("owner", "POST", TARGET, {"action": "restore"})
    page = await office.data("owner", "GET", "/admin/audit?after=1&limit=3")
    assert ([row["seq"] for row in page["audit"]], page["next"]) == ([2, 3, 4], 4)
    assert await office.data("owner", "GET", "/admin/audit?after=5") == {"audit": [], "next": 5}
    for query in ("limit=0", "limit=1001", "after=-1", "after=x", "since=1"):
        assert code(await office.ask("owner", "GET", f"/admin/audit?{query}"))[0] == 400


@pytest.mark.parametrize("role", ROLES)
async def test_who_reads_it(office: Office, role: Role) -> None:
    """Nobody of a team, and nobody writes it."""
    may = role in ("owner", "admin", "auditor")
    assert (await office.ask(role, "GET", "/admin/audit")).status == (200 if may else 403)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await office.ask(role, method, "/admin/audit", {})).status == 405
