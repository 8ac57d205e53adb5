"""The tables of roles, and what is wider than what."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product
from random import Random
from typing import Any

import pytest

from proxy.admin.roles import (
    ALLOWED,
    CREATES,
    UPDATES,
    Ceiling,
    Forbidden,
    Operator,
    Role,
    Wider,
    _within,
    check,
    check_members,
    check_width,
    sees,
)
from proxy.errors import BadRequest
from proxy.keys.record import PROPERTIES, TIERS
from tests.support.admin import ROLES

LEAD = Operator("lea", "team_lead", "acme", "search")
NOW = 1_800_000_000_000_000


def _refused(values: dict[str, Any], ceiling: Ceiling, operator: Operator = LEAD, before: int | None = None) -> str:
    with pytest.raises(Wider) as caught:
        check_width(operator, values, ceiling, now=NOW, before=before)
    return str(caught.value.param)


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_includes(role: Role) -> None:
    """Each of its acts, and none besides."""
    for act, roles in ALLOWED.items():
        operator = Operator("x", role, "acme", "search") if role in ("team_lead", "viewer") else Operator("x", role)
        if role in roles:
            check(operator, act)
        else:
            with pytest.raises(Forbidden):
                check(operator, act)


@pytest.mark.parametrize("act", ["audit.read", "targets.write", "canaries.read", "canaries.write", "flags.write"])
def test_what_is_of_the_whole_gateway(act: Any) -> None:
    """Is not for an owner of one organisation."""
    check(Operator("x", "owner"), act)
    with pytest.raises(Forbidden):
        check(Operator("x", "owner", "acme"), act)


def test_the_tables_name_what_a_key_has() -> None:
    """Whoever adds a property decides who may write it."""
    assert CREATES["owner"] == set(PROPERTIES) | {"secret"}
    assert UPDATES["owner"] == set(PROPERTIES)
    for role in ROLES:
        writes = any(role in ALLOWED[act] for act in ("keys.create", "keys.update"))
        assert bool(CREATES[role]) is bool(UPDATES[role]) is writes  # type: ignore[index]


@pytest.mark.parametrize(
    ("operator", "seen"),
    [
        (Operator("x"), {"acme/search", "acme/chat", "other/search"}),
        (Operator("x", "auditor"), {"acme/search", "acme/chat", "other/search"}),
        (Operator("x", "admin", "acme"), {"acme/search", "acme/chat"}),
        (LEAD, {"acme/search"}),
        (Operator("x", "viewer", "acme", "chat"), {"acme/chat"}),
        (Operator("x", "viewer", "acme"), set()),
        (Operator("x", "team_lead"), set()),
        (Operator("x", "owner", "", "search"), set()),
    ],
)
def test_who_sees_what(operator: Operator, seen: set[str]) -> None:
    """A role of a team without a team sees nothing."""
    places = {"acme/search", "acme/chat", "other/search"}
    assert {place for place in places if sees(operator, *place.split("/"))} == seen


def test_members() -> None:
    """Refused by name."""
    check_members(LEAD, ["models", "tier"], UPDATES["team_lead"])
    with pytest.raises(BadRequest) as caught:
        check_members(LEAD, ["models", "addresses"], UPDATES["team_lead"])
    assert caught.value.param == "addresses"


@pytest.mark.parametrize(
    ("values", "ceiling"),
    [
        ({"models": ("gpt-4o", "claude")}, Ceiling(models=(("gpt-*",),))),
        ({"models": ("gpt-4o",)}, Ceiling(models=(("gpt-*",), ("claude-*",)))),
        ({"models": ("*",)}, Ceiling(models=(("gpt-*",),))),
        ({"routes": ("chat", "jobs")}, Ceiling(routes=frozenset({"chat"}))),
        ({"tier": "premium"}, Ceiling(tier="basic")),
        ({"tier": "free"}, Ceiling()),
        ({"expires": None}, Ceiling(lifetime=60)),
        ({"expires": NOW + 61_000_000}, Ceiling(lifetime=60)),
    ],
)
def test_what_is_wider(values: dict[str, Any], ceiling: Ceiling) -> None:
    """For whoever has a scope; who operates the whole gateway gives what they like."""
    assert _refused(values, ceiling) == next(iter(values))
    assert _refused(values, ceiling, Operator("x", "admin", "acme")) == next(iter(values))
    check_width(Operator("x", "admin"), values, ceiling, now=NOW)


def test_what_is_not_wider() -> None:
    """Up to what the team has."""
    ceiling = Ceiling(models=(("gpt-*", "o1"),), routes=frozenset({"chat"}), tier="basic", lifetime=60)
    values = {"models": ("gpt-4o*", "o1"), "routes": ("chat",), "tier": "basic", "expires": NOW + 60_000_000}
    check_width(LEAD, values, ceiling, now=NOW)
    check_width(LEAD, {"models": None, "routes": None, "tier": ""}, ceiling, now=NOW)
    for above, tier in enumerate(TIERS):
        for wanted in TIERS[: above + 1]:
            check_width(LEAD, {"tier": wanted}, Ceiling(tier=tier), now=NOW)


def test_a_life_is_not_made_longer() -> None:
    """It is made shorter."""
    check_width(LEAD, {"expires": NOW + 5}, Ceiling(), now=NOW, before=NOW + 5)
    for expires in (NOW + 6, None):
        assert _refused({"expires": expires}, Ceiling(), before=NOW + 5) == "expires"


def test_a_glob_within_another() -> None:
    """Whatever is said to be within fits the wide one too, for every name; and what is obvious is said."""
    for narrow, wide in (
        ("gpt-4o", "gpt-*"),
        ("gpt-4*", "gpt-*"),
        ("a?c", "a*"),
        ("a", "?"),
        ("a", "[ab]"),
        ("x", "*"),
    ):
        assert _within(narrow, wide)
    chosen = Random(9)
    letters = ["a", "b", "*", "?", "[ab]", "[!a]"]
    names = ["".join(name) for length in range(5) for name in product("ab", repeat=length)]
    said = 0
    for _ in range(4000):
        narrow, wide = ("".join(chosen.choices(letters, k=chosen.randrange(1, 5))) for _ in range(2))
        if _within(narrow, wide):
            said += 1
            assert all(fnmatchcase(name, wide) for name in names if fnmatchcase(name, narrow)), (narrow, wide)
    assert said > 200
