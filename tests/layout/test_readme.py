"""The commands of README.md work, in the order in which they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layout.commands import Block, blocks, copy_project, run_block
from tests.layout.tree import ROOT
from tests.support.environment import clean_environment
from tests.support.gateway import Gateway

README = ROOT / "README.md"


def test_blocks_are_found_where_they_stand() -> None:
    page = "# x\n\n```sh\nsluicegate check\n```\ntext\n\n    curl a \\\n      b\n\n    curl c\n"
    page += "\n```console\nmake run\n```\n"
    assert blocks(page) == [
        Block("sh", "sluicegate check\n", 3),
        Block("sh", "curl a \\\n  b\n\ncurl c\n", 8),
        Block("console", "make run\n", 13),
    ]


def test_a_failing_block_is_told(tmp_path: Path) -> None:
    assert run_block(Block("sh", "true\nfalse\ntrue\n", 7), tmp_path, 1) is not None
    assert run_block(Block("sh", "make run\nsluicegate serve\ntrue\n", 7), tmp_path, 1) is None
    assert run_block(Block("python", "raise SystemExit(3)\n", 7), tmp_path, 1) is not None


def test_the_commands_of_the_readme_work(tmp_path: Path) -> None:
    copy_project(tmp_path)
    gateway = Gateway(tmp_path, (tmp_path / "gateway.yaml").read_text())
    try:
        problems = [
            problem for block in blocks(README.read_text()) if (problem := run_block(block, tmp_path, gateway.port))
        ]
    finally:
        gateway.stop()
    assert not problems, "\n\n".join(problems)


def test_the_readme_shows_the_two_commands_and_both_clients() -> None:
    text = README.read_text()
    languages = {block.language for block in blocks(text)}
    assert "make run" in text
    assert "make test" in text
    assert {"sh", "python"} <= languages
    assert languages & {"js", "javascript", "ts"}


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_javascript_of_the_readme_parses(tmp_path: Path) -> None:
    for number, block in enumerate(blocks(README.read_text())):
        if block.language in ("js", "javascript"):
            path = tmp_path / f"block{number}.mjs"
            path.write_text(block.text)
            done = subprocess.run(["node", "--check", str(path)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr


def test_the_files_of_the_readme_pass_check(tmp_path: Path) -> None:
    shown = [block for block in blocks(README.read_text()) if block.language == "yaml" and "routes:" in block.text]
    for block in shown:
        text = re.sub(r"\$\{file:[^}]+\}", "sk-example", block.text)
        path = tmp_path / "gateway.yaml"
        path.write_text(text)
        env = clean_environment(**dict.fromkeys(re.findall(r"\$\{env:(\w+)", text), "sk-example"))
        command = [sys.executable, "-m", "proxy.cli", "check", "--config", str(path)]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"line {block.line}\n{done.stderr}"


def test_links_of_the_readme_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", README.read_text())
    assert not [target for target in targets if not (ROOT / target).exists()]
