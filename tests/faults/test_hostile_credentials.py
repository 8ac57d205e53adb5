"""SEC-04, SEC-05, SEC-06, ISO-03: issued keys, and whoever tries what is almost one of them."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import string
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any, NamedTuple

import pytest

from proxy.keys.record import weakness
from proxy.keys.store import FILE
from tests.faults.test_credentials import ALL, CARRIERS, SPELLINGS, Door
from tests.support.books import hashed, state
from tests.support.gateway import Gateway
from tests.support.issuing import call
from tests.support.traffic import CHAT, at_once, code_of, idle, told
from tests.support.upstream import FakeUpstream
from tests.support.wire import Wire

OPERATOR = "sk-operator-91d3c6e0b85fa274"
Headers = list[tuple[str, str]]
_BODY = b'{"model": "fast", "messages": [], "max_tokens": 5, "contents": []}'
DOORS = [
    *ALL,
    Door("POST", "/v1/messages", _BODY),
    Door("POST", "/v1/messages/count_tokens", _BODY),
    *(Door("POST", f"/v1beta/models/fast:{verb}", _BODY) for verb in ("generateContent", "streamGenerateContent")),
]
CHAT_DOOR = Door("POST", CHAT, _BODY)
_ALPHABET = string.ascii_letters + string.digits + "_-"


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One gateway for this file, whose only keys are issued."""
    return module_gateway(f"""
providers:
  up: {{kind: openai, base_url: "{upstream_process.url}", api_key: sk-upstream}}
admin: {{keys: {{root: {{hash: "{hashed(OPERATOR)}"}}}}}}
tenants: {{acme: {{teams: {{search: {{}}, ads: {{}}}}}}}}
policies:
  all: [authenticate, allow_models, quota]
routes:
  side: {{models: [side], policies: [{{use: all}}], target: up/side}}
  any: {{policies: [{{use: all}}], target: up/*}}
""")


class Made(NamedTuple):
    """An issued key."""

    id: str
    secret: str


_names = itertools.count(1)


def _operate(running: Gateway, method: str, path: str, body: Any = None) -> Any:
    status, found = call(running, method, f"/admin/keys{path}", OPERATOR, body)
    assert status in (200, 201), found
    return found


def _issue(running: Gateway, team: str = "search", **more: Any) -> Made:
    body = {"organisation": "acme", "team": team, "name": f"key{next(_names)}"} | more
    found = _operate(running, "POST", "", body)
    return Made(found["id"], more.get("secret") or found["secret"])


def _random_secret(rng: random.Random, begins: str = "") -> str:
    """One that nobody could have thought of, as an operator may bring it."""
    while True:
        found = begins + "".join(rng.choices(_ALPHABET, k=40))
        if weakness(found) is None:
            return found


async def _ask(wire: Wire, door: Door, headers: Headers) -> tuple[int, bytes]:
    """Status and body. The headers go out byte by byte, one for each character."""
    lines = [f"{door.method} {door.path} HTTP/1.1", "host: test", f"content-type: {door.kind}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"content-length: {len(door.body)}")
    await wire.send("\r\n".join([*lines, "", ""]).encode("latin-1") + door.body)
    status, body, how = await told(wire)
    assert how == "whole"
    return status, body


def _kept(running: Gateway) -> list[str]:
    """All that stands in the database of keys."""
    path = state(running) / FILE
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        return list(database.iterdump())
    finally:
        database.close()


# SEC-04


def _hostile(secret: str) -> list[str]:
    """What is no key, near to one that is."""
    return [
        "' OR '1'='1",
        "'; DROP TABLE keys; --",
        f"{secret}' --",
        f'{secret}" OR ""="',
        f"{secret}; DELETE FROM audit",
        "1 UNION SELECT hash FROM keys",
        f"{secret[:-1]}_",
        f"{secret[:-1]}%",
        "%",
        "*",
        "_" * len(secret),
        "%00",
        f"{secret}%00",
        "${jndi:ldap://127.0.0.1/a}",
        "{{7*7}}",
        "../../keys.sqlite",
        secret.swapcase(),
        secret[6:],
        f"sk-sg-{secret}",
        hashed(secret),
        hashed(secret)[7:],
        "\xff\xfe\xfd",
        f"{secret}\xff",
        "\xc0\x80",
        "\xed\xa0\x80",
        f"{secret}\x85",
        f"{secret}\xa0",
        "\xe2\x80\xae" + secret,
        "x" * 513,
        secret * 20,
        "A" * 20_000,
    ]


def _carried(secret: str) -> Iterator[Headers]:
    for carry in CARRIERS.values():
        yield [carry(secret)]


async def test_whatever_is_tried_is_a_wrong_key_and_no_more(running: Gateway, upstream: FakeUpstream) -> None:
    """The same answer, byte for byte, as to any wrong key, at every door; and nothing kept has changed."""
    made = _issue(running)
    before = _kept(running)
    plain = [(door, headers) for door in DOORS for headers in _carried("sk-wrong")]
    answers = await at_once(running.port, plain, _judged)
    assert {status for status, _ in answers} == {401}
    expected = {
        (door.path, door.method, headers[0][0]): answer for (door, headers), answer in zip(plain, answers, strict=True)
    }

    async def one(wire: Wire, job: tuple[Door, Headers]) -> None:
        door, headers = job
        assert await _judged(wire, job) == expected[door.path, door.method, headers[0][0]], job

    jobs = [(door, headers) for text in _hostile(made.secret) for door in DOORS for headers in _carried(text)]
    await at_once(running.port, random.Random(4).sample(jobs, len(jobs) // 3), one)
    rng = random.Random(5)
    wrong = [_random_secret(rng, made.secret[: at % len(made.secret)]) for at in range(1000)]
    ways = [(DOORS[at % len(DOORS)], [list(CARRIERS.values())[at % 3](text)]) for at, text in enumerate(wrong)]
    await at_once(running.port, ways, one)
    assert not upstream.journal().requests()
    assert _kept(running) == before
    assert await _status(running, [("x-api-key", made.secret)]) == 200


async def _judged(wire: Wire, job: tuple[Door, Headers]) -> tuple[int, bytes]:
    """Status and body; the request's id, which some bodies name, is taken out."""
    status, body = await _ask(wire, *job)
    name = (wire.header("x-request-id") or "").encode()
    return status, body.replace(name, b"") if name else body


async def _status(running: Gateway, headers: Headers, door: Door = CHAT_DOOR) -> int:
    wire = await Wire.open(running.port)
    try:
        return (await _ask(wire, door, headers))[0]
    finally:
        wire.close()


@pytest.mark.parametrize("begins", ["key", "nothing"])
@pytest.mark.parametrize(("more", "status"), [("\x00", 400), ("x" * (2 << 20), 431), ("\r\n folded", 400)])
async def test_what_is_no_header_is_refused_before_it_is_a_key(
    begins: str, more: str, status: int, running: Gateway, upstream: FakeUpstream
) -> None:
    """Alike, whether it begins with a key that is good or with none."""
    made = _issue(running)
    before = _kept(running)
    for name in CARRIERS:
        header, value = CARRIERS[name]((made.secret if begins == "key" else "sk-wrong") + more)
        wire = await Wire.open(running.port)
        try:
            head = f"POST {CHAT} HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n{header}: {value}\r\n\r\n"
            await wire.send(head.encode("latin-1"))
            assert await wire.head() == status
        finally:
            wire.close()
    assert not upstream.journal().requests()
    assert _kept(running) == before


@pytest.mark.parametrize("credential", ["' OR '1'='1", "\xff\xfe", "x" * 20_000, "sk-wrong"])
async def test_operators_are_not_guessed_either(running: Gateway, credential: str) -> None:
    """At each path of the API, and the key of an application is none of an operator's."""
    made = _issue(running)
    before = _kept(running)
    doors = [
        Door("GET", "/admin/keys"),
        Door("POST", "/admin/keys", b'{"organisation": "acme", "team": "search", "name": "mine"}'),
        Door("DELETE", f"/admin/keys/{made.id}"),
        Door("GET", "/admin/usage"),
        Door("GET", "/admin/limits"),
        Door("GET", "/admin/audit"),
    ]
    for door, text in itertools.product(doors, (credential, made.secret, OPERATOR + credential)):
        wire = await Wire.open(running.port)
        try:
            status, body = await _ask(wire, door, [("authorization", f"Bearer {text}")])
            assert (status, code_of(body)) == (401, "invalid_admin_key"), door
        finally:
            wire.close()
    assert _kept(running) == before


async def test_time_does_not_tell_how_near_a_guess_was(running: Gateway) -> None:
    """All but the last character of a good key, and noise of the same length, in turns."""
    made = _issue(running)
    rng = random.Random(6)
    near = [made.secret[:-1] + rng.choice([one for one in _ALPHABET if one != made.secret[-1]]) for _ in range(300)]
    noise = ["".join(rng.choices(_ALPHABET, k=len(made.secret))) for _ in range(300)]
    took: tuple[list[float], list[float]] = ([], [])
    wire = await Wire.open(running.port)
    try:
        for pair in zip(near, noise, strict=True):
            for at, text in enumerate(pair):
                if wire.ended is not None or wire.header("connection") == "close":
                    wire.close()
                    wire = await Wire.open(running.port)
                began = time.perf_counter()
                assert (await _ask(wire, Door("GET", "/v1/models"), [("x-api-key", text)]))[0] == 401
                took[at].append(time.perf_counter() - began)
    finally:
        wire.close()
    assert 1 / 3 < median(took[0]) / median(took[1]) < 3


# SEC-05


async def test_a_key_that_is_good_no_more_has_its_body_left_unread(running: Gateway, upstream: FakeUpstream) -> None:
    """Ten megabytes are announced: the answer is there before one of them is sent, also at doors of other dialects."""
    revoked, rotated = _issue(running), _issue(running)
    _operate(running, "DELETE", f"/{revoked.id}")
    _operate(running, "POST", f"/{rotated.id}/rotate", {"overlap": "0s"})
    memory = running.rss()

    async def one(door: Door, secret: str) -> None:
        wire = await Wire.open(running.port)
        try:
            lines = [f"POST {door.path} HTTP/1.1", "host: test", f"content-type: {door.kind}", f"x-api-key: {secret}"]
            await wire.send("\r\n".join([*lines, f"content-length: {10 << 20}", "", ""]).encode())
            assert await wire.head() == 401, door
            assert wire.header("connection") == "close"
            await wire.send(b"x" * (10 << 20))  # as who does not listen would
            await wire.until_closed()
        finally:
            wire.close()

    posts = [door for door in DOORS if door.method == "POST"]
    await asyncio.gather(*(one(door, secret) for door in posts for secret in (revoked.secret, rotated.secret)))
    assert not upstream.journal().requests()
    await idle(running)
    assert running.rss() - memory < 16 << 20


# SEC-06

_WAYS: dict[str, Callable[[str], Headers]] = {
    **{name: (lambda key, carry=carry: [carry(key)]) for name, carry in (CARRIERS | SPELLINGS).items()},  # type: ignore[misc]
    "all at once": lambda key: [carry(key) for carry in CARRIERS.values()],
}


@pytest.mark.parametrize(
    ("restriction", "model", "status", "code"),
    [
        ({"models": ["fast"]}, "slow", 403, "model_not_allowed"),
        ({"routes": ["side"]}, "fast", 403, "route_not_allowed"),
        ({"addresses": ["203.0.113.0/24", "2001:db8::/32"]}, "fast", 403, "address_not_allowed"),
        ({"limits": ["1/day"]}, "fast", 429, "rate_limited"),
    ],
    ids=["model", "route", "address", "limit"],
)
async def test_a_restriction_of_a_key_holds_however_it_is_carried(
    restriction: dict[str, Any], model: str, status: int, code: str, running: Gateway, upstream: FakeUpstream
) -> None:
    """Seven ways to carry it, one verdict; what the caller says of the address is not believed."""
    assert len(_WAYS) == 7
    made = _issue(running, **restriction)
    if "limits" in restriction:
        assert await _status(running, [("x-api-key", made.secret)]) == 200
    upstream.journal().mark()
    door = Door("POST", CHAT, _BODY.replace(b"fast", model.encode()))
    claims: Headers = [
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("x-real-ip", "2001:db8::1"),
    ]
    jobs = [(door, way(made.secret) + more) for way in _WAYS.values() for more in ([], claims)]

    async def one(wire: Wire, job: tuple[Door, Headers]) -> tuple[int, str]:
        found, body = await _ask(wire, *job)
        return found, "" if found == 200 else code_of(body)

    assert set(await at_once(running.port, jobs, one)) == {(status, code)}
    assert not upstream.journal().requests()


async def test_two_keys_are_one_too_many(running: Gateway, upstream: FakeUpstream) -> None:
    """Good, of another team, or revoked; in any order and in any two headers."""
    one, other, revoked = _issue(running), _issue(running, "ads"), _issue(running)
    _operate(running, "DELETE", f"/{revoked.id}")
    pairs = itertools.permutations((one.secret, other.secret, revoked.secret, "sk-wrong"), 2)
    carriers = list(itertools.product(CARRIERS.values(), repeat=2))
    jobs = [(CHAT_DOOR, [first(a), second(b)]) for a, b in pairs for first, second in carriers]

    async def ask(wire: Wire, job: tuple[Door, Headers]) -> None:
        status, body = await _ask(wire, *job)
        assert (status, code_of(body)) == (400, "conflicting_credentials"), job

    await at_once(running.port, jobs, ask)
    assert not upstream.journal().requests()


# ISO-03


@pytest.mark.parametrize("shared", [20, 32, 64])
async def test_keys_that_begin_alike_are_never_taken_for_one_another(
    shared: int, running: Gateway, upstream: FakeUpstream
) -> None:
    """Each is for a model of its own, and gets that one alone; also after some were revoked and rotated."""
    rng = random.Random(shared)
    begins = _random_secret(rng, "".join(rng.choices(_ALPHABET, k=64)))[:shared]
    count = 6
    made = [
        _issue(running, ("search", "ads")[at % 2], secret=_random_secret(rng, begins), models=[f"own-{shared}-{at}"])
        for at in range(count)
    ]
    secrets = [one.secret for one in made]

    async def crossed() -> list[list[int]]:
        """By key, the status for each model."""
        jobs = [
            (Door("POST", CHAT, _BODY.replace(b"fast", f"own-{shared}-{at}".encode())), [carry(secret)])
            for secret in secrets
            for at, carry in zip(range(count), itertools.cycle(CARRIERS.values()), strict=False)
        ]
        found = [status for status, _ in await at_once(running.port, jobs, lambda wire, job: _ask(wire, *job))]
        return [found[at : at + count] for at in range(0, len(found), count)]

    def expected(gone: set[int]) -> list[list[int]]:
        return [
            [401] * count if key in gone else [200 if at == key else 403 for at in range(count)] for key in range(count)
        ]

    assert await crossed() == expected(set())
    almost = [begins, *(secret[:-1] for secret in secrets), *(f"{secret}0" for secret in secrets)]
    almost += [a[: shared + 20] + b[shared + 20 :] for a, b in itertools.permutations(secrets, 2)]
    assert {await _status(running, [("x-api-key", text)]) for text in almost} == {401}

    _operate(running, "DELETE", f"/{made[0].id}")
    assert await crossed() == expected({0})
    new = _operate(running, "POST", f"/{made[1].id}/rotate", {"overlap": "0s"})["secret"]
    assert await crossed() == expected({0, 1})
    secrets[1] = new
    assert await crossed() == expected({0})
