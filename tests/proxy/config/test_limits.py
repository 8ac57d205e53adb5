"""Limits of the file as rules: what is told twice, tiers, budgets, levels."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.config.limits import TenantRules, rule_of, rules_of
from proxy.config.model import KeyConfig, OrganisationConfig, TeamConfig, TiersConfig
from proxy.limits.limit import Downgrade, LimitConfig, Rule
from proxy.units import Percent, Secret

TIERS = TiersConfig(free=("10/min", "100/h"), basic=("100/min",), premium=(), enterprise=("$5/day",))
TENANTS = TenantRules(TIERS, "Europe/Berlin")


class Complaints:
    """Collects what would be reported, with its place."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def __call__(self, message: str, at: str) -> None:
        self.said.append((at, message))


def texts(rules: tuple[Rule, ...]) -> list[str]:
    return [rule.limit.text for rule in rules]


def test_an_entry_becomes_a_rule() -> None:
    """All that it says; alerts in order."""
    entry = LimitConfig(
        limit="60/min",
        models=("gpt-*",),
        per="user",
        over_limit=Downgrade(downgrade="cheap"),
        alerts=(Percent(1.0), Percent(0.5)),
        store_down="closed",
    )
    rule = rule_of(entry, "team", "acme/red", "Asia/Tokyo")
    assert (rule.level, rule.scope, rule.zone, rule.limit.amount) == ("team", "acme/red", "Asia/Tokyo", 60)
    assert (rule.models, rule.per, rule.over, rule.detour) == (("gpt-*",), "user", "downgrade", "cheap")
    assert (rule.alerts, rule.is_open) == ((0.5, 1.0), False)


@pytest.mark.parametrize(
    ("entry", "is_open", "over"),
    [
        (LimitConfig(limit="5/min"), True, None),
        (LimitConfig(limit="$5/day"), False, None),
        (LimitConfig(limit="$5/day", store_down="open", over_limit="shadow"), True, "shadow"),
        (LimitConfig(limit="5 tokens/s", store_down="closed", over_limit="queue"), False, "queue"),
    ],
)
def test_while_the_store_is_down_money_is_kept_and_the_rest_passes(
    entry: LimitConfig, is_open: bool, over: str | None
) -> None:
    """Unless the entry says otherwise."""
    rule = rule_of(entry, "key", "k", "UTC")
    assert (rule.is_open, rule.over, rule.detour) == (is_open, over, "")
    assert rule.alerts == (0.5, 0.8, 1.0)


def test_two_for_the_same_counter_are_reported() -> None:
    """The second, where it stands; the first holds."""
    complaints = Complaints()
    rules = rules_of(["60/min", LimitConfig(limit="5/s"), "90/minute"], "key", "k", "UTC", complaints)
    assert texts(rules) == ["60/min", "5/s"]
    assert complaints.said == [("[2]", "'90/minute' and '60/min' limit the same; keep one of them")]
    assert texts(rules_of(["60/min", "90/min"], "key", "k", "UTC")) == ["60/min"]


@pytest.mark.parametrize(
    "other",
    [
        {"models": ("a",)},
        {"per": "user"},
        {"over_limit": "warn"},
        {"over_limit": Downgrade(downgrade="cheap")},
        {"limit": "90/h"},
        {"limit": "90 tokens/min"},
    ],
)
def test_what_counts_something_else_is_not_the_same(other: dict[str, Any]) -> None:
    complaints = Complaints()
    entries = [LimitConfig(limit="60/min"), LimitConfig(**{"limit": "90/min"} | other)]
    assert len(rules_of(entries, "key", "k", "UTC", complaints)) == 2
    assert complaints.said == []


def test_a_limit_of_its_own_goes_before_the_one_of_the_tier() -> None:
    """Of the same counter; the rest of the tier holds beside."""
    team = TeamConfig(limits=("20/min", "5 concurrent"), tier="free")
    rules = TENANTS.of(team, "team", "acme/red")
    assert texts(rules) == ["20/min", "5 concurrent", "100/h"]
    assert {(rule.level, rule.scope, rule.zone) for rule in rules} == {("team", "acme/red", "Europe/Berlin")}


def test_a_budget_is_a_limit_of_money() -> None:
    """It is closed while the store is down, and goes before the tier's."""
    rules = TENANTS.of(OrganisationConfig(budget="$7/day", tier="enterprise"), "organisation", "acme")
    assert texts(rules) == ["$7/day"]
    assert (rules[0].limit.kind, rules[0].limit.amount, rules[0].is_open) == ("money", 7_000_000_000, False)


def test_a_budget_and_a_limit_for_the_same_counter_are_reported() -> None:
    """They would be one counter, in which each request counts twice."""
    complaints = Complaints()
    rules = TENANTS.of(TeamConfig(budget="$7/day", limits=("9/h", "$5/day")), "team", "acme/red", complaints)
    assert texts(rules) == ["9/h", "$5/day"]
    assert complaints.said == [("[1]", "'$5/day' and the budget '$7/day' limit the same; keep one of them")]


def test_who_has_no_tier_has_no_limits_of_one() -> None:
    key = KeyConfig(hash=Secret("sha256:" + "0" * 64))
    assert TENANTS.of(key, "key", "acme/red/k") == ()
    assert TENANTS.of_tier(None, "key", "k") == TENANTS.of_tier("premium", "key", "k") == ()
    assert texts(TENANTS.of_tier("free", "key", "k")) == ["10/min", "100/h"]


def test_a_key_that_was_issued() -> None:
    """Its own texts, then its tier's; "" is none."""
    rules = TENANTS.of_issued(("7/min",), "free", "acme/red/new")
    assert texts(rules) == ["7/min", "100/h"]
    assert {(rule.level, rule.scope) for rule in rules} == {("key", "acme/red/new")}
    assert texts(TENANTS.of_issued(("7/min", "8/min"), "", "acme/red/new")) == ["7/min"]
