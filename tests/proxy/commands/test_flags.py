"""``sluicegate flags``, as it is typed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.commands.flags import add_flags
from proxy.commands.keys import KeysEdge
from proxy.flags import store
from proxy.flags.table import Place, Table
from proxy.keys import audit
from proxy.keys.store import writing

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the verb with these arguments; ``broken.yaml`` cannot be read."""
    table = Table()
    table.add("new", Place("chat", "routes.chat.target", "sim/x", True, "10% by user"))
    table.add("new", Place("chat", "routes.chat.policies[1]", "queue", False, None))
    parser = argparse.ArgumentParser()
    config, output = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, default=tmp_path / "gateway.yaml")
    output.add_argument("--json", action="store_true")
    edge = KeysEdge(lambda path: tmp_path / "state", "ada", lambda: 1_800_000_000.0)
    commands = parser.add_subparsers(required=True)
    add_flags(commands, config, output, edge, lambda path: None if path.name == "broken.yaml" else table)

    def run(*words: str) -> int:
        args = parser.parse_args(["flags", *words])
        code: int = args.run(args)
        return code

    return run


def test_a_flag_is_set_and_listed(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("set", "new", "25%", "--reason", "begin") == 0
    assert capsys.readouterr().out == "new: 25%\n"
    assert run("list") == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    words = [[word.strip() for word in line if word.strip()] for line in lines]
    assert words == [
        ["flag", "set to", "in the file", "what", "reason"],
        ["new", "25%", "10% by user", "chat: sim/x", "begin"],
        ["off", "chat: queue"],
    ]
    with writing(tmp_path / "state") as db:
        (row,) = audit.entries(db, 0, 10)
    assert (row.who, row.action, row.object) == ("(command) ada", "flag.set", "new")
    assert run("set", "new", "default", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"name": "new", "value": "default"}
    assert run("list", "--json") == 0
    assert json.loads(capsys.readouterr().out)["flags"][0]["value"] == "default"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nev", "on"), "did you mean 'new'?"),
        (("new", "half"), "none of: on, off, default"),
        (("new", "101%"), "more than 100%"),
        (("a b", "on"), "no name of a flag"),
        (("new", "on", "--reason", "x" * 201), "`reason` must be"),
    ],
)
def test_wrong_use(
    run: Run, tmp_path: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("set", *words) == 2
    assert said in capsys.readouterr().err
    with writing(tmp_path / "state") as db:
        assert store.kept(db) == []


def test_a_broken_file_keeps_nobody_from_switching(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The gateway serves on with what it had before."""
    broken = str(tmp_path / "broken.yaml")
    assert run("set", "anything", "off", "--config", broken) == 0
    assert "cannot be read" in capsys.readouterr().err
    assert run("list", "--config", broken) == 0
    assert "anything  off" in capsys.readouterr().out
