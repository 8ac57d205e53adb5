"""Tokens of an issuer at a real gateway: keys that are late, that rotate, that are taken back."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.environment import free_port
from tests.support.gateway import Gateway
from tests.support.issuer import Issuer
from tests.support.upstream import FakeUpstream

KEY = "sk-sluice-web"
CHAT = "/v1/chat/completions"


class World:
    """An issuer, which serves only once a test starts it, and gateways that trust it."""

    def __init__(self, gateway: Callable[..., Gateway], upstream: FakeUpstream) -> None:
        self.start = gateway
        self.upstream = upstream
        self.issuer = Issuer(free_port())
        self.issuer.rotate("ES256")
        self.running: Gateway | None = None

    def file(self, more: str = "", *, has_keys: bool = True, has_tokens: bool = True) -> str:
        """Its file: the team ``search`` has a key and one model, the team ``free`` has no key at all."""
        keys = f', keys: {{web: {{hash: "sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"}}}}' if has_keys else ""
        claims = "{organisation: org, team: team, tags: {user: sub}}"
        issuer = f'issuer: "{self.issuer.url}", audience: sluicegate, algorithms: [RS256, ES256], claims: {claims}'
        authenticate = f"authenticate: {{jwt: {{{issuer}}}}}" if has_tokens else "authenticate"
        return f"""
providers:
  up: {{kind: openai, base_url: "{self.upstream.url}", api_key: sk-up}}
tenants:
  acme:
    teams:
      search: {{models: [small]{keys}}}
      free: {{}}
policies:
  standard:
    - {authenticate}
    - allow_models
    - tags: {{accept: [user, session]}}
routes:
  all: {{models: [small, large], policies: [{{use: standard}}], target: up/m{more}}}
"""

    @property
    def gateway(self) -> Gateway:
        """The one that runs."""
        if self.running is None:
            self.running = self.start(self.file())
        return self.running

    def post(self, credential: str, *, model: str = "small", **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, code of an error, and headers."""
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
        return self.gateway_post(body, {"authorization": f"Bearer {credential}", **headers})

    def gateway_post(self, body: str, headers: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        """A POST outside of any client."""
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=10)
        try:
            connection.request("POST", CHAT, body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            found = json.loads(answer.read())
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found.get("error", {}).get("code", ""), told
        finally:
            connection.close()

    async def fetched(self) -> None:
        """Wait until the issuer was asked for its keys."""
        async with asyncio.timeout(10):
            while "/keys" not in self.issuer.asked:
                await asyncio.sleep(0.01)

    async def until(self, status: int, credential: str, *, within: float = 15.0) -> None:
        """Ask until this is the answer."""
        end = time.monotonic() + within
        while (found := await asyncio.to_thread(self.post, credential))[0] != status:
            assert time.monotonic() < end, f"still {found}:\n{self.gateway.output()[-2000:]}"
            await asyncio.sleep(0.02)


@pytest.fixture
def world(gateway: Callable[..., Gateway], upstream: FakeUpstream) -> Iterator[World]:
    made = World(gateway, upstream)
    yield made
    made.issuer.stop()


async def test_a_token_passes_with_what_its_team_may(world: World) -> None:
    """And not for what the team may not, nor for another team, nor for nobody's."""
    world.issuer.start()
    await world.until(200, world.issuer.token())
    assert world.post(world.issuer.token(), model="large")[0] == 403
    assert world.post(world.issuer.token({"team": "free"}), model="large")[0] == 200
    assert world.post(world.issuer.token({"team": "other"}))[:2] == (401, "invalid_api_key")
    assert world.post(world.issuer.token({"aud": "other"}))[:2] == (401, "invalid_api_key")
    assert world.post(KEY)[0] == 200


async def test_the_log_says_whose_token_it_was_and_a_header_cannot_change_it(world: World) -> None:
    world.issuer.start()
    token = world.issuer.token({"sub": "auth0|ada"})
    await world.until(200, token)
    status, _, _ = world.post(token, **{"x-sluicegate-tags": "user=eve,session=s1"})
    assert status == 200
    line = await world.gateway.logged("request", tags={"user": "auth0|ada", "session": "s1"})
    assert line["key"].startswith("acme/search/jwt:auth0_ada-")
    assert token.split(".")[2] not in world.gateway.output()


async def test_the_keys_are_fetched_before_anybody_asks(world: World) -> None:
    """So that the first token passes."""
    world.issuer.start()
    assert world.gateway.get("/readyz")[0] == 200
    await world.fetched()


async def test_an_issuer_that_is_down_at_the_start_holds_nothing_up(world: World) -> None:
    """Keys pass, tokens are put off until it is there, and operators hear of both."""
    assert world.post(KEY)[0] == 200
    status, code, headers = world.post(world.issuer.token())
    assert (status, code) == (503, "identity_unavailable")
    assert int(headers["retry-after"]) >= 1
    await world.gateway.logged("key_set.failing", issuer=world.issuer.url)
    world.issuer.start()
    await world.until(200, world.issuer.token())
    await world.gateway.logged("key_set.recovered", issuer=world.issuer.url)


async def test_a_slow_issuer_delays_nobody(world: World) -> None:
    """No request waits for it: all are answered while it holds its answer back."""
    world.issuer.gate.clear()
    world.issuer.start()
    assert world.post(world.issuer.token())[0] == 503
    assert world.post(KEY)[0] == 200
    world.issuer.gate.set()
    await world.until(200, world.issuer.token())


async def test_a_new_key_is_found_by_its_first_token(world: World) -> None:
    """That one is refused; a moment later it passes. Tokens of the old key go on to."""
    world.issuer.start()
    old = world.issuer.token()
    await world.until(200, old)
    world.issuer.rotate("RS256")
    new = world.issuer.token()
    assert world.post(new)[:2] == (401, "invalid_api_key")
    await world.until(200, new)
    assert world.post(old)[0] == 200


async def test_a_revoked_key_ends_its_tokens(world: World) -> None:
    """Also those that have passed within the minute."""
    world.issuer.start()
    old = world.issuer.token()
    await world.until(200, old)
    world.issuer.rotate("ES256", keep=False)
    await world.until(200, world.issuer.token())
    assert world.post(old)[:2] == (401, "invalid_api_key")


async def test_what_is_known_outlives_a_reload_and_the_issuer(world: World) -> None:
    """The file is read again while the issuer is away: tokens pass all along, and it is not asked again."""
    world.issuer.start()
    token = world.issuer.token()
    await world.until(200, token)
    world.issuer.stop()
    asked = len(world.issuer.asked)
    world.gateway.write(world.file(", timeouts: {total: 50s}"))
    await world.gateway.reloaded(2)
    assert world.post(token)[0] == 200
    assert world.post(world.issuer.token({"sub": "bob"}))[0] == 200
    assert len(world.issuer.asked) == asked


async def test_an_issuer_that_a_reload_brings_is_asked_at_once(world: World) -> None:
    world.issuer.start()
    world.running = world.start(world.file(has_tokens=False))
    assert world.post(world.issuer.token())[:2] == (401, "invalid_api_key")
    assert world.issuer.asked == []
    world.gateway.write(world.file())
    await world.gateway.reloaded(2)
    await world.fetched()
    await world.until(200, world.issuer.token())


async def test_a_refused_token_is_refused_before_its_body_is_read(world: World) -> None:
    """The answer comes although the body that was announced never does."""
    world.issuer.start()
    await world.until(200, world.issuer.token())
    reader, writer = await asyncio.open_connection("127.0.0.1", world.gateway.port)
    token = world.issuer.token({"exp": 1})
    lines = [f"POST {CHAT} HTTP/1.1", "host: x", f"authorization: Bearer {token}", "content-length: 1000", "", ""]
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] == b"401"
    writer.close()
    await writer.wait_closed()


async def test_a_gateway_for_tokens_alone_needs_no_keys(world: World) -> None:
    world.issuer.start()
    world.running = world.start(world.file(has_keys=False))
    await world.until(200, world.issuer.token())
    assert world.post(KEY)[:2] == (401, "invalid_api_key")
