"""Credentials: three carriers, one verdict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from policies.identity.authenticate import Authenticate
from proxy.errors import Header
from proxy.exchange import Identity, Reply
from proxy.policy import NoConfig

KEY = b"sk-sluice-web"
CARRIERS: dict[str, Callable[[bytes], Header]] = {
    "authorization": lambda key: (b"authorization", b"Bearer " + key),
    "x-api-key": lambda key: (b"x-api-key", key),
    "x-goog-api-key": lambda key: (b"x-goog-api-key", key),
}


@pytest.fixture
def policy(context: Any) -> Authenticate:
    context.known = {
        hashlib.sha256(KEY).digest(): Identity("acme", "search", "web"),
        hashlib.sha256(b"old").digest(): Identity("acme", "search", "old", (), context.clock - 1),
        hashlib.sha256(b"soon").digest(): Identity("acme", "search", "soon", (), context.clock + 1),
    }
    return Authenticate.compile(NoConfig(), context)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_known_key_passes_in_every_carrier(carrier: str, policy: Authenticate, exchange: Any) -> None:
    """And says who is calling."""
    x = exchange([CARRIERS[carrier](KEY)])
    assert policy.on_request(x) is None
    assert (x.identity.organisation, x.identity.team, x.identity.key) == ("acme", "search", "web")
    assert policy.explain(x) == "caller is acme/search/web"


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    "key", [b"", b"wrong", KEY + b"x", KEY[:-1], b"old", b"\xff\x00", b"' OR 1=1 --", b"k" * 2_000_000]
)
def test_every_other_key_gets_the_same_401(carrier: str, key: bytes, policy: Authenticate, exchange: Any) -> None:
    """Wrong, expired, hostile: the answer does not tell which."""
    reply = policy.on_request(exchange([CARRIERS[carrier](key)]))
    missing = policy.on_request(exchange([]))
    assert isinstance(reply, Reply)
    assert isinstance(missing, Reply)
    assert (reply.status, reply.body, reply.headers) == (missing.status, missing.body, missing.headers)
    assert (reply.status, json.loads(reply.body)["error"]["code"]) == (401, "invalid_api_key")


def test_another_scheme_is_no_key(policy: Authenticate, exchange: Any) -> None:
    """Basic credentials are not looked into."""
    reply = policy.on_request(exchange([(b"authorization", b"Basic " + KEY)]))
    assert isinstance(reply, Reply)
    assert reply.status == 401


def test_two_different_credentials_are_a_400_and_two_equal_ones_pass(policy: Authenticate, exchange: Any) -> None:
    """Also when both would be valid: nobody should have to know which counts."""
    twice = policy.on_request(exchange([CARRIERS["authorization"](KEY), CARRIERS["x-api-key"](b"soon")]))
    assert isinstance(twice, Reply)
    assert (twice.status, twice.code) == (400, "conflicting_credentials")
    repeated = policy.on_request(exchange([(b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")]))
    assert isinstance(repeated, Reply)
    assert repeated.status == 400
    assert policy.on_request(exchange([CARRIERS["authorization"](KEY), CARRIERS["x-api-key"](KEY)])) is None


def test_a_key_ends_when_it_expires(policy: Authenticate, context: Any, exchange: Any) -> None:
    """By the wall clock, at request time."""
    assert policy.on_request(exchange([CARRIERS["x-api-key"](b"soon")])) is None


def test_no_key_at_all_is_a_problem(context: Any) -> None:
    """A route that nobody can use is a mistake."""
    Authenticate.compile(NoConfig(), context)
    assert context.problems


def test_a_job_shows_its_key_by_the_digest(policy: Authenticate, exchange: Any) -> None:
    """That a caller's key leaves behind; the key must still be there and good, and headers count for nothing then."""
    x = exchange([CARRIERS["x-api-key"](KEY)])
    policy.on_request(x)
    assert x.proof == hashlib.sha256(KEY).digest()
    job = exchange([])
    job.proof = x.proof
    assert policy.on_request(job) is None
    assert job.identity.key == "web"
    for proof in (hashlib.sha256(b"old").digest(), b"gone", b""):
        job = exchange([CARRIERS["x-api-key"](KEY)])
        job.proof = proof
        reply = policy.on_request(job)
        assert isinstance(reply, Reply)
        assert (reply.status, job.identity) == (401, None)


def test_a_refused_key_leaves_no_proof(policy: Authenticate, exchange: Any) -> None:
    """So nothing can be made of it later."""
    x = exchange([CARRIERS["x-api-key"](b"wrong")])
    assert isinstance(policy.on_request(x), Reply)
    assert x.proof is None
