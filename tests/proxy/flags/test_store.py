"""What is set, in the file of the issued keys: with a row of the audit, and seen by every process."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from proxy.errors import GatewayError
from proxy.flags import store
from proxy.flags.flag import Flags, Setting
from proxy.keys import audit
from proxy.keys.audit import Actor
from proxy.keys.service import KeyService
from proxy.keys.store import FILE, writing

ADA = Actor("ada", "owner")


def _set(folder: Path, name: str, value: str, reason: str = "") -> None:
    with writing(folder) as db:
        store.change(db, ADA, name, Setting.parse(value), reason, now=7)


def test_a_change_and_its_row_are_one(tmp_path: Path) -> None:
    _set(tmp_path, "new", "25%", "begin")
    _set(tmp_path, "new", "off", "it answers in French")
    _set(tmp_path, "new", "default")
    with writing(tmp_path) as db:
        found = audit.entries(db, 0, 10)
        assert [(row.action, row.object, row.before, row.after) for row in found] == [
            ("flag.set", "new", {"value": "default"}, {"value": "25%", "reason": "begin"}),
            ("flag.set", "new", {"value": "25%"}, {"value": "off", "reason": "it answers in French"}),
            ("flag.set", "new", {"value": "off"}, {"value": "default", "reason": ""}),
        ]
        assert audit.verify_chain(db) is None
        assert store.kept(db) == []


def test_who_set_it_is_kept(tmp_path: Path) -> None:
    """A file without the table has nothing set."""
    with writing(tmp_path) as db:
        assert store.kept(db) == []
    _set(tmp_path, "b", "on", "go")
    _set(tmp_path, "a", "off")
    with writing(tmp_path) as db:
        assert store.kept(db) == [store.Kept("a", "off", "", 7, "ada"), store.Kept("b", "on", "go", 7, "ada")]


def test_there_is_a_bound(tmp_path: Path) -> None:
    _set(tmp_path, "first", "on")
    with writing(tmp_path) as db:
        rows = ((f"f{number}", "on", "", 1, "x") for number in range(store.MAX_FLAGS - 1))
        db.executemany("INSERT INTO flags VALUES (?, ?, ?, ?, ?)", rows)
    with pytest.raises(GatewayError) as caught:
        _set(tmp_path, "one-more", "on")
    assert caught.value.error_code == "too_many_flags"
    _set(tmp_path, "first", "off")


@pytest.mark.parametrize("reason", ["x" * 201, "a\nb", None])
def test_a_reason_is_one_short_line(reason: object) -> None:
    assert store.read_reason("because") == "because"
    with pytest.raises(ValueError, match="`reason` must be"):
        store.read_reason(reason)


async def test_another_process_is_heard_and_a_restart_forgets_nothing(tmp_path: Path) -> None:
    """What this version cannot read is left to the file."""
    _set(tmp_path, "new", "on")
    flags, heard = Flags(), asyncio.Event()
    service = KeyService(tmp_path, beside=store.KeptFlags(flags), every=0.01)
    service.load()
    assert flags.of("new").setting == Setting("on", True)
    flags.on_change = lambda name, value: heard.set()
    await service.start()
    try:
        _set(tmp_path, "new", "off")
        await asyncio.wait_for(heard.wait(), 10)
        assert flags.of("new").setting == Setting("off", False)
        await service.write(lambda db: store.change(db, ADA, "new", Setting.parse("5%"), "", now=8))
        assert flags.of("new").setting == Setting("5%", True, 0.05)  # at once
    finally:
        await service.aclose()
    with writing(tmp_path) as db:
        db.execute("UPDATE flags SET value = 'half' WHERE name = 'new'")
        assert store.KeptFlags(flags).read(db) == {}


def test_a_file_of_an_older_gateway_is_taken_as_it_is(tmp_path: Path) -> None:
    """And an empty one changes nothing."""
    with writing(tmp_path):
        pass
    flags = Flags()
    KeyService(tmp_path, beside=store.KeptFlags(flags)).load()
    assert flags.settings == {}
    _set(tmp_path, "new", "on")
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
