"""``/admin/cache``: what kept answers have saved, and having them forgotten."""

from __future__ import annotations

import sqlite3
from typing import Any

from proxy.admin.asked import Asked, json_reply, read_object
from proxy.admin.roles import check
from proxy.caching.room import Room, StoreFailed
from proxy.caching.tags import read_tag
from proxy.errors import BadRequest, GatewayError
from proxy.exchange import Reply
from proxy.keys import audit
from proxy.keys.service import KeyService

MAX_REASON = 200
_MEMBERS = ("tag", "route", "reason")
_EXAMPLE = '{"tag": "model:gpt-4o", "reason": "…"}'


class NoSuchCache(GatewayError):
    """The file has none on this route."""

    status = 404
    code = "cache_not_found"


async def show_caches(asked: Asked) -> Reply:
    """Of each route that has one, since this process began."""
    check(asked.operator, "cache.read")
    return json_reply({"caches": [_view(room) for room in asked.runtime.rooms.values()]})


async def invalidate(asked: Asked) -> Reply:
    """What has a tag is forgotten, by all replicas where they share it. What cannot be audited is not done."""
    check(asked.operator, "cache.write")
    service = asked.desk.service
    if asked.query:
        value: dict[str, Any] = dict(asked.texts(_MEMBERS))
    else:
        value = read_object(await asked.body(), _EXAMPLE)
    tag, route, reason = _order(value)
    rooms = list(asked.runtime.rooms.values())
    if route:
        rooms = [room for room in rooms if room.route == route]
        if not rooms:
            raise NoSuchCache(f"The file has no `cache` on a route {route[:200]!r}.")
    await _audit(asked, service, tag, route, reason)
    try:
        count = sum([await room.invalidate(tag) for room in rooms])
    except StoreFailed as error:
        message = f"The store cannot be used ({error}), so replicas may go on to give these answers; try again."
        raise GatewayError(message, status=503, code="store_unavailable") from error
    asked.log.info("admin.cache", who=asked.operator.name, tag=tag, route=route, entries=count, reason=reason)
    return json_reply({"tag": tag, "route": route or None, "entries": count})


async def _audit(asked: Asked, service: KeyService, tag: str, route: str, reason: str) -> None:
    now = service.micros()

    def work(db: sqlite3.Connection) -> int:
        return audit.append(db, asked.actor, "cache.invalidate", tag, {"route": route}, {"reason": reason}, now=now)

    await service.write(work)


def _order(value: dict[str, Any]) -> tuple[str, str, str]:
    """Tag, route ("" for all) and reason."""
    for member in value:
        if member not in _MEMBERS:
            known = ", ".join(f"`{one}`" for one in _MEMBERS)
            raise BadRequest(f"Unknown member {member[:40]!r}; there are {known}.", param=member[:40])
    tag, route, reason = value.get("tag"), value.get("route", ""), value.get("reason", "")
    if not isinstance(route, str):
        raise BadRequest("`route` must be the name of a route.", param="route")
    if not isinstance(reason, str) or len(reason) > MAX_REASON or not (reason.isprintable() or not reason):
        raise BadRequest(f"`reason` must be text of one line, at most {MAX_REASON} characters.", param="reason")
    try:
        return read_tag(tag if isinstance(tag, str) else ""), route, reason
    except ValueError as error:
        raise BadRequest(f"`tag`: {error}.", param="tag") from None


def _view(room: Room) -> dict[str, Any]:
    """Costs in dollars, times in seconds, sizes in bytes. ``entries`` and ``size``: in this process."""
    stats = room.stats
    asked = sum(stats.requests.values())
    hits = sum(stats.requests[result] for result in ("hit", "stale", "shared", "semantic"))
    return {
        "route": room.route,
        "store": "memory" if room.is_local else "shared",
        "entries": len(room.memory),
        "size": room.memory.size,
        "evicted": room.memory.evicted,
        "requests": dict(stats.requests),
        "hit_rate": round(hits / asked, 4) if asked else None,
        "answers": dict(stats.kept),
        "in_flight": len(room.flights),
        "saved": {
            "cost": round(stats.saved_cost / 1e9, 9),
            "seconds": round(stats.saved_seconds, 3),
            "tokens": stats.saved_tokens,
        },
    }
