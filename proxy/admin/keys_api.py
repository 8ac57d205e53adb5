"""``/admin/keys``: keys that are issued, changed, revoked and rotated while the gateway runs; and ``/admin/whoami``.

Whether somebody may do something is decided in the transaction that does it.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from proxy.admin.asked import Asked, json_reply, read_number, read_object
from proxy.admin.roles import (
    ALLOWED,
    CREATES,
    UPDATES,
    Act,
    Ceiling,
    Forbidden,
    check,
    check_members,
    check_width,
    sees,
)
from proxy.errors import BadRequest, GatewayError
from proxy.exchange import Reply
from proxy.keys import store
from proxy.keys.record import PROPERTIES, IssuedKey, is_identity, read_name, read_properties, view
from proxy.units import Duration

_PLACE = ("organisation", "team", "name")
_PAGE, _MAX_PAGE = 100, 1000
_DEFAULT_OVERLAP = "24h"
_EXAMPLE = '{"organisation": "acme", "team": "search", "name": "web"}'


async def whoami(asked: Asked) -> Reply:
    """Who asks, and what their role includes."""
    operator = asked.operator
    return json_reply(
        {
            "name": operator.name,
            "role": operator.role,
            "organisation": operator.organisation or None,
            "team": operator.team or None,
            "allowed": [act for act in ALLOWED if _may(asked, act)],
            "writable": {"create": sorted(CREATES[operator.role]), "update": sorted(UPDATES[operator.role])},
        }
    )


async def list_keys(asked: Asked) -> Reply:
    """A page of the keys that the operator sees. ``next``: what ``after`` is for the page that follows, or null."""
    check(asked.operator, "keys.read")
    query = asked.texts(("organisation", "team", "after", "limit"))
    limit = read_number(query.get("limit", str(_PAGE)), "limit", 1, _MAX_PAGE)
    place = [_narrowed(getattr(asked.operator, name), query.get(name, "")) for name in _PLACE[:2]]
    organisation, team = place
    if organisation is None or team is None or not sees(asked.operator, organisation, team):
        return json_reply({"keys": [], "next": None})

    def work(db: sqlite3.Connection) -> list[IssuedKey]:
        return store.keys(db, organisation, team, after=query.get("after", ""), limit=limit + 1)

    found = await asked.desk.service.read(work)
    now = asked.desk.service.micros()
    more = found[limit - 1].id if len(found) > limit else None
    return json_reply({"keys": [view(key, now) for key in found[:limit]], "next": more})


async def get_key(asked: Asked) -> Reply:
    """One key."""
    key = await asked.desk.service.read(lambda db: _seen(asked, db, "keys.read"))
    return json_reply(view(key, asked.desk.service.micros()))


async def create_key(asked: Asked) -> Reply:
    """A new key; the answer is the only one that ever shows its secret."""
    operator, service = asked.operator, asked.desk.service
    check(operator, "keys.create")
    members = read_object(await asked.body(), _EXAMPLE)
    members = {name: value for name in _PLACE[:2] if (value := getattr(operator, name))} | members
    check_members(operator, members, CREATES[operator.role] | set(_PLACE))
    organisation, team, name = (read_name(members.pop(part, None), part) for part in _PLACE)
    ceiling = _ceiling(asked, organisation, team)
    secret = members.pop("secret", None)
    if secret is not None and not isinstance(secret, str):
        raise BadRequest("`secret` must be a text.", param="secret")
    now = service.micros()
    values = dict.fromkeys(("expires",)) | read_properties(members, now)
    check_width(operator, values, ceiling, now=now)

    def work(db: sqlite3.Connection) -> tuple[IssuedKey, str]:
        return store.create(db, asked.actor, (organisation, team, name), values, now=now, secret=secret)

    key, shown = await service.write(work)
    _log(asked, "create", key)
    return json_reply(view(key, now) | ({"secret": shown} if secret is None else {}), 201)


async def update_key(asked: Asked) -> Reply:
    """Change what the body names; all else stays."""
    operator, service = asked.operator, asked.desk.service
    body = await asked.body()
    now = service.micros()

    def work(db: sqlite3.Connection) -> IssuedKey:
        key = _seen(asked, db, "keys.update")
        members = read_object(body, '{"models": ["gpt-4o*"], "expires": "30d"}')
        check_members(operator, members, UPDATES[operator.role])
        values = read_properties(members, now)
        check_width(operator, values, _ceiling(asked, key.organisation, key.team), now=now, before=key.expires)
        return store.update(db, asked.actor, key.id, values, now=now) if values else key

    key = await service.write(work)
    _log(asked, "update", key)
    return json_reply(view(key, now))


async def revoke_key(asked: Asked) -> Reply:
    """End a key, for good. A team that the file has no more still has keys to revoke."""
    now = asked.desk.service.micros()

    def work(db: sqlite3.Connection) -> IssuedKey:
        return store.revoke(db, asked.actor, _seen(asked, db, "keys.revoke").id, now=now)

    key = await asked.desk.service.write(work)
    _log(asked, "revoke", key)
    return json_reply(view(key, now))


async def rotate_key(asked: Asked) -> Reply:
    """Another secret for a key, shown once. Nobody is told the secret of a key that they could not have made."""
    operator, service = asked.operator, asked.desk.service
    body = await asked.body()
    now = service.micros()

    def work(db: sqlite3.Connection) -> tuple[IssuedKey, IssuedKey, str]:
        key = _seen(asked, db, "keys.rotate")
        members = read_object(body or b"{}", '{"overlap": "24h"}')
        check_members(operator, members, frozenset({"overlap"}))
        ceiling = _ceiling(asked, key.organisation, key.team)
        check_width(operator, {name: getattr(key, name) for name in PROPERTIES}, ceiling, now=now)
        return store.rotate(db, asked.actor, key.id, _overlap(members.get("overlap", _DEFAULT_OVERLAP)), now=now)

    key, old, secret = await service.write(work)
    _log(asked, "rotate", old)
    return json_reply(view(key, now) | {"secret": secret, "replaces": view(old, now)}, 201)


def _may(asked: Asked, act: Act) -> bool:
    try:
        check(asked.operator, act)
    except Forbidden:
        return False
    return True


def _narrowed(own: str, wanted: str) -> str | None:
    """The filter that applies; None if what is wanted is not the operator's."""
    return (own or wanted) if wanted in ("", own) or not own else None


def _seen(asked: Asked, db: sqlite3.Connection, act: Act) -> IssuedKey:
    """The key that the path names. One that is somebody else's is not there, whatever the role."""
    key = store.find(db, asked.name) if is_identity(asked.name) else None
    if key is None or not sees(asked.operator, key.organisation, key.team):
        raise store.NoSuchKey(f"There is no key {asked.name[:40]!r}.")
    check(asked.operator, act)
    return key


def _ceiling(asked: Asked, organisation: str, team: str) -> Ceiling:
    found = asked.desk.teams.get((organisation, team))
    if found is None or not sees(asked.operator, organisation, team):
        message = f"There is no team {organisation}/{team}; teams stand in the file, under `tenants`."
        raise GatewayError(message, status=404, code="team_not_found", param="team")
    return found


def _overlap(written: Any) -> float:
    try:
        if not isinstance(written, str):
            raise ValueError("must be a duration in quotes, like `24h`")
        seconds = float(Duration.parse(written[:40]))
        if seconds > store.MAX_OVERLAP:
            raise ValueError(f"must be at most {store.MAX_OVERLAP / 86_400:.0f}d")
    except ValueError as error:
        raise BadRequest(f"`overlap`: {error}.", param="overlap") from None
    return seconds


def _log(asked: Asked, action: str, key: IssuedKey) -> None:
    place = f"{key.organisation}/{key.team}/{key.name}"
    asked.log.info("admin.keys", who=asked.operator.name, action=action, key=key.id, prefix=key.prefix, name=place)
