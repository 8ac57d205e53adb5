"""``sluicegate test``, as it is typed."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from proxy.commands.test import TestEdge, WrongFile, add_test, beside
from proxy.rehearsal.cases import Suite
from proxy.rehearsal.play import Compile
from tests.support.cases import suite_of
from tests.support.config import NOW

CONFIG = """
providers: {sim: {kind: simulated}}
routes: {chat: {models: [fast], target: sim/echo}}
"""
GOOD = "cases: [{name: good, given: {request: {model: fast}}, expect: {target: sim/echo}}]"
BAD = "cases: [{name: bad, given: {request: {model: fast}}, expect: {target: sim/other}}]"

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command on these cases."""

    def go(cases: str, *words: str) -> int:
        suite, compile = suite_of(tmp_path, CONFIG, cases)

        def read(config: Path, path: Path) -> Suite:
            if path.name != "gateway.test.yaml":
                raise WrongFile(f"{path}: 1 problem")
            return suite

        def of(config: Path, environment: Mapping[str, str]) -> Compile:
            return compile

        edge = TestEdge(read, of, lambda why: f"route {why.route}", {}, lambda: NOW)
        parser = argparse.ArgumentParser(prog="sluicegate")
        config, output = argparse.ArgumentParser(add_help=False), argparse.ArgumentParser(add_help=False)
        config.add_argument("--config", type=Path, default=tmp_path / "gateway.yaml")
        output.add_argument("--json", action="store_true")
        add_test(parser.add_subparsers(required=True), config, output, edge)
        args = parser.parse_args(["test", *words])
        code: int = args.run(args)
        return code

    return go


def test_cases_stand_beside_their_configuration() -> None:
    assert beside(Path("a/gateway.yaml")) == Path("a/gateway.test.yaml")
    assert beside(Path("new.yml")) == Path("new.test.yaml")


def test_exit_codes(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """0 all pass, 1 some fail, 2 a wrong file."""
    assert run(GOOD) == 0
    assert capsys.readouterr().out == "ok      good\n1 case passed\n"
    assert run(BAD) == 1
    assert "expected sim/other" in capsys.readouterr().out
    assert run(GOOD, "other.yaml") == 2
    assert capsys.readouterr().err == "other.yaml: 1 problem\n"


def test_formats(run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """On standard output, or into a file."""
    assert run(BAD, "--format", "tap") == 1
    assert capsys.readouterr().out.startswith("TAP version 14\n1..1\nnot ok 1 - bad\n")
    assert run(BAD, "--json") == 1
    found = json.load(io.StringIO(capsys.readouterr().out))
    assert found["cases"][0]["attempts"] == [["sim/echo", "ok"]]
    assert run(GOOD, "--format", "junit", "--output", str(tmp_path / "results.xml")) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"{tmp_path / 'results.xml'}: 1 case, 0 failed\n")
    assert (tmp_path / "results.xml").read_text().startswith("<?xml")


def test_a_failing_case_is_explained(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Who was asked, and why."""
    run(BAD)
    lines = capsys.readouterr().out.splitlines()
    assert "          asked     sim/echo: ok" in lines
    assert "          route chat" in lines
