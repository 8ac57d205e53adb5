"""Every file in ``config/`` with the exact words that its reader gets; ``GOLDEN=write`` writes them, for review."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from policies.table import POLICIES, TARGETS
from proxy.config.compile import Built, Tables, build
from proxy.providers.table import PROVIDERS
from proxy.runtime import Shared

FOLDER = Path(__file__).parent / "config"
CASES = sorted(FOLDER.glob("*.yaml"))
TABLES = Tables(POLICIES, TARGETS, PROVIDERS)
SECRET = "sk-this-must-never-be-shown"
ENVIRONMENT = {"SET": "some-value", "EMPTY": "", "SECRET": SECRET}
NOW = 1780315200.0  # 2026-06-01 12:00 UTC


def _build(case: Path) -> Built:
    return build(Path(case.name), TABLES, environ=ENVIRONMENT, shared=Shared(), generation=1, now=lambda: NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_reader_gets_exactly_these_words(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    built = _build(case)
    text = "".join(f"{line}\n" for line in [*built.problems, *(f"notice: {notice}" for notice in built.notices)])
    expected = case.with_suffix(".txt")
    if os.environ.get("GOLDEN") == "write":
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")
    assert SECRET not in text
    assert (built.runtime is None) == bool(built.problems)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 80
    assert {path.stem for path in FOLDER.glob("*.txt")} == {case.stem for case in CASES}


@pytest.mark.parametrize("case", [case for case in CASES if case.stem.startswith("good-")], ids=lambda case: case.stem)
def test_a_good_file_has_no_problem(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    assert _build(case).problems == ()
