"""The printed lines are what a shell takes as it was meant."""

from __future__ import annotations

import json
import shlex

from proxy.development.ready import ready

URL = "http://127.0.0.1:8080"


def words(lines: list[str], title: str) -> list[str]:
    (line,) = [line for line in lines if line.strip().startswith(title)]
    return shlex.split(line.strip().removeprefix(title))


def test_clients() -> None:
    lines = ready(URL, "m", has_claude=False)
    assert words(lines, "OpenAI") == ["export", f"OPENAI_BASE_URL={URL}/v1"]
    assert words(lines, "Anthropic") == ["export", f"ANTHROPIC_BASE_URL={URL}"]
    assert words(lines, "Gemini") == ["export", f"GOOGLE_GEMINI_BASE_URL={URL}"]


def test_agents() -> None:
    """A model's name may hold what a shell would take for something else."""
    model = "it's $HOME"
    lines = ready(URL, model, has_claude=False)
    assert words(lines, "Claude Code")[2:] == ["claude", "--model", model]
    assert words(lines, "aider")[-2:] == ["--model", f"openai/{model}"]
    codex = words(lines, "Codex")
    assert codex[:5] == ["codex", "--model", model, "-c", "model_provider=sluicegate"]
    assert f'model_providers.sluicegate.base_url="{URL}/v1"' in codex
    setting, *opencode = words(lines, "opencode")
    assert opencode == ["opencode", "--model", f"sluicegate/{model}"]
    config = json.loads(setting.partition("=")[2])
    assert config["provider"]["sluicegate"]["options"]["baseURL"] == f"{URL}/v1"
    assert model in config["provider"]["sluicegate"]["models"]


def test_claude_code_knows_its_own_models() -> None:
    assert words(ready(URL, "m", has_claude=True), "Claude Code")[-1] == "claude"
