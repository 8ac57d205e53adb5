"""Limits and budgets over HTTP: real counters, and nobody sees those of others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from proxy.admin.api import Desk
from proxy.admin.limits_api import MAX_LINES
from proxy.admin.roles import Operator
from proxy.exchange import Identity
from proxy.keys import store
from proxy.keys.audit import Actor
from proxy.keys.identities import Identities, Issued
from proxy.keys.service import KeyService
from proxy.limits.limit import Amounts, Counters, Gauge, Held, Level, Over, Rule, Unavailable
from proxy.limits.rule import parse
from tests.support.admin import Office, code

OPERATORS = (
    Operator("owner"),
    Operator("auditor", "auditor"),
    Operator("of-acme", "admin", "acme"),
    Operator("lead", "team_lead", "acme", "search"),
    Operator("viewer", "viewer", "acme", "ads"),
    Operator("nobody", "viewer"),
)


def _rule(level: str, scope: str, text: str, **more: Any) -> Rule:
    return Rule(parse(text), level, scope, **more)


ORGANISATION = (_rule("organisation", "acme", "$10/day"),)
SEARCH = (*ORGANISATION, _rule("team", "acme/search", "100/h"))
WEB = (*SEARCH, _rule("key", "acme/search/web", "5 concurrent"), _rule("key", "acme/search/web", "$2 total"))
ADS = (*ORGANISATION, _rule("team", "acme/ads", "1k tokens/day", models=("fast",), per="user"))
OTHER = (_rule("organisation", "other", "7/min", over="warn"),)


def _who(organisation: str, team: str, key: str, rules: tuple[Rule, ...]) -> Identity:
    return Identity(organisation, team, key, rules=rules)


TENANTS = {
    ("acme", "search", ""): _who("acme", "search", "", SEARCH),
    ("acme", "search", "web"): _who("acme", "search", "web", WEB),
    ("acme", "ads", ""): _who("acme", "ads", "", ADS),
    ("other", "all", ""): _who("other", "all", "", OTHER),
}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Over these tenants, with issued keys."""
    service = KeyService(tmp_path)
    issued = Issued()
    issued.service = service

    def of_issued(texts: tuple[str, ...], tier: str, scope: str) -> tuple[Rule, ...]:
        return tuple(_rule("key", scope, text) for text in texts)

    made = Office(Desk(service), OPERATORS)
    made.runtime.identities = Identities({}, TENANTS, issued, of_issued)
    yield made
    await service.aclose()


async def _lines(office: Office, who: str = "owner", query: str = "", name: str = "limits") -> list[dict[str, Any]]:
    found = await office.data(who, "GET", f"/admin/{name}{query}")
    assert found["more"] is False
    lines: list[dict[str, Any]] = found[name]
    return lines


def _shown(lines: Sequence[dict[str, Any]]) -> list[str]:
    return [
        "/".join(one[part] or "-" for part in ("organisation", "team", "key")) + " " + one["limit"] for one in lines
    ]


async def _use(office: Office, identity: Identity, amounts: Amounts) -> None:
    gauges = [Gauge(rule.key, rule.limit, rule.zone) for rule in identity.rules]
    assert isinstance(await office.runtime.counters.reserve("req_1", gauges, amounts), Held)


async def test_what_is_used_and_what_is_left(office: Office) -> None:
    """Each limit once, whoever has it; what one key has used counts for its team and its organisation."""
    await _use(office, TENANTS["acme", "search", "web"], Amounts(3, 10, 20, 1_500_000_000))
    lines = await _lines(office)
    assert _shown(lines) == [
        "acme/-/- $10/day",
        "acme/search/- 100/h",
        "acme/search/web 5 concurrent",
        "acme/search/web $2 total",
        "acme/ads/- 1k tokens/day",
        "other/-/- 7/min",
    ]
    assert [(one["amount"], one["used"], one["left"]) for one in lines] == [
        (10**10, 15 * 10**8, 85 * 10**8),
        (100, 3, 97),
        (5, 1, 4),
        (2 * 10**9, 15 * 10**8, 5 * 10**8),
        (1000, None, None),
        (7, 0, 7),
    ]
    day, hour, concurrent, total, _, _ = (one["resets_in"] for one in lines)
    assert 0 < day <= 86_400
    assert 0 < hour <= 3600
    assert (concurrent, total) == (None, None)
    ads = lines[4]
    assert (ads["level"], ads["kind"], ads["window"], ads["models"], ads["per"]) == (
        "team",
        "tokens",
        "day",
        ["fast"],
        "user",
    )
    assert lines[5]["over_limit"] == "warn"


async def test_looking_changes_nothing(office: Office) -> None:
    """However often."""
    first = await _lines(office, query="?key=web")
    assert await _lines(office, query="?key=web") == first
    assert len(office.runtime.counters.memory) == 0


async def test_more_than_all_leaves_nothing(office: Office) -> None:
    """What was cheaper to guess than to do can go over; what is left is never below 0."""
    gauge = Gauge(OTHER[0].key, OTHER[0].limit, is_hard=False)
    for number in range(9):
        await office.runtime.counters.reserve(f"req_{number}", [gauge], Amounts())
    (line,) = await _lines(office, query="?organisation=other")
    assert (line["used"], line["left"]) == (9, 0)


async def test_budgets_are_in_dollars(office: Office) -> None:
    """And nothing else is among them."""
    await _use(office, TENANTS["acme", "search", "web"], Amounts(1, 0, 0, 1_500_000_000))
    lines = await _lines(office, name="budgets")
    assert _shown(lines) == ["acme/-/- $10/day", "acme/search/web $2 total"]
    assert [(one["amount_usd"], one["used_usd"], one["left_usd"]) for one in lines] == [(10, 1.5, 8.5), (2, 1.5, 0.5)]
    assert "used" not in lines[0]


@pytest.mark.parametrize(
    ("who", "count"), [("owner", 6), ("auditor", 6), ("of-acme", 5), ("lead", 3), ("viewer", 1), ("nobody", 0)]
)
async def test_everybody_sees_their_own(office: Office, who: str, count: int) -> None:
    """However it is asked for. What the organisation has used says what other teams have: a team does not see it."""
    lines = await _lines(office, who)
    assert len(lines) == count
    for query in ("?organisation=other", "?team=ads", "?organisation=acme&team=search", "?key=web", "?team=none"):
        assert all(one in lines for one in await _lines(office, who, query)), query
    assert len(await _lines(office, who, "?organisation=other")) == (who in ("owner", "auditor"))


async def test_issued_keys_have_lines(office: Office) -> None:
    """From when they are there until they are revoked."""
    assert office.desk is not None
    service = office.desk.service
    place, actor = ("acme", "search", "tool"), Actor("ada", "owner")
    values = {"limits": ("9/h",)}
    key, _ = await service.write(lambda db: store.create(db, actor, place, values, now=service.micros()))
    assert _shown(await _lines(office, "lead", "?key=tool")) == ["acme/search/tool 9/h"]
    assert not await _lines(office, "viewer", "?key=tool")
    await service.write(lambda db: store.revoke(db, actor, key.id, now=service.micros()))
    assert not await _lines(office, "lead", "?key=tool")


async def test_there_is_a_most(office: Office) -> None:
    """And it is said that there are more."""
    rules = tuple(_rule("key", f"acme/search/k{number}", "1/h") for number in range(MAX_LINES + 1))
    tenants = {("acme", "search", ""): _who("acme", "search", "", rules)}
    office.runtime.identities = Identities({}, tenants, Issued(), lambda texts, tier, scope: ())
    found = await office.data("owner", "GET", "/admin/limits")
    assert (len(found["limits"]), found["more"]) == (MAX_LINES, True)
    found = await office.data("owner", "GET", "/admin/limits?key=k1000")
    assert (len(found["limits"]), found["more"]) == (1, False)


class _Lost(Counters):
    """Nobody answers."""

    async def reserve(self, id: str, gauges: Sequence[Gauge], amounts: Amounts) -> Held | Over:
        """Never."""
        raise Unavailable

    def settle(self, held: Held, used: Amounts) -> None:
        """Nothing."""

    async def look(self, gauges: Sequence[Gauge]) -> list[Level]:
        """Never."""
        raise Unavailable


async def test_a_store_that_does_not_answer_is_told(office: Office) -> None:
    """Better than a number that is wrong."""
    office.runtime.counters.current = _Lost()
    assert code(await office.ask("owner", "GET", "/admin/limits"))[:2] == (503, "limits_unavailable")


async def test_unknown_fields_are_refused(office: Office) -> None:
    """By name."""
    for path in ("/admin/limits", "/admin/budgets"):
        assert code(await office.ask("owner", "GET", f"{path}?user=zoe"))[::2] == (400, "user")
