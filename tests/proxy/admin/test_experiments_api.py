"""Experiments over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.admin.api import Desk
from proxy.admin.roles import Operator
from proxy.experiments.tables import NAME
from proxy.keys.service import KeyService
from tests.support.admin import Office, code
from tests.support.experiments import MIRROR, lived, mirrored_file, told

OPERATORS = (
    Operator("owner"),
    Operator("auditor", "auditor"),
    Operator("of-acme", "admin", "acme"),
    Operator("v", "viewer"),
)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Over a state directory."""
    service = KeyService(tmp_path)
    yield Office(Desk(service, experiments=tmp_path / NAME), OPERATORS)
    await service.aclose()


async def test_before_the_first_there_are_none(office: Office) -> None:
    """An empty list is no error."""
    assert (await office.data("owner", "GET", "/admin/experiments"))["data"] == []
    assert code(await office.ask("owner", "GET", "/admin/experiments/short"))[:2] == (404, "experiment_not_found")


async def test_list_report_and_page(office: Office, tmp_path: Path) -> None:
    """As the command tells them."""
    lived(tmp_path, 600, lambda arm: 0.5)
    (one,) = (await office.data("auditor", "GET", "/admin/experiments"))["data"]
    assert (one["name"], one["subjects"]) == ("short", 600)
    found = await office.data("owner", "GET", "/admin/experiments/short")
    assert found["subjects"] == [300, 300]
    page = await office.ask("owner", "GET", "/admin/experiments/short?format=html")
    assert dict(page.headers)[b"content-type"].startswith(b"text/html")
    assert page.body.startswith(b"<!doctype html>")
    refused = await office.ask("owner", "GET", "/admin/experiments/short?format=pdf")
    assert code(refused) == (400, "invalid_request", "format")


async def test_they_are_of_the_whole_gateway(office: Office, tmp_path: Path) -> None:
    """Not for operators of one organisation, nor for viewers."""
    lived(tmp_path, 10, lambda arm: 0.5)
    for who in ("of-acme", "v"):
        assert code(await office.ask(who, "GET", "/admin/experiments"))[0] == 403


async def test_a_file_that_cannot_be_read(office: Office, tmp_path: Path) -> None:
    """Is no experiment; the log says why."""
    (tmp_path / NAME).write_text("x" * 5000)
    assert code(await office.ask("owner", "GET", "/admin/experiments"))[0] in (404, 503)


async def test_mirrors_stand_beside_them(office: Office, tmp_path: Path) -> None:
    """In the list, by name, and as a page."""
    mirrored_file(tmp_path, [told(1), told(2)])
    (one,) = (await office.data("auditor", "GET", "/admin/experiments"))["data"]
    assert (one["name"], one["state"], one["requests"]) == (MIRROR, "mirror", 2)
    found = await office.data("owner", "GET", f"/admin/experiments/{MIRROR}")
    assert found["pairs"][0]["main"] == 1.0015
    page = await office.ask("owner", "GET", f"/admin/experiments/{MIRROR}?format=html")
    assert page.body.startswith(b"<!doctype html>")
    assert code(await office.ask("owner", "GET", "/admin/experiments/mirror-none"))[:2] == (404, "experiment_not_found")
