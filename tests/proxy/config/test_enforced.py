"""What must not be said of limits, money and operators; the words of what is said are in ``tests/golden/config``."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.ledger import postgres
from tests.support.config import built, lines, written

_KEY = '"sha256:1cf3045ff88ae76bd739c8f589c8bf9300128c1f11e31efa7a538b4f60ae005b"'
_SIM = "providers: {sim: {kind: simulated}}"


def _tenants(organisation: str = "", team: str = "", key: str = "") -> str:
    """One key, with these settings at its levels."""
    return f"tenants: {{acme: {{{organisation} teams: {{search: {{{team} keys: {{web: {{{key} hash: {_KEY}}}}}}}}}}}}}"


def _said(folder: Path, text: str) -> list[str]:
    found = built(written(folder, text))
    return lines(found.problems) + [f"notice {line}" for line in lines(found.notices)]


def _route(folder: Path, tenants: str, policies: str, more: str = "") -> list[str]:
    routes = f"routes: {{a: {{policies: [{policies}], target: sim/x}}}}"
    return _said(folder, "\n".join((_SIM, tenants, more, routes, "")))


@pytest.mark.parametrize(
    "tenants",
    [_tenants("budget: $5/day,"), _tenants(team="limits: [60/min],"), _tenants(key="limits: [{limit: 60/min}],")],
    ids=["organisation", "team", "key"],
)
def test_limits_of_every_level_want_somebody_who_enforces_them(tmp_path: Path, tenants: str) -> None:
    (line,) = _route(tmp_path, tenants, "authenticate")
    assert "add `quota`, which enforces it" in line
    assert _route(tmp_path, tenants, "authenticate, quota") == []


def test_a_tier_alone_wants_nobody(tmp_path: Path) -> None:
    """It decides about places in lines too."""
    assert _route(tmp_path, _tenants("tier: basic,"), "authenticate") == []
    assert _route(tmp_path, _tenants("tier: basic,"), "authenticate, quota") == []


def test_teams_and_keys_that_are_called_like_settings_are_none(tmp_path: Path) -> None:
    tenants = f"tenants: {{budget: {{teams: {{limits: {{keys: {{budget: {{hash: {_KEY}}}}}}}}}}}}}"
    assert _route(tmp_path, tenants, "authenticate") == []


def test_an_empty_list_limits_nothing(tmp_path: Path) -> None:
    assert _route(tmp_path, _tenants("limits: [],"), "authenticate") == []


@pytest.mark.parametrize(
    ("tenants", "policies", "tiers"),
    [
        (_tenants("limits: [60/min],"), "authenticate, quota", ""),
        (_tenants("tier: premium,"), "authenticate, quota", ""),
        ("", "{quota: {limits: [60/min]}}", ""),
    ],
)
def test_without_a_ledger_what_is_no_money_is_limited(tmp_path: Path, tenants: str, policies: str, tiers: str) -> None:
    assert _route(tmp_path, tenants, policies, "ledger: {enabled: false}") == []


@pytest.mark.parametrize(
    ("tenants", "policies", "more"),
    [
        (_tenants("budget: $5/day,"), "authenticate, quota", ""),
        (_tenants("tier: free,"), "authenticate, quota", "tiers: {free: [$1/day]}"),
        ("", "{quota: {limits: [{limit: $1/day}]}}", ""),
    ],
    ids=["tenant", "tier", "route"],
)
def test_money_wants_a_ledger(tmp_path: Path, tenants: str, policies: str, more: str) -> None:
    assert _route(tmp_path, tenants, policies, more) == []
    (line,) = _route(tmp_path, tenants, policies, f"{more}\nledger: {{enabled: false}}")
    assert "nothing remembers what was spent" in line


def test_a_caller_may_be_sent_to_a_route_that_has_the_same_limits(tmp_path: Path) -> None:
    text = f"""
        {_SIM}
        {_tenants("limits: [{limit: 60/min, over_limit: {downgrade: b}}],")}
        routes:
          a: {{models: [a], policies: [authenticate, quota], target: sim/a}}
          b: {{models: [b], policies: [authenticate, quota], target: sim/b}}
    """
    assert _said(tmp_path, text) == []


def test_a_wrong_limit_is_one_problem(tmp_path: Path) -> None:
    """It is not called unenforced as well."""
    (line,) = _route(tmp_path, _tenants("limits: [60/fortnight],"), "authenticate")
    assert "is no time" in line


def test_operators_of_the_whole_gateway_need_no_tenants(tmp_path: Path) -> None:
    text = f"{_SIM}\nadmin: {{keys: {{a: {{hash: {_KEY}, role: auditor}}}}}}\nroutes: {{a: {{target: sim/x}}}}\n"
    assert _said(tmp_path, text) == []


def test_a_database_of_the_ledger_needs_its_library(tmp_path: Path) -> None:
    said = _route(tmp_path, "", "", "ledger: {url: postgresql://127.0.0.1/ledger}")
    assert said == ([] if postgres.has_extra() else [f"2:11 ledger.url: {postgres.NEEDS_EXTRA}"])


def test_routes_share_a_list_with_limits_of_the_models_of_one(tmp_path: Path) -> None:
    text = f"""
        {_SIM}
        policies: {{standard: [{{quota: {{limits: [{{limit: 60/min, models: [a]}}]}}}}]}}
        routes:
          a: {{models: [a], policies: [{{use: standard}}], target: sim/a}}
          b: {{models: [b], policies: [{{use: standard}}], target: sim/b}}
    """
    assert _said(tmp_path, text) == []
