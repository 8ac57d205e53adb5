"""Keys of an issuer that serves them, lies, is slow or is gone; against a clock that the test sets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from proxy.errors import BadAnswer
from proxy.keys.key_sets import DISCOVERY, MAX_KEYS, MAX_SIZE, KeySet, keys_of, source_of
from proxy.reports import Reports
from tests.support.issuer import Issuer, make_key, public

EC = public(make_key("ES256"), "a")


class World:
    """An issuer, its keys as the gateway has them, and everything that is told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.issuer = Issuer()
        self.issuer.rotate("ES256")
        self.issuer.start()
        self.made: list[KeySet] = []
        self.keys = self.make(None)

    def make(self, source: str | None, issuer: str | None = None) -> KeySet:
        """A set with this world's clock, whose task is not begun: ``keys`` would begin it."""
        reports = Reports()
        reports.listener = lambda event, fields: self.told.append((event, fields))
        self.made.append(KeySet(issuer or self.issuer.url, source, reports, clock=lambda: self.now, seed=1))
        return self.made[-1]

    def events(self) -> list[str]:
        """Names of what was told."""
        return [event for event, _ in self.told]

    def known(self, of: KeySet | None = None) -> list[str] | None:
        """Ids of the keys."""
        found = (of or self.keys).keys()
        return None if found is None else list(found)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    for one in made.made:
        await one.aclose()
    made.issuer.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_keys_are_found_by_discovery(world: World) -> None:
    await world.keys.round()
    assert world.issuer.asked == [DISCOVERY, "/keys"]
    assert world.known() == ["key-1"]


async def test_keys_are_found_where_the_file_says(world: World) -> None:
    direct = world.make(f"{world.issuer.url}/keys", "https://idp.example.com")
    await direct.round()
    assert world.issuer.asked == ["/keys"]
    assert world.known(direct) == ["key-1"]


async def test_nothing_is_known_before_and_nobody_waits(world: World) -> None:
    world.issuer.gate.clear()
    assert world.known() is None
    assert world.keys.retry_after() >= 1
    world.issuer.gate.set()
    await until(lambda: world.known() == ["key-1"])


async def test_the_object_stays_the_same_until_a_key_changes(world: World) -> None:
    await world.keys.round()
    first = world.keys.keys()
    await world.keys.round()
    assert world.keys.keys() is first
    world.issuer.rotate("ES256", keep=False)
    await world.keys.round()
    assert world.known() == ["key-2"]


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (None, 600),
        ("max-age=120", 120),
        ("public, max-age=900, must-revalidate", 900),
        ("max-age=1", 60),
        ("max-age=999999999", 86_400),
        ("s-max-age=120", 600),
        ("max-age=-5", 600),
        ("no-store", 600),
    ],
)
async def test_keys_are_kept_as_long_as_the_issuer_wants(told: str | None, seconds: float, world: World) -> None:
    """Within a minute and a day, a little less each time, so that replicas do not ask in step."""
    world.issuer.headers = {} if told is None else {"Cache-Control": told}
    assert seconds * 0.9 <= await world.keys.round() <= seconds


async def test_an_issuer_that_is_down_is_asked_again_later_and_later(world: World) -> None:
    world.issuer.status = 500
    pauses = [await world.keys.round() for _ in range(9)]
    for pause, most in zip(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert most * 0.9 <= pause <= most
    assert world.events() == ["key_set.failing"]
    assert world.told[0][1] == {"issuer": world.issuer.url, "reason": "status 500"}
    world.issuer.status = 200
    await world.keys.round()
    assert world.events() == ["key_set.failing", "key_set.recovered"]


async def test_old_keys_serve_a_day_while_the_issuer_is_down(world: World) -> None:
    await world.keys.round()
    world.issuer.stop()
    world.now += 86_399
    await world.keys.round()
    assert world.known() == ["key-1"]
    world.now += 1
    assert world.known() is None


async def test_the_round_comes_when_it_is_due_and_not_before(world: World) -> None:
    world.keys.start()
    world.keys.start()
    await until(lambda: world.known() == ["key-1"])
    assert world.issuer.asked == [DISCOVERY, "/keys"]
    assert 540 <= world.keys.retry_after() <= 600


async def test_an_unknown_key_is_looked_for_once_in_thirty_seconds(world: World) -> None:
    world.keys.start()
    await until(lambda: world.known() == ["key-1"])
    world.issuer.rotate("ES256")
    world.keys.missed()
    await until(lambda: world.known() == ["key-1", "key-2"])
    await until(lambda: world.keys.retry_after() > 30)
    asked = len(world.issuer.asked)
    for _ in range(100):
        world.keys.missed()
    assert world.keys.retry_after() == 30
    assert len(world.issuer.asked) == asked
    world.now += 31
    world.issuer.rotate("ES256")
    world.keys.missed()
    await until(lambda: "key-3" in (world.known() or []))


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/keys", b"<html>"),
        ("/keys", b"[]"),
        ("/keys", b"{}"),
        ("/keys", b'{"keys": {}}'),
        ("/keys", b'{"keys": [' + b"[" * 100_000),
        ("/keys", b'{"keys": [], "more": "' + b"x" * MAX_SIZE + b'"}'),
        ("/keys", json.dumps({"keys": [EC] * (MAX_KEYS + 1)}).encode()),
    ],
)
async def test_what_is_no_document_leaves_the_keys_as_they_are(path: str, document: bytes, world: World) -> None:
    await world.keys.round()
    world.issuer.documents[path] = document
    await world.keys.round()
    assert world.events() == ["key_set.failing"]
    assert world.known() == ["key-1"]


@pytest.mark.parametrize(
    "address",
    [
        7,
        None,
        "",
        "/keys",
        "ftp://127.0.0.1/keys",
        "http://192.0.2.1/keys",
        "http://u:p@127.0.0.1/keys",
        "http://u@127.0.0.1/keys",
        "http://[::1",
    ],
)
async def test_a_discovered_address_that_cannot_be_used_is_not_asked(address: Any, world: World) -> None:
    told = {"issuer": world.issuer.url, "jwks_uri": address}
    world.issuer.documents[DISCOVERY] = json.dumps(told).encode()
    await world.keys.round()
    assert world.events() == ["key_set.failing"]
    assert "key_set" in world.told[0][0]
    assert any(word in world.told[0][1]["reason"] for word in ("address", "jwks_uri"))


async def test_redirects_are_not_followed(world: World) -> None:
    world.issuer.status, world.issuer.headers = 302, {"Location": f"{world.issuer.url}/elsewhere"}
    await world.keys.round()
    assert world.issuer.asked == [DISCOVERY]
    assert world.told[0][1]["reason"] == "status 302"


async def test_a_set_without_keys_takes_all_away(world: World) -> None:
    """The issuer has said so; tokens are refused then, and not put off."""
    await world.keys.round()
    world.issuer.keys.clear()
    await world.keys.round()
    assert world.known() == []


async def test_the_end_is_waited_for(world: World) -> None:
    world.issuer.gate.clear()
    world.keys.start()
    await until(lambda: bool(world.issuer.asked))
    await world.keys.aclose()
    world.issuer.gate.set()
    assert [task for task in asyncio.all_tasks() if "keys of" in task.get_name()] == []


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:1/", "https://idp.example.com", None, 7])
async def test_another_issuers_document_leads_nowhere(issuer: Any, world: World) -> None:
    """Though it names an address that would do."""
    told = {"issuer": issuer, "jwks_uri": f"{world.issuer.url}/keys"}
    world.issuer.documents[DISCOVERY] = json.dumps(told).encode()
    await world.keys.round()
    assert world.issuer.asked == [DISCOVERY]
    assert world.known() is None


def test_https_leads_to_https_alone() -> None:
    """Nobody on the way may say where the keys are; nor does an issuer lead into this machine."""
    issuer = "https://idp.example.com"
    assert (
        source_of({"issuer": issuer, "jwks_uri": "https://keys.example.com/a"}, issuer) == "https://keys.example.com/a"
    )
    for other in ("http://idp.example.com/keys", "http://127.0.0.1/keys", "HTTP://127.0.0.1/keys", "/keys"):
        with pytest.raises(BadAnswer):
            source_of({"issuer": issuer, "jwks_uri": other}, issuer)


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": ["EC"]},
        {"kty": 7},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"x": 7},
        {"kid": 7},
        {"kid": "k" * 257},
        {"kty": "RSA", "n": "A" * 171, "e": "AQAB"},
        {"kty": "RSA", "n": "A" * 100_000, "e": "AQAB"},
        {"kty": "RSA", "n": "", "e": "AQAB"},
    ],
)
def test_keys_that_cannot_verify_are_left_out(change: dict[str, Any]) -> None:
    assert list(keys_of({"keys": [{**EC, **change}, {**EC, "kid": "good"}, "no key"]})) == ["good"]


def test_only_what_is_public_is_kept() -> None:
    secret = make_key("RS256").as_dict(private=True)
    assert "d" in secret
    found = keys_of({"keys": [{**secret, "kid": "a", "alg": "RS256", "x5u": "http://192.0.2.1"}]})
    assert set(found["a"]) == {"kty", "n", "e", "alg"}


def test_of_two_keys_with_one_id_the_first_counts() -> None:
    other = public(make_key("ES256"), "a")
    assert keys_of({"keys": [EC, other]})["a"]["x"] == EC["x"]


def test_a_key_without_id_has_the_empty_one() -> None:
    assert list(keys_of({"keys": [{name: value for name, value in EC.items() if name != "kid"}]})) == [""]


def test_too_many_keys_are_no_set() -> None:
    with pytest.raises(BadAnswer):
        keys_of({"keys": [EC] * (MAX_KEYS + 1)})
