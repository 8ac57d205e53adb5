"""Keys that are issued while the gateway runs: they work at once, hold what they are given, and end when ended."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import books
from tests.support.gateway import Gateway
from tests.support.issuing import LATEST, ask, becomes, command, issue, kept, operate
from tests.support.traffic import code_of
from tests.support.upstream import FakeUpstream
from tests.support.valkey import Valkey
from tests.support.wire import Wire

OPERATOR, LEADER = "sk-operator-0f8c2e61a9d4b753", "sk-leader-5a1c9e37b2d8f064"
MODELS = ("fast", "other", "elsewhere")
MakeGateway = Callable[..., Gateway]


@pytest.fixture(autouse=True)
def _plain(upstream: FakeUpstream) -> None:
    """What another test has told the upstream is forgotten."""
    for model in MODELS:
        upstream.tell(model)


def _config(url: str, *, team: str = "", teams: str = "", more: str = "") -> str:
    def hashed(key: str) -> str:
        return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"

    return f"""
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-up}}
admin:
  keys:
    root: {{hash: "{hashed(OPERATOR)}"}}
    ops: {{hash: "{hashed(LEADER)}", role: team_lead, organisation: acme, team: search}}
tenants:
  acme: {{teams: {{search: {{{team}}}, ads: {{}}{teams}}}}}
policies:
  all: [authenticate, allow_models, {{tags: {{accept: [user]}}}}, quota]
routes:
  chat: {{models: [fast, other], policies: [{{use: all}}], target: up/*}}
  side: {{models: [elsewhere], policies: [{{use: all}}], target: up/*}}
{more}
"""


def _code(answer: Any) -> str:
    return code_of(json.dumps(answer).encode())


async def _made(running: Gateway, place: str = "acme/search/tool", **more: Any) -> dict[str, Any]:
    """A key by the API: quicker than the command, where it does not matter."""
    organisation, team, name = place.split("/")
    body = {"organisation": organisation, "team": team, "name": name} | more
    status, found = await operate(running, "POST", "/admin/keys", OPERATOR, body)
    assert status == 201, found
    made: dict[str, Any] = found
    return made


async def _good(running: Gateway, key: str, *, workers: int = 1) -> None:
    await becomes(200, lambda: ask(running, key), in_a_row=1 if workers == 1 else 12)


async def _refused(running: Gateway, key: str, *, workers: int = 1) -> None:
    await becomes(401, lambda: ask(running, key), in_a_row=1 if workers == 1 else 12)


# What a key is given holds


async def test_a_key_works_at_once_and_holds_what_it_was_given(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """Models and a limit of its own, from the command line, without a change of the file."""
    running = gateway(_config(upstream.url))
    made = await issue(running, "create", "acme/search/tool", "--limit", "2/h", "--model", "fast", "--expires", "1d")
    assert (made["state"], made["models"], made["limits"]) == ("live", ["fast"], ["2/h"])
    key = made["secret"]
    await becomes(200, lambda: ask(running, key))
    status, answer = await ask(running, key, "other")
    assert (status, _code(answer)) == (403, "model_not_allowed")
    statuses = [(await ask(running, key))[0] for _ in range(3)]
    assert statuses == [200, 429, 429]
    status, found = await operate(running, "GET", "/admin/limits?key=tool", LEADER)
    assert [(one["limit"], one["used"], one["left"]) for one in found["limits"]] == [("2/h", 2, 0)]
    line = (await books.settled(running, 2))[0]
    assert (line.organisation, line.team, line.key) == ("acme", "search", "tool")
    assert running.generation() == 1
    assert key not in running.output()
    assert key.encode() not in kept(running)


async def test_routes_addresses_and_tags_hold(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """Each says why; a tag goes with the key, whatever the caller claims."""
    running = gateway(_config(upstream.url))
    at_side = await issue(running, "create", "acme/search/side", "--route", "side", "--address", "127.0.0.0/8")
    far = await _made(running, "acme/search/far", addresses=["203.0.113.0/24"])
    own = await _made(running, "acme/search/tagged", tags={"user": "zoe"}, routes=["chat"])
    await becomes(200, lambda: ask(running, at_side["secret"], "elsewhere"))
    for key, model, code in (
        (at_side["secret"], "fast", "route_not_allowed"),
        (far["secret"], "fast", "address_not_allowed"),
        (own["secret"], "elsewhere", "route_not_allowed"),
    ):
        status, answer = await ask(running, key, model)
        assert (status, _code(answer)) == (403, code)
    assert (await ask(running, own["secret"], user="evil"))[0] == 200
    rows = {row.key: row for row in await books.settled(running, 2)}
    assert rows["tagged"].user == "zoe"
    assert rows["side"].user == ""


async def test_a_tier_that_only_issued_keys_have_leads_where_it_says(
    gateway: MakeGateway, upstream: FakeUpstream
) -> None:
    """No key of the file is of that tier; who is over its limit is answered by the other route."""
    tiers = "tiers: {premium: [{limit: 1/h, over_limit: {downgrade: side}}]}"
    small = "models: [elsewhere], policies: [{use: all}], target: up/"
    running = gateway(_config(upstream.url, more=tiers).replace(f"{small}*", f"{small}small"))
    key = (await _made(running, tier="premium"))["secret"]
    await _good(running, key)
    status, _ = await ask(running, key)
    assert status == 200
    *_, first, second = await books.settled(running, 2)
    assert (first.route, first.model, second.route, second.model) == ("chat", "fast", "chat", "small")
    assert running.log("request")[-1]["degraded"]


async def test_the_limits_of_its_team_hold_too(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """Two keys of one team share what it has; that of another team has its own. The API shows what is left."""
    running = gateway(_config(upstream.url, team='limits: ["3/h"]'))
    one, two, other = [
        (await _made(running, name, limits=["100/h"]))["secret"]
        for name in ("acme/search/one", "acme/search/two", "acme/ads/one")
    ]
    await _good(running, other)
    await _good(running, one)
    statuses = [(await ask(running, key))[0] for key in (two, one, two, one, other)]
    assert statuses == [200, 200, 429, 429, 200]
    status, found = await operate(running, "GET", "/admin/limits?team=search", LEADER)
    team = next(line for line in found["limits"] if line["level"] == "team")
    assert (status, team["used"], team["left"]) == (200, 3, 0)
    await books.settled(running, 5)
    status, found = await operate(running, "GET", "/admin/usage?by=organisation,team,key&since=1h", LEADER)
    assert status == 200, found
    assert {(line["team"], line["key"], line["requests"]) for line in found["groups"]} == {
        ("search", "one", 2),
        ("search", "two", 1),
    }


# It ends when it is ended


class _Load:
    """Questions with one key, each by its own connection so that every worker gets some, until it is told to stop."""

    def __init__(self, running: Gateway, key: str) -> None:
        self._running, self._key = running, key
        self._stop = False
        self.asked: list[tuple[float, int]] = []  # when it was asked, and the status
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(2)]

    async def _ask(self) -> None:
        while not self._stop:
            began = time.monotonic()
            status, _ = await ask(self._running, self._key)
            self.asked.append((began, status))

    async def beyond(self, moment: float) -> None:
        """Go on for so long that what was asked after ``moment`` is a crowd; then stop."""
        while sum(began > moment for began, _ in self.asked) < 20:
            assert not any(task.done() for task in self._tasks)
            await asyncio.sleep(0.02)
        self._stop = True
        await asyncio.gather(*self._tasks)


@pytest.mark.parametrize("way", ["command", "api"])
async def test_a_revoked_key_is_refused_by_every_worker(
    way: str, gateway: MakeGateway, upstream: FakeUpstream, valkey: Valkey
) -> None:
    """Within a second and for good, in the middle of a load; what was already being answered goes on to its end."""
    text = _config(upstream.url) + f"store: {valkey.url}\noverload: {{enabled: false}}\n"
    running = gateway(text, args=("--workers", "2"))
    made = await _made(running, limits=["100000/h"])
    key = made["secret"]
    await _good(running, key, workers=2)
    upstream.tell("other", tokens=8, gap_ms=300)
    streams = [await Wire.open(running.port) for _ in range(4)]
    for stream in streams:
        body = {"model": "other", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
        await stream.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {key}"})
    assert [await stream.head() for stream in streams] == [200] * 4

    load = _Load(running, key)
    if way == "command":
        await issue(running, "revoke", made["id"])
    else:
        status, answer = await operate(running, "DELETE", f"/admin/keys/{made['id']}", LEADER)
        assert (status, answer["state"]) == (200, "revoked")
    ended = time.monotonic() + LATEST
    await load.beyond(ended)
    assert {status for began, status in load.asked if began > ended} == {401}
    assert {status for _, status in load.asked} <= {200, 401}

    for stream in streams:
        data = [event.data async for event in stream.events()]
        assert data[-1] == "[DONE]"
        assert len(data) > 8
        stream.close()


async def test_a_rotated_key_lasts_for_its_overlap(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """Both open the door until then; afterwards the new one alone. Both are the same name, and share their limits."""
    running = gateway(_config(upstream.url))
    made = await _made(running, limits=["1000/h"], models=["fast"])
    old = made["secret"]
    await _good(running, old)
    new = await issue(running, "rotate", made["id"], "--overlap", "1s")
    overlap = time.monotonic()
    assert (new["models"], new["limits"]) == (["fast"], ["1000/h"])
    assert new["secret"] != old
    await _good(running, new["secret"])
    await _until(overlap + 1)
    await _refused(running, old)
    assert (await ask(running, new["secret"]))[0] == 200
    assert (await ask(running, new["secret"], "other"))[0] == 403

    status, third = await operate(running, "POST", f"/admin/keys/{new['id']}/rotate", LEADER, {"overlap": "1h"})
    assert (status, third["replaces"]["id"]) == (201, new["id"])
    assert [(await ask(running, one))[0] for one in (new["secret"], third["secret"])] == [200, 200]
    assert {row.key for row in books.rows(books.state(running))} == {"tool"}


async def _until(moment: float) -> None:
    """A lifetime has to pass; nothing tells when it has."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


# Operators, the audit, and what the file says


async def test_a_team_lead_makes_keys_over_http(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """For the own team alone; and every write is audited, with what was and what is, and no secret."""
    running = gateway(_config(upstream.url))
    status, me = await operate(running, "GET", "/admin/whoami", LEADER)
    assert (status, me["name"], me["role"], me["organisation"], me["team"]) == (
        200,
        "ops",
        "team_lead",
        "acme",
        "search",
    )
    made_status, made = await operate(running, "POST", "/admin/keys", LEADER, {"name": "web", "models": ["fast"]})
    assert made_status == 201
    assert (await ask(running, made["secret"]))[0] == 200
    path = f"/admin/keys/{made['id']}"
    assert (await operate(running, "PATCH", path, LEADER, {"models": ["other"], "limits": ["9/h"]}))[0] == 200
    assert [(await ask(running, made["secret"], model))[0] for model in ("fast", "other")] == [403, 200]
    new_status, new = await operate(running, "POST", f"{path}/rotate", LEADER, {"overlap": "1h"})
    assert (new_status, (await operate(running, "DELETE", path, OPERATOR))[0]) == (201, 200)

    ads = await issue(running, "create", "acme/ads/web")
    for method, place, body in (
        ("POST", "/admin/keys", {"team": "ads", "name": "mine"}),
        ("PATCH", f"/admin/keys/{ads['id']}", {"limits": []}),
        ("DELETE", f"/admin/keys/{ads['id']}", None),
        ("POST", f"/admin/keys/{ads['id']}/rotate", {}),
    ):
        assert (await operate(running, method, place, LEADER, body))[0] == 404
    for key in (made["secret"], ads["secret"], "sk-wrong"):
        assert (await operate(running, "GET", "/admin/keys", key))[0] == 401
    assert (await operate(running, "GET", "/admin/audit", LEADER))[0] == 403

    rows = (await operate(running, "GET", "/admin/audit", OPERATOR))[1]["audit"]
    assert [(row["who"], row["role"], row["action"].rpartition(".")[2]) for row in rows[:5]] == [
        ("ops", "team_lead", "create"),
        ("ops", "team_lead", "update"),
        ("ops", "team_lead", "create"),  # of the key that a rotation makes
        ("ops", "team_lead", "rotate"),
        ("root", "owner", "revoke"),
    ]
    assert len(rows) == 6, "nothing of what was refused"
    assert rows[5]["who"].startswith("(command) ")
    assert (rows[1]["before"]["models"], rows[1]["after"]["models"]) == (["fast"], ["other"])
    said = json.dumps(rows) + running.output() + command(running, "audit") + command(running, "list")
    for secret in (made["secret"], new["secret"], ads["secret"], OPERATOR, LEADER):
        assert secret not in said
        assert secret.encode() not in kept(running)
        assert hashlib.sha256(secret.encode()).hexdigest() not in said
    command(running, "audit", "--verify")


async def test_the_file_and_a_restart(gateway: MakeGateway, upstream: FakeUpstream, tmp_path: Path) -> None:
    """A key outlives the process. It is worth nothing while its team is not in the file, and is listed all the same."""
    state = {"SLUICEGATE_STATE_DIR": str(tmp_path / "state")}
    first = gateway(_config(upstream.url, teams=", passing: {}"), env=state)
    made = []
    for team in ("search", "passing"):
        body = {"organisation": "acme", "team": team, "name": "web"}
        status, answer = await operate(first, "POST", "/admin/keys", OPERATOR, body)
        assert status == 201, answer
        made.append(answer)
    stays, goes = (one["secret"] for one in made)
    assert [(await ask(first, key))[0] for key in (stays, goes)] == [200, 200]
    first.stop()

    second = gateway(_config(upstream.url, teams=", passing: {}"), env=state)
    assert [(await ask(second, key))[0] for key in (stays, goes)] == [200, 200]
    second.write(_config(upstream.url))
    await second.reloaded(2)
    status, answer = await ask(second, goes)
    assert (status, _code(answer), (await ask(second, stays))[0]) == (401, "invalid_api_key", 200)
    status, listed = await operate(second, "GET", "/admin/keys?organisation=acme", OPERATOR)
    assert {one["id"] for one in listed["keys"]} == {one["id"] for one in made}
    assert (await operate(second, "POST", f"/admin/keys/{made[1]['id']}/rotate", OPERATOR, {}))[0] == 404
    assert (await operate(second, "DELETE", f"/admin/keys/{made[1]['id']}", OPERATOR))[0] == 200
    second.write(_config(upstream.url, teams=", passing: {}"))
    await second.reloaded(3)
    assert [(await ask(second, key))[0] for key in (stays, goes)] == [200, 401]


async def test_the_command_lists_what_is_there(gateway: MakeGateway, upstream: FakeUpstream) -> None:
    """By team, with the state of each; what was never issued is refused with a sentence."""
    running = gateway(_config(upstream.url))
    made = [(await _made(running, name))["id"] for name in ("acme/search/a", "acme/search/b", "acme/ads/a")]
    assert (await operate(running, "DELETE", f"/admin/keys/{made[1]}", OPERATOR))[0] == 200
    listed = json.loads(command(running, "list", "--json"))
    assert {one["id"]: one["state"] for one in listed} == dict(zip(made, ("live", "revoked", "live"), strict=True))
    assert [one["id"] for one in json.loads(command(running, "list", "--team", "ads", "--json"))] == [made[2]]
    assert all("secret" not in one and "hash" not in one for one in listed)
    command(running, "revoke", "key_000000000000000000000000", status=1)
