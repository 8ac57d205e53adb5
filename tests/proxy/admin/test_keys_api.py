"""Keys over HTTP: what each role may do, to whose keys, and how far."""

from __future__ import annotations

from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Any

import pytest

from proxy.admin.roles import CREATES, UPDATES, Ceiling, Operator
from proxy.keys import audit, store
from proxy.keys.record import MICRO, PROPERTIES, TIERS, digest_of
from tests.support.admin import ROLES, Office, code, open_office

OWN = "Kq8vPz3nRb7wXt2mLc9hYd5gJf4sVa6e"
PLACES = (("acme", "search"), ("acme", "chat"), ("other", "search"))
CEILING = Ceiling((("gpt-*", "o1"),), frozenset({"chat", "jobs"}), "basic")
VALUES: dict[str, Any] = {
    "models": ["gpt-4o"],
    "routes": ["chat"],
    "addresses": ["10.0.0.0/8"],
    "tier": "free",
    "limits": ["60/min"],
    "tags": {"a": "b"},
    "expires": "30d",
    "secret": OWN,
}
# What no role may write, though a key has it or callers might hope so.
OTHERS = ("id", "hash", "prefix", "created", "created_by", "revoked", "replaced_by", "state", "budget", "role", "\x00")


def _operators() -> list[Operator]:
    """Each role of the whole gateway, or for acme/search where it is a team's; and each for every tenant."""
    whole = [
        Operator(role, role, *(("acme", "search") if role in ("team_lead", "viewer") else ()))  # type: ignore[arg-type]
        for role in ROLES
    ]
    tenants = [Operator(f"{role}.{a}.{b}", role, a, b) for role in ROLES for a, b in PLACES]  # type: ignore[arg-type]
    return whole + tenants


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """Three tenants and operators of all kinds."""
    async with open_office(tmp_path, _operators(), dict.fromkeys(PLACES, CEILING)) as found:
        yield found


async def _create(office: Office, name: str = "web", place: tuple[str, str] = PLACES[0], **more: Any) -> Any:
    body = {"organisation": place[0], "team": place[1], "name": name} | more
    return await office.data("owner", "POST", "/admin/keys", body, status=201)


async def test_whoami(office: Office) -> None:
    """With what the role includes."""
    found = await office.data("team_lead", "GET", "/admin/whoami")
    assert (found["name"], found["role"], found["organisation"], found["team"]) == (
        "team_lead",
        "team_lead",
        "acme",
        "search",
    )
    assert found["allowed"] == [
        "keys.read",
        "keys.create",
        "keys.update",
        "keys.revoke",
        "keys.rotate",
        "usage.read",
        "limits.read",
        "requests.read",
        "requests.texts",
    ]
    assert "addresses" not in found["writable"]["update"]
    assert (await office.data("owner", "GET", "/admin/whoami"))["organisation"] is None


async def test_the_life_of_a_key(office: Office) -> None:
    """Made, found, changed, rotated and revoked; its secret is in one answer and in no line of the log."""
    made = await _create(office, models=["gpt-4o"], expires="30d")
    secret, at = made.pop("secret"), f"/admin/keys/{made['id']}"
    assert office.desk is not None
    assert office.desk.service.find(digest_of(secret)) is not None
    assert await office.data("viewer", "GET", at) == made
    changed = await office.data("admin", "PATCH", at, {"models": ["o1"], "tier": "premium"})
    assert changed == made | {"models": ["o1"], "tier": "premium"}
    rotated = await office.data("admin", "POST", f"{at}/rotate", {"overlap": "1h"}, status=201)
    other = rotated.pop("secret")
    assert rotated["replaces"]["replaced_by"] == rotated["id"] != made["id"]
    assert office.desk.service.find(digest_of(secret)) is not None
    gone = await office.data("admin", "DELETE", at)
    assert (gone["state"], gone["id"]) == ("revoked", made["id"])
    assert office.desk.service.find(digest_of(secret)) is None
    assert office.desk.service.find(digest_of(other)) is not None
    shown = repr(office.log.lines) + repr([made, changed, rotated, gone])
    shown += repr(await office.data("auditor", "GET", "/admin/audit"))
    for one in (secret, other):
        assert one not in shown
        assert digest_of(one).hex() not in shown
    assert [fields["action"] for _, fields in office.log.lines] == ["create", "update", "rotate", "revoke"]


async def test_pages(office: Office) -> None:
    """Of what the operator sees; a filter makes it narrower only."""
    ids = {place: [(await _create(office, f"k{n}", place))["id"] for n in range(3)] for place in PLACES}
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await office.data("auditor", "GET", f"/admin/keys?limit=2&after={after}")
        found += [key["id"] for key in page["keys"]]
        after = page["next"]
    assert found == sorted(one for some in ids.values() for one in some)

    async def seen(who: str, query: str = "") -> set[str]:
        return {key["id"] for key in (await office.data(who, "GET", f"/admin/keys{query}"))["keys"]}

    assert await seen("viewer") == set(ids["acme", "search"])
    assert await seen("viewer", "?team=chat") == await seen("viewer", "?organisation=other") == set()
    assert await seen("owner", "?organisation=acme&team=chat") == set(ids["acme", "chat"])
    assert await seen("owner", "?team=search") == {*ids["acme", "search"], *ids["other", "search"]}
    assert code(await office.ask("owner", "GET", "/admin/keys?teem=x"))[2] == "teem"
    assert code(await office.ask("owner", "GET", "/admin/keys?limit=1001"))[2] == "limit"


@pytest.mark.parametrize("role", ROLES)
async def test_every_role_and_every_property(office: Office, role: str) -> None:
    """What can be written is what the tables declare, neither less nor more (ADM-02)."""
    at = f"/admin/keys/{(await _create(office))['id']}"
    created, updated = set(), set()
    for number, (name, value) in enumerate([*VALUES.items(), *((name, "x") for name in OTHERS)]):
        body = {"organisation": "acme", "team": "search", "name": f"k{number}", name: value}
        made = await office.ask(role, "POST", "/admin/keys", body)
        changed = await office.ask(role, "PATCH", at, {name: value})
        created |= {name} if made.status == 201 else set()
        updated |= {name} if changed.status == 200 else set()
        for reply, allowed in ((made, CREATES[role]), (changed, UPDATES[role])):  # type: ignore[index]
            if not allowed:
                assert code(reply)[:2] == (403, "role_not_allowed")
            elif name not in allowed:
                assert code(reply) == (400, "unknown_member", name)
    assert created == CREATES[role]  # type: ignore[index]
    assert updated == UPDATES[role]  # type: ignore[index]
    for name in ("organisation", "team", "name"):
        assert (await office.ask(role, "PATCH", at, {name: "chat"})).status in (400, 403)
    assert set(VALUES) == set(PROPERTIES) | {"secret"}


def _wider(chosen: Random) -> dict[str, Any]:
    """Members of which at least one is more than the team has, with others that are in order or not."""
    wide: dict[str, list[Any]] = {
        "models": [["*"], ["gpt-4o", "claude"], ["g*"], ["?pt-*"], ["[a-z]*"], ["o*"], ["gpt-4o", "*pt-*"], ["o?"]],
        "routes": [["admin"], ["chat", "all"], ["Chat"]],
        "tier": ["premium", "enterprise"],
        "organisation": ["other"],
        "team": ["chat", "none"],
        "expires": [None, "31d", "3000d"],
    }
    narrow: dict[str, list[Any]] = {"models": [["gpt-4*"], ["o1"]], "routes": [["jobs"]], "tier": ["free", "basic"]}
    members = {name: chosen.choice(narrow[name]) for name in narrow if chosen.random() < 0.5}
    for name in chosen.sample(sorted(wide), chosen.randrange(1, 4)):
        members[name] = chosen.choice(wide[name])
    return members


async def test_nobody_gives_more_than_they_have(tmp_path: Path) -> None:
    """500 keys that would be wider than their maker's team, made new or of one that there is (ADM-03)."""
    chosen = Random(7)
    ceiling = Ceiling(CEILING.models, CEILING.routes, CEILING.tier, 30 * 86_400.0)
    lead = Operator("lead", "team_lead", "acme", "search")
    async with open_office(tmp_path, [Operator("owner"), lead], dict.fromkeys(PLACES, ceiling)) as office:
        base = {"organisation": "acme", "team": "search", "expires": "29d"}
        own = await office.data("lead", "POST", "/admin/keys", base | {"name": "own"}, status=201)
        kept = {name: value for name, value in own.items() if name != "secret"}
        for number in range(500):
            members = _wider(chosen)
            if number % 2:
                reply = await office.ask("lead", "POST", "/admin/keys", base | {"name": f"k{number}"} | members)
                assert reply.status in (403, 404), (members, reply.body)
            else:
                reply = await office.ask("lead", "PATCH", f"/admin/keys/{own['id']}", members)
                assert reply.status in (400, 403), (members, reply.body)
        assert (await office.data("owner", "GET", "/admin/keys"))["keys"] == [kept]
        narrow = {"name": "narrow", "models": ["gpt-4o*", "o1"], "routes": ["chat"], "tier": "basic"}
        found = await office.data("lead", "POST", "/admin/keys", base | narrow, status=201)
        assert all(any(fnmatchcase(model, glob) for glob in CEILING.models[0]) for model in found["models"])
        assert TIERS.index(found["tier"]) <= TIERS.index("basic")


async def test_the_secret_of_a_wider_key_is_not_had_by_rotation(office: Office) -> None:
    """A lead cannot rotate what they could not have made; they can revoke it."""
    at = f"/admin/keys/{(await _create(office, tier='enterprise'))['id']}"
    assert code(await office.ask("team_lead", "POST", f"{at}/rotate")) == (403, "wider_than_scope", "tier")
    assert (await office.data("team_lead", "DELETE", at))["state"] == "revoked"


async def test_a_lead_does_not_lengthen_a_life(office: Office) -> None:
    """That an owner gave."""
    at = f"/admin/keys/{(await _create(office, expires='30d'))['id']}"
    assert (await office.ask("team_lead", "PATCH", at, {"expires": "29d"})).status == 200
    for expires in ("30d", None):
        assert code(await office.ask("team_lead", "PATCH", at, {"expires": expires}))[2] == "expires"
    assert (await office.data("owner", "PATCH", at, {"expires": None}))["expires"] is None


async def test_tenants_are_apart(office: Office) -> None:
    """Three tenants, five roles in each, every id, every method (ISO-02): nothing of another's is there."""
    keys = {place: (await _create(office, "web", place))["id"] for place in PLACES}
    assert office.desk is not None
    before = await office.desk.service.read(lambda db: (store.keys(db), audit.head(db)))
    for role in ROLES:
        for own in PLACES:
            for place, identity in keys.items():
                if place == own:
                    continue
                who, at = f"{role}.{own[0]}.{own[1]}", f"/admin/keys/{identity}"
                none = (404, "key_not_found", None)
                assert code(await office.ask(who, "GET", at)) == none
                assert code(await office.ask(who, "PATCH", at, {"tier": "free"})) == none
                assert code(await office.ask(who, "PATCH", at, {"bad": 1})) == none
                assert code(await office.ask(who, "DELETE", at)) == none
                assert code(await office.ask(who, "POST", f"{at}/rotate")) == none
                body = {"organisation": place[0], "team": place[1], "name": "new"}
                status = 404 if role in ("owner", "admin", "team_lead") else 403
                assert (await office.ask(who, "POST", "/admin/keys", body)).status == status
                listed = await office.data(who, "GET", f"/admin/keys?organisation={place[0]}&team={place[1]}")
                assert listed["keys"] == []
            for path in ("/admin/audit", "/admin/targets", "/admin/targets/up/gpt-4o"):
                assert code(await office.ask(f"{role}.{own[0]}.{own[1]}", "GET", path))[0] == 403
    assert await office.desk.service.read(lambda db: (store.keys(db), audit.head(db))) == before


@pytest.mark.parametrize("role", ROLES)
async def test_what_each_role_does_to_its_own(office: Office, role: str) -> None:
    """Writers write, readers read."""
    who = f"{role}.acme.search"
    at = f"/admin/keys/{(await _create(office))['id']}"
    writes = role in ("owner", "admin", "team_lead")
    assert (await office.ask(who, "GET", at)).status == 200
    assert (await office.ask(who, "POST", "/admin/keys", {"name": "mine"})).status == (201 if writes else 403)
    assert (await office.ask(who, "PATCH", at, {"tier": "free"})).status == (200 if writes else 403)
    assert (await office.ask(who, "POST", f"{at}/rotate", {"overlap": "0s"})).status == (201 if writes else 403)
    assert (await office.ask(who, "DELETE", at)).status == (200 if writes else 403)


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({}, (400, "invalid_request", "organisation")),
        ({"organisation": "acme", "team": "search"}, (400, "invalid_request", "name")),
        ({"organisation": "acme", "team": "none", "name": "a"}, (404, "team_not_found", "team")),
        ({"organisation": "acme", "team": "search", "name": "a", "secret": "sk-1234"}, (400, "weak_key", "secret")),
        ({"organisation": "acme", "team": "search", "name": "a", "secret": 5}, (400, "invalid_request", "secret")),
        ({"organisation": "acme", "team": "search", "name": "a", "tier": "x"}, (400, "invalid_request", "tier")),
        ({"organisation": ["acme"], "team": "search", "name": "a"}, (400, "invalid_request", "organisation")),
        (b"[]", (400, "invalid_json", None)),
    ],
)
async def test_bodies_that_are_refused(office: Office, body: Any, refused: Any) -> None:
    """By name; nothing is made."""
    assert code(await office.ask("owner", "POST", "/admin/keys", body)) == refused
    assert (await office.data("owner", "GET", "/admin/keys"))["keys"] == []


@pytest.mark.parametrize("overlap", [5, "soon", "31d", "-1h", None])
async def test_overlaps_that_are_refused(office: Office, overlap: Any) -> None:
    """Up to 30 days."""
    at = f"/admin/keys/{(await _create(office))['id']}/rotate"
    assert code(await office.ask("owner", "POST", at, {"overlap": overlap})) == (400, "invalid_request", "overlap")
    found = await office.data("owner", "POST", at, {"overlap": "30d"}, status=201)
    assert found["replaces"]["state"] == "live"


async def test_an_overlap_of_a_day_is_what_one_gets(office: Office) -> None:
    """Without saying so."""
    made = await _create(office)
    assert office.desk is not None
    now = office.desk.service.micros()
    await office.data("owner", "POST", f"/admin/keys/{made['id']}/rotate", status=201)
    old = await office.desk.service.read(lambda db: store.find(db, made["id"]))
    assert old.expires is not None
    assert 0 <= old.expires - now - 86_400 * MICRO < 60 * MICRO


async def test_an_own_secret_is_not_sent_back(office: Office) -> None:
    """Whoever brought it has it."""
    assert "secret" not in await _create(office, secret=OWN)
    body = {"organisation": "acme", "team": "search", "name": "again", "secret": OWN}
    assert code(await office.ask("owner", "POST", "/admin/keys", body))[:2] == (409, "key_exists")


async def test_ids_that_are_none(office: Office) -> None:
    """Whatever they look like."""
    for name in ("key_0", "key_" + "0" * 24, "%00", "..", "%27%20OR%201=1", "k" * 3000):
        assert code(await office.ask("owner", "GET", f"/admin/keys/{name}"))[:2] == (404, "key_not_found")


async def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """Is nobody's fault who asks; the reason is in the log only."""
    (tmp_path / store.FILE).write_bytes(b"no database" * 100)
    async with open_office(tmp_path, [Operator("owner")]) as office:
        reply = await office.ask("owner", "GET", "/admin/keys")
        assert code(reply)[:2] == (503, "store_unavailable")
        assert str(tmp_path) not in reply.body.decode()
        assert office.log.lines[0][0] == "admin.store_unavailable"
