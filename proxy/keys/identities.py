"""Who a key belongs to: those of the file, and those that were issued while the gateway runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network
from typing import Protocol

from proxy.exchange import Identity
from proxy.keys.record import MICRO, IssuedKey
from proxy.limits.limit import Rule

NAME = "issued keys"  # under which they are shared
_MAX_BUILT = 20_000


class Service(Protocol):
    """Where issued keys are kept."""

    def find(self, digest: bytes) -> IssuedKey | None:
        """The key whose secret has that SHA-256, if it is good now."""

    @property
    def keys(self) -> Mapping[bytes, IssuedKey]:
        """All that are not revoked."""

    def named(self, organisation: str, team: str, name: str) -> bytes | None:
        """The SHA-256 of the key of that name."""


class Issued:
    """The issued keys of a process; none until ``service`` is there."""

    __slots__ = ("service",)

    def __init__(self) -> None:
        self.service: Service | None = None


class Identities:
    """Of one generation. ``rules`` gives the limits of an issued key: its texts, its tier, and its name; ``detours``
    are where the limits of tiers lead."""

    __slots__ = ("_built", "_detours", "_file", "_issued", "_rules", "_tenants")

    def __init__(
        self,
        file: Mapping[bytes, Identity],
        tenants: Mapping[tuple[str, str, str], Identity],
        issued: Issued,
        rules: Callable[[tuple[str, ...], str, str], tuple[Rule, ...]],
        detours: frozenset[str] = frozenset(),
    ) -> None:
        self._file = file
        self._tenants = tenants
        self._issued = issued
        self._rules = rules
        self._detours = detours
        self._built: dict[bytes, tuple[IssuedKey, Identity]] = {}

    def __bool__(self) -> bool:
        """Whether there is a key, or may be one: a team that can be given some."""
        return bool(self._file or self._tenants)

    def values(self) -> Iterator[Identity]:
        """All that is known: keys and teams of the file, and issued keys."""
        yield from self._file.values()
        yield from self._tenants.values()
        if self._issued.service is not None:
            for digest in list(self._issued.service.keys):
                if (found := self.get(digest)) is not None:
                    yield found

    def detours(self) -> frozenset[str]:
        """Routes to which limits lead: those of all that is known, and of the tiers that an issued key may get."""
        known = (rule.detour for identity in self.values() for rule in identity.rules)
        return self._detours | frozenset(name for name in known if name)

    def named(self, organisation: str, team: str, key: str) -> Identity | None:
        """Who has, or had, a key of this name: of one that is gone, its team; None for no tenant. Not for the request
        path."""
        known = self._tenants.get((organisation, team, key))
        if known is None and self._issued.service is not None:
            digest = self._issued.service.named(organisation, team, key)
            known = None if digest is None else self.get(digest)
        return known or self._tenants.get((organisation, team, ""))

    def names(self) -> dict[str, bytes]:
        """The SHA-256 of every key of the file, by its name: ``organisation/team/key``."""
        return {f"{who.organisation}/{who.team}/{who.key}": digest for digest, who in self._file.items() if who.key}

    def get(self, digest: bytes) -> Identity | None:
        """Who has the key with this SHA-256."""
        known = self._file.get(digest)
        if known is not None or self._issued.service is None:
            return known
        key = self._issued.service.find(digest)
        if key is None:
            return None
        built = self._built.get(digest)
        if built is not None and built[0] is key:
            return built[1]
        return self._build(digest, key)

    def _build(self, digest: bytes, key: IssuedKey) -> Identity | None:
        """What an issued key may: no more than its team, which must still be in the file."""
        team = self._tenants.get((key.organisation, key.team, ""))
        if team is None:
            return None
        made = Identity(
            key.organisation,
            key.team,
            key.name,
            team.models if key.models is None else (*team.models, key.models),
            None if key.expires is None else key.expires / MICRO,
            key.tier or team.tier,
            team.rules + self._rules(key.limits, key.tier, f"{key.organisation}/{key.team}/{key.name}"),
        )
        made.routes = None if key.routes is None else frozenset(key.routes)
        made.addresses = None if key.addresses is None else tuple(ip_network(one) for one in key.addresses)
        made.tags = dict(key.tags)
        if len(self._built) >= _MAX_BUILT:
            self._built.clear()
        self._built[digest] = key, made
        return made
