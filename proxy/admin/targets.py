"""Every target of a generation as operators see it, and what they can do to one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from proxy.choosing.headroom import read_headroom
from proxy.choosing.health import Health, State
from proxy.router import Router

Action = Literal["drain", "eject", "restore"]
CheckResult = Literal["ok", "failing"]
_NONE: Mapping[str, CheckResult] = MappingProxyType({})


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds until a target's answers began; None: there was none yet."""

    average: float | None
    p50: float | None
    p95: float | None


class TargetView(msgspec.Struct, frozen=True):
    """One target. ``seconds`` until it may be asked again, None if nothing stands in the way; ``headroom``: the share
    of its tightest limit that is left, None where its provider has told of none; ``check``: what checks of its
    account say, None where the file asks for none."""

    name: str
    provider: str
    model: str
    routes: tuple[str, ...]
    state: State
    seconds: float | None
    last_failure: str | None
    ejections: int
    in_flight: int
    first_token_ms: Latency
    per_token_ms: float | None
    headroom: float | None
    check: CheckResult | None


def targets(router: Router, now: float, wall: float, checks: Mapping[str, CheckResult] = _NONE) -> list[TargetView]:
    """All, in the order of the file. ``now``: ``time.monotonic()``, ``wall``: the clock of the world then; ``checks``:
    by account."""
    return [_view(health, routes, now, wall, checks) for health, routes in _known(router).values()]


def target(
    router: Router, name: str, now: float, wall: float, checks: Mapping[str, CheckResult] = _NONE
) -> TargetView | None:
    """The one of that name; None if no route has it."""
    found = _known(router).get(name)
    return None if found is None else _view(*found, now, wall, checks)


def health_of(router: Router, name: str) -> Health | None:
    """What is known of the target of that name; None if no route has it."""
    found = _known(router).get(name)
    return None if found is None else found[0]


def act(health: Health, action: Action, seconds: float, now: float) -> None:
    """Do it, for all routes that name the target, at once. Restoring needs no ``seconds``."""
    if action == "drain":
        health.drain(now + seconds)
    elif action == "eject":
        health.eject(now + seconds)
    else:
        health.restore(now)


def _known(router: Router) -> dict[str, tuple[Health, list[str]]]:
    """Health and routes by the target's name."""
    found: dict[str, tuple[Health, list[str]]] = {}
    for entry in router.entries:
        for health in entry.pipeline.target.healths():
            routes = found.setdefault(health.name, (health, []))[1]
            if entry.rule.name not in routes:
                routes.append(entry.rule.name)
    return found


def _view(health: Health, routes: list[str], now: float, wall: float, checks: Mapping[str, CheckResult]) -> TargetView:
    provider, _, model = health.name.partition("/")
    state = health.state(now)
    return TargetView(
        health.name,
        provider,
        model,
        tuple(routes),
        state,
        None if state == "closed" else round(health.wait(now), 1),
        health.last_failure,
        health.ejections,
        health.in_flight,
        Latency(
            _milliseconds(health.first_token.seconds or None),
            _milliseconds(health.quantile(0.5)),
            _milliseconds(health.quantile(0.95)),
        ),
        _milliseconds(health.per_token.seconds or None),
        _headroom(health, now, wall),
        checks.get(provider),
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _headroom(health: Health, now: float, wall: float) -> float | None:
    if not health.told:
        return None
    headroom = read_headroom(health.told, health.told_at, wall - (now - health.told_at))
    return round(max(0.0, headroom.share(now, health.in_flight)), 3) if headroom.limits else None


def table(found: Iterable[TargetView]) -> str:
    """For a terminal: one line for each, in columns."""
    head = (
        "TARGET",
        "STATE",
        "SECONDS",
        "IN FLIGHT",
        "P50 MS",
        "P95 MS",
        "HEADROOM",
        "CHECK",
        "LAST FAILURE",
        "ROUTES",
    )
    rows = [head, *(_row(one) for one in found)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )


def _row(one: TargetView) -> tuple[str, ...]:
    headroom = "-" if one.headroom is None else f"{one.headroom:.0%}"
    numbers = (one.first_token_ms.p50, one.first_token_ms.p95)
    p50, p95 = ("-" if number is None else f"{number:.1f}" for number in numbers)
    seconds = "-" if one.seconds is None else f"{one.seconds:.0f}"
    failure = one.last_failure or "-"
    routes = ", ".join(one.routes)
    return (one.name, one.state, seconds, str(one.in_flight), p50, p95, headroom, one.check or "-", failure, routes)


def clock() -> tuple[float, float]:
    """Both clocks at one moment: the monotonic one, and the world's."""
    return time.monotonic(), time.time()
