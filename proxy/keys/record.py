"""A key as it is kept, and what may be said of one. Its secret is shown once and never kept."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec

from proxy.errors import BadRequest
from proxy.limits.rule import parse as parse_limit
from proxy.tags import MAX_TAGS, is_tag_name, is_tag_value
from proxy.units import Duration

MICRO = 10**6  # microseconds of a second
TIERS = ("free", "basic", "premium", "enterprise")
MAX_ENTRIES = 100  # of one list
MAX_TEXT = 200
MAX_SECRET = 512  # a longer credential is not even hashed where callers are known
SHORTEST_SECRET = 32
_PREFIX = "sk-sg-"
_SHOWN = 8
_LEAST_VARIETY = 12
_LONGEST_LIFE = 3660 * 86_400  # seconds
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_IDENTITY = re.compile(r"key_[0-9a-f]{24}")
_EXAMPLES = re.compile(
    r"1234|changeme|change[-_]me|replace[-_]?me|your[-_]|password|passw0rd|example|placeholder|letmein|qwerty"
    r"|(?<![a-z0-9])(?:test|demo|dummy|sample|secret|fake|todo|xxx+)(?![a-z0-9])",
    re.IGNORECASE,
)


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """What can be changed of a key. ``models`` (globs), ``routes`` and ``addresses`` (networks): None for all that its
    team may use. ``tier``: "" for its team's. ``limits`` count beside its team's. ``expires``: microseconds since the
    epoch, or None."""

    models: tuple[str, ...] | None = None
    routes: tuple[str, ...] | None = None
    addresses: tuple[str, ...] | None = None
    tier: str = ""
    limits: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    expires: int | None = None


class IssuedKey(Properties, frozen=True, kw_only=True):
    """A key. ``prefix``: its first characters, for people. Times are microseconds since the epoch; ``created_by`` is
    an operator's name. ``replaced_by``: the id of the key that a rotation made of it."""

    id: str
    organisation: str
    team: str
    name: str
    prefix: str
    created: int
    created_by: str
    revoked: int | None = None
    replaced_by: str | None = None

    def state(self, now: int) -> str:
        """``live``, ``expired`` or ``revoked`` at ``now``, in microseconds."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "live"


PROPERTIES: tuple[str, ...] = Properties.__struct_fields__


def view(key: IssuedKey, now: int) -> dict[str, Any]:
    """A key for people and programs: times as texts of UTC, and its state. Neither its secret nor its hash."""
    shown: dict[str, Any] = {"id": key.id, "state": key.state(now)} | msgspec.to_builtins(key)
    for name in ("created", "expires", "revoked"):
        if shown[name] is not None:
            shown[name] = datetime.fromtimestamp(shown[name] // MICRO, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return shown


def new_secret() -> str:
    """A secret of 256 random bits."""
    return _PREFIX + secrets.token_urlsafe(32)


def new_identity() -> str:
    """An id that no other key has."""
    return f"key_{secrets.token_hex(12)}"


def is_identity(text: str) -> bool:
    """Whether ``text`` can be the id of a key."""
    return _IDENTITY.fullmatch(text) is not None


def digest_of(secret: str) -> bytes:
    """What is kept of a secret: its SHA-256."""
    return hashlib.sha256(secret.encode()).digest()


def prefix_of(secret: str) -> str:
    """What is shown of a secret, so that people know it again."""
    return secret[:_SHOWN]


def weakness(secret: str) -> str | None:
    """Why a secret that somebody thought of must not be used; None if nothing speaks against it."""
    if not SHORTEST_SECRET <= len(secret) <= MAX_SECRET:
        return f"it must have from {SHORTEST_SECRET} to {MAX_SECRET} characters"
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        return "it must be of printable ASCII characters without spaces"
    if len(set(secret)) < _LEAST_VARIETY:
        return f"it has fewer than {_LEAST_VARIETY} different characters"
    if secret in (secret + secret)[1:-1]:
        return "it repeats itself"
    steps = [ord(b) - ord(a) for a, b in pairwise(secret)]
    if sum(step in (-1, 0, 1) for step in steps) * 2 > len(steps):
        return "it is a sequence of neighbouring characters"
    if _EXAMPLES.search(secret):
        return "it reads like an example or a default"
    return None


def read_name(value: Any, param: str) -> str:
    """The name of an organisation, team or key.

    Raises:
        BadRequest: it is none.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        message = f"`{param}` must be of letters, digits, `_`, `.` and `-`, at most 64, a letter or digit first."
        raise BadRequest(message, param=param)
    return value


def read_properties(members: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The properties that ``members`` give, by name, as they are kept. ``now``: microseconds since the epoch.

    Raises:
        BadRequest: one cannot be understood; the parameter says which.
    """
    found = {}
    for name, value in members.items():
        try:
            found[name] = read_expiry(value, now) if name == "expires" else _READERS[name](value)
        except ValueError as error:
            raise BadRequest(f"`{name}`: {error}.", param=name) from None
    return found


def read_expiry(value: Any, now: int) -> int | None:
    """A time like ``2027-01-31T12:00:00Z``, or how long from ``now``, like ``30d``; None for never.

    Raises:
        ValueError: it is neither, is past, or is more than ten years away.
    """
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError("must be a time like 2027-01-31T12:00:00Z, a duration like 30d, or null")
    if value[:1].isdigit() and "-" in value:
        time = datetime.fromisoformat(value)
        expires = round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * MICRO)
    else:
        expires = now + round(min(Duration.parse(value), 2.0 * _LONGEST_LIFE) * MICRO)
    if not now < expires <= now + _LONGEST_LIFE * MICRO:
        raise ValueError("must be in the future, and within ten years")
    return expires


def _texts(value: Any, check: Callable[[str], str]) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_ENTRIES:
        raise ValueError(f"must be a list of at most {MAX_ENTRIES} texts")
    return tuple(check(_text(one)) for one in value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise ValueError(f"each must be a printable text of 1 to {MAX_TEXT} characters")
    return value


def _some(value: Any, check: Callable[[str], str]) -> tuple[str, ...] | None:
    """None, or a list that is not empty: an empty one would forbid everything, and be taken for the opposite."""
    found = None if value is None else _texts(value, check)
    if found == ():
        raise ValueError("must not be empty; null stands for all")
    return found


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise ValueError(f"no network like 10.0.0.0/8: {error}") from None


def _limit(text: str) -> str:
    return parse_limit(text).text or text


def _tier(value: Any) -> str:
    if value in (None, ""):
        return ""
    if value not in TIERS:
        raise ValueError(f"must be one of {', '.join(TIERS)}, or null")
    return str(value)


def _tags(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MAX_TAGS:
        raise ValueError(f"must be an object of at most {MAX_TAGS} tags")
    for name, text in value.items():
        if not is_tag_name(name) or not isinstance(text, str) or not is_tag_value(text):
            raise ValueError(f"{name[:80]!r} is no tag: a lower-case name, and a printable text")
    return dict(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "models": lambda value: _some(value, str),
    "routes": lambda value: _some(value, lambda text: read_name(text, "routes")),
    "addresses": lambda value: _some(value, _network),
    "tier": _tier,
    "limits": lambda value: _texts(value, _limit),
    "tags": _tags,
}
