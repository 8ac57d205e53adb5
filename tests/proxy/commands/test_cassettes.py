"""`sluicegate record` and `sluicegate replay`: the files that they serve, which have no problem and no secret."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import pytest

from proxy.cassettes.cassette import append, begin
from proxy.commands.cassettes import CassettesEdge, add_record, add_replay, run_replay
from proxy.config.compile import build
from proxy.runtime import Shared
from tests.support.config import TABLES

ENVIRON = {"OPENAI_API_KEY": "sk-canary-0123456789", "GROQ_API_KEY": "gsk-canary", "ANTHROPIC_API_KEY": "sk-ant"}


class Ran:
    """A command as it was typed, and what it served."""

    def __init__(self, tmp_path: Path, *argv: str) -> None:
        self.text, self.listen = "", ""

        def serve(text: str, listen: str) -> int:
            self.text, self.listen = text, listen
            return 0

        parser = argparse.ArgumentParser()
        edge = CassettesEdge(serve, ENVIRON)
        commands = parser.add_subparsers()
        add_record(commands, edge)
        replay = commands.add_parser("replay")
        add_replay(replay)
        replay.set_defaults(run=lambda args: run_replay(args, edge))
        args = parser.parse_args(argv)
        assert args.run(args) == 0
        path = tmp_path / "made.yaml"
        path.write_text(self.text)
        self.built = build(path, TABLES, environ=ENVIRON, shared=Shared(), generation=1, now=time.time)

    @property
    def file(self) -> Any:
        """What is in it."""
        return json.loads(self.text)


@pytest.mark.parametrize(
    ("upstream", "provider"),
    [
        (["openai"], {"kind": "openai", "api_key": "${env:OPENAI_API_KEY}"}),
        (["anthropic"], {"kind": "anthropic", "api_key": "${env:ANTHROPIC_API_KEY}"}),
        (["groq"], {"kind": "openai", "preset": "groq", "api_key": "${env:GROQ_API_KEY}"}),
        (["http://127.0.0.1:9/v1", "--kind", "mistral"], {"kind": "mistral", "base_url": "http://127.0.0.1:9/v1"}),
        (
            ["http://127.0.0.1:9/v1", "--key-env", "GROQ_API_KEY"],
            {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": "${env:GROQ_API_KEY}"},
        ),
    ],
)
def test_record(upstream: list[str], provider: dict[str, str], tmp_path: Path) -> None:
    ran = Ran(tmp_path, "record", "--cassette", str(tmp_path / "c.yaml"), "--upstream", *upstream)
    assert ran.built.problems == ()
    assert ran.file["providers"] == {"upstream": provider}
    (policy,) = ran.file["routes"]["all"]["policies"]
    assert policy["record"]["cassette"] == str(tmp_path / "c.yaml")
    assert policy["record"]["mode"] == "once"
    assert ran.listen == "127.0.0.1:8080"
    assert "canary" not in ran.text


def test_record_once_needs_no_provider_where_there_is_a_cassette(tmp_path: Path) -> None:
    begin(tmp_path / "c.yaml")
    ran = Ran(tmp_path, "record", "--cassette", str(tmp_path / "c.yaml"), "--upstream", "cohere")
    assert ran.built.problems == ()
    assert [one["kind"] for one in ran.file["providers"].values()] == ["replay"]


def test_replay(tmp_path: Path) -> None:
    """Several are looked through in turn."""
    files = [tmp_path / "a.yaml", tmp_path / "${odd}.yaml"]
    for file in files:
        append(file, [])
    one = Ran(tmp_path, "replay", str(files[0]), "--speed", "2x", "--match", "strict", "--listen", "127.0.0.1:0")
    assert one.built.problems == ()
    assert one.listen == "127.0.0.1:0"
    assert one.file["routes"]["all"]["target"] == "cassette1/*"
    both = Ran(tmp_path, "replay", *map(str, files))
    assert both.built.problems == ()
    assert both.file["routes"]["all"]["target"] == {"fallback": ["cassette1/*", "cassette2/*"]}
