"""``sluicegate dev`` short of serving: what it finds, and where it writes it."""

from __future__ import annotations

import argparse
import json
import socket
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from proxy.commands.dev import DevEdge, add_dev

ENVIRON = {"OPENAI_API_KEY": "sk-canary-0123456789", "OLLAMA_HOST": "127.0.0.1:1"}


def run(*words: str) -> int:
    def serve(text: str, listen: str) -> NoReturn:
        raise AssertionError("nothing is to be served")

    parser, output = argparse.ArgumentParser(), argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true")
    add_dev(parser.add_subparsers(), output, DevEdge(serve, ENVIRON))
    args = parser.parse_args(["dev", *words])
    code: int = args.run(args)
    return code


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "--port", "8099") == 0
    out = capsys.readouterr().out
    found = json.loads(out)
    assert found["keys"] == [{"provider": "openai", "variable": "OPENAI_API_KEY"}]
    assert found["file"].startswith("listen: 127.0.0.1:8099\n\nproviders:\n  openai: ")
    assert "canary" not in out


def test_a_file_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Over one that is there only by force."""
    path = tmp_path / "gateway.yaml"
    assert run("--write", str(path)) == 0
    text = path.read_text()
    assert text.startswith("providers:\n  openai: ")
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    assert f"{path}: written" in capsys.readouterr().out
    path.write_text("mine")
    assert run("--write", str(path)) == 1
    assert path.read_text() == "mine"
    assert f"{path} is there already; --force writes over it" in capsys.readouterr().err
    assert run("--write", str(path), "--force") == 0
    assert path.read_text() == text


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--write", str(tmp_path / "none" / "gateway.yaml")) == 1
    assert "No such file" in capsys.readouterr().err


def test_a_port_that_was_asked_for_is_the_only_one(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert run("--port", str(port)) == 1
    assert capsys.readouterr().err == f"port {port} is taken; say with --port which one to take instead\n"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x"])
def test_no_port(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(f"--port={port}")
    assert f"'{port}' is no port: 1 to 65535" in capsys.readouterr().err


def test_force_alone_means_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--force") == 2
    assert "--force belongs to --write" in capsys.readouterr().err
