"""What each role may do under ``/admin``, and to whom: two tables, and the checks that read them.

An operator with an organisation, or with an organisation and a team, sees and does nothing beyond them. What somebody
may not see is not there for them (404); what they see and may not do is refused (403).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from proxy.errors import BadRequest, GatewayError

Role = Literal["owner", "admin", "team_lead", "auditor", "viewer"]
Act = Literal[
    "keys.read",
    "keys.create",
    "keys.update",
    "keys.revoke",
    "keys.rotate",
    "audit.read",
    "targets.read",
    "targets.write",
    "canaries.read",
    "canaries.write",
    "cache.read",
    "cache.write",
    "usage.read",
    "limits.read",
    "flags.read",
    "flags.write",
    "requests.read",
    "requests.texts",
    "experiments.read",
]
_TIERS = ("free", "basic", "premium", "enterprise")  # from the least to the most
_MICRO = 10**6
_WRITERS: frozenset[Role] = frozenset({"owner", "admin", "team_lead"})
_RULERS: frozenset[Role] = frozenset({"owner", "admin"})
_READERS: frozenset[Role] = frozenset({"owner", "admin", "team_lead", "auditor", "viewer"})
ALLOWED: Mapping[Act, frozenset[Role]] = {
    "keys.read": _READERS,
    "keys.create": _WRITERS,
    "keys.update": _WRITERS,
    "keys.revoke": _WRITERS,
    "keys.rotate": _WRITERS,
    "audit.read": _RULERS | {"auditor"},
    "targets.read": _RULERS | {"auditor"},
    "targets.write": _RULERS,
    "canaries.read": _RULERS | {"auditor"},
    "canaries.write": _RULERS,
    "cache.read": _RULERS | {"auditor"},
    "cache.write": _RULERS,
    "usage.read": _READERS,
    "limits.read": _READERS,
    "flags.read": _RULERS | {"auditor"},
    "flags.write": _RULERS,
    "experiments.read": _RULERS | {"auditor"},
    "requests.read": _READERS,
    "requests.texts": _WRITERS,  # what was asked and answered, where that is kept
}
# What is of the whole gateway and not of one organisation.
_OF_ALL: frozenset[Act] = frozenset(
    {
        "audit.read",
        "targets.read",
        "targets.write",
        "canaries.read",
        "canaries.write",
        "cache.read",
        "cache.write",
        "flags.read",
        "flags.write",
        "experiments.read",
    }
)
# Roles that have no meaning beyond a team: without one they see nothing.
_OF_A_TEAM: frozenset[Role] = frozenset({"team_lead", "viewer"})
_ALL = frozenset({"models", "routes", "addresses", "tier", "limits", "tags", "expires"})
# A team has bounds for all but addresses: who leads it gives them to a new key, and cannot take them from an old one.
CREATES: Mapping[Role, frozenset[str]] = {
    "owner": _ALL | {"secret"},
    "admin": _ALL | {"secret"},
    "team_lead": _ALL,
    "auditor": frozenset(),
    "viewer": frozenset(),
}
UPDATES: Mapping[Role, frozenset[str]] = {
    "owner": _ALL,
    "admin": _ALL,
    "team_lead": _ALL - {"addresses"},
    "auditor": frozenset(),
    "viewer": frozenset(),
}


class Operator(msgspec.Struct, frozen=True):
    """Who operates. ``organisation`` and ``team``: "" for all."""

    name: str
    role: Role = "owner"
    organisation: str = ""
    team: str = ""

    @property
    def is_confined(self) -> bool:
        """Whether there is anything that is not theirs."""
        return bool(self.organisation or self.team or self.role in _OF_A_TEAM)


class Ceiling(msgspec.Struct, frozen=True):
    """What a team of the file has, and no key of it exceeds. ``models``: one tuple of globs for each level that
    restricts them; ``routes``: None for all; ``tier``: "" for none; ``lifetime``: seconds that a key made by an
    operator of the team or organisation may last, None for ever."""

    models: tuple[tuple[str, ...], ...] = ()
    routes: frozenset[str] | None = None
    tier: str = ""
    lifetime: float | None = None


class Forbidden(GatewayError):
    """The role does not include this."""

    status = 403
    code = "role_not_allowed"


class Wider(GatewayError):
    """A key would be allowed more than whoever gives it may give."""

    status = 403
    code = "wider_than_scope"


def check(operator: Operator, act: Act) -> None:
    """Refuse what the operator's role does not include.

    Raises:
        Forbidden: it does not.
    """
    if operator.role not in ALLOWED[act]:
        raise Forbidden(f"The role {operator.role} does not include {act}.")
    if act in _OF_ALL and operator.is_confined:
        raise Forbidden(f"{act} is for operators of the whole gateway, not of one organisation or team.")


def sees(operator: Operator, organisation: str, team: str) -> bool:
    """Whether what belongs to that team is there for the operator."""
    if operator.role in _OF_A_TEAM and not (operator.organisation and operator.team):
        return False
    if operator.team and not operator.organisation:
        return False  # a team of no organisation is no team
    return operator.organisation in ("", organisation) and operator.team in ("", team)


def check_members(operator: Operator, members: Collection[str], writable: frozenset[str]) -> None:
    """Refuse what may not be written, by name.

    Raises:
        BadRequest: one is none of a key's, or not for this role.
    """
    for member in members:
        if member not in writable:
            known = ", ".join(f"`{name}`" for name in sorted(writable))
            message = f"The role {operator.role} cannot write {member[:40]!r}; it can write {known}."
            raise BadRequest(message, code="unknown_member", param=member[:40])


def check_width(
    operator: Operator, values: Mapping[str, Any], ceiling: Ceiling, *, now: int, before: int | None = None
) -> None:
    """Refuse properties of a key (as they are kept) that exceed what its team has, or the operator may give.

    ``now`` and ``before``, when the key would have expired without this, are microseconds since the epoch. Who
    operates the whole gateway is not bound by what a team has.

    Raises:
        Wider: one does; the parameter says which.
    """
    if not operator.is_confined:
        return
    models, routes = values.get("models"), values.get("routes")
    if models is not None and not all(
        any(_within(model, glob) for glob in level) for level in ceiling.models for model in models
    ):
        raise _wider("models", "models that the team may not use")
    if routes is not None and ceiling.routes is not None and not ceiling.routes.issuperset(routes):
        raise _wider("routes", "routes that the team may not use")
    if values.get("tier") and _rank(values["tier"]) > _rank(ceiling.tier):
        raise _wider("tier", f"a tier above the team's ({ceiling.tier or 'none'})")
    if "expires" in values:
        _check_expiry(values["expires"], ceiling, now, before)


def _check_expiry(expires: int | None, ceiling: Ceiling, now: int, before: int | None) -> None:
    if before is not None and (expires is None or expires > before):
        raise _wider("expires", "a longer life than the key has; ask an operator of the whole gateway")
    if ceiling.lifetime is not None and (expires is None or expires > now + round(ceiling.lifetime * _MICRO)):
        raise _wider("expires", f"a longer life than {ceiling.lifetime:.0f} seconds")


def _wider(param: str, what: str) -> Wider:
    return Wider(f"`{param}`: you cannot give {what}.", param=param)


def _rank(tier: str) -> int:
    """-1 for none: a team without a tier has none to give."""
    return _TIERS.index(tier) if tier else -1


def _within(narrow: str, wide: str) -> bool:
    """Whether whatever fits the glob ``narrow`` certainly fits ``wide``. Doubt is no."""
    if narrow == wide or wide == "*":
        return True
    has_wildcards = "*" in narrow or "?" in narrow
    if "[" in narrow or (has_wildcards and ("?" in wide or "[" in wide)):
        return False
    # With stars alone in `wide`, the wildcards of `narrow` can only be swallowed by one of them.
    return fnmatchcase(narrow, wide)
