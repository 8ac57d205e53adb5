"""BAD-06, SEC-05, SEC-06: who is calling is decided by the key, wherever it stands, before anything else is read."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.support.gateway import Gateway
from tests.support.traffic import CHAT, at_once, code_of, idle, open_sockets, settled, told
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

FULL, NARROW, EXPIRED, UNKNOWN = "sk-full-0001", "sk-narrow-0002", "sk-expired-0003", "sk-nobody-0004"
Headers = list[tuple[str, str]]


def _hash(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def _config(url: str) -> str:
    return f"""
listen: 127.0.0.1:8080
timeouts: {{first_token: 5s, gap: 5s, total: 10s}}
providers:
  up: {{kind: openai, base_url: "{url}", api_key: sk-upstream}}
tenants:
  acme:
    teams:
      search:
        keys:
          full: {{hash: "{_hash(FULL)}"}}
          narrow: {{hash: "{_hash(NARROW)}", models: [fast]}}
          expired: {{hash: "{_hash(EXPIRED)}", expires: 2020-01-01}}
policies:
  all: [authenticate, allow_models, {{tags: {{accept: [user]}}}}]
routes:
  renamed: {{models: [fast], policies: [{{use: all}}], target: up/gpt-4o-mini}}
  any: {{policies: [{{use: all}}], target: up/*}}
"""


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file."""
    return module_gateway(_config(upstream_process.url))


# Ways to carry a key. The first three are those that the gateway takes.
CARRIERS: dict[str, Callable[[str], tuple[str, str]]] = {
    "bearer": lambda key: ("authorization", f"Bearer {key}"),
    "x-api-key": lambda key: ("x-api-key", key),
    "x-goog-api-key": lambda key: ("x-goog-api-key", key),
}
SPELLINGS: dict[str, Callable[[str], tuple[str, str]]] = {
    "lower bearer": lambda key: ("Authorization", f"bearer {key}"),
    "upper header": lambda key: ("X-API-KEY", key),
    "spaces": lambda key: ("authorization", f"Bearer   {key}  "),
}
WRONG: dict[str, Headers] = {
    "none": [],
    "unknown": [("authorization", f"Bearer {UNKNOWN}")],
    "empty": [("authorization", "")],
    "bearer of nothing": [("authorization", "Bearer ")],
    "basic": [("authorization", f"Basic {FULL}")],
    "no scheme, a prefix": [("authorization", FULL[:-1])],
    "expired": [("x-api-key", EXPIRED)],
    "longer": [("x-api-key", FULL + "0")],
    "other case": [("x-api-key", FULL.upper())],
    "in quotes": [("x-api-key", f'"{FULL}"')],
    "its hash": [("x-api-key", _hash(FULL))],
    "the digest": [("x-api-key", _hash(FULL)[7:])],
    "the account's": [("authorization", "Bearer sk-upstream")],
    "very long": [("x-api-key", "x" * 20_000)],
    "not ascii": [("x-api-key", "ключ".encode().decode("latin-1"))],
    "sql": [("x-api-key", "' OR 1=1 --")],
    "azure's header": [("api-key", FULL)],
    "a cookie": [("cookie", f"authorization=Bearer {FULL}; x-api-key={FULL}")],
    "proxy": [("proxy-authorization", f"Bearer {FULL}")],
    "a subprotocol": [("sec-websocket-protocol", f"realtime, openai-insecure-api-key.{FULL}")],
    "a forwarded user": [("x-user-id", "acme/search/full"), ("x-forwarded-user", "full")],
}


class Door(NamedTuple):
    """One kind of endpoint, and a request to it that succeeds."""

    method: str
    path: str
    body: bytes = b""
    kind: str = "application/json"


def _form(model: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n--b--\r\n'.encode()


def doors(model: str) -> list[Door]:
    """Every kind of endpoint there is."""
    body = f'{{"model": "{model}", "messages": [], "input": "x", "documents": []}}'.encode()
    form = "multipart/form-data; boundary=b"
    return [
        Door("POST", CHAT, body),
        Door("POST", "/v1/completions", body),
        Door("POST", "/v1/embeddings", body),
        Door("POST", "/v1/responses", body),
        Door("POST", "/v1/moderations", body),
        Door("POST", "/v1/rerank", body),
        Door("POST", "/v1/images/generations", body),
        Door("POST", "/v1/audio/speech", body),
        Door("POST", "/v1/audio/transcriptions", _form(model), form),
        Door("POST", "/v1/images/edits", _form(model), form),
    ]


WITHOUT_MODEL = [
    Door("GET", "/v1/models"),
    Door("GET", "/v1/models/fast"),
    Door("GET", "/v1/files"),
    Door("POST", "/v1/files", b"x", "multipart/form-data; boundary=b"),
    Door("GET", "/v1/files/file-1/content"),
    Door("POST", "/v1/batches", b"{}"),
    Door("GET", "/v1/batches/batch_1"),
    Door("DELETE", "/v1/files/file-1"),
    Door("GET", "/v1/responses/resp_1"),
    Door("GET", "/v1/chat/completions"),
]
ALL = [*doors("slow"), *WITHOUT_MODEL]


async def ask(wire: Wire, door: Door, headers: Headers, query: str = "") -> tuple[int, str]:
    """Status, and the code of a refusal. Headers may come twice."""
    lines = [f"{door.method} {door.path}{query} HTTP/1.1", "host: test", f"content-type: {door.kind}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"content-length: {len(door.body)}")
    await wire.send("\r\n".join([*lines, "", ""]).encode("latin-1") + door.body)
    status, body, how = await told(wire)
    assert how == "whole"
    return status, code_of(body) if status >= 400 else ""


async def test_every_carrier_opens_every_door(running: Gateway, upstream: FakeUpstream) -> None:
    """Three headers, their spellings, and the same key in several at once."""
    ways = [[carry(FULL)] for carry in (*CARRIERS.values(), *SPELLINGS.values())]
    ways += [[first(FULL), second(FULL)] for first, second in itertools.permutations(CARRIERS.values(), 2)]
    ways.append([carry(FULL) for carry in CARRIERS.values()])
    jobs = list(itertools.product(ALL, ways))

    async def one(wire: Wire, job: tuple[Door, Headers]) -> None:
        assert (await ask(wire, *job))[0] == 200, job

    await at_once(running.port, jobs, one)
    for request in upstream.journal().requests():
        assert [value for name, value in request["headers"] if "auth" in name or "key" in name] == [
            "Bearer sk-upstream"
        ]
        assert FULL not in str(request["headers"]) + request["query"]


async def test_wrong_credentials_are_all_refused_alike(running: Gateway, upstream: FakeUpstream) -> None:
    """One status, one code, one sentence, at every door, wherever the wrong key stands."""
    wrong = [*WRONG.values(), *([carry(key)] for carry in CARRIERS.values() for key in (UNKNOWN, EXPIRED, FULL + " x"))]
    jobs = list(itertools.product(ALL, wrong))

    async def one(wire: Wire, job: tuple[Door, Headers]) -> None:
        assert await ask(wire, *job) == (401, "invalid_api_key"), job
        assert wire.header("www-authenticate") == "Bearer"

    await at_once(running.port, jobs, one)
    for query in (f"?key={FULL}", f"?api_key={FULL}", f"?access_token={FULL}", f"?authorization=Bearer%20{FULL}"):
        await at_once(running.port, ALL, lambda wire, door, query=query: _refused(wire, door, query))  # type: ignore[misc]
    assert not upstream.journal().requests()


async def _refused(wire: Wire, door: Door, query: str) -> None:
    assert await ask(wire, door, [], query) == (401, "invalid_api_key"), (door, query)


async def test_two_different_credentials_are_a_400(running: Gateway, upstream: FakeUpstream) -> None:
    """Whatever they are, in either order, in two headers or in one header twice, at every door."""
    keys = [FULL, NARROW, UNKNOWN, EXPIRED, ""]
    pairs = [(a, b) for a, b in itertools.permutations(keys, 2)]
    carriers = list(itertools.product(CARRIERS.values(), repeat=2))
    ways = [[carriers[at % len(carriers)][0](a), carriers[at % len(carriers)][1](b)] for at, (a, b) in enumerate(pairs)]
    ways += [[first(FULL), second(NARROW)] for first, second in carriers]
    ways += [[("authorization", f"Basic {FULL}"), ("x-api-key", FULL)]]
    jobs = list(itertools.product(ALL, ways))

    async def one(wire: Wire, job: tuple[Door, Headers]) -> None:
        assert await ask(wire, *job) == (400, "conflicting_credentials"), job

    await at_once(running.port, jobs, one)
    assert not upstream.journal().requests()


async def test_a_restriction_holds_for_every_carrier(running: Gateway, upstream: FakeUpstream) -> None:
    """A key for one model gets that one and no other, wherever it stands and whatever else the request claims."""
    claims: Headers = [
        ("x-user-id", "acme/search/full"),
        ("x-sluicegate-tags", "user=root"),
        ("x-forwarded-for", "127.0.0.1"),
    ]
    for model, status in (("fast", 200), ("slow", 403)):
        jobs = list(itertools.product(doors(model), CARRIERS.values(), ([], claims)))

        async def one(wire: Wire, job: tuple[Door, Any, Headers], status: int = status) -> None:
            door, carry, more = job
            assert (await ask(wire, door, [carry(NARROW), *more]))[0] == status, job

        await at_once(running.port, jobs, one)
    assert b'"slow"' not in b"".join(request["body"].encode() for request in upstream.journal().requests())


async def test_the_log_names_the_key_and_believes_nothing_else(running: Gateway, wire: Any) -> None:
    """Identity in the log line is the file's name of the key; a tag stays a tag."""
    claims = [
        ("x-sluicegate-tags", "user=evil"),
        ("x-user-id", "evil"),
        ("x-tenant", "evil"),
        ("openai-organization", "evil"),
    ]
    for key, name in ((FULL, "full"), (NARROW, "narrow")):
        found = await wire(running.port)
        door = Door("POST", CHAT, b'{"model": "fast", "user": "evil", "messages": []}')
        assert (await ask(found, door, [("x-api-key", key), *claims]))[0] == 200
        line = await running.logged("request", request_id=found.header("x-request-id"))
        assert line["key"] == f"acme/search/{name}"
        assert line["tags"] == {"user": "evil"}


def _upgrade(*lines: str, query: str = "?model=slow") -> bytes:
    return "\r\n".join(
        [
            f"GET /v1/realtime{query} HTTP/1.1",
            "host: test",
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-version: 13",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
            *lines,
            "",
            "",
        ]
    ).encode("latin-1")


async def test_a_websocket_is_held_to_the_same(running: Gateway, upstream: FakeUpstream) -> None:
    """The handshake is refused as a request would be; with a key it opens."""

    async def shake(*lines: str, query: str = "?model=slow") -> int:
        found = await Wire.open(running.port)
        try:
            await found.send(_upgrade(*lines, query=query))
            return await found.head()
        finally:
            found.close()

    def line(header: tuple[str, str]) -> str:
        return f"{header[0]}: {header[1]}"

    for carry in CARRIERS.values():
        assert await shake(line(carry(FULL))) == 101
        assert await shake(line(carry(NARROW))) == 403
        assert await shake(line(carry(NARROW)), query="?model=fast") == 101
        assert await shake(line(carry(UNKNOWN))) == 401
    assert await shake() == 401
    assert await shake("sec-websocket-protocol: realtime", query=f"?model=slow&api_key={FULL}") == 401
    assert await shake(f"authorization: Bearer {FULL}", f"x-api-key: {NARROW}") == 400
    for request in upstream.journal().requests():
        assert FULL not in str(request["headers"]) + request["query"]


# SEC-05

_LARGE = 10 << 20


@pytest.mark.parametrize("framing", [f"content-length: {_LARGE}", "transfer-encoding: chunked"])
@pytest.mark.parametrize(
    "credential", [[], [f"x-api-key: {UNKNOWN}"], [f"x-api-key: {FULL}", f"authorization: Bearer {UNKNOWN}"]]
)
async def test_the_answer_to_a_stranger_does_not_wait_for_the_body(
    framing: str, credential: list[str], running: Gateway, upstream: FakeUpstream
) -> None:
    """Ten megabytes are announced and never sent, at every door: 401 (or 400) at once, and the connection ends."""
    sockets, memory = open_sockets(running), running.rss()

    async def one(door: Door, extra: list[str]) -> None:
        found = await Wire.open(running.port)
        try:
            lines = [f"{door.method} {door.path} HTTP/1.1", "host: test", f"content-type: {door.kind}", framing]
            await found.send("\r\n".join([*lines, *credential, *extra, "", ""]).encode())
            assert await found.head() == (400 if len(credential) == 2 else 401), door  # an interim 100 fails here too
            assert b" 100 " not in b"".join(data for _, data in found.log)
            assert found.header("connection") == "close"
            code_of(await found.whole())
        finally:
            found.close()

    posts = [door for door in ALL if door.method == "POST"]
    await asyncio.gather(*(one(door, extra) for door in posts for extra in ([], ["expect: 100-continue"])))
    assert not upstream.journal().requests()
    await idle(running)
    await settled(running, sockets)
    assert running.rss() - memory < 8 << 20


async def test_a_stranger_who_sends_it_all_the_same_is_cut_off(running: Gateway) -> None:
    """What a stranger sends after the refusal is dropped, and not for ever."""
    memory = running.rss()
    found = await Wire.open(running.port)
    try:
        await found.send(f"POST {CHAT} HTTP/1.1\r\nhost: test\r\ncontent-length: {_LARGE}\r\n\r\n".encode())
        assert await found.head() == 401
        await found.send(b"x" * _LARGE)
        await found.until_closed()
    finally:
        found.close()
    assert running.rss() - memory < 8 << 20
