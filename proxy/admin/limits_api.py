"""``/admin/limits`` and ``/admin/budgets``: what tenants may use, what they have used, and when it is free again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from proxy.admin.asked import Asked, json_reply
from proxy.admin.roles import check, sees
from proxy.errors import GatewayError
from proxy.exchange import Reply
from proxy.limits.limit import Gauge, Level, Rule, Unavailable

MAX_LINES = 1000
_PLACE = ("organisation", "team", "key")
_NANO = 10**9
Line = dict[str, Any]


async def list_limits(asked: Asked) -> Reply:
    """All that the operator sees: first those of the file in its order, then those of issued keys. Amounts of money
    are nano-dollars."""
    return await _answer(asked, "limits", lambda rule: True, _line)


async def list_budgets(asked: Asked) -> Reply:
    """Limits of money, in dollars."""
    return await _answer(asked, "budgets", lambda rule: rule.limit.kind == "money", _in_dollars)


async def _answer(
    asked: Asked, name: str, is_meant: Callable[[Rule], bool], show: Callable[[Rule, Level | None], Line]
) -> Reply:
    check(asked.operator, "limits.read")
    query = asked.texts(_PLACE)
    wanted = tuple(query.get(part, "") for part in _PLACE)
    rules = list(islice((rule for rule in _rules(asked, wanted) if is_meant(rule)), MAX_LINES + 1))
    shown = rules[:MAX_LINES]
    levels = await _levels(asked, shown)
    lines = [show(rule, level) for rule, level in zip(shown, levels, strict=True)]
    return json_reply({name: lines, "more": len(rules) > MAX_LINES})


def _rules(asked: Asked, wanted: tuple[str, ...]) -> Iterator[Rule]:
    """Each once, though all keys of a team have those of the team."""
    known: set[tuple[str, str]] = set()
    identities = asked.runtime.identities
    for identity in identities.values() if identities is not None else ():
        for rule in identity.rules:
            one = rule.key, rule.limit.text
            if one not in known and _is_theirs(asked, rule, wanted):
                known.add(one)
                yield rule


def _place(rule: Rule) -> tuple[str, str, str]:
    """Organisation, team and key that a limit is of; "" beyond its level."""
    parts = [*rule.scope.split("/", 2), "", ""]
    return parts[0], parts[1], parts[2]


def _is_theirs(asked: Asked, rule: Rule, wanted: tuple[str, ...]) -> bool:
    """Whether the operator sees it and asks for it. What an organisation has used is for those who see all of it."""
    place = _place(rule)
    return sees(asked.operator, place[0], place[1]) and all(
        not want or want == part for want, part in zip(wanted, place, strict=True)
    )


async def _levels(asked: Asked, rules: list[Rule]) -> list[Level | None]:
    """What they show now; None where each value of a tag has a counter of its own.

    Raises:
        GatewayError: the store of the counters cannot be asked.
    """
    asks = [rule for rule in rules if not rule.per]
    gauges = [Gauge(rule.key, rule.limit, rule.zone, True, rule.is_open) for rule in asks]
    try:
        found = iter(await asked.runtime.counters.look(gauges) if gauges else ())
    except Unavailable as error:
        message = "What is used cannot be asked for at the moment."
        raise GatewayError(message, status=503, code="limits_unavailable") from error
    return [None if rule.per else next(found) for rule in rules]


def _head(rule: Rule) -> Line:
    return dict(zip(_PLACE, (part or None for part in _place(rule)), strict=True)) | {
        "level": rule.level,
        "limit": rule.limit.text,
        "kind": rule.limit.kind,
        "window": rule.limit.window or None,
        "models": rule.models,
        "per": rule.per or None,
        "over_limit": rule.over,
    }


def _line(rule: Rule, level: Level | None) -> Line:
    """``resets_in``: seconds; see ``proxy.limits.limit.Level``."""
    amount = rule.limit.amount
    return _head(rule) | {
        "amount": amount,
        "used": None if level is None else level.used,
        "left": None if level is None else max(0, amount - level.used),
        "resets_in": None if level is None else level.reset,
    }


def _in_dollars(rule: Rule, level: Level | None) -> Line:
    found = _line(rule, level)
    amounts = {name: found.pop(name) for name in ("amount", "used", "left")}
    return found | {f"{name}_usd": None if value is None else value / _NANO for name, value in amounts.items()}
