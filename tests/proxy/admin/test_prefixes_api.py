"""What caches of prompts have saved, over HTTP: the numbers of the ledger, of no more than the operator sees."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.admin.api import Desk
from proxy.admin.roles import Operator
from proxy.keys.service import KeyService
from proxy.ledger.export import SqliteSource
from proxy.ledger.row import PriceTerms
from proxy.ledger.sqlite import SqliteSink
from proxy.price import Price
from tests.support.admin import Office, code
from tests.support.ledger import opened, settled

OPERATORS = (Operator("owner"), Operator("of-acme", "admin", "acme"), Operator("half", "auditor", "", "search"))
PRICE = Price(10**9, 10**9, cached_read=10**8)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Over rows of two organisations."""
    path, now = tmp_path / "ledger.sqlite", time.time_ns() // 1000
    sink = SqliteSink(path)
    rows = [
        settled(
            opened(at, organisation=who, route="chat", provider="a", model="m", price=PRICE.version),
            opened=now - 3_600_000_000,
            input=1000,
            cached_read=9000,
        )
        for at, who in enumerate(["acme", "acme", "other"])
    ]
    sink.write(rows, [PriceTerms(PRICE.version, PRICE.terms)])
    sink.close()
    service = KeyService(tmp_path)
    yield Office(Desk(service, source=lambda: SqliteSource(path)), OPERATORS)
    await service.aclose()


@pytest.mark.parametrize(("who", "requests"), [("owner", 3), ("of-acme", 2), ("half", 0)])
async def test_an_operator_sees_what_is_his(office: Office, who: str, requests: int) -> None:
    """The sum, too."""
    found = await office.data(who, "GET", "/admin/cache/prefixes?since=2h")
    assert found["by"] == ["route", "provider", "model"]
    assert found["total"]["requests"] == requests
    assert found["total"]["saved"] == requests * 8_100_000
    assert found["total"]["hit_rate"] == (0.9 if requests else None)
    assert len(found["groups"]) == (1 if requests else 0)


@pytest.mark.parametrize(
    ("query", "param"), [("by=weather", "by"), ("limit=0", "limit"), ("since=whenever", "since"), ("sort=cost", "sort")]
)
async def test_what_makes_no_sense_is_refused(office: Office, query: str, param: str) -> None:
    """With its name."""
    reply = await office.ask("owner", "GET", f"/admin/cache/prefixes?{query}")
    assert (code(reply)[0], code(reply)[2]) == (400, param)
