"""``sluicegate keys``, as it is typed."""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from proxy.commands.keys import KeysEdge, add_keys
from proxy.keys import store
from proxy.keys.record import digest_of

Run = Callable[..., int]
NAME = "acme/search/web"


class _Clock:
    """A clock that is set by hand."""

    seconds = 1_800_000_000.0


@pytest.fixture
def clock() -> _Clock:
    """In January 2027."""
    return _Clock()


@pytest.fixture
def run(tmp_path: Path, clock: _Clock) -> Run:
    """Runs the verb with these arguments; the state is in a folder that nobody has made yet."""
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    config, output = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, default=tmp_path / "gateway.yaml")
    output.add_argument("--json", action="store_true")
    add_keys(verbs, config, output, KeysEdge(lambda path: path.parent / "state", "ada", lambda: clock.seconds))

    def run(*words: str) -> int:
        args = parser.parse_args(words)
        code: int = args.run(args)
        return code

    return run


def _created(run: Run, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, str]:
    assert run("create", NAME, "--json", *more) == 0
    found: dict[str, str] = json.loads(capsys.readouterr().out)
    return found


def test_a_key_is_created(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The secret alone is on standard output, so that it can be piped; the file has its hash."""
    options = ("--tier", "basic", "--model", "gpt-*", "--model", "o1", "--route", "chat", "--address", "10.0.0.0/8")
    assert run("create", NAME, *options, "--limit", "60/min", "--expires", "30d") == 0
    told = capsys.readouterr()
    secret = told.out.strip()
    assert secret.startswith("sk-sg-")
    assert secret not in told.err
    with store.writing(tmp_path / "state") as db:
        ((digest, key),) = store.changed(db, 0)
    assert digest == digest_of(secret)
    assert (key.organisation, key.team, key.name, key.created_by) == ("acme", "search", "web", "(command) ada")
    assert (key.tier, key.models, key.routes, key.addresses) == ("basic", ("gpt-*", "o1"), ("chat",), ("10.0.0.0/8",))
    assert (key.limits, key.expires) == (("60/min",), (1_800_000_000 + 30 * 86_400) * 10**6)


def test_list_and_show(run: Run, clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, as lines, and as JSON; neither secret nor hash."""
    made = _created(run, capsys, "--expires", "1h", "--model", "gpt-*")
    clock.seconds += 3600
    for words in (("list",), ("list", "--organisation", "acme"), ("show", made["id"])):
        assert run(*words) == 0
        shown = capsys.readouterr().out
        assert made["id"] in shown
        assert "expired" in shown
        assert made["secret"] not in shown
        assert digest_of(made["secret"]).hex() not in shown
    assert run("list", "--organisation", "other", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run("show", made["id"], "--json") == 0
    assert json.loads(capsys.readouterr().out)["models"] == ["gpt-*"]


def test_rotate_and_revoke(run: Run, clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """The old key works until the overlap is over; one that is revoked does not."""
    made = _created(run, capsys)
    assert run("rotate", made["id"], "--overlap", "1h", "--json") == 0
    new = json.loads(capsys.readouterr().out)
    assert new["secret"] != made["secret"]

    def state(identity: str) -> str:
        assert run("show", identity, "--json") == 0
        found: str = json.loads(capsys.readouterr().out)["state"]
        return found

    assert (state(made["id"]), state(new["id"])) == ("live", "live")
    clock.seconds += 3600
    assert (state(made["id"]), state(new["id"])) == ("expired", "live")
    assert run("revoke", new["id"]) == 0
    assert "revoked" in capsys.readouterr().out
    assert run("rotate", new["id"]) == 1
    assert "for good" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("create", "acme/web"), 2, "organisation/team/key"),
        (("create", "acme//web"), 2, "`team`"),
        (("create", NAME, "--tier", "gold"), 2, "`tier`"),
        (("create", NAME, "--limit", "many"), 2, "`limits`"),
        (("create", NAME, "--address", "10.0.0.1/8"), 2, "`addresses`"),
        (("create", NAME, "--expires", "soon"), 2, "`expires`"),
        (("show", "key_0"), 1, "no key"),
        (("revoke", "key_0"), 1, "no key"),
        (("rotate", "key_0", "--overlap", "soon"), 2, "--overlap"),
        (("rotate", "key_0", "--overlap", "31d"), 2, "30d"),
    ],
)
def test_what_is_refused(
    run: Run, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, told: str
) -> None:
    """With a sentence that says what."""
    assert run(*words) == code
    shown = capsys.readouterr()
    assert told in shown.err
    assert not shown.out


def test_the_audit(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who did what; and that a row was changed."""
    made = _created(run, capsys)
    run("revoke", made["id"], "--json")
    capsys.readouterr()
    assert run("audit") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-2:] for line in lines] == [["key.create", made["id"]], ["key.revoke", made["id"]]]
    assert "(command) ada (owner)" in lines[0]
    assert run("audit", "--json") == 0
    newest = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert run("audit", "--verify", "--json") == 0
    verified = json.loads(capsys.readouterr().out)
    assert verified == {"ok": True, "broken": None, "rows": 2, "head": newest["hash"]}
    with closing(sqlite3.connect(tmp_path / "state" / store.FILE, isolation_level=None)) as db:
        db.execute("DROP TRIGGER audit_is_not_changed")
        db.execute("UPDATE audit SET who = 'eve' WHERE seq = 2")
    assert run("audit", "--verify") == 1
    assert "row 2" in capsys.readouterr().out


def test_a_file_that_is_none(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said in one line."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / store.FILE).write_bytes(b"no database" * 100)
    assert run("list") == 1
    assert "The keys cannot be used: " in capsys.readouterr().err
