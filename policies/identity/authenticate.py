"""Who is calling: an API key, known to the file by its hash, or a token of an issuer that the file trusts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from ipaddress import ip_address
from typing import Self

from policies.identity._jwt import MAX_TOKEN, JwtConfig, NoKeys, Tokens
from proxy.exchange import Exchange, Identity, Keys, Network, Reply
from proxy.policy import CompileContext, Config, Policy

_BEARER = b"bearer "
# Longer than any key in use; a longer credential is not even hashed.
_MAX_CREDENTIAL = 512


class AuthenticateConfig(Config, frozen=True):
    """``jwt``: whose tokens pass beside the keys of the file."""

    jwt: JwtConfig | tuple[JwtConfig, ...] = ()


class Authenticate(Policy):
    """Accepts a key as ``Authorization: Bearer``, ``x-api-key`` or ``x-goog-api-key``; refuses all else alike.

    Only the SHA-256 of a key is compared, as a whole and by hash table, so neither the time nor the answer tells how
    near a guess was. Two different credentials in one request are refused: which of them counts must not depend on who
    reads the request.

    Where tokens pass, a credential that begins as one and has two dots is a token, and nothing else is.
    """

    __slots__ = ("_identities", "_now", "_tokens")

    Config = AuthenticateConfig
    at_door = True

    def __init__(self, identities: Keys, now: Callable[[], float], tokens: Tokens | None = None) -> None:
        self._identities = identities
        self._now = now
        self._tokens = tokens

    @classmethod
    def compile(cls, config: AuthenticateConfig, context: CompileContext) -> Self:
        issuers = (config.jwt,) if isinstance(config.jwt, JwtConfig) else config.jwt
        identities = context.identities()
        if not identities and not issuers:
            context.fail("no key could pass: `tenants` defines none")
        return cls(identities, context.now, Tokens.compile(issuers, context) if issuers else None)

    def on_request(self, x: Exchange) -> Reply | None:
        if x.identity is not None:  # known since before the body was read, and for which route not until now
            return self._on_route(x, x.identity)
        if x.proof is not None:  # a job: its caller has shown the key before, and it must still be good
            return self._admit(x, self._known(x.proof) or self._remembered(x.proof), x.proof)
        credential = None
        for name, value in x.headers:
            if name == b"authorization":
                # Another scheme is a credential too, and a wrong one.
                found = value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else value
            elif name in (b"x-api-key", b"x-goog-api-key"):
                found = value
            else:
                continue
            if credential is not None and found != credential:
                return x.refuse(
                    400, "conflicting_credentials", "The request carries two different credentials; send one."
                )
            credential = found
        return self._judge(x, credential or b"")

    def _judge(self, x: Exchange, credential: bytes) -> Reply | None:
        """Let in whoever the one credential proves."""
        tokens = self._tokens
        if tokens is not None and credential[:3] == b"eyJ" and credential.count(b".") == 2:
            if len(credential) > MAX_TOKEN:
                return _refusal(x)
            digest = hashlib.sha256(credential).digest()
            try:
                return self._admit(x, tokens.identify(credential, digest), digest)
            except NoKeys as error:
                return _unavailable(x, error.retry_after)
        if not credential or len(credential) > _MAX_CREDENTIAL:
            return _refusal(x)
        digest = hashlib.sha256(credential).digest()
        return self._admit(x, self._known(digest), digest)

    @staticmethod
    def _admit(x: Exchange, identity: Identity | None, digest: bytes) -> Reply | None:
        if identity is None:
            return _refusal(x)
        if identity.addresses is not None and not _is_within(x.client, identity.addresses):
            return x.refuse(403, "address_not_allowed", "This key is not for the address that the request comes from.")
        x.identity, x.proof = identity, digest
        x.tags.update(identity.tags)
        return Authenticate._on_route(x, identity)

    @staticmethod
    def _on_route(x: Exchange, identity: Identity) -> Reply | None:
        if identity.routes is None or not x.route or x.route in identity.routes:
            return None
        return x.refuse(403, "route_not_allowed", f"The route {x.route!r} is not open to this key.")

    def _remembered(self, digest: bytes) -> Identity | None:
        return None if self._tokens is None else self._tokens.remembered(digest)

    def _known(self, digest: bytes) -> Identity | None:
        identity = self._identities.get(digest)
        if identity is None or (identity.expires is not None and identity.expires <= self._now()):
            return None
        return identity

    def explain(self, x: Exchange) -> str:
        who = x.identity
        return f"caller is {who.organisation}/{who.team}/{who.key}" if who else "passes"


def _is_within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in network for network in networks)


def _refusal(x: Exchange) -> Reply:
    return x.refuse(
        401,
        "invalid_api_key",
        "No valid API key. Send one as `Authorization: Bearer <key>`.",
        headers=((b"www-authenticate", b"Bearer"),),
    )


def _unavailable(x: Exchange, retry_after: int) -> Reply:
    return x.refuse(
        503,
        "identity_unavailable",
        "The keys of the token's issuer are not known yet. Try again soon.",
        headers=((b"retry-after", b"%d" % retry_after),),
    )
