"""The keys in the file: every change is one transaction with the row that tells of it.

The functions work in a transaction that is open: ``proxy.jobs.writer.Writer`` opens it in the gateway, ``writing`` in
a command. Times are microseconds since the epoch.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from proxy.errors import GatewayError
from proxy.keys import audit
from proxy.keys.audit import Actor
from proxy.keys.record import (
    MICRO,
    PROPERTIES,
    IssuedKey,
    digest_of,
    new_identity,
    new_secret,
    prefix_of,
    weakness,
)

FILE = "keys.sqlite"
VERSION = 1
MAX_KEYS = 100_000
MAX_OVERLAP = 30 * 86_400.0  # seconds
_BUSY = 5.0  # seconds that the gateway may hold the file while a command waits
_FIELDS = IssuedKey.__struct_fields__
_COLUMNS = ", ".join(_FIELDS)
_LISTS = ("models", "routes", "addresses", "limits", "tags")
_TABLE = """CREATE TABLE keys (
    id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, organisation TEXT NOT NULL, team TEXT NOT NULL, name TEXT NOT NULL,
    prefix TEXT NOT NULL, models TEXT, routes TEXT, addresses TEXT, tier TEXT NOT NULL, limits TEXT NOT NULL,
    tags TEXT NOT NULL, created INTEGER NOT NULL, created_by TEXT NOT NULL, expires INTEGER, revoked INTEGER,
    replaced_by TEXT
)"""
_INDEX = "CREATE INDEX by_name ON keys(organisation, team, name)"
# Column names are a closed set, and every value is bound.
_SELECT = f"SELECT hash, {_COLUMNS} FROM keys"  # noqa: S608
_INSERT = f"INSERT INTO keys (hash, {_COLUMNS}) VALUES (?, {', '.join('?' * len(_FIELDS))})"  # noqa: S608
_REPLACE = f"UPDATE keys SET {', '.join(f'{name} = ?' for name in _FIELDS)} WHERE id = ?"  # noqa: S608


class NoSuchKey(GatewayError):
    """There is no such key, or not for whoever asks."""

    status = 404
    code = "key_not_found"


class Conflict(GatewayError):
    """The key is not in a state in which that can be done."""

    status = 409
    code = "key_conflict"


def prepare(db: sqlite3.Connection) -> None:
    """Make the tables in a new file.

    Raises:
        sqlite3.DatabaseError: the file is none, or of another version.
    """
    if _version(db) == VERSION:
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _version(db)  # another process may have been first
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"the file is of version {version} and this gateway reads {VERSION}")
        if version == 0:
            for statement in (_TABLE, _INDEX, *audit.TABLES):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


@contextmanager
def writing(folder: Path) -> Iterator[sqlite3.Connection]:
    """A connection with a transaction that is committed at the end, and taken back if something is raised.

    Raises:
        OSError, sqlite3.Error: the file cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / FILE
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(path, timeout=_BUSY, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        prepare(db)
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


# Read


def find(db: sqlite3.Connection, identity: str) -> IssuedKey:
    """The key of that id.

    Raises:
        NoSuchKey: there is none.
    """
    row = db.execute(f"{_SELECT} WHERE id = ?", (identity,)).fetchone()
    if row is None:
        raise NoSuchKey(f"There is no key {identity[:40]!r}.")
    return _read(row)[1]


def keys(
    db: sqlite3.Connection, organisation: str = "", team: str = "", *, after: str = "", limit: int = MAX_KEYS
) -> list[IssuedKey]:
    """Keys with ids after ``after``, in the order of their ids; of that organisation and team, where they are given."""
    sql = f"{_SELECT} WHERE id > ? AND ? IN ('', organisation) AND ? IN ('', team) ORDER BY id LIMIT ?"
    return [_read(row)[1] for row in db.execute(sql, (after, organisation, team, limit))]


def changed(db: sqlite3.Connection, since: int) -> list[tuple[bytes, IssuedKey]]:
    """Keys, with their hashes, that rows of the audit after number ``since`` tell of; all of them since 0."""
    if not since:
        return [_read(row) for row in db.execute(_SELECT)]
    where = "WHERE id IN (SELECT object FROM audit WHERE seq > ?)"
    return [_read(row) for row in db.execute(f"{_SELECT} {where}", (since,))]


# Write


def create(
    db: sqlite3.Connection,
    actor: Actor,
    place: tuple[str, str, str],
    properties: Mapping[str, Any],
    *,
    now: int,
    secret: str | None = None,
) -> tuple[IssuedKey, str]:
    """A new key, and its secret. ``place``: organisation, team and name; ``properties``: as ``read_properties`` gives
    them; ``secret``: where the caller brings one.

    Raises:
        GatewayError: the name or the secret is taken, the secret is weak, or there are too many keys.
    """
    reason = None if secret is None else weakness(secret)
    if reason is not None:
        raise GatewayError(f"This secret is not accepted: {reason}.", status=400, code="weak_key", param="secret")
    for other in _named(db, place):
        if other.state(now) == "live" and other.replaced_by is None:
            raise Conflict(f"{'/'.join(place)} is the live key {other.id}; rotate or revoke it.", code="key_exists")
    key, secret = _issue(db, actor, place, _known(properties), secret or new_secret(), now)
    audit.append(db, actor, "key.create", key.id, None, shown(key), now=now)
    return key, secret


def update(
    db: sqlite3.Connection, actor: Actor, identity: str, properties: Mapping[str, Any], *, now: int
) -> IssuedKey:
    """Change these properties; the key as it is then.

    Raises:
        NoSuchKey: there is none of that id.
        Conflict: it is revoked.
    """
    before = find(db, identity)
    _check_not_revoked(before)
    return _change(db, actor, "key.update", before, _known(properties), now)


def revoke(db: sqlite3.Connection, actor: Actor, identity: str, *, now: int) -> IssuedKey:
    """End it now; one that is revoked stays as it is.

    Raises:
        NoSuchKey: there is none of that id.
    """
    before = find(db, identity)
    return before if before.revoked is not None else _change(db, actor, "key.revoke", before, {"revoked": now}, now)


def rotate(
    db: sqlite3.Connection, actor: Actor, identity: str, overlap: float, *, now: int
) -> tuple[IssuedKey, IssuedKey, str]:
    """A key with a new secret and the same properties; the old one ends after ``overlap`` seconds, if not before.

    Returns the new key, the old one, and the secret.

    Raises:
        NoSuchKey: there is none of that id.
        Conflict: it is over, or was rotated before.
    """
    before = find(db, identity)
    _check_not_revoked(before)
    if before.state(now) != "live":
        raise Conflict(f"The key {identity} has expired; give it another `expires`, or create a key.")
    if before.replaced_by is not None:
        raise Conflict(f"The key {identity} was rotated already; its successor is {before.replaced_by}.")
    properties = {name: getattr(before, name) for name in PROPERTIES}
    place = (before.organisation, before.team, before.name)
    key, secret = _issue(db, actor, place, properties, new_secret(), now)
    audit.append(db, actor, "key.create", key.id, None, shown(key), now=now)
    ends = now + round(min(max(overlap, 0.0), MAX_OVERLAP) * MICRO)
    ends = ends if before.expires is None else min(ends, before.expires)
    old = _change(db, actor, "key.rotate", before, {"expires": ends, "replaced_by": key.id}, now)
    return key, old, secret


def shown(key: IssuedKey) -> dict[str, Any]:
    """What the audit says of a key: neither its secret nor its hash, which no key has with it."""
    found: dict[str, Any] = msgspec.to_builtins(key)
    return found


def _issue(
    db: sqlite3.Connection, actor: Actor, place: tuple[str, str, str], properties: dict[str, Any], secret: str, now: int
) -> tuple[IssuedKey, str]:
    (count,) = db.execute("SELECT count(*) FROM keys").fetchone()
    if count >= MAX_KEYS:
        raise Conflict(f"There are {MAX_KEYS} keys, and no room for more.", code="too_many_keys")
    digest = digest_of(secret)
    if db.execute("SELECT 1 FROM keys WHERE hash = ?", (digest,)).fetchone() is not None:
        raise Conflict("This secret is in use already.", code="key_exists")
    organisation, team, name = place
    key = IssuedKey(
        id=new_identity(),
        organisation=organisation,
        team=team,
        name=name,
        prefix=prefix_of(secret),
        created=now,
        created_by=actor.name,
        **properties,
    )
    db.execute(_INSERT, (digest, *_write(key)))
    return key, secret


def _change(
    db: sqlite3.Connection, actor: Actor, action: str, before: IssuedKey, values: dict[str, Any], now: int
) -> IssuedKey:
    after = msgspec.structs.replace(before, **values)
    db.execute(_REPLACE, (*_write(after), after.id))
    audit.append(db, actor, action, after.id, shown(before), shown(after), now=now)
    return after


def _check_not_revoked(key: IssuedKey) -> None:
    if key.revoked is not None:
        raise Conflict(f"The key {key.id} is revoked, which is for good; create another.")


def _known(properties: Mapping[str, Any]) -> dict[str, Any]:
    unknown = properties.keys() - set(PROPERTIES)
    if unknown:
        raise ValueError(f"no properties of a key: {', '.join(sorted(unknown))}")
    return dict(properties)


def _named(db: sqlite3.Connection, place: tuple[str, str, str]) -> list[IssuedKey]:
    sql = f"{_SELECT} WHERE organisation = ? AND team = ? AND name = ?"
    return [_read(row)[1] for row in db.execute(sql, place)]


def _write(key: IssuedKey) -> list[Any]:
    values = ((name, getattr(key, name)) for name in _FIELDS)
    return [
        msgspec.json.encode(value).decode() if name in _LISTS and value is not None else value for name, value in values
    ]


def _read(row: tuple[Any, ...]) -> tuple[bytes, IssuedKey]:
    values = dict(zip(_FIELDS, row[1:], strict=True))
    for name in _LISTS:
        if values[name] is not None:
            found = msgspec.json.decode(values[name])
            values[name] = tuple(found) if isinstance(found, list) else found
    return row[0], IssuedKey(**values)
