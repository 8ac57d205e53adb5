"""The capability table is printed for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy import cli
from proxy.choosing.capability import Capabilities
from proxy.providers.capabilities import table
from proxy.targets import matrix

_FILE = """
providers:
  openai: {kind: openai, api_key: sk-x, models: {"gpt-4o*": {vision: false, max_output: 999}}}
  sim: {kind: simulated}
routes:
  a: {models: [a], target: {fallback: [openai/gpt-4o, sim/echo]}}
  b: {models: [b], target: openai/gpt-4o}
"""


def test_the_table_is_printed_with_a_line_for_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema", "--matrix"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = lines[1 : lines.index("")]
    assert [line.split()[0] for line in rows] == [f"{kind}/{glob}" for kind, glob, _ in table()]
    assert {line.index("yes") for line in rows if " yes " in line and line.split()[1] == "yes"} == {
        lines[0].index("image")
    }


def test_with_a_file_its_own_targets_are_printed_each_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(_FILE)
    assert cli.main(["schema", "--matrix", "--config", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["target"] for row in found] == ["openai/gpt-4o", "sim/echo"]
    assert (found[0]["vision"], found[0]["max_output"], found[0]["refuses"]) == (False, 999, [])


def test_a_file_with_problems_gives_these(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("routes: {}\n")
    assert cli.main(["schema", "--matrix", "--config", str(path)]) == 2
    assert "providers" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["--json"], ["--config", "x.yaml"]])
def test_what_belongs_to_the_matrix_is_refused_without_it(more: list[str]) -> None:
    assert cli.main(["schema", *more]) == 2


def test_cells_say_what_a_word_alone_would_hide() -> None:
    can = Capabilities(
        json_schema=False,
        json_by_tool=True,
        thinking="effort",
        always_thinks=True,
        max_output=999,
        context=1_047_576,
        refuses=frozenset({"top_k"}),
        refuses_thinking=frozenset({"top_k", "top_p"}),
    )
    head, row = (line.split() for line in matrix.as_text(iter([("a/b", can)])).splitlines())
    cells = dict(zip(head, row, strict=False))
    assert (cells["schema"], cells["thinking"], cells["output"], cells["context"]) == (
        "tool",
        "effort!",
        "999",
        "1048k",
    )
    assert row[-2:] == ["top_k", "(top_p)"]
