"""Keys of the file and issued keys: what each may."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import msgspec

from proxy.exchange import Identity
from proxy.keys.identities import Identities, Issued
from proxy.keys.record import IssuedKey
from proxy.limits.limit import Rule
from proxy.limits.rule import parse

FILE, ISSUED, UNKNOWN = b"f" * 32, b"i" * 32, b"u" * 32


def rule(text: str, level: str, scope: str) -> Rule:
    return Rule(parse(text), level, scope)


TEAM_RULE = rule("9/min", "team", "acme/red")


class Kept:
    """Issued keys by digest; a key that is not there is not good."""

    def __init__(self, **keys: IssuedKey) -> None:
        self.keys = {ISSUED: keys["key"]} if keys else {}

    def find(self, digest: bytes) -> IssuedKey | None:
        return self.keys.get(digest)

    def named(self, organisation: str, team: str, name: str) -> bytes | None:
        """By name."""
        found = (
            digest
            for digest, key in self.keys.items()
            if (key.organisation, key.team, key.name) == (organisation, team, name)
        )
        return next(found, None)


class Rules:
    """Makes a rule of each text; writes down what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[tuple[str, ...], str, str]] = []

    def __call__(self, texts: tuple[str, ...], tier: str, scope: str) -> tuple[Rule, ...]:
        self.asked.append((texts, tier, scope))
        return tuple(rule(text, "key", scope) for text in texts)


def issued_key(**more: Any) -> IssuedKey:
    fields: dict[str, Any] = {"id": "key_1", "organisation": "acme", "team": "red", "name": "new", "prefix": "sk-sg-12"}
    return IssuedKey(**fields | {"created": 1, "created_by": "root"} | more)


def team() -> Identity:
    return Identity("acme", "red", "", (("gpt-*",), ("*-4o",)), tier="basic", rules=(TEAM_RULE,))


def made(service: Kept | None, rules: Rules | None = None, **tenants: Identity) -> Identities:
    """With one key of the file, and ``red`` as its team."""
    issued = Issued()
    issued.service = service
    known = {("acme", "red", ""): tenants.get("red", team())}
    return Identities({FILE: Identity("acme", "red", "old")}, known, issued, rules or Rules())


def found(key: IssuedKey, rules: Rules | None = None) -> Identity:
    who = made(Kept(key=key), rules).get(ISSUED)
    assert who is not None
    return who


def test_keys_of_the_file_need_no_service() -> None:
    """And issued ones are unknown without it."""
    identities = made(None)
    old = identities.get(FILE)
    assert old is not None
    assert old.key == "old"
    assert identities.get(ISSUED) is None
    assert made(Kept(key=issued_key())).get(UNKNOWN) is None


def test_a_key_of_the_file_goes_before_an_issued_one() -> None:
    kept = Kept()
    kept.keys[FILE] = issued_key()
    who = made(kept).get(FILE)
    assert who is not None
    assert who.key == "old"


def test_an_issued_key_may_what_its_team_may() -> None:
    """Where it says nothing of its own."""
    rules = Rules()
    who = found(issued_key(), rules)
    assert (who.organisation, who.team, who.key) == ("acme", "red", "new")
    assert (who.models, who.tier, who.rules) == (team().models, "basic", (TEAM_RULE,))
    assert (who.expires, who.routes, who.addresses, who.tags) == (None, None, None, {})
    assert rules.asked == [((), "", "acme/red/new")], "its team's tier is counted for the team"


def test_an_issued_key_may_be_narrower() -> None:
    """Models hold beside its team's; its limits too; times are seconds."""
    key = issued_key(
        models=("gpt-4*",),
        routes=("chat",),
        addresses=("10.0.0.0/8",),
        tier="premium",
        limits=("5/min", "$3/day"),
        tags={"project": "x"},
        expires=1_700_000_000_500_000,
    )
    rules = Rules()
    who = found(key, rules)
    assert who.models == (("gpt-*",), ("*-4o",), ("gpt-4*",))
    assert [one.key for one in who.rules] == [
        "team acme/red requests/minute",
        "key acme/red/new requests/minute",
        "key acme/red/new money/day",
    ]
    assert (who.expires, who.tier, who.routes, who.tags) == (
        1_700_000_000.5,
        "premium",
        frozenset({"chat"}),
        {"project": "x"},
    )
    assert who.addresses is not None
    assert [ip_address("10.9.8.7") in one for one in who.addresses] == [True]
    assert rules.asked == [(("5/min", "$3/day"), "premium", "acme/red/new")]


def test_tags_of_a_key_are_its_identitys_own() -> None:
    key = issued_key(tags={"project": "x"})
    found(key).tags["project"] = "y"
    assert key.tags == {"project": "x"}


def test_an_identity_is_built_once_for_each_version_of_its_key() -> None:
    """The same object while nothing changes: plans of limits are kept for it."""
    rules, kept = Rules(), Kept(key=issued_key(limits=("5/min",)))
    identities = made(kept, rules)
    first = identities.get(ISSUED)
    assert identities.get(ISSUED) is first
    assert len(rules.asked) == 1
    kept.keys[ISSUED] = msgspec.structs.replace(kept.keys[ISSUED], limits=("7/min",))
    second = identities.get(ISSUED)
    assert second is not None
    assert second is not first
    assert second.rules[-1].limit.amount == 7
    assert identities.get(ISSUED) is second


def test_a_key_that_is_revoked_is_unknown_at_once() -> None:
    """Although it was built before."""
    kept = Kept(key=issued_key())
    identities = made(kept)
    assert identities.get(ISSUED) is not None
    del kept.keys[ISSUED]
    assert identities.get(ISSUED) is None


def test_a_key_whose_team_has_left_the_file_is_unknown() -> None:
    """Its organisation alone does not do, nor a key of the file by that name."""
    issued = Issued()
    issued.service = Kept(key=issued_key())
    tenants = {("acme", "", ""): team(), ("acme", "blue", ""): team(), ("acme", "red", "new"): team()}
    assert Identities({}, tenants, issued, Rules()).get(ISSUED) is None


def test_whether_there_may_be_keys() -> None:
    """A team can be given some."""
    nothing = Identities({}, {}, Issued(), Rules())
    only_team = Identities({}, {("acme", "red", ""): team()}, Issued(), Rules())
    assert (bool(nothing), bool(only_team), bool(made(None))) == (False, True, True)


def test_all_that_is_known() -> None:
    """Keys of the file, its teams, and what was issued."""
    identities = made(Kept(key=issued_key()))
    assert [who.key for who in identities.values()] == ["old", "", "new"]


def test_names_are_of_the_file_of_issued_keys_or_of_teams() -> None:
    identities = made(Kept(key=issued_key()))
    issued = identities.get(ISSUED)
    assert issued is not None
    assert identities.named(issued.organisation, issued.team, issued.key) is issued
    gone = identities.named(issued.organisation, issued.team, "gone")
    assert gone is not None
    assert gone.key == ""
    assert identities.named("nobody", "", "") is None
