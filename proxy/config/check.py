"""Whether what the file says fits together: names that lead somewhere, entries that are used, doors that are closed.

Works on plain values, so that one broken part hides nothing that is wrong elsewhere. What has a wrong shape is passed
over: ``report.sound`` knows it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from proxy.config.development import check_chaos
from proxy.config.document import Report
from proxy.config.enforced import check_enforced
from proxy.config.lists import Entry, Lists, check_lists_marks, check_order
from proxy.config.names import check_answered, check_routes
from proxy.config.problem import Path, render_path
from proxy.config.targets import check_held, check_target, walk
from proxy.units import Duration

# Keys that stand in examples and habits everywhere, and the empty one.
_WEAK_KEYS = (
    "", "1234", "12345", "123456", "admin", "api-key", "api_key", "apikey", "changeme", "change-me", "default", "demo",
    "dev", "development", "dummy", "example", "fake", "foo", "key", "local", "master", "none", "null", "password",
    "root", "secret", "sk-", "sk-123", "sk-1234", "sk-12345", "sk-123456", "sk-default", "sk-demo", "sk-dev",
    "sk-dummy", "sk-example", "sk-fake", "sk-foo", "sk-key", "sk-local", "sk-master", "sk-no-key-required", "sk-proxy",
    "sk-secret", "sk-test", "sk-xxx", "sk-your-key", "test", "token", "your-api-key",
)  # fmt: skip
_WEAK = frozenset(hashlib.sha256(key.encode()).hexdigest() for key in _WEAK_KEYS)
DEFAULT_LISTEN = "127.0.0.1:8080"
_MAX_PORT = 65535


def check(value: dict[str, Any], report: Report, *, now: float, listen: str | None = None) -> None:
    """Report what does not fit together in ``value``. ``listen`` is the address in use if it is not the file's own."""
    # Whether something is used can be said only where nothing is broken; decided before other problems are added.
    all_routes_sound = report.sound(("routes",)) and report.sound(("policies",))
    lists = Lists(_map(value, "policies"), report)
    lists.check()
    routes = {name: route for name, route in _map(value, "routes").items() if isinstance(route, dict)}
    for name, entries in _map(value, "policies").items():
        check_lists_marks(entries, ("policies", name), report)
    policies = {name: _check_policies(name, route, lists, report) for name, route in routes.items()}
    used = _check_targets(routes, policies, value.get("providers"), report)
    _check_shared(value, routes, report)
    check_routes(routes, report)
    _check_health(value, report)
    _check_open(value, routes, policies, report, listen)
    address = listen or str(value.get("listen", DEFAULT_LISTEN))
    check_chaos(policies.values(), report, address, is_local=is_loopback(address))
    tenants = _map(value, "tenants")
    _check_keys([*_keys(tenants), *_admin_keys(value)], report, now)
    _check_models(tenants, routes, policies, report)
    check_enforced(value, policies, report)
    if all_routes_sound:
        _check_used(value, used, lists, policies, report)


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches the address ``host:port``."""
    host = listen.rpartition(":")[0].strip("[]").partition("%")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _map(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _check_policies(name: str, route: dict[str, Any], lists: Lists, report: Report) -> list[Entry]:
    """The policies of one route, named lists written out."""
    path = ("routes", name, "policies")
    lists.check_uses(route.get("policies"), path)
    check_lists_marks(route.get("policies"), path, report)
    entries = lists.expand(route.get("policies"), path)
    check_order(entries, report)
    return entries


def _check_targets(
    routes: dict[str, Any], policies: dict[str, list[Entry]], providers: Any, report: Report
) -> set[str]:
    """The providers that are used."""
    used: set[str] = set()
    if not isinstance(providers, dict):
        return used  # what names them is not to blame
    for name, route in routes.items():
        if "target" in route:
            used |= check_target(route["target"], ("routes", name, "target"), providers, report)
        used |= check_held(policies.get(name, ()), providers, report)
    return used


def _check_shared(value: dict[str, Any], routes: dict[str, Any], report: Report) -> None:
    """Tell of what replicas do not share."""
    if value.get("store") is None:
        return
    for name, route in routes.items():
        for node, at in walk(route.get("target"), ("routes", name, "target"), report):
            if isinstance(node, dict) and "canary" in node:
                message = "each replica judges by the requests that it has had itself: `store` shares no canaries"
                report.notice((*at, "canary"), message, key=True)


def _check_health(value: dict[str, Any], report: Report) -> None:
    """Report times that contradict each other, and a share of what is not counted."""
    health = _map(value, "health")
    path: Path = ("health",)
    if "slow_rate" in health and "slow_after" not in health:
        report.notice((*path, "slow_rate"), "this matters only with `slow_after`; no answer counts as slow", key=True)
    if not all(report.sound((*path, name)) for name in ("eject", "max_eject")):
        return
    eject, longest = (str(health.get(name, default)) for name, default in (("eject", "30s"), ("max_eject", "300s")))
    if Duration.parse(eject) > Duration.parse(longest):
        at = (*path, "max_eject" if "max_eject" in health else "eject")
        message = f"the first ejection (`eject: {eject}`) would be longer than the longest (`max_eject: {longest}`)"
        report.problem(at, message)


def _check_open(
    value: dict[str, Any],
    routes: dict[str, Any],
    policies: dict[str, list[Entry]],
    report: Report,
    listen: str | None,
) -> None:
    """Report routes that stand open without saying so, and the other way round."""
    if listen is None:
        if not report.sound(("listen",)):
            return
        listen = str(value.get("listen", DEFAULT_LISTEN))
        if int(listen.rpartition(":")[2]) > _MAX_PORT:
            report.problem(("listen",), f"the port must be at most {_MAX_PORT}")
    for name, route in routes.items():
        path: Path = ("routes", name)
        is_open = route.get("open") is True
        if any(entry.name == "authenticate" for entry in policies[name]):
            if is_open:
                message = "`open: true` lets anybody in, but the route has `authenticate`; remove one of them"
                report.problem((*path, "open"), message, key=True)
        elif not is_open and not is_loopback(listen) and report.sound((*path, "policies")):
            message = (
                f"anybody who reaches {listen} could call this route, as it has no `authenticate`; "
                "add that policy, listen on 127.0.0.1, or write `open: true` here"
            )
            report.problem(path, message, key=True)


def _keys(tenants: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for organisation, has_teams in tenants.items():
        teams = _map(has_teams, "teams") if isinstance(has_teams, dict) else {}
        for team, has_keys in teams.items():
            keys = _map(has_keys, "keys") if isinstance(has_keys, dict) else {}
            for name, key in keys.items():
                if isinstance(key, dict):
                    yield ("tenants", organisation, "teams", team, "keys", name), key


def _admin_keys(value: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for name, key in _map(_map(value, "admin"), "keys").items():
        if isinstance(key, dict):
            yield ("admin", "keys", name), key


def _check_keys(keys: list[tuple[Path, dict[str, Any]]], report: Report, now: float) -> None:
    """Report keys that stand twice, are known to everybody, or have expired."""
    today = datetime.fromtimestamp(now, UTC).date()
    seen: dict[str, Path] = {}
    for path, key in keys:
        if "hash" in key and report.sound((*path, "hash")):
            digest = str(key["hash"]).removeprefix("sha256:").lower()
            first = seen.setdefault(digest, path)
            if first != path:
                report.problem((*path, "hash"), f"{render_path(first)} has the same hash; give each its own key")
            elif digest in _WEAK:
                report.problem((*path, "hash"), "everybody knows this key; `sluicegate keys new` makes a good one")
        if "expires" in key and report.sound((*path, "expires")) and date.fromisoformat(key["expires"]) < today:
            report.notice((*path, "expires"), f"this key expired on {key['expires']}")


def _check_models(
    tenants: dict[str, Any], routes: dict[str, Any], policies: dict[str, list[Entry]], report: Report
) -> None:
    """Report restrictions of models that nobody enforces, or that admit nothing."""
    restrictions = [found for found in _restrictions(tenants, ("tenants",)) if report.sound(found[0])]
    for name, entries in policies.items():
        names = [entry.name for entry in entries]
        path: Path = ("routes", name, "policies")
        if "authenticate" in names and "allow_models" not in names and restrictions and report.sound(path):
            where = render_path(restrictions[0][0])
            message = f"tenants are restricted to some models (at {where}); add `allow_models`, which enforces it"
            report.problem(path, message)
        for entry in entries:
            if entry.name != "allow_models" or not report.sound(entry.path):
                continue
            if entry.settings and "models" in entry.settings:
                if report.sound(("routes", name, "models")):
                    check_answered(entry.settings["models"], (*entry.path, "models"), [routes[name]], report)
            elif "authenticate" not in names:
                report.problem(
                    entry.path, "without `authenticate` and without `models` this admits every model", key=True
                )
    sound = all(report.sound(("routes", name, "models")) for name in routes)
    for at, models in restrictions if sound else ():
        check_answered(models, at, routes.values(), report)


def _restrictions(value: Any, path: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every ``models`` of the tenants."""
    for key, child in value.items() if isinstance(value, dict) else ():
        if key == "models" and len(path) in (2, 4, 6) and isinstance(child, list):
            yield (*path, key), child
        else:
            yield from _restrictions(child, (*path, key))


def _check_used(
    value: dict[str, Any], used: set[str], lists: Lists, policies: dict[str, list[Entry]], report: Report
) -> None:
    """Report what nothing uses."""
    for name, provider in _map(value, "providers").items():
        is_optional = isinstance(provider, dict) and provider.get("optional") is True
        if name not in used and not is_optional:
            message = "no route uses this provider; remove it, or mark it `optional: true`"
            report.problem(("providers", name), message, key=True)
    for name in _map(value, "policies"):
        if name not in lists.used:
            report.problem(("policies", name), "nothing uses this list; remove it", key=True)
    asks = any(entry.name == "authenticate" for entries in policies.values() for entry in entries)
    if _map(value, "tenants") and not asks:
        message = "no route has the policy `authenticate`, so these keys protect nothing"
        report.problem(("tenants",), message, key=True)
