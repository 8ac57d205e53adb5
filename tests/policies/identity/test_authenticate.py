"""Credentials: three carriers, keys and tokens, one verdict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from policies.context.tags import Tags, TagsConfig
from policies.identity._jwt import JwtConfig
from policies.identity.authenticate import Authenticate, AuthenticateConfig
from proxy.errors import Header
from proxy.exchange import Exchange, Identity, Reply
from proxy.limits.limit import Rule
from tests.policies.identity.tokens import ALGORITHMS, API_KEY, CLAIMS, ISSUER, KEYS, Source, World, shown
from tests.support.environment import ROOT
from tests.support.issuer import Issuer

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
    return Authenticate.compile(AuthenticateConfig(), context)


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
    Authenticate.compile(AuthenticateConfig(), context)
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


@pytest.fixture
def world(context: Any, exchange: Any) -> World:
    return World(context, exchange)


@pytest.mark.parametrize("carrier", [b"x-api-key", b"x-goog-api-key"])
def test_a_token_passes_in_every_carrier(carrier: bytes, world: World) -> None:
    x = world.exchange([(carrier, world.token())])
    assert world.policy.on_request(x) is None


def test_keys_and_tokens_pass_side_by_side(world: World) -> None:
    assert world.ask(API_KEY).identity.key == "web"  # type: ignore[union-attr]
    both = world.exchange([(b"x-api-key", API_KEY), (b"authorization", b"Bearer " + world.token())])
    reply = world.policy.on_request(both)
    assert isinstance(reply, Reply)
    assert reply.code == "conflicting_credentials"


def test_without_keys_in_the_file_tokens_are_enough(world: World) -> None:
    world.context.known = {}
    world.compile()
    world.ask(world.token())


def test_keys_that_are_not_there_yet_are_a_503_for_tokens_alone(world: World) -> None:
    world.source.shown = None
    reply = world.refused(world.token())
    assert (reply.status, reply.code) == (503, "identity_unavailable")
    assert (b"retry-after", b"7") in reply.headers
    world.ask(API_KEY)
    for wrong in (world.token(exp=1), world.token(iss="https://other.example.com"), b"eyJ.a.b"):
        assert world.is_plain_401(wrong)
    world.source.shown = shown(a=KEYS["RS256"])
    world.ask(world.token())


def test_a_job_shows_its_token_by_the_digest(world: World) -> None:
    """While the token is good, and its issuer has its key."""
    token = world.token(project="p1")
    proof = world.ask(token).proof
    assert proof == hashlib.sha256(token).digest()

    def job() -> Exchange:
        x = world.exchange([])
        x.proof = proof
        x.notes["refused"] = str(world.policy.on_request(x) is not None)
        return x

    world.context.clock += 299
    x = job()
    assert x.identity is not None
    assert (x.identity.key, x.tags["project"]) == ("jwt:ada", "p1")
    world.source.shown = shown(b=KEYS["ES256"])
    assert (job().identity, job().notes["refused"]) == (None, "True")
    world.source.shown = shown(a=KEYS["RS256"])
    world.context.clock += 31
    assert job().identity is None


def test_what_a_request_says_of_itself_loses_against_the_token(world: World, context: Any) -> None:
    """And the file's own word wins over both."""
    config = TagsConfig(
        accept=("user", "project", "session"), from_headers={"project": "x-project"}, from_body={"user": "user"}, set={}
    )
    for set_, user in (({}, "ada"), ({"user": "fixed"}, "fixed")):
        x = world.ask(
            world.token(project="p1"),
            (b"x-sluicegate-tags", b"user=eve,project=p2,session=s1"),
            (b"x-project", b"p3"),
        )
        x.body = b'{"user": "eve"}'
        Tags.compile(TagsConfig(config.accept, config.from_headers, config.from_body, set_), context).on_request(x)
        assert x.tags == {"user": user, "project": "p1", "session": "s1"}


def test_both_forms_of_the_setting_are_the_same() -> None:
    """A schema of a policy holds no definitions of its own: the issuer stands there twice."""
    schema = json.loads((ROOT / "schemas" / "policies" / "authenticate.json").read_text())
    one, several = schema["properties"]["jwt"]["oneOf"]
    assert several["items"] == one
    assert one["properties"]["algorithms"]["items"]["enum"] == list(ALGORITHMS)


def test_of_several_issuers_each_has_its_own_rules_and_callers(world: World) -> None:
    other = "https://other.example.com"
    world.sources[other] = Source(shown(a=KEYS["ES256"]))
    second = JwtConfig(issuer=other, audience=("a", "b"), algorithms=("ES256",), claims=CLAIMS)
    world.compile(second)
    one = world.ask(world.token()).identity
    two = world.ask(world.token(key="ES256", iss=other, aud="b")).identity
    assert one is not None
    assert two is not None
    assert one.key != two.key
    assert world.is_plain_401(world.token(iss=other, aud="b"))
    assert world.is_plain_401(world.token(key="ES256", aud="b"))
    assert world.is_plain_401(world.token(key="ES256", iss=other))


def test_an_issuer_that_stands_twice_is_a_problem(world: World) -> None:
    config = JwtConfig(issuer=ISSUER, audience="x", claims=CLAIMS)
    Authenticate.compile(AuthenticateConfig(jwt=(config, config)), world.context)
    assert [at for at, _ in world.context.problems] == ["jwt[1].issuer"]


def test_the_issuer_of_the_tests_signs_as_this_one_reads(world: World) -> None:
    issuer = Issuer(1)
    issuer.rotate()
    world.sources[issuer.url] = Source(shown(**issuer.keys))
    world.compile(issuer=issuer.url)
    world.ask(issuer.token({"exp": int(world.context.clock) + 5}).encode())


def test_the_limits_of_the_team_go_with_it(world: World) -> None:
    rules: tuple[Rule, ...] = (object(),)  # type: ignore[assignment]
    world.template.rules = rules
    assert world.ask(world.token()).identity.rules is rules  # type: ignore[union-attr]
