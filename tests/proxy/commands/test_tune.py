"""``sluicegate cache tune``, as it is typed."""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.commands.tune import add_tune
from proxy.semantic.log import FILE, Samples

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the verb with these arguments."""
    parser = argparse.ArgumentParser()
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true")
    add_tune(parser.add_subparsers(required=True), output, lambda: tmp_path)

    def run(*words: str) -> int:
        args = parser.parse_args(["tune", *words])
        code: int = args.run(args)
        return code

    return run


async def _record(folder: Path, route: str, count: int) -> None:
    """Right from 0.9 on, wrong half of the time below."""
    samples, random_ = Samples(folder), random.Random(1)
    for number in range(count):
        similarity = random_.uniform(0.8, 1.0)
        fields: dict[str, Any] = {"route": route, "request_id": f"req_{number}", "source": "shadow"}
        is_right = similarity >= 0.9 or random_.random() < 0.5
        samples.add(fields | {"similarity": similarity, "is_right": is_right})
    await samples.aclose()


async def test_it_names_a_threshold(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The loosest one that is shown to keep the bound, with the curve."""
    await _record(tmp_path, "chat", 4000)
    assert run("--bound", "1%") == 0
    assert "threshold: 0.9 for 1.00% wrong hits (0 of " in capsys.readouterr().out
    assert run("--route", "chat", "--bound", "1%", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["route"] == "chat"
    assert 0.895 <= found["advice"]["threshold"] <= 0.9
    last = found["curve"][-1]
    assert last["hits"] == 4000
    assert last["wrong"] > 800
    assert last["bound"] > last["wrong"] / last["hits"]


async def test_too_little_is_not_enough(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """20 right ones show nothing."""
    await _record(tmp_path, "chat", 20)
    assert run("--bound", "0.5%") == 0
    assert "no threshold for 0.50% wrong hits" in capsys.readouterr().out


async def test_which_route(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has to be said where there are several, and must be there."""
    assert run() == 1
    assert "shadow: true" in capsys.readouterr().err
    await _record(tmp_path, "chat", 1)
    await _record(tmp_path, "faq", 1)
    assert run() == 2
    assert "--route chat or faq" in capsys.readouterr().err
    assert run("--route", "other") == 2
    assert "Nothing is recorded of 'other'" in capsys.readouterr().err


def test_a_broken_file(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so."""
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    assert run() == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("bound", ["1", "0%", "100%", "much"])
def test_a_bound_is_a_share(bound: str, run: Run) -> None:
    """Wrong use."""
    with pytest.raises(SystemExit):
        run("--bound", bound)
