"""The command line's own part; what the commands do stands in tests/e2e/test_commands.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policies.table import POLICIES, TARGETS
from proxy import cli
from proxy.policy import Choice
from proxy.rehearsal.explain import Explanation


def test_the_tables_are_those_of_the_house() -> None:
    """The one place where they meet."""
    assert (cli.TABLES.policies, cli.TABLES.targets) == (POLICIES, TARGETS)


@pytest.mark.parametrize("command", ["serve", "check", "explain", "schema", "keys", "version"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence in the list, and its own page."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    assert re.search(rf"^    {command} +\w", capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0


def test_the_file_comes_from_the_environment_if_not_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """SLUICEGATE_CONFIG; the argument wins."""
    monkeypatch.setenv("SLUICEGATE_CONFIG", str(tmp_path / "a.yaml"))
    assert cli.main(["check"]) == 2
    assert "a.yaml" in capsys.readouterr().err
    assert cli.main(["check", "--config", str(tmp_path / "b.yaml")]) == 2
    assert "b.yaml" in capsys.readouterr().err


def test_an_explanation_reads_from_top_to_bottom() -> None:
    """Chosen branches have an arrow, others a dot; a long body is shortened."""
    tree = Choice(
        "fallback", True, "the first that answers", (Choice("a/x", True, "now"), Choice("b/y", False, "later"))
    )
    found = Explanation(
        generation=1,
        method="POST",
        path="/v1/chat/completions",
        model="fast",
        stream=True,
        route="chat",
        policies=[("authenticate", "caller is a/b/c")],
        target=tree,
        forwarded_headers=["accept"],
        body="x" * 500,
        dropped=("top_k", "logit_bias"),
        refusal=None,
    )
    lines = cli._describe(found).splitlines()
    assert lines[:3] == [
        "POST /v1/chat/completions  model=fast  stream=yes",
        "route     chat",
        "policy    authenticate: caller is a/b/c",
    ]
    assert lines[3:7] == ["target", "  → fallback: the first that answers", "    → a/x: now", "    · b/y: later"]
    assert lines[-2].endswith("… (500 characters)")
    assert lines[-1] == "dropped   top_k, logit_bias"
