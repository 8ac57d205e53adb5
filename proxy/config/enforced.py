"""Whether what the file says of limits, money and operators is enforced: by whom, in which order, and with what kept.

Works on plain values, as ``check`` does; what has a wrong shape is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from proxy.config.caching import check_caches
from proxy.config.document import Report
from proxy.config.lists import Entry
from proxy.config.names import check_answered
from proxy.config.problem import Path, nearest, quote, render_path

_TIERS = ("free", "basic", "premium", "enterprise")
_OF_A_TEAM = ("team_lead", "viewer")  # roles that see nothing without a team
Policies = Mapping[str, list[Entry]]  # of each route


def check_enforced(value: dict[str, Any], policies: Policies, report: Report) -> None:
    """Report limits that nothing enforces or remembers, and operators of nobody."""
    _check_quotas(value, policies, report)
    routes = value.get("routes")
    if isinstance(routes, dict):
        limits = [*_limits_of_tiers(value.get("tiers")), *_limits_of(value.get("tenants"), ("tenants",))]
        _check_detours(limits, routes, report)
        _check_models(limits, routes, policies, report)
    _check_ledger(value, policies, report)
    alerts = value.get("alerts")
    if isinstance(alerts, dict) and "secret" in alerts and "url" not in alerts:
        report.problem(("alerts", "secret"), "this signs what is sent to `url`, which is missing", key=True)
    _check_operators(value, report)


def _check_quotas(value: dict[str, Any], policies: Policies, report: Report) -> None:
    """Report routes on which tenants' limits do not hold, and places where a policy does not work."""
    limited = next((path for path, _ in _limits_of(value.get("tenants"), ("tenants",)) if report.sound(path)), None)
    for name, entries in policies.items():
        names = [entry.name for entry in entries]
        path: Path = ("routes", name, "policies")
        if not report.sound(path):
            continue
        if limited is not None and "authenticate" in names and "quota" not in names:
            message = f"tenants are limited (at {render_path(limited)}); add `quota`, which enforces it"
            report.problem(path, message)
        check_caches(entries, report)
        for at, entry in enumerate(entries):
            if entry.name == "idempotency" and "quota" in names[:at]:
                message = "`idempotency` must come before `quota`; an answer that is given again would take quota again"
                report.problem(entry.path, message, key=True)
            elif entry.name == "record" and at < len(names) - 1:
                message = "`record` must come last, so that the other policies act on what is replayed, too"
                report.problem(entry.path, message, key=True)
            elif entry.name == "quota" and report.sound(entry.path):
                _check_idle(entry, entries, value.get("tenants"), report)


def _check_idle(entry: Entry, entries: list[Entry], tenants: Any, report: Report) -> None:
    """Tell of a `quota` for which the file has no limit."""
    if isinstance(entry.settings, dict) and entry.settings.get("limits"):
        return
    door = next((other for other in entries if other.name == "authenticate"), None)
    if door is None:
        why = "without `authenticate` nobody's limits are known, and it has none of its own; it limits nothing"
        report.notice(entry.path, why, key=True)
    elif not door.settings and not _has_limits(tenants):
        why = "no tenant of the file has limits or a tier, so this holds only for keys that are issued with limits"
        report.notice(entry.path, why, key=True)


def _has_limits(tenants: Any) -> bool:
    return next(_limits_of(tenants, ("tenants",)), None) is not None or _has_tier(tenants)


def _has_tier(level: Any) -> bool:
    if not isinstance(level, dict):
        return False
    return level.get("tier") in _TIERS or any(_has_tier(child) for child in level.values())


def _limits_of(level: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every limit of the tenants: budgets, and entries of ``limits``."""
    for key, child in level.items() if isinstance(level, dict) else ():
        where: Path = (*path, key)
        is_setting = len(path) in (2, 4, 6)  # below an organisation, a team or a key, whatever those are called
        if is_setting and key == "budget":
            yield where, child
        elif is_setting and key == "limits":
            yield from _listed(child, where)
        else:
            yield from _limits_of(child, where)


def _limits_of_tiers(tiers: Any) -> Iterator[tuple[Path, Any]]:
    for name, limits in tiers.items() if isinstance(tiers, dict) else ():
        yield from _listed(limits, ("tiers", name))


def _listed(limits: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The entries of one list of limits."""
    for at, entry in enumerate(limits if isinstance(limits, list) else ()):
        yield (*path, at), entry


def _is_money(limit: Any) -> bool:
    text = limit.get("limit") if isinstance(limit, dict) else limit
    return isinstance(text, str) and text.strip().startswith("$")


def _check_detours(limits: list[tuple[Path, Any]], routes: dict[str, Any], report: Report) -> None:
    """Report limits of tenants and tiers that lead to routes that are not there."""
    for path, limit in limits:
        over = limit.get("over_limit") if isinstance(limit, dict) else None
        if isinstance(over, dict) and report.sound(path) and (name := over["downgrade"]) not in routes:
            at: Path = (*path, "over_limit", "downgrade")
            report.problem(at, f"there is no route {quote(name)}", nearest(name, routes))


def _check_models(limits: list[tuple[Path, Any]], routes: dict[str, Any], policies: Policies, report: Report) -> None:
    """Report limits of models that nobody can ask for."""
    if not all(isinstance(route, dict) and report.sound(("routes", name, "models")) for name, route in routes.items()):
        return
    for entries in policies.values():
        limits = [*limits, *_limits_of_quotas(entries)]  # also of a list that several routes share
    for path, limit in limits:
        if isinstance(limit, dict) and "models" in limit and report.sound(path):
            check_answered(limit["models"], (*path, "models"), routes.values(), report)


def _check_ledger(value: dict[str, Any], policies: Policies, report: Report) -> None:
    """Report limits of money without a record of what was spent."""
    ledger = value.get("ledger")
    if not isinstance(ledger, dict):
        return
    if "retention" in ledger and (path := next(_endless(value, policies), None)) is not None:
        why = f"{render_path(path)} limits without end, which only all rows tell; remove one of them"
        report.problem(("ledger", "retention"), why, key=True)
    if ledger.get("enabled") is not False:
        return
    money = next((path for path, limit in _all_limits(value, policies) if _is_money(limit)), None)
    if money is not None:
        message = f"without the ledger nothing remembers what was spent, and {render_path(money)} limits money"
        report.problem(("ledger", "enabled"), f"{message}; remove one of them", key=True)


def _endless(value: dict[str, Any], policies: Policies) -> Iterator[Path]:
    for path, limit in _all_limits(value, policies):
        text = limit.get("limit") if isinstance(limit, dict) else limit
        if isinstance(text, str) and text.strip().endswith("total"):
            yield path


def _all_limits(value: dict[str, Any], policies: Policies) -> Iterator[tuple[Path, Any]]:
    yield from _limits_of(value.get("tenants"), ("tenants",))
    yield from _limits_of_tiers(value.get("tiers"))
    for entries in policies.values():
        yield from _limits_of_quotas(entries)


def _limits_of_quotas(entries: list[Entry]) -> Iterator[tuple[Path, Any]]:
    for entry in entries:
        if entry.name == "quota" and isinstance(entry.settings, dict):
            yield from _listed(entry.settings.get("limits"), (*entry.path, "limits"))


# Operators


def _check_operators(value: dict[str, Any], report: Report) -> None:
    """Report operators who could see nothing: of no team where their role needs one, or of one that is not there."""
    admin = value.get("admin")
    keys = admin.get("keys") if isinstance(admin, dict) else None
    tenants = value.get("tenants")
    for name, key in keys.items() if isinstance(keys, dict) else ():
        path: Path = ("admin", "keys", name)
        if isinstance(key, dict) and report.sound(path):
            _check_operator(key, path, tenants if isinstance(tenants, dict) else {}, report)


def _check_operator(key: dict[str, Any], path: Path, tenants: dict[str, Any], report: Report) -> None:
    organisation, team = key.get("organisation"), key.get("team")
    if team and not organisation:
        report.problem((*path, "team"), "`organisation` is missing, to which this team belongs", key=True)
        return
    if not team and key.get("role") in _OF_A_TEAM:
        message = f"a {key['role']} sees nothing but a team; add `organisation` and `team`"
        report.problem((*path, "role"), message)
    if not organisation or not report.sound(("tenants",)):
        return
    if organisation not in tenants:
        message = f"there is no organisation {quote(organisation)} under `tenants`"
        report.problem((*path, "organisation"), message, nearest(organisation, tenants))
    elif team and team not in (teams := tenants[organisation].get("teams") or {}):
        message = f"{quote(organisation)} has no team {quote(team)}"
        report.problem((*path, "team"), message, nearest(team, teams))
