"""`sluicegate test` and `sluicegate replay --ledger`, as they are typed."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from contextlib import closing
from pathlib import Path

import pytest

from proxy.cli import main
from proxy.ledger.export import Selection, SqliteSource, pages
from proxy.ledger.postgres import PostgresSink
from proxy.ledger.row import Row
from proxy.ledger.sqlite import SqliteSink
from tests.support.nursery import sluicegate
from tests.support.postgres import Postgres

CONFIG = """
providers:
  openai: {kind: openai, api_key: "${env:OPENAI_API_KEY}", optional: true}
  sim: {kind: simulated}
routes:
  chat:
    models: [fast]
    target: {fallback: [openai/gpt-4o-mini, sim/echo]}
"""
CASES = """
environment: {OPENAI_API_KEY: sk-test}
cases:
  - name: OpenAI answers
    given: {request: {model: fast}, upstream: {openai: {usage: {input: 1000, output: 200}}}}
    expect: {target: openai/gpt-4o-mini, cost: $0.00027}
  - name: nobody helps out
    given: {request: {model: fast}, upstream: {openai: down}}
    expect: {target: openai/gpt-4o-mini}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration, its cases, and a ledger."""
    (tmp_path / "gateway.yaml").write_text(CONFIG)
    (tmp_path / "gateway.test.yaml").write_text(CASES)
    sink = SqliteSink(tmp_path / "ledger.sqlite")
    at = 1_790_000_000_000_000
    old = {"asked": "fast", "provider": "openai", "model": "gpt-4o-mini", "input": 1000, "output": 200}
    rows = [Row(f"a{n}", f"r{n}", 1, at + n, at, "ok", cost=270_000, **old) for n in range(3)]  # type: ignore[arg-type]
    sink.write([*rows, Row("b", "rb", 1, at + 9, at, "ok", asked="gone", provider="sim", model="x")], [])
    sink.close()
    return tmp_path


def test_cases_without_a_key_or_a_network(folder: Path) -> None:
    """The environment of the file stands in for the real one; the exit code tells that one case fails."""
    done = sluicegate("test", folder=folder)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "ok      OpenAI answers"
    assert lines[1] == "failed  nobody helps out  gateway.test.yaml:7:11"
    assert "          target: expected openai/gpt-4o-mini" in lines
    assert "          asked     openai/gpt-4o-mini: unavailable, sim/echo: ok" in lines
    assert any("fallback: the first that answers" in line for line in lines)
    assert lines[-1] == "2 cases, 1 failed"


def test_past_traffic_through_another_file(folder: Path) -> None:
    """Without the account all goes to the simulation, which is free; what no route answers is refused."""
    done = sluicegate("replay", "--ledger", "ledger.sqlite", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["requests"], found["same"]) == (4, 0)
    assert found["elsewhere"] == [
        {"from": "openai/gpt-4o-mini", "to": "sim/echo", "requests": 3, "before": "0.000810000", "after": "0.000000000"}
    ]
    assert [(one["by"], one["code"], one["requests"]) for one in found["refused"]] == [(None, "model_not_found", 1)]


def test_past_traffic_of_a_shared_ledger(folder: Path) -> None:
    """From PostgreSQL: the same rows give the same report."""
    server = Postgres()
    try:
        url = server.fresh("ledger")
        sink = PostgresSink(url)
        with closing(SqliteSource(folder / "ledger.sqlite")) as source:
            rows = [row for page in pages(source, Selection()) for _, row in page]
        sink.write(rows, [])
        sink.close()
        done = [sluicegate("replay", "--ledger", one, "--json", folder=folder) for one in ("ledger.sqlite", url)]
    finally:
        server.close()
    assert [one.returncode for one in done] == [0, 0], done[1].stderr
    here, there = (json.loads(one.stdout) | {"seconds": 0} for one in done)
    assert here == there
    assert here["requests"] == 4


def test_wrong_files_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with the place of every problem: of the cases, and of the configuration."""
    config, cases = folder / "gateway.yaml", folder / "gateway.test.yaml"
    cases.write_text(CASES.replace("openai: down", "opnai: down"))
    assert main(["test", "--config", str(config)]) == 2
    told = capsys.readouterr().err
    assert ':8:48 cases[1].given.upstream.opnai: the configuration has no provider "opnai"' in told
    config.write_text(CONFIG.replace("sim/echo", "smi/echo"))
    assert main(["test", "--config", str(config)]) == 2
    assert 'did you mean "sim' in capsys.readouterr().err
    assert main(["replay", "--ledger", str(folder / "ledger.sqlite"), "--config", str(config)]) == 2
    assert main(["test", "--config", str(folder / "none.yaml"), str(cases)]) == 2


def test_junit_for_a_pipeline(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--config", str(folder / "gateway.yaml"), "--format", "junit"]) == 1
    root = ElementTree.fromstring(capsys.readouterr().out)
    assert root.get("failures") == "1"


def test_a_table_of_what_would_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a ledger it says so; without an argument that nothing was asked for."""
    config = str(folder / "gateway.yaml")
    assert main(["replay", "--ledger", str(folder / "ledger.sqlite"), "--config", config]) == 0
    shown = capsys.readouterr().out
    assert "would have gone elsewhere" in shown
    assert "openai/gpt-4o-mini  sim/echo" in shown
    assert "cost: $0.00081 then, $0 now (-100.0%)" in shown
    assert main(["replay", "--ledger", str(folder / "none.sqlite"), "--config", config]) == 1
    with pytest.raises(SystemExit) as left:
        main(["replay", "--config", config])
    assert left.value.code == 2
