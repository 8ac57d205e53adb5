"""Bearer tokens of an issuer: read strictly, verified by joserfc (extra ``jwt``), remembered for a minute.

RFC 7515, RFC 7519, and what RFC 8725 recommends: algorithms are the file's and asymmetric, keys are only those of the
issuer (nothing that a token says leads to another), types are told apart, nothing is accepted twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from proxy.exchange import Identity, KeySource
from proxy.policy import CompileContext, Config
from proxy.tags import is_tag_value
from proxy.units import Duration

MISSING_EXTRA = "tokens need the extra `jwt`, which is not installed: pip install 'sluicegate[jwt]'"
MAX_TOKEN = 16 << 10  # bytes; a longer one is not even hashed
REMEMBERED = 60.0  # seconds
MOST_REMEMBERED = 10_000  # tokens
_MOST_IMPORTED = 1000  # keys

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
Claims = dict[str, Any]
# Whether a signature is good: algorithm, JWK, what was signed, signature.
Verify = Callable[[str, Mapping[str, str], bytes, bytes], bool]
_FORM = re.compile(rb"(eyJ[A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_TYPES = ("jwt", "at+jwt", "application/at+jwt")  # RFC 9068; others are not meant for access
_TIERS = ("free", "basic", "premium", "enterprise")
_LATEST = 2.0**53  # seconds; above it numbers are not exact
_MAX_TEXT = 256  # characters of a subject, or of a name
_ODD = re.compile(r"[^A-Za-z0-9_.@-]")
_MARKED = re.compile(r".*-[0-9a-f]{16}")
_MAX_NAME = 60  # characters of a subject in a key's name, beside "jwt:"


class Fixed(Config, frozen=True):
    """Stands for a claim: the same for all tokens of the issuer."""

    value: str


class ClaimsConfig(Config, frozen=True):
    """Claims by what they tell; ``tags``: tag → claim. A dotted name is looked for as it stands, then as a path."""

    organisation: str | Fixed
    team: str | Fixed
    tags: dict[str, str] = {}


class JwtConfig(Config, frozen=True):
    """One issuer. ``audience``: one of these must be among the token's; ``tiers``: claim with the class of service."""

    issuer: str
    audience: str | tuple[str, ...]
    claims: ClaimsConfig
    jwks_url: str | None = None
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256")
    leeway: Duration = Duration(30)
    tiers: str | None = None


class NoKeys(Exception):
    """The keys of the token's issuer are not known yet. ``retry_after``: whole seconds until they may be."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("the keys of the token's issuer are not known yet")
        self.retry_after = retry_after


class Issuer(NamedTuple):
    """One issuer, with its current keys."""

    config: JwtConfig
    source: KeySource


class _Known(NamedTuple):
    """A token that was good: whose it is, until when that is believed, its end, and the key that proved it."""

    identity: Identity
    until: float
    end: float
    issuer: Issuer
    kid: str
    key: Mapping[str, str]


class Tokens:
    """Verifies tokens. ``tenant`` finds a team; ``now``: seconds since the epoch; ``most``: tokens remembered."""

    def __init__(
        self,
        issuers: dict[str, Issuer],
        tenant: Callable[[str, str], Identity | None],
        now: Callable[[], float],
        verify: Verify,
        most: int = MOST_REMEMBERED,
    ) -> None:
        self._issuers = issuers
        self._tenant = tenant
        self._now = now
        self._verify = verify
        self._most = most
        self._known: OrderedDict[bytes, _Known] = OrderedDict()  # by the whole SHA-256 of the token

    @classmethod
    def compile(cls, configs: tuple[JwtConfig, ...], context: CompileContext) -> Tokens | None:
        """None after a problem."""
        verify = verifier()
        if verify is None:
            context.fail(MISSING_EXTRA, "jwt")
            return None
        issuers: dict[str, Issuer] = {}
        for at, config in enumerate(configs):
            if config.issuer in issuers:
                context.fail("this issuer stands here twice; keep one", f"jwt[{at}].issuer")
            issuers[config.issuer] = Issuer(config, context.key_set(config.issuer, config.jwks_url))
        return cls(issuers, context.tenant, context.now, verify)

    def identify(self, token: bytes, digest: bytes) -> Identity | None:
        """Whose token it is; None if it is not good. ``digest``: its SHA-256.

        Raises:
            NoKeys: that cannot be told yet.
        """
        known = self._known.get(digest)
        if known is not None:
            if self._now() < known.until and self._is_proved(known):
                self._known.move_to_end(digest)
                return known.identity
            del self._known[digest]
        try:
            known = self._read(token)
        except (ValueError, RecursionError):  # not what it should be, somewhere
            return None
        self._known[digest] = known
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return known.identity

    def remembered(self, digest: bytes) -> Identity | None:
        """Whose token it was that a job was made with, if it is still good."""
        known = self._known.get(digest)
        return known.identity if known is not None and self._now() < known.end and self._is_proved(known) else None

    @staticmethod
    def _is_proved(known: _Known) -> bool:
        """Whether its issuer still has the key."""
        return (known.issuer.source.keys() or {}).get(known.kid) == known.key

    def _read(self, token: bytes) -> _Known:
        """Raises a ValueError for whatever is wrong."""
        form = _FORM.fullmatch(token)
        if form is None:
            raise ValueError("not a token")
        header, claims = _object(form[1]), _object(form[2])
        issuer = self._issuers.get(_text(claims, "iss"))
        algorithm = header.get("alg")
        if issuer is None or algorithm not in issuer.config.algorithms or "crit" in header:
            raise ValueError("not of an issuer of the file, or not signed as it should be")
        if "typ" in header and _text(header, "typ").lower() not in _TYPES:
            raise ValueError("meant for something else")
        end = _check(claims, issuer.config, self._now())
        kid, key = _key(header, issuer.source)
        if not self._verify(algorithm, key, token[: form.end(2)], _bytes(form[3])):
            raise ValueError("wrong signature")
        identity = self._identity(claims, issuer.config)
        return _Known(identity, min(self._now() + REMEMBERED, end), end + issuer.config.leeway, issuer, kid, key)

    def _identity(self, claims: Claims, config: JwtConfig) -> Identity:
        organisation, team = (_named(claims, name) for name in (config.claims.organisation, config.claims.team))
        template = self._tenant(organisation, team)
        if template is None:
            raise ValueError("no team of the file")
        subject = _text(claims, "sub")
        key = f"jwt:{_key_name(subject, '' if len(self._issuers) == 1 else config.issuer)}"
        tier = None if config.tiers is None else _claim(claims, config.tiers)
        identity = Identity(
            template.organisation,
            template.team,
            key,
            template.models,
            template.expires,
            tier if tier in _TIERS else template.tier,
            template.rules,
        )
        found = ((tag, _claim(claims, name)) for tag, name in config.claims.tags.items())
        identity.tags = {tag: value for tag, value in found if isinstance(value, str) and is_tag_value(value)}
        return identity


def _key(header: Claims, source: KeySource) -> tuple[str, Mapping[str, str]]:
    """The key that a token names, with its id; the only one, if it names none."""
    keys = source.keys()
    if keys is None:
        raise NoKeys(source.retry_after())
    if "kid" not in header and len(keys) == 1:
        ((kid, key),) = keys.items()
        return kid, key
    kid = _text(header, "kid")
    if kid not in keys:
        source.missed()
        raise ValueError("unknown key")
    return kid, keys[kid]


def _check(claims: Claims, config: JwtConfig, now: float) -> float:
    """When the token ends, seconds since the epoch, if it is for us and for now; issuer and signature are not
    looked at."""
    meant = claims.get("aud")
    audience = [meant] if isinstance(meant, str) else meant
    ours = (config.audience,) if isinstance(config.audience, str) else config.audience
    if not isinstance(audience, list) or not any(isinstance(one, str) and one in ours for one in audience):
        raise ValueError("for somebody else")
    end, latest = _time(claims, "exp"), now + config.leeway
    if end + config.leeway <= now:
        raise ValueError("expired")
    if any(name in claims and _time(claims, name) > latest for name in ("nbf", "iat")):
        raise ValueError("not valid yet")
    return end


def _bytes(segment: bytes) -> bytes:
    """base64url without padding, in its one spelling: a token that is written otherwise is another token."""
    found = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    if base64.urlsafe_b64encode(found).rstrip(b"=") != segment:
        raise ValueError("not base64url")
    return found


def _object(segment: bytes) -> Claims:
    """A JSON object in which no member stands twice: who reads the other one would read something else."""
    found = json.loads(_bytes(segment).decode(), object_pairs_hook=_members, parse_constant=_refuse)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _members(pairs: list[tuple[str, Any]]) -> Claims:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _text(claims: Claims, name: str) -> str:
    found = claims.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= _MAX_TEXT:
        raise ValueError(f"{name} is not a text")
    return found


def _time(claims: Claims, name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 <= found < _LATEST:
        raise ValueError(f"{name} is not a time")
    return float(found)


def _claim(claims: Claims, name: str) -> Any:
    """A claim by its name, which may hold dots itself, or by its path."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def _named(claims: Claims, name: str | Fixed) -> str:
    found = name.value if isinstance(name, Fixed) else _claim(claims, name)
    if not isinstance(found, str):
        raise ValueError("no name of a tenant")
    return found


def _key_name(subject: str, issuer: str) -> str:
    """A subject as it may stand in logs; two subjects never share a name, as owners of jobs are known by it."""
    plain = _ODD.sub("_", subject)
    if plain == subject and len(plain) <= _MAX_NAME and not issuer and _MARKED.fullmatch(plain) is None:
        return plain
    mark = hashlib.sha256(f"{issuer}\0{subject}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{plain[: _MAX_NAME - 17]}-{mark}"


def verifier() -> Verify | None:
    """Made with joserfc; None without the extra."""
    try:
        from joserfc.jwk import import_key
        from joserfc.jws import JWSRegistry
    except ImportError:
        return None
    imported: OrderedDict[tuple[tuple[str, str], ...], Any] = OrderedDict()

    def verify(algorithm: str, jwk: Mapping[str, str], signed: bytes, signature: bytes) -> bool:
        # RFC 9864 has given the same thing a new name, and joserfc warns of the old one.
        own = "Ed25519" if algorithm == "EdDSA" else algorithm
        if jwk.get("alg", algorithm) not in (algorithm, own):
            return False
        name = tuple(jwk.items())
        method = JWSRegistry.algorithms[own]
        try:
            key = imported.get(name)
            if key is None:
                key = imported[name] = import_key({member: jwk[member] for member in jwk if member != "alg"})
            method.check_key(key)
            return method.verify(signed, signature, key)
        except Exception:  # a key that is none, or not for this algorithm: no proof, whatever the library calls it
            return False
        finally:
            if len(imported) > _MOST_IMPORTED:
                imported.popitem(last=False)

    return verify
