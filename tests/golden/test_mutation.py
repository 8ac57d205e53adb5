"""CFG-01 and CFG-04: two thousand files, each one edit away from a valid one, and every one of them refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from policies.table import POLICIES, TARGETS
from proxy import cli
from proxy.config.compile import Built, Tables, build
from proxy.providers.table import PROVIDERS
from proxy.runtime import Shared
from tests.golden.mutation import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    ROOT / "gateway.yaml",
    *sorted((ROOT / "examples").glob("*/gateway.yaml")),
    *sorted((Path(__file__).parent / "config").glob("good-*.yaml")),
]
MUTANTS = 2000
TABLES = Tables(POLICIES, TARGETS, PROVIDERS)
ENVIRONMENT = {"SET": "some-value", "OPENAI_API_KEY": "sk-one", "GROQ_API_KEY": "sk-two"}


def _name(path: Path) -> str:
    return path.parent.name if path.name == "gateway.yaml" else path.stem


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(Path(__file__).parent / "config" / "parts", tmp_path / "parts")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _build(path: Path) -> Built:
    return build(path, TABLES, environ=ENVIRONMENT, shared=Shared(), generation=1, now=lambda: 1780315200.0)


def _complaint(built: Built, mutant: Mutant) -> str | None:
    """What is wrong with the answer to a mutant; None if its author would know what to do."""
    if not built.problems:
        return "accepted"
    if built.runtime is not None or built.config is not None:
        return "a runtime in spite of problems"
    for problem in built.problems:
        if not (problem.line and problem.col and problem.message and str(problem).startswith(f"{problem.file}:")):
            return f"no position or reason: {problem}"
        if not problem.path and problem.line > 1 and "U+" not in problem.message and mutant.kind not in _WITHOUT_PATH:
            return f"no path: {problem}"
    if mutant.line and mutant.line not in {problem.line for problem in built.problems}:
        return f"not at line {mutant.line}: {[str(problem) for problem in built.problems]}"
    if mutant.hint and not any(problem.suggestion for problem in built.problems if problem.line == mutant.line):
        return f"no suggestion: {[str(problem) for problem in built.problems]}"
    return None


# Broken syntax or bytes at the top level stand below no key.
_WITHOUT_PATH = {"bracket removed", "garbage", "tab", "duplicate key"}


@pytest.mark.parametrize("source", SOURCES, ids=_name)
def test_every_single_edit_that_breaks_a_file_is_refused_with_place_and_reason(source: Path, folder: Path) -> None:
    data = source.read_bytes()
    target = folder / "gateway.yaml"
    target.write_bytes(data)
    if (source.parent / "cassettes").is_dir():  # what it names
        shutil.copytree(source.parent / "cassettes", folder / "cassettes")
    assert _build(Path("gateway.yaml")).problems == ()
    wrong = []
    for mutant in mutants(data, _name(source), -(-MUTANTS // len(SOURCES))):
        target.write_bytes(mutant.data)
        if complaint := _complaint(_build(Path("gateway.yaml")), mutant):
            wrong.append(f"{mutant.kind}: {complaint}\n{mutant.data.decode(errors='replace')}")
    assert not wrong, f"{len(wrong)} mutants\n" + "\n".join(wrong[:5])


@pytest.mark.parametrize("source", SOURCES, ids=_name)
def test_check_and_serve_say_the_same(source: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The words of ``build``, from both commands, without a socket."""
    target = folder / "gateway.yaml"
    for mutant in mutants(source.read_bytes(), ("cli", _name(source)), 5):
        target.write_bytes(mutant.data)
        said = []
        for command in ("check", "serve"):
            assert cli.main([command, "--config", "gateway.yaml"]) == cli.WRONG
            said.append([line for line in capsys.readouterr().err.splitlines() if line.startswith("gateway.yaml:")])
        assert said[0][:-1] == said[1][: len(said[0]) - 1]
        assert said[0]
