"""A policy that takes tokens, the keys of its issuer, and tokens of every kind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from policies.identity._jwt import ClaimsConfig, JwtConfig
from policies.identity.authenticate import Authenticate, AuthenticateConfig
from proxy.exchange import Exchange, Identity, Reply
from proxy.keys.key_sets import keys_of
from tests.support.issuer import make_key, public, segment, signature

ISSUER = "https://idp.example.com"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KEYS = {algorithm: make_key(algorithm) for algorithm in ALGORITHMS}
CLAIMS = ClaimsConfig(organisation="org", team="team", tags={"user": "sub", "project": "project"})
API_KEY = b"sk-sluice-web"


class Source:
    """Keys as the engine has them; None: not yet."""

    def __init__(self, shown: Mapping[str, Mapping[str, str]] | None) -> None:
        self.shown = shown
        self.misses = 0

    def keys(self) -> Mapping[str, Mapping[str, str]] | None:
        """As told."""
        return self.shown

    def missed(self) -> None:
        """Count."""
        self.misses += 1

    def retry_after(self) -> int:
        """As told."""
        return 7


def shown(**keys: Any) -> dict[str, Any]:
    """The public keys of these, by id."""
    return dict(keys_of({"keys": [public(key, kid) for kid, key in keys.items()]}))


class World:
    """A policy that takes tokens of one issuer, which signs with the key ``a``."""

    def __init__(self, context: Any, exchange: Callable[..., Exchange]) -> None:
        self.context = context
        self.exchange = exchange
        self.source = Source(shown(a=KEYS["RS256"]))
        self.sources = {ISSUER: self.source}
        self.template = Identity("acme", "search", "", (("gpt-*",),), None, "basic", ())
        self.found: list[tuple[str, str]] = []
        context.known = {hashlib.sha256(API_KEY).digest(): Identity("acme", "search", "web")}
        context.key_set = lambda issuer, source: self.sources[issuer]
        context.tenant = self.tenant
        self.policy = self.compile()

    def tenant(self, organisation: str, team: str) -> Identity | None:
        """The only team, and what was asked for."""
        self.found.append((organisation, team))
        return self.template if (organisation, team) == ("acme", "search") else None

    def compile(self, *more: JwtConfig, **changes: Any) -> Authenticate:
        """A policy for the issuer, changed, and for more."""
        usual: dict[str, Any] = {"issuer": ISSUER, "audience": "sluicegate", "claims": CLAIMS}
        self.policy = Authenticate.compile(
            AuthenticateConfig(jwt=(JwtConfig(**{**usual, **changes}), *more)), self.context
        )
        assert self.context.problems == []
        return self.policy

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good ones, but for what is given; None takes one away."""
        now = int(self.context.clock)
        usual = {"iss": ISSUER, "aud": "sluicegate", "sub": "ada", "org": "acme", "team": "search", "exp": now + 300}
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def token(
        self, *, key: str = "RS256", alg: str = "", header: Any = None, body: Any = None, **changes: Any
    ) -> bytes:
        """One that is good but for what is given."""
        head = {"alg": alg or key, "kid": "a", "typ": "JWT"} if header is None else header
        signed = segment(head) + b"." + segment(self.claims(**changes) if body is None else body)
        return signed + b"." + segment(signature(signed, KEYS[key], key))

    def ask(self, token: bytes, *headers: tuple[bytes, bytes]) -> Exchange:
        """A request that must pass."""
        x = self.exchange([(b"authorization", b"Bearer " + token), *headers])
        assert self.policy.on_request(x) is None
        assert x.identity is not None
        return x

    def refused(self, token: bytes) -> Reply:
        """The answer to a request that must not pass."""
        x = self.exchange([(b"authorization", b"Bearer " + token)])
        reply = self.policy.on_request(x)
        assert isinstance(reply, Reply)
        assert x.identity is None
        assert x.proof is None
        assert x.tags == {}
        return reply

    def is_plain_401(self, token: bytes) -> bool:
        """Whether the answer is what a wrong key gets, byte by byte."""
        reply, wrong = self.refused(token), self.refused(b"sk-wrong")
        return (reply.status, reply.body, reply.headers, reply.code) == (401, wrong.body, wrong.headers, wrong.code)
