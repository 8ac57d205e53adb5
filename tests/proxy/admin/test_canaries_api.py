"""Canaries over HTTP: who may see and steer them, and what is written of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from proxy.admin.roles import Operator
from proxy.canaries.guard import Guard, Limit
from proxy.canaries.release import Plan, Release
from tests.support.admin import Office, code, open_office

ONE = "/admin/canaries/next"
GUARD = Guard(worse_by=0.01, latency=Limit(times=2.0))
PLAN = Plan("next", "chat", "identity", (0.1, 1.0), 60.0, 10, GUARD)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """With one canary, and operators of some roles."""
    operators = [Operator("owner"), Operator("auditor", "auditor"), Operator("lead", "team_lead", "acme", "search")]
    async with open_office(tmp_path, operators) as found:
        found.runtime.canaries = {"next": (Release(PLAN, now=lambda: 1000.0), PLAN)}
        yield found


async def test_what_is_shown(office: Office) -> None:
    """Both sides in figures, what is found of them, and what it waits for."""
    release = office.runtime.canaries["next"][0]
    release.succeeded("stable", release.era, 0.2, 0.1)
    release.cost("stable", release.era, 0.001)
    release.failed("canary", release.era, "timeout", alone=True)
    found = await office.data("auditor", "GET", ONE)
    assert (found["name"], found["route"], found["state"], found["share"], found["step"]) == (
        "next",
        "chat",
        "running",
        0.1,
        1,
    )
    assert found["waits_for"] == {"requests": "9 more requests of the canary", "seconds": 60.0}
    assert (found["canary"]["error_rate"], found["canary"]["reasons"]) == (1.0, {"timeout": 1})
    assert found["stable"]["latency"] == {"p50": pytest.approx(0.2, rel=0.02), "p95": pytest.approx(0.2, rel=0.02)}
    assert (found["stable"]["cost"], found["canary"]["cost"]) == (0.001, None)
    assert [(one["aspect"], one["verdict"]) for one in found["findings"]] == [
        ("error rate", "beyond"),
        ("latency", "good"),
    ]
    assert (await office.data("owner", "GET", "/admin/canaries"))["canaries"] == [found]


async def test_an_order_is_obeyed_logged_and_audited(office: Office) -> None:
    """Who, what, and why; what was before."""
    found = await office.data("owner", "POST", ONE, {"action": "rollback", "reason": "complaints"})
    assert (found["state"], found["share"], found["by"], found["waits_for"]) == ("rolled_back", 0.0, "owner", None)
    assert office.log.lines == [
        ("admin.canaries", {"who": "owner", "canary": "next", "action": "rollback", "reason": "complaints"})
    ]
    (row,) = (await office.data("owner", "GET", "/admin/audit"))["audit"]
    assert (row["who"], row["action"], row["object"]) == ("owner", "canary.rollback", "next")
    assert (row["before"], row["after"]) == ({"state": "running", "share": 0.1}, {"reason": "complaints"})


@pytest.mark.parametrize(
    ("who", "path", "body", "expected"),
    [
        ("owner", "/admin/canaries/none", {"action": "pause"}, (404, "canary_not_found", None)),
        ("owner", ONE, {"action": "resume"}, (409, "not_possible", "action")),
        ("owner", ONE, {"action": "stop"}, (400, "invalid_request", "action")),
        ("owner", ONE, {"action": "pause", "for": "1h"}, (400, "invalid_request", "for")),
        ("owner", ONE, {"action": "pause", "reason": "two\nlines"}, (400, "invalid_request", "reason")),
        ("owner", ONE, {"action": ["pause"]}, (400, "invalid_request", "action")),
        ("auditor", ONE, {"action": "pause"}, (403, "role_not_allowed", None)),
        ("lead", ONE, {"action": "pause"}, (403, "role_not_allowed", None)),
    ],
)
async def test_what_is_refused(
    office: Office, who: str, path: str, body: Any, expected: tuple[int, str, str | None]
) -> None:
    """Nothing is done, and nothing audited."""
    assert code(await office.ask(who, "POST", path, body)) == expected
    assert office.runtime.canaries["next"][0].progress.state == "running"
    assert (await office.data("owner", "GET", "/admin/audit"))["audit"] == []


async def test_others_see_nothing(office: Office) -> None:
    """It is of the whole gateway."""
    assert code(await office.ask("lead", "GET", "/admin/canaries"))[0] == 403


async def test_what_cannot_be_audited_is_not_done(tmp_path: Path) -> None:
    """The canary stays as it is."""
    (tmp_path / "keys.sqlite").write_bytes(b"no database" * 100)
    async with open_office(tmp_path, [Operator("owner")]) as office:
        release = Release(PLAN)
        office.runtime.canaries = {"next": (release, PLAN)}
        assert code(await office.ask("owner", "POST", ONE, {"action": "promote"}))[:2] == (503, "store_unavailable")
        assert release.share == 0.1
