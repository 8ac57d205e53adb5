"""Usage over HTTP: the numbers of the ledger, of no more than the operator sees."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.admin.api import Desk
from proxy.admin.roles import Operator
from proxy.keys.service import KeyService
from proxy.ledger.export import NoLedger, Source, SqliteSource
from proxy.ledger.sqlite import SqliteSink
from tests.support.admin import Office, code
from tests.support.ledger import opened, settled

HOUR = 3_600_000_000  # microseconds
OPERATORS = (
    Operator("owner"),
    Operator("auditor", "auditor"),
    Operator("of-acme", "admin", "acme"),
    Operator("lead", "team_lead", "acme", "search"),
    Operator("viewer", "viewer", "acme", "ads"),
    Operator("nobody", "viewer"),
    Operator("half", "auditor", "", "search"),
)
# Organisation, team, key, model, cost, how many hours ago.
ROWS = (
    ("acme", "search", "web", "fast", 300, 1),
    ("acme", "search", "app", "slow", 500, 1),
    ("acme", "ads", "web", "fast", 40, 1),
    ("other", "search", "web", "fast", 7000, 1),
    ("acme", "search", "web", "fast", 90, 50),
)


class Counted(SqliteSource):
    """A connection that tells when it is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.is_closed = False

    def close(self) -> None:
        """Close it."""
        super().close()
        self.is_closed = True


class Ledger:
    """A file of rows, and which connections to it were opened and closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[Counted] = []

    def open(self) -> Source:
        """A connection."""
        self.opened.append(Counted(self.path))
        return self.opened[-1]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """With ``ROWS``."""
    path = tmp_path / "ledger.sqlite"
    sink, now, rows = SqliteSink(path), time.time_ns() // 1000, []
    for number, (organisation, team, key, model, cost, hours) in enumerate(ROWS):
        who = {"organisation": organisation, "team": team, "key": key, "model": model}
        rows.append(settled(opened(number, **who), opened=now - hours * HOUR, cost=cost))
    sink.write(rows, ())
    sink.close()
    return Ledger(path)


@pytest.fixture
async def office(tmp_path: Path, ledger: Ledger) -> AsyncIterator[Office]:
    """Over these rows."""
    service = KeyService(tmp_path)
    yield Office(Desk(service, source=ledger.open), OPERATORS)
    await service.aclose()


async def _costs(office: Office, who: str, query: str) -> dict[str, int]:
    found = await office.data(who, "GET", f"/admin/usage?{query}")
    assert found["total"]["cost"] == sum(one["cost"] for one in found["groups"])
    return {"/".join(one[name] for name in found["by"]): one["cost"] for one in found["groups"]}


async def test_the_numbers_of_the_ledger(office: Office, ledger: Ledger) -> None:
    """In groups, the largest first, with the period; the connection is closed again."""
    found = await office.data("owner", "GET", "/admin/usage?since=1d")
    assert found["by"] == ["team", "model"]
    assert [(one["team"], one["model"], one["cost"], one["requests"]) for one in found["groups"]] == [
        ("search", "fast", 7300, 2),
        ("search", "slow", 500, 1),
        ("ads", "fast", 40, 1),
    ]
    assert found["total"]["cost_usd"] == 7840 / 1e9
    assert (found["count"], found["until"]) == (3, None)
    assert [one.is_closed for one in ledger.opened] == [True]


async def test_it_can_be_asked_for_less(office: Office) -> None:
    """Times, conditions, order and the number of lines."""
    assert await _costs(office, "owner", "by=key&since=7d&where=organisation=acme") == {"web": 430, "app": 500}
    assert await _costs(office, "owner", "by=key&since=7d&where=key=web,team=ads") == {"web": 40}
    assert await _costs(office, "owner", "by=organisation&since=7d&until=1d") == {"acme": 90}
    assert list(await _costs(office, "owner", "by=team&since=1d&sort=requests&limit=9")) == ["search", "ads"]
    found = await office.data("owner", "GET", "/admin/usage?by=model&since=1d&limit=1")
    assert [one["model"] for one in found["groups"]] == ["fast"]
    assert (found["count"], found["total"]["cost"]) == (2, 7840)


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("owner", {"acme/search": 890, "acme/ads": 40, "other/search": 7000}),
        ("auditor", {"acme/search": 890, "acme/ads": 40, "other/search": 7000}),
        ("of-acme", {"acme/search": 890, "acme/ads": 40}),
        ("lead", {"acme/search": 890}),
        ("viewer", {"acme/ads": 40}),
        ("nobody", {}),
        ("half", {}),
    ],
)
async def test_everybody_sees_their_own(office: Office, who: str, seen: dict[str, int]) -> None:
    """However it is asked for: no condition of the query widens it, and the total is no exception."""
    by = "by=organisation,team&since=7d"
    assert await _costs(office, who, by) == seen
    places = itertools.product(("acme", "other", "none"), ("search", "ads", "none"))
    for organisation, team in places:
        name = f"{organisation}/{team}"
        where = f"&where=organisation={organisation},team={team}"
        assert await _costs(office, who, by + where) == {key: cost for key, cost in seen.items() if key == name}
    both = "&where=organisation=acme,organisation=other,team=search,team=ads"
    assert await _costs(office, who, by + both) == seen


async def test_what_is_no_question_is_refused(office: Office, ledger: Ledger) -> None:
    """By the name of what is wrong, and without asking the ledger."""
    wrong = {
        "by": ("", "request", "team,nothing", "team;DROP TABLE attempts"),
        "since": ("soon", "", "9999999d", "x" * 5000),
        "until": ("later", "0001-01-01T00:00+23:59"),
        "where": ("web", "cost=1", "id'=1", ""),
        "sort": ("name", ""),
        "limit": ("0", "1001", "-1", "x"),
    }
    for name, values in wrong.items():
        for value in values:
            assert code(await office.ask("owner", "GET", f"/admin/usage?{name}={value}")) == (
                400,
                "invalid_request",
                name,
            ), (name, value)
    assert (await office.ask("owner", "GET", "/admin/usage?format=csv")).status == 400
    assert (await office.ask("owner", "GET", "/admin/usage?by=team&by=key")).status == 400
    assert not ledger.opened


async def test_texts_are_never_statements(office: Office) -> None:
    """They are compared, and that is all."""
    for text in ("web' OR '1'='1", "%25", "web\x00", 'web" --'.replace('"', "%22")):
        assert await _costs(office, "owner", f"by=key&since=7d&where=key={text.replace(' ', '+')}") == {}


async def test_without_a_ledger(tmp_path: Path) -> None:
    """None is kept, or it cannot be read; nothing of the machine is told."""

    def broken() -> Source:
        raise NoLedger(f"{tmp_path}: the disk is gone")

    service = KeyService(tmp_path)
    try:
        for source, told in ((None, (404, "ledger_disabled", None)), (broken, (503, "ledger_unavailable", None))):
            office = Office(Desk(service, source=source), OPERATORS)
            reply = await office.ask("owner", "GET", "/admin/usage")
            assert code(reply) == told
            assert str(tmp_path).encode() not in reply.body
    finally:
        await service.aclose()
