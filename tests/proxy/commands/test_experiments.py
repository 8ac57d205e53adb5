"""``sluicegate experiments``, as it is typed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.commands import Edge, Place
from proxy.commands.experiments import add_experiments
from tests.support.experiments import MIRROR, NOW, lived, mirrored_file, record, told, write

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command with these arguments; the gateway's state is in ``here``."""

    def go(*words: str) -> int:
        edge = Edge(lambda _: Place(tmp_path), {}, lambda: NOW)
        parser = argparse.ArgumentParser(prog="sluicegate")
        output = argparse.ArgumentParser(add_help=False)
        output.add_argument("--json", action="store_true")
        add_experiments(parser.add_subparsers(required=True), output, edge, lambda: tmp_path / "here")
        args = parser.parse_args(["experiments", *words])
        code: int = args.run(args)
        return code

    return go


def test_all_are_listed_with_their_verdicts(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, and as JSON."""
    lived(tmp_path / "here", 1200, lambda arm: 0.7 if arm == "concise" else 0.4)
    assert run("list") == 0
    assert "concise is better than control" in capsys.readouterr().out
    assert run("list", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["name"], found["subjects"], found["variants"]) == ("short", 1200, ["control", "concise"])


def test_one_is_shown_as_the_file_had_it(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Variants, outcomes, guards."""
    write(tmp_path / "here", [record()])
    assert run("show", "short") == 0
    shown = capsys.readouterr().out
    for line in ("control 50% (control)", "solved: boolean, higher is better, decides", "latency: at most 10% worse"):
        assert line in shown
    assert run("show", "short", "--json") == 0
    assert json.loads(capsys.readouterr().out)["arms"] == ["control", "concise"]


def test_a_report_is_a_table_json_and_a_page(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of all replicas that are named."""
    write(tmp_path / "a", [record()])
    write(tmp_path / "b", [record("bob", "concise")])
    both = ("--state", str(tmp_path / "a"), "--state", str(tmp_path / "b"))
    assert run("report", "short", *both) == 0
    assert "2 subjects, 2 requests" in capsys.readouterr().out
    assert run("report", "short", "--json", *both) == 0
    assert json.loads(capsys.readouterr().out)["subjects"] == [1, 1]
    assert run("report", "short", "--html", str(tmp_path / "page.html"), *both) == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("words", [("list",), ("show", "short"), ("report", "short")])
def test_without_records_it_has_failed(run: Run, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """And says what begins them."""
    assert run(*words) == 1
    assert "nothing was recorded yet" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["show", "report"])
def test_an_unknown_name_is_said(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    """Exit code 1."""
    write(tmp_path / "here", [])
    assert run(verb, "long") == 1
    assert "no experiment 'long'" in capsys.readouterr().err


def test_mirrors_are_listed_and_reported(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By `show` and `report` alike; as a table, JSON and a page."""
    mirrored_file(tmp_path / "here", [told(number) for number in range(200)])
    assert run("list") == 0
    assert "sim/next has a lower latency" in capsys.readouterr().out
    assert run("list", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == MIRROR
    for verb in ("show", "report"):
        assert run(verb, MIRROR) == 0
        assert "same_text" in capsys.readouterr().out
        assert run(verb, MIRROR, "--json") == 0
        assert json.loads(capsys.readouterr().out)["requests"] == 200
    page = tmp_path / "mirror.html"
    assert run("report", MIRROR, "--html", str(page)) == 0
    assert page.read_text().startswith("<!doctype html>")
