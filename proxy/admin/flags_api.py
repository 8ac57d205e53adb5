"""``/admin/flags``: what the file names for switching, what is set, and setting it."""

from __future__ import annotations

import sqlite3
from typing import Any

from proxy.admin.asked import Asked, json_reply, read_object
from proxy.admin.roles import check
from proxy.errors import BadRequest, GatewayError
from proxy.exchange import Reply
from proxy.flags import store
from proxy.flags.flag import DEFAULT, Setting
from proxy.flags.shown import missing, rows

_EXAMPLE = '{"value": "off", "reason": "it answers in French"}'
_MEMBERS = ("value", "reason")


class NoSuchFlag(GatewayError):
    """Neither the file nor what is set has it."""

    status = 404
    code = "flag_not_found"


async def list_flags(asked: Asked) -> Reply:
    """All of the file, in its order, and what is set for others. A name that the file does not have has no places."""
    check(asked.operator, "flags.read")
    return json_reply({"flags": await _rows(asked)})


async def get_flag(asked: Asked) -> Reply:
    """One."""
    check(asked.operator, "flags.read")
    return await _shown(asked)


async def set_flag(asked: Asked) -> Reply:
    """Set it for everybody (``on``, ``off``), for a share (``25%``), or leave it to the file (``default``)."""
    check(asked.operator, "flags.write")
    known = [row["name"] for row in await _rows(asked)]
    if asked.name not in known:
        raise NoSuchFlag(missing(asked.name, known))
    setting, reason = _order(await asked.body())
    service = asked.desk.service
    now = service.micros()

    def work(db: sqlite3.Connection) -> None:
        store.change(db, asked.actor, asked.name, setting, reason, now=now)

    await service.write(work)
    value = DEFAULT if setting is None else setting.text
    asked.log.info("admin.flags", who=asked.operator.name, flag=asked.name, value=value, reason=reason)
    if setting is None and asked.name not in asked.runtime.flags.places:
        return json_reply({"name": asked.name, "value": DEFAULT, "places": []})
    return await _shown(asked)


async def _rows(asked: Asked) -> list[dict[str, Any]]:
    return rows(asked.runtime.flags, await asked.desk.service.read(store.kept))


async def _shown(asked: Asked) -> Reply:
    found = await _rows(asked)
    for row in found:
        if row["name"] == asked.name:
            return json_reply(row)
    raise NoSuchFlag(missing(asked.name, [row["name"] for row in found]))


def _order(body: bytes) -> tuple[Setting | None, str]:
    """What ``body`` asks for."""
    value = read_object(body, _EXAMPLE)
    for member in value:
        if member not in _MEMBERS:
            raise BadRequest(f"Unknown member {member[:40]!r}; there are `value` and `reason`.", param=member[:40])
    written, reason = value.get("value"), value.get("reason", "")
    if not isinstance(written, str):
        raise BadRequest("`value` must be on, off, default or a share such as 25%, in quotes.", param="value")
    try:
        return Setting.parse(written), store.read_reason(reason)
    except ValueError as error:
        at = "reason" if str(error).startswith("`reason`") else "value"
        raise BadRequest(f"{error}.", param=at) from None
