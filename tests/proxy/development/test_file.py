"""The file that is made has no problem and no secret, and says where each model is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from proxy.config.compile import Built, build
from proxy.development.file import file_of, notices_of, sample_of
from proxy.development.services import SERVICES, Server, keys_in
from proxy.runtime import Runtime, Shared
from tests.support.compiled import make_exchange
from tests.support.config import TABLES

ALL = {service.keys[0]: f"sk-canary-{service.name}" for service in SERVICES}
OLLAMA = Server("ollama", "http://127.0.0.1:11434/v1", ("llama3.2:latest", "gpt-oss:20b"))
VLLM = Server("vllm", "http://127.0.0.1:8000/v1", ("meta-llama/Llama-3.1-8B", "gpt-oss:20b", 'a"b: #${HOME}'))
EMPTY = Server("lmstudio", "http://127.0.0.1:1234/v1")


def built(tmp_path: Path, environ: dict[str, str], *servers: Server) -> Built:
    path = tmp_path / "gateway.yaml"
    path.write_text(file_of(keys_in(environ), servers), encoding="utf-8")
    assert "canary" not in path.read_text()
    found = build(path, TABLES, environ=environ, shared=Shared(), generation=1, now=time.time)
    assert found.problems == ()
    assert found.notices == ()
    return found


def route(runtime: Runtime | None, model: str) -> str | None:
    assert runtime is not None
    x: Any = make_exchange()
    x.model = model
    pipeline = runtime.router.match(x, {})
    return next((entry.rule.name for entry in runtime.router.entries if entry.pipeline is pipeline), None)


@pytest.mark.parametrize("servers", [(), (OLLAMA,), (OLLAMA, EMPTY, VLLM), (EMPTY,)])
@pytest.mark.parametrize(
    "environ",
    [{}, ALL, *({name: "sk-canary"} for name in ALL), {"OPENAI_API_KEY": "sk-canary", "GROQ_API_KEY": "canary"}],
    ids=lambda environ: "+".join(environ) if len(environ) < 3 else "all",
)
def test_no_problem(tmp_path: Path, environ: dict[str, str], servers: tuple[Server, ...]) -> None:
    assert built(tmp_path, environ, *servers).runtime is not None


def test_each_model_has_its_provider(tmp_path: Path) -> None:
    runtime = built(tmp_path, ALL, OLLAMA, EMPTY, VLLM).runtime
    wanted = {
        "gpt-4o-mini": "openai",
        "o3-mini": "openai",
        "text-embedding-3-small": "openai",
        "claude-sonnet-4-5": "anthropic",
        "gemini-2.5-flash": "gemini",
        "mistral-small-latest": "mistral",
        "open-mixtral-8x22b": "mistral",
        "command-r-plus": "cohere",
        "deepseek-chat": "deepseek",
        "grok-4": "xai",
        "glm-4.6": "zai",
        "llama3.2": "ollama",
        "llama3.2:latest": "ollama",
        "gpt-oss:20b": "ollama",
        "meta-llama/Llama-3.1-8B": "vllm",
        'a"b: #${HOME}': "vllm",
        "llama-3.3-70b-versatile": "others",
        "anthropic/claude-sonnet-4.5": "others",
        "": "others",
    }
    assert {model: route(runtime, model) for model in wanted} == wanted


def test_what_nobody_has_is_refused_where_nobody_could_have_it(tmp_path: Path) -> None:
    runtime = built(tmp_path, {"ANTHROPIC_API_KEY": "sk-canary"}, OLLAMA).runtime
    assert [route(runtime, model) for model in ("claude-opus-4-5", "gpt-4o")] == ["anthropic", None]


def test_files_and_batches_go_to_openai(tmp_path: Path) -> None:
    assert route(built(tmp_path, {"OPENAI_API_KEY": "sk-canary"}).runtime, "") == "others"


def test_nothing_is_simulated(tmp_path: Path) -> None:
    runtime = built(tmp_path, {}, EMPTY).runtime
    assert route(runtime, "anything") == "everything"
    assert notices_of([], [EMPTY]) == [
        "lmstudio at http://127.0.0.1:1234/v1 has no model yet",
        "no key and no local model was found, so a simulated provider answers, with made-up text",
        "for real answers set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or another key, or start Ollama, "
        "and run this again",
    ]


def test_what_is_not_reached_is_told() -> None:
    keys = keys_in({"ZAI_API_KEY": "a", "ZHIPU_API_KEY": "b"})
    assert notices_of(keys, [OLLAMA, VLLM]) == [
        "gpt-oss:20b of vllm is not reached: ollama has a model of that name",
        "zhipu is not reached: zai has the same models",
    ]


def test_a_model_to_try() -> None:
    openai = keys_in({"OPENAI_API_KEY": "a"})
    assert sample_of(openai, [OLLAMA]) == "gpt-4o-mini"
    assert sample_of([], [EMPTY, OLLAMA]) == "llama3.2:latest"
    assert sample_of(keys_in({"XAI_API_KEY": "a"}), []) == "MODEL"
    assert sample_of([], []) == "any"
