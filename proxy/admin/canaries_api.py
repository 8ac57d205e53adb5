"""``/admin/canaries``: how far each canary has come and why, and what operators can do to one.

It is done in this process, at once, and survives a reload and a restart.
"""

from __future__ import annotations

import sqlite3
from typing import Any, cast, get_args

import msgspec

from proxy.admin.asked import Asked, json_reply, read_object
from proxy.admin.roles import check
from proxy.canaries.figures import Side, Spread
from proxy.canaries.release import Action, NotPossible, Plan, Release
from proxy.errors import BadRequest, GatewayError
from proxy.exchange import Reply
from proxy.keys import audit

MAX_REASON = 200
_ACTIONS = get_args(Action)
_MEMBERS = ("action", "reason")
_DIGITS = 9


class NoSuchCanary(GatewayError):
    """The file has none of this name."""

    status = 404
    code = "canary_not_found"


async def list_canaries(asked: Asked) -> Reply:
    """All, in the order of the file."""
    check(asked.operator, "canaries.read")
    found = [_view(release, plan) for release, plan in asked.runtime.canaries.values()]
    return json_reply({"generation": asked.runtime.generation, "canaries": found})


async def get_canary(asked: Asked) -> Reply:
    """One."""
    check(asked.operator, "canaries.read")
    return json_reply(_view(*_find(asked)))


async def act_on_canary(asked: Asked) -> Reply:
    """What cannot be audited is not done."""
    check(asked.operator, "canaries.write")
    release, plan = _find(asked)
    action, reason = _read(await asked.body())
    try:
        release.check(action)
        if asked.held is not None:
            await _audit(asked, release, action, reason)
        release.act(action, reason, asked.operator.name)
    except NotPossible as error:
        raise GatewayError(str(error), status=409, code="not_possible", param="action") from None
    asked.log.info("admin.canaries", who=asked.operator.name, canary=asked.name, action=action, reason=reason)
    return json_reply(_view(release, plan))


async def _audit(asked: Asked, release: Release, action: Action, reason: str) -> None:
    service, progress = asked.desk.service, release.progress
    before = {"state": progress.state, "share": release.share}
    now = service.micros()

    def work(db: sqlite3.Connection) -> int:
        return audit.append(db, asked.actor, f"canary.{action}", asked.name, before, {"reason": reason}, now=now)

    await service.write(work)


def _find(asked: Asked) -> tuple[Release, Plan]:
    found = asked.runtime.canaries.get(asked.name)
    if found is None:
        raise NoSuchCanary(f"The file has no canary {asked.name[:200]!r}; GET /admin/canaries lists all.")
    return found


def _read(body: bytes) -> tuple[Action, str]:
    value = read_object(body, '{"action": "pause", "reason": "…"}')
    for member in value:
        if member not in _MEMBERS:
            raise BadRequest(f"Unknown member {member[:40]!r}; there are `action` and `reason`.", param=member[:40])
    action, reason = value.get("action"), value.get("reason", "")
    if action not in _ACTIONS:
        listed = ", ".join(f"`{known}`" for known in _ACTIONS)
        raise BadRequest(f"`action` must be one of {listed}.", param="action")
    if not isinstance(reason, str) or len(reason) > MAX_REASON or not reason.isprintable():
        raise BadRequest(f"`reason` must be text of one line, at most {MAX_REASON} characters.", param="reason")
    return cast(Action, action), reason


def _view(release: Release, plan: Plan) -> dict[str, Any]:
    """Times in seconds, costs in dollars; ``since`` in seconds since the epoch."""
    progress = release.progress
    words, seconds = release.waits_for()
    is_over = progress.state in ("promoted", "rolled_back")
    return {
        "name": plan.name,
        "route": plan.route,
        "state": progress.state,
        "share": release.share,
        "step": progress.step + 1,
        "steps": plan.steps,
        "since": progress.since,
        "reason": progress.reason,
        "by": progress.by,
        "waits_for": None if is_over else {"requests": words, "seconds": round(seconds, 3)},
        "stable": _figures(progress.stable),
        "canary": _figures(progress.canary),
        "findings": [msgspec.to_builtins(one) for one in release.findings()],
        "history": [msgspec.to_builtins(one) for one in progress.history],
    }


def _figures(side: Side) -> dict[str, Any]:
    return {
        "requests": side.requests,
        "failures": side.failures,
        "reasons": side.reasons,
        "error_rate": round(side.error_rate, _DIGITS),
        "latency": _quantiles(side.latency),
        "first_token": _quantiles(side.first_token),
        "outcomes": side.outcome.count,
        "good": round(side.outcome.share, _DIGITS) if side.outcome.count else None,
        "cost": round(side.cost.mean, _DIGITS) if side.cost.count else None,
    }


def _quantiles(times: Spread) -> dict[str, float | None]:
    found = ((share, times.quantile(share)) for share in (0.5, 0.95))
    return {f"p{share * 100:.0f}": None if value is None else round(value, 4) for share, value in found}
