"""Keys in the file: what is written with each change, and what is written nowhere."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proxy.errors import GatewayError
from proxy.keys import audit, store
from proxy.keys.audit import Actor
from proxy.keys.record import MICRO, PROPERTIES, IssuedKey, digest_of

ADA = Actor("ada", "owner")
PLACE = ("acme", "search", "web")
NOW = 1_800_000_000 * MICRO
OWN = "Kq8vPz3nRb7wXt2mLc9hYd5gJf4sVa6e"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A new file, and a transaction."""
    with store.writing(tmp_path) as connection:
        yield connection


def _actions(db: sqlite3.Connection) -> list[tuple[str, str]]:
    return [(one.action, one.object) for one in audit.entries(db, 0, 100)]


def test_a_key_comes_back_as_it_was_made(db: sqlite3.Connection) -> None:
    """All of its properties, and its secret's hash."""
    values = {
        "models": ("a*",),
        "routes": ("chat",),
        "addresses": ("10.0.0.0/8",),
        "tier": "basic",
        "limits": ("60/min",),
        "tags": {"a": "b"},
        "expires": NOW + 5,
    }
    key, secret = store.create(db, ADA, PLACE, values, now=NOW)
    assert {name: getattr(key, name) for name in PROPERTIES} == values
    assert (key.prefix, key.created, key.created_by) == (secret[:8], NOW, "ada")
    assert store.find(db, key.id) == key
    assert store.changed(db, 0) == [(digest_of(secret), key)]
    assert _actions(db) == [("key.create", key.id)]


def test_lists(db: sqlite3.Connection) -> None:
    """By organisation and team, in pages."""
    made = [
        store.create(db, ADA, (organisation, team, "web"), {}, now=NOW)[0].id
        for organisation, team in (("acme", "search"), ("acme", "chat"), ("other", "search"))
    ]
    assert [key.id for key in store.keys(db)] == sorted(made)
    assert {key.id for key in store.keys(db, "acme")} == set(made[:2])
    assert [key.id for key in store.keys(db, "acme", "chat")] == [made[1]]
    assert [key.id for key in store.keys(db, after=sorted(made)[0], limit=1)] == [sorted(made)[1]]


def test_changes_are_audited_with_before_and_after(db: sqlite3.Connection) -> None:
    """And told to whoever asks for what is new."""
    key, secret = store.create(db, ADA, PLACE, {}, now=NOW)
    other, _ = store.create(db, ADA, ("acme", "search", "job"), {}, now=NOW)
    seen, _ = audit.head(db)
    after = store.update(db, Actor("lea", "admin"), key.id, {"tier": "free", "models": ("x",)}, now=NOW + 1)
    assert (after.tier, after.models, after.routes) == ("free", ("x",), None)
    assert store.changed(db, seen) == [(digest_of(secret), after)]
    store.revoke(db, ADA, other.id, now=NOW + 2)
    rows = audit.entries(db, seen, 10)
    assert [(one.who, one.role, one.action, one.at) for one in rows] == [
        ("lea", "admin", "key.update", NOW + 1),
        ("ada", "owner", "key.revoke", NOW + 2),
    ]
    assert (rows[0].before["tier"], rows[0].after["tier"], rows[0].after["models"]) == ("", "free", ["x"])
    assert (rows[1].before["revoked"], rows[1].after["revoked"]) == (None, NOW + 2)
    assert audit.verify_chain(db) is None


def test_a_revoked_key_stays_revoked(db: sqlite3.Connection) -> None:
    """Whoever revokes it again changes nothing."""
    key, _ = store.create(db, ADA, PLACE, {}, now=NOW)
    revoked = store.revoke(db, ADA, key.id, now=NOW + 1)
    assert store.revoke(db, ADA, key.id, now=NOW + 2) == revoked
    assert len(_actions(db)) == 2
    for change in (
        lambda: store.update(db, ADA, key.id, {"tier": "free"}, now=NOW + 3),
        lambda: store.rotate(db, ADA, key.id, 5, now=NOW + 3),
    ):
        with pytest.raises(store.Conflict):
            change()


def test_a_rotation_keeps_everything_but_the_secret(db: sqlite3.Connection) -> None:
    """The old one ends after the overlap."""
    key, secret = store.create(db, ADA, PLACE, {"tier": "basic", "limits": ("5/min",)}, now=NOW)
    new, old, other = store.rotate(db, ADA, key.id, 60, now=NOW + 1)
    assert other != secret
    assert new.id != old.id == key.id
    assert [getattr(new, name) for name in PROPERTIES] == [getattr(key, name) for name in PROPERTIES]
    assert (old.expires, old.replaced_by) == (NOW + 1 + 60 * MICRO, new.id)
    assert [action for action, _ in _actions(db)] == ["key.create", "key.create", "key.rotate"]
    with pytest.raises(store.Conflict, match=new.id):
        store.rotate(db, ADA, key.id, 60, now=NOW + 2)


def test_a_rotation_lengthens_no_life(db: sqlite3.Connection) -> None:
    """Neither the old key's nor, by a new one, that of one that is over."""
    key, _ = store.create(db, ADA, PLACE, {"expires": NOW + 10}, now=NOW)
    new, old, _ = store.rotate(db, ADA, key.id, 60, now=NOW)
    assert (old.expires, new.expires) == (NOW + 10, NOW + 10)
    with pytest.raises(store.Conflict, match="expired"):
        store.rotate(db, ADA, new.id, 60, now=NOW + 10)


def test_one_live_key_of_a_name(db: sqlite3.Connection) -> None:
    """What is over or replaced gives its name back."""
    key, _ = store.create(db, ADA, PLACE, {}, now=NOW)
    with pytest.raises(store.Conflict) as caught:
        store.create(db, ADA, PLACE, {}, now=NOW)
    assert caught.value.error_code == "key_exists"
    store.revoke(db, ADA, key.id, now=NOW)
    store.create(db, ADA, PLACE, {"expires": NOW + 1}, now=NOW)
    store.create(db, ADA, PLACE, {}, now=NOW + 1)


def test_secrets_that_are_brought(db: sqlite3.Connection) -> None:
    """Weak ones are refused, and those that are in use, without being shown."""
    assert store.create(db, ADA, PLACE, {}, now=NOW, secret=OWN)[1] == OWN
    for secret, code in (("changeme", "weak_key"), ("", "weak_key"), (OWN, "key_exists")):
        with pytest.raises(GatewayError) as caught:
            store.create(db, ADA, ("acme", "search", "other"), {}, now=NOW, secret=secret)
        assert caught.value.error_code == code
        assert OWN not in caught.value.message
    assert len(store.keys(db)) == 1


def test_what_is_no_property_is_refused(db: sqlite3.Connection) -> None:
    """A caller of these functions cannot move a key to another tenant."""
    key, _ = store.create(db, ADA, PLACE, {}, now=NOW)
    for name in set(IssuedKey.__struct_fields__) - set(PROPERTIES):
        with pytest.raises(ValueError, match=name):
            store.update(db, ADA, key.id, {name: "x"}, now=NOW)


def test_nothing_is_half_done(tmp_path: Path) -> None:
    """A key without its row in the audit is not kept."""
    with store.writing(tmp_path) as db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(sqlite3.IntegrityError, match="no room"), store.writing(tmp_path) as db:
        store.create(db, ADA, PLACE, {}, now=NOW)
    with store.writing(tmp_path) as db:
        assert store.keys(db) == []


def test_no_secret_is_in_the_files(tmp_path: Path) -> None:
    """Nor in the audit the hash; not in the write-ahead log either, while somebody holds it open."""
    with store.writing(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / store.FILE)) as reader:
        with store.writing(tmp_path) as db:
            reader.execute("SELECT * FROM keys").fetchall()
            key, first = store.create(db, ADA, PLACE, {}, now=NOW)
            _, _, second = store.rotate(db, ADA, key.id, 60, now=NOW)
            store.create(db, ADA, ("acme", "search", "own"), {}, now=NOW, secret=OWN)
            told = json.dumps([list(map(str, row)) for row in db.execute("SELECT * FROM audit")])
        held = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(held) >= {"keys.sqlite", "keys.sqlite-wal"}
    everything = b"".join(held.values())
    assert key.id.encode() in everything
    for secret in (first, second, OWN):
        assert secret.encode() not in everything
        assert secret[9:].encode() not in everything
        digest = digest_of(secret)
        assert digest in everything  # what is looked for would be found
        assert digest.hex() not in told
        assert repr(digest) not in told
    assert stat.S_IMODE((tmp_path / store.FILE).stat().st_mode) == 0o600


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """And said so."""
    with closing(sqlite3.connect(tmp_path / store.FILE)) as db:
        db.execute("PRAGMA user_version = 9")
    with pytest.raises(sqlite3.DatabaseError, match="version 9"), store.writing(tmp_path):
        pass


def test_there_is_no_such_key(db: sqlite3.Connection) -> None:
    """Whatever is asked of it."""
    for ask in (
        lambda: store.find(db, "key_0"),
        lambda: store.update(db, ADA, "key_0", {}, now=NOW),
        lambda: store.revoke(db, ADA, "key_0", now=NOW),
        lambda: store.rotate(db, ADA, "key_0", 1, now=NOW),
    ):
        with pytest.raises(store.NoSuchKey):
            ask()
