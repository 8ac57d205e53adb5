"""Who is calling: an API key, known to the file by its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Self

from proxy.exchange import Exchange, Identity, Reply
from proxy.policy import CompileContext, NoConfig, Policy

_BEARER = b"bearer "
# Longer than any key in use; a longer credential is not even hashed.
_MAX_CREDENTIAL = 512


class Authenticate(Policy):
    """Accepts a key as ``Authorization: Bearer``, ``x-api-key`` or ``x-goog-api-key``; refuses all else alike.

    Only the SHA-256 of a key is compared, as a whole and by hash table, so neither the time nor the answer tells how
    near a guess was. Two different credentials in one request are refused: which of them counts must not depend on who
    reads the request.
    """

    __slots__ = ("_identities", "_now")

    Config = NoConfig
    at_door = True

    def __init__(self, identities: dict[bytes, Identity], now: Callable[[], float]) -> None:
        self._identities = identities
        self._now = now

    @classmethod
    def compile(cls, config: NoConfig, context: CompileContext) -> Self:
        identities = context.identities()
        if not identities:
            context.fail("no key could pass: `tenants` defines none")
        return cls(identities, context.now)

    def on_request(self, x: Exchange) -> Reply | None:
        if x.identity is not None:  # known since before the body was read
            return None
        if x.proof is not None:  # a job: its caller has shown the key before, and it must still be good
            x.identity = self._known(x.proof)
            return None if x.identity is not None else _refusal(x)
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
        digest = b""
        if credential and len(credential) <= _MAX_CREDENTIAL:
            digest = hashlib.sha256(credential).digest()
        identity = self._known(digest) if digest else None
        if identity is None:
            return _refusal(x)
        x.identity, x.proof = identity, digest
        return None

    def _known(self, digest: bytes) -> Identity | None:
        identity = self._identities.get(digest)
        if identity is None or (identity.expires is not None and identity.expires <= self._now()):
            return None
        return identity

    def explain(self, x: Exchange) -> str:
        who = x.identity
        return f"caller is {who.organisation}/{who.team}/{who.key}" if who else "passes"


def _refusal(x: Exchange) -> Reply:
    return x.refuse(
        401,
        "invalid_api_key",
        "No valid API key. Send one as `Authorization: Bearer <key>`.",
        headers=((b"www-authenticate", b"Bearer"),),
    )
