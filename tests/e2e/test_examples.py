"""Every example can be checked, started and used as its page says; so can the default file."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from proxy.cli import main
from proxy.config.compile import build
from proxy.runtime import Shared
from tests.layout.commands import blocks, copy_project, run_block
from tests.support.config import TABLES
from tests.support.environment import ROOT
from tests.support.gateway import Gateway
from tests.support.postgres import Postgres

EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
FILES = [ROOT / "gateway.yaml", *(path / "gateway.yaml" for path in EXAMPLES)]
IDS = [path.parent.name for path in FILES]


def _environment(text: str) -> dict[str, str]:
    """A value for every variable that the file names, so that nothing of it is pruned."""
    return dict.fromkeys(re.findall(r"\$\{env:(\w+)", text), "sk-example")


CASES = sorted((ROOT / "examples").glob("*/gateway.test.yaml"))


@contextmanager
def _with_its_database(text: str) -> Iterator[str]:
    """The file beside a PostgreSQL server, if it names one: a gateway without its ledger does not start."""
    if "postgresql://" not in text:
        yield text
        return
    server = Postgres()
    try:
        yield re.sub(r"postgresql://\S+", server.url(), text)
    finally:
        server.close()


def test_there_are_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_a_file_and_a_page(folder: Path) -> None:
    assert (folder / "gateway.yaml").is_file()
    assert (folder / "README.md").read_text().startswith("# ")


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_an_example_names_its_schema_for_editors(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found is not None
    assert (path.parent / found.group(1)).resolve() == ROOT / "schemas" / "gateway.json"


@pytest.mark.parametrize("with_keys", [True, False], ids=["with keys", "without keys"])
@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_an_example_has_no_problem(path: Path, with_keys: bool) -> None:
    environ = _environment(path.read_text()) if with_keys else {}
    built = build(path, TABLES, environ=environ, shared=Shared(), generation=1, now=time.time)
    assert built.problems == ()


def test_some_examples_have_cases() -> None:
    assert len(CASES) >= 6


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_the_cases_of_an_example_pass(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each names its schema, and is about the file beside it."""
    first = path.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schemas/test.json"
    assert main(["test", "--config", str(path.with_name("gateway.yaml"))]) == 0, capsys.readouterr().out


def test_the_default_file_starts_and_is_ready(gateway: Callable[..., Gateway]) -> None:
    text = FILES[0].read_text()
    running = gateway(text, env=_environment(text))
    status, body = running.get("/readyz")
    assert status == 200, body
    assert json.loads(body)["generation"] == 1
    assert running.get("/v1/models")[0] in (200, 401)


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda path: path.name)
def test_the_commands_of_an_example_work(folder: Path, tmp_path: Path) -> None:
    copy_project(tmp_path)
    name = os.fspath(folder.relative_to(ROOT) / "gateway.yaml")
    with _with_its_database(folder.joinpath("gateway.yaml").read_text()) as text:
        running = Gateway(tmp_path, text, name=name)
        try:
            assert running.get("/readyz")[0] == 200
            page = (folder / "README.md").read_text()
            problems = [problem for block in blocks(page) if (problem := run_block(block, tmp_path, running.port))]
        finally:
            running.stop()
    assert not problems, "\n\n".join(problems)
