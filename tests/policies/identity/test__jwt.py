"""Tokens: what passes, and everything that must not."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from policies.identity._jwt import ClaimsConfig, Fixed, Issuer, JwtConfig, Tokens, verifier
from policies.identity.authenticate import Authenticate
from proxy.exchange import Identity
from proxy.keys.key_sets import keys_of
from proxy.units import Duration
from tests.policies.identity.tokens import ALGORITHMS, CLAIMS, ISSUER, KEYS, World, shown
from tests.support.issuer import make_key, public, segment, signature


@pytest.fixture
def world(context: Any, exchange: Any) -> World:
    return World(context, exchange)


def test_a_token_says_who_is_calling(world: World) -> None:
    x = world.ask(world.token(project="p1"))
    assert x.identity is not None
    assert (x.identity.organisation, x.identity.team, x.identity.key) == ("acme", "search", "jwt:ada")
    assert (x.identity.models, x.identity.tier) == ((("gpt-*",),), "basic")
    assert x.tags == {"user": "ada", "project": "p1"}
    assert world.policy.explain(x) == "caller is acme/search/jwt:ada"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_of_the_file_passes_and_only_that(algorithm: str, world: World) -> None:
    world.source.shown = shown(a=KEYS[algorithm])
    world.compile(algorithms=(algorithm,))
    world.ask(world.token(key=algorithm))
    world.compile(algorithms=tuple(other for other in ALGORITHMS if other != algorithm))
    assert world.is_plain_401(world.token(key=algorithm))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_699_999_900},
        {"exp": None},
        {"exp": "1800000000"},
        {"exp": True},
        {"exp": -1},
        {"exp": [1_800_000_000]},
        {"exp": {"$gt": 0}},
        {"exp": 10**400},
        {"exp": 2**53},
        {"nbf": 1_700_000_100},
        {"nbf": "0"},
        {"iat": 1_700_000_100},
        {"iat": False},
        {"aud": "other"},
        {"aud": "sluicegate2"},
        {"aud": None},
        {"aud": []},
        {"aud": ["other", 7, None]},
        {"aud": {"sluicegate": 1}},
        {"iss": "https://idp.example.com/"},
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"iss": {}},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "s" * 257},
        {"org": "other"},
        {"org": None},
        {"org": ["acme"]},
        {"org": "acme\0"},
        {"team": "other"},
        {"team": {"search": 1}},
        {"org": "ac\ud800me"},
    ],
    ids=str,
)
def test_wrong_claims_get_the_plain_401(changes: dict[str, Any], world: World) -> None:
    world.ask(world.token())
    assert world.is_plain_401(world.token(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_700_000_000.5},
        {"exp": 1_699_999_971},
        {"nbf": 1_700_000_030},
        {"iat": 0},
        {"aud": ["x", "sluicegate"]},
    ],
    ids=str,
)
def test_what_is_just_right_passes(changes: dict[str, Any], world: World) -> None:
    world.ask(world.token(**changes))


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'"text"',
        b"7",
        b"null",
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 9000,
        b'{"a":' * 2500,
        b"{}" + b" " * 9,
        b'{"exp":NaN}',
    ],
    ids=lambda body: str(body[:9]),
)
def test_claims_that_are_no_object_get_the_plain_401(body: bytes, world: World) -> None:
    assert world.is_plain_401(world.token(body=body))


@pytest.mark.parametrize("twice", ['"org":"acme"', '"exp":1800000000', '"iss":"x"', '"nested":{"a":1,"a":2}'])
def test_a_claim_that_stands_twice_gets_the_plain_401(twice: str, world: World) -> None:
    """Whatever comes first or last is good: the two readers of such a token would not agree."""
    good = json.dumps(world.claims())[1:-1]
    for text in (f"{{{twice},{good}}}", f"{{{good},{twice}}}"):
        assert world.is_plain_401(world.token(body=text.encode()))
    world.ask(world.token(body=f"{{{good}}}".encode()))


def test_infinite_times_and_endless_numbers_get_the_plain_401(world: World) -> None:
    good = json.dumps(world.claims(exp=None))[1:-1]
    for number in ("Infinity", "-Infinity", "NaN", "1e999", "9" * 5000, "-0.0e-9"):
        assert world.is_plain_401(world.token(body=f'{{{good},"exp":{number}}}'.encode()))
    for number in ("Infinity", "-Infinity", "NaN"):
        assert world.is_plain_401(world.token(body=f'{{{good},"exp":1.8e9,"other":{number}}}'.encode()))
    world.ask(world.token(body=f'{{{good},"exp":1.8e9}}'.encode()))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "kid": "a"},
        {"alg": "None", "kid": "a"},
        {"alg": "", "kid": "a"},
        {"kid": "a"},
        {"alg": ["RS256"], "kid": "a"},
        {"alg": {"RS256": 1}, "kid": "a"},
        {"alg": None, "kid": "a"},
        {"alg": "rs256", "kid": "a"},
        {"alg": "HS256", "kid": "a"},
        {"alg": "ES256", "kid": "a"},
        {"alg": "RS512", "kid": "a"},
        {"alg": "RS256", "kid": "a", "crit": ["exp"], "exp": 1},
        {"alg": "RS256", "kid": "a", "crit": []},
        {"alg": "RS256", "kid": "a", "b64": False, "crit": ["b64"]},
        {"alg": "RS256", "kid": "../../etc/passwd"},
        {"alg": "RS256", "kid": "/dev/null"},
        {"alg": "RS256", "kid": "a' OR '1'='1"},
        {"alg": "RS256", "kid": "a\0"},
        {"alg": "RS256", "kid": "k" * 5000},
        {"alg": "RS256", "kid": ""},
        {"alg": "RS256", "kid": None},
        {"alg": "RS256", "kid": ["a"]},
        {"alg": "RS256", "kid": {"a": 1}},
        {"alg": "RS256", "kid": "a", "typ": "logout+jwt"},
        {"alg": "RS256", "kid": "a", "typ": 7},
        [],
        "RS256",
    ],
    ids=lambda header: json.dumps(header)[:60],
)
def test_a_wrong_header_gets_the_plain_401_however_well_it_is_signed(header: Any, world: World) -> None:
    world.ask(world.token(header={"alg": "RS256", "kid": "a"}))
    assert world.is_plain_401(world.token(header=header))


def test_no_signature_at_all_gets_the_plain_401(world: World) -> None:
    body = segment(world.claims())
    for algorithm in ("none", "NONE", "RS256"):
        for end in (b".", b".AA", b""):
            assert world.is_plain_401(segment({"alg": algorithm, "kid": "a"}) + b"." + body + end)


def test_the_public_key_is_no_secret_to_sign_with(world: World) -> None:
    """Algorithm confusion: HS256 with what everybody can read, in each of its spellings."""
    key = KEYS["RS256"]
    spelling = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.get_op_key("verify").public_bytes(*spelling)
    for secret in (pem, pem.strip(), json.dumps(public(key, "a")).encode(), b"\0" * 32, b""):
        for algorithm in ("HS256", "RS256"):
            signed = segment({"alg": algorithm, "kid": "a"}) + b"." + segment(world.claims())
            made = hmac.new(secret, signed, hashlib.sha256).digest()
            assert world.is_plain_401(signed + b"." + segment(made))


def test_another_key_signs_for_nobody(world: World) -> None:
    """Neither does one that the token brings along, or an address where one would be."""
    other = make_key("RS256")
    own = public(other, "a")
    address = "http://192.0.2.1/keys"
    for more in ({}, {"jwk": own}, {"jku": address}, {"x5u": address}, {"x5c": ["AAAA"]}):
        signed = segment({"alg": "RS256", "kid": "a", **more}) + b"." + segment(world.claims())
        assert world.is_plain_401(signed + b"." + segment(signature(signed, other, "RS256")))


def test_a_changed_token_gets_the_plain_401(world: World) -> None:
    """Any part of it, also after the good one has passed."""
    token = world.token()
    world.ask(token)
    head, body, end = token.split(b".")
    other = segment(world.claims(sub="eve"))
    for changed in (
        head + b"." + other + b"." + end,
        head + b"." + body + b"." + (b"A" if end[:1] != b"A" else b"B") + end[1:],
        head + b"." + body + b"." + end[:-4],
        head + b"." + body + b"." + end + b"AAAA",
        token + b"=",
        token + b"==",
        token + b"\n.",
        token.replace(b".", b".."),
        b".".join((head, body, end, end)),
    ):
        assert world.is_plain_401(changed)


def test_a_token_in_another_spelling_is_another_token(world: World) -> None:
    """The last character of base64 has bits that count for nothing: only one of its spellings is read."""
    token = world.token()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = letters.index(chr(token[-1]))
    assert len(token.split(b".")[2]) % 4 == 2  # 256 bytes: the last character holds four idle bits
    assert world.is_plain_401(token[:-1] + letters[at + 1].encode())


@pytest.mark.parametrize(
    "token",
    [
        b"eyJ..",
        b"eyJ.eyJ.eyJ",
        b"eyJhbGciOiJSUzI1NiJ9..x",
        b"eyJ\xff\xfe.\xff.\xff",
        "eyJä.ö.ü".encode(),
        b"eyJ" + b"a" * 2_000_000 + b".b.c",
        b"eyJa.b." + b"c" * (16 << 10),
        b"eyJ0 .a.b",
        b"eyJ\0.a.b",
    ],
    ids=lambda token: str(token[:12]),
)
def test_what_only_looks_like_a_token_gets_the_plain_401(token: bytes, world: World) -> None:
    assert world.is_plain_401(token)


def test_a_long_token_passes_and_a_longer_one_does_not(world: World) -> None:
    world.ask(world.token(more="x" * 11_000))
    assert world.is_plain_401(world.token(more="x" * 13_000))


def test_only_an_unknown_key_of_a_known_issuer_is_looked_for(world: World) -> None:
    world.refused(world.token(iss="https://other.example.com", header={"alg": "RS256", "kid": "new"}))
    world.refused(world.token(header={"alg": "HS256", "kid": "new"}))
    world.refused(world.token(header={"alg": "RS256"}, aud="other"))
    assert world.source.misses == 0
    assert world.is_plain_401(world.token(header={"alg": "RS256", "kid": "new"}))
    assert world.source.misses == 1


def test_without_an_id_the_only_key_counts(world: World) -> None:
    world.ask(world.token(header={"alg": "RS256"}))
    world.source.shown = shown(a=KEYS["RS256"], b=KEYS["ES256"])
    assert world.is_plain_401(world.token(header={"alg": "RS256"}, sub="eve"))


def test_a_revoked_key_ends_its_tokens_at_once(world: World) -> None:
    token = world.token()
    world.ask(token)
    world.source.shown = shown(b=KEYS["RS256"])
    assert world.is_plain_401(token)
    world.source.shown = shown(a=make_key("RS256"))
    assert world.is_plain_401(token)
    world.source.shown = shown(a=KEYS["RS256"])
    world.ask(token)


def test_a_key_serves_only_the_algorithm_that_it_names(world: World) -> None:
    named = public(KEYS["RS256"], "a", alg="RS512")
    world.source.shown = keys_of({"keys": [named]})
    world.compile(algorithms=("RS256", "RS512"))
    assert world.is_plain_401(world.token())
    signed = segment({"alg": "RS512", "kid": "a"}) + b"." + segment(world.claims())
    world.ask(signed + b"." + segment(signature(signed, KEYS["RS256"], "RS512")))


def test_a_key_of_another_curve_does_not_serve_an_algorithm(world: World) -> None:
    """However well it has signed: ES256 is P-256."""
    world.source.shown = shown(a=KEYS["ES384"])
    world.compile(algorithms=("ES256", "ES384"))
    world.ask(world.token(key="ES384"))
    signed = segment({"alg": "ES256", "kid": "a"}) + b"." + segment(world.claims())
    assert world.is_plain_401(signed + b"." + segment(signature(signed, KEYS["ES384"], "ES256")))


def test_a_key_that_is_none_refuses_and_does_not_fail(world: World) -> None:
    for broken in ({"kty": "RSA", "n": "A" * 342, "e": "!"}, {"kty": "EC", "crv": "P-256", "x": "AA"}, {"kty": "OKP"}):
        world.source.shown = {"a": broken}
        assert world.is_plain_401(world.token())


class Counting:
    """How often a signature was verified."""

    def __init__(self) -> None:
        found = verifier()
        assert found is not None
        self._verify = found
        self.count = 0

    def __call__(self, algorithm: str, jwk: Mapping[str, str], signed: bytes, signature: bytes) -> bool:
        self.count += 1
        return self._verify(algorithm, jwk, signed, signature)


@pytest.fixture
def counting(world: World) -> Counting:
    """Counts for a policy that remembers no more than three tokens."""
    made = Counting()
    config = JwtConfig(issuer=ISSUER, audience="sluicegate", claims=CLAIMS, leeway=Duration(0))
    tokens = Tokens({ISSUER: Issuer(config, world.source)}, world.tenant, world.context.now, made, most=3)
    world.policy = Authenticate(world.context.known, world.context.now, tokens)
    return made


def test_a_token_is_verified_once_a_minute(world: World, counting: Counting) -> None:
    token = world.token()
    for _ in range(5):
        world.ask(token)
    world.context.clock += 59
    world.ask(token)
    assert counting.count == 1
    world.context.clock += 1
    world.ask(token)
    assert counting.count == 2


def test_what_is_remembered_ends_with_the_token(world: World, counting: Counting) -> None:
    token = world.token(exp=world.context.clock + 10)
    world.ask(token)
    world.context.clock += 9
    world.ask(token)
    world.context.clock += 1
    assert world.is_plain_401(token)


def test_a_refusal_is_not_remembered(world: World, counting: Counting) -> None:
    token = world.token(nbf=int(world.context.clock) + 1)
    assert world.is_plain_401(token)
    world.context.clock += 1
    world.ask(token)


@pytest.mark.parametrize("common", [20, 32, 64, 128])
def test_tokens_that_begin_alike_never_cross(common: int, world: World) -> None:
    """Long beginnings are shared by all tokens of an issuer: the whole token is what is remembered."""
    template = world.template
    world.context.tenant = lambda organisation, team: Identity(organisation, team, "", template.models)
    world.compile()
    first = world.token(header={"alg": "RS256", "kid": "a", "x": "x" * 100}, org="acme", sub="ada")
    second = world.token(header={"alg": "RS256", "kid": "a", "x": "x" * 100}, org="other", sub="eve")
    assert first[:common] == second[:common]
    for _ in range(2):
        for token, organisation, key in ((first, "acme", "jwt:ada"), (second, "other", "jwt:eve")):
            found = world.ask(token).identity
            assert found is not None
            assert (found.organisation, found.key) == (organisation, key)
    assert world.is_plain_401(first[:common] + second[common:-8] + first[-8:])


def test_no_more_than_so_many_are_remembered(world: World, counting: Counting) -> None:
    """Those are forgotten that nobody has shown for the longest time."""
    tokens = [world.token(sub=subject) for subject in ("ada", "bob", "cyd", "dan")]
    for at in (0, 1, 2, 0, 3):
        world.ask(tokens[at])
    assert counting.count == 4
    for at in (0, 2, 3):
        world.ask(tokens[at])
    assert counting.count == 4
    world.ask(tokens[1])
    assert counting.count == 5


def test_names_of_claims_may_be_paths_or_hold_dots(world: World) -> None:
    claims = ClaimsConfig(organisation="https://acme.example/org", team="realm.groups.main", tags={"user": "who.name"})
    world.compile(claims=claims)
    good: dict[str, Any] = {
        "https://acme.example/org": "acme",
        "realm": {"groups": {"main": "search"}},
        "org": None,
        "team": None,
    }
    assert world.ask(world.token(**good, who={"name": "Ada"})).tags == {"user": "Ada"}
    assert world.is_plain_401(world.token(**{**good, "realm": {"groups": "main"}}))
    assert world.is_plain_401(world.token(**{**good, "realm": None}))


def test_a_name_may_be_fixed_and_the_token_cannot_change_it(world: World) -> None:
    world.compile(claims=ClaimsConfig(organisation=Fixed(value="acme"), team="team"))
    world.ask(world.token(org="other"))
    assert world.found[-1] == ("acme", "search")


@pytest.mark.parametrize(
    ("told", "tier"), [("premium", "premium"), ("root", "basic"), (None, "basic"), (7, "basic"), (["free"], "basic")]
)
def test_the_tier_is_the_tokens_if_it_is_one(told: Any, tier: str, world: World) -> None:
    assert world.ask(world.token(plan="premium")).identity.tier == "basic"  # type: ignore[union-attr]
    world.compile(tiers="plan")
    assert world.ask(world.token(plan=told)).identity.tier == tier  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["", "a\nb", "x" * 257, 7, ["a"], None, "\ud800"])
def test_a_tag_that_is_none_is_left_out(value: Any, world: World) -> None:
    assert world.ask(world.token(project=value)).tags == {"user": "ada"}


@pytest.mark.parametrize(
    "subject",
    ["ada/lovelace", "ada lovelace", "ä", "a" * 61, "a\nb", "\ud800", "ada-0123456789abcdef", "auth0|12", "s" * 256],
)
def test_the_name_of_a_key_can_stand_in_a_log_and_is_one_callers(subject: str, world: World) -> None:
    """Two subjects that look alike once they are plain do not share it."""
    name = world.ask(world.token(sub=subject)).identity.key  # type: ignore[union-attr]
    assert name.startswith("jwt:")
    assert len(name) <= 64
    assert name.isascii()
    assert name.isprintable()
    assert name != f"jwt:{subject}"
    assert name != world.ask(world.token(sub=name[4:])).identity.key  # type: ignore[union-attr]
    assert name == world.ask(world.token(sub=subject, exp=1_700_000_200)).identity.key  # type: ignore[union-attr]
