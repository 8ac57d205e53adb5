"""What a model can do is read from the table, by the most special row, and from the file over that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.choosing.capability import Capabilities
from proxy.providers.capabilities import Known, ModelConfig, capabilities_of, check_models, table

MANY = 3000


@pytest.mark.parametrize(
    ("kind", "model", "expected"),
    [
        ("openai", "gpt-4o-mini", {"max_output": 16_384, "thinking": "none", "prompt_cache": "automatic"}),
        ("openai", "GPT-4o-2024-05-13", {"max_output": 4096, "json_schema": False}),
        ("azure_openai", "o3", {"thinking": "effort", "always_thinks": True, "parallel_tools": False}),
        ("openai", "gpt-5.1", {"refuses": frozenset()}),
        ("openai", "llama3.2", {"max_output": None, "thinking": "effort", "audio": True, "count_tokens": False}),
        ("anthropic", "claude-opus-4-20250514", {"max_output": 32_000, "thinking": "budget"}),
        ("anthropic", "claude-opus-4-1-20250805", {"max_output": 32_000}),
        ("anthropic", "claude-sonnet-4-5", {"max_output": 64_000, "json_schema": True}),
        ("anthropic", "claude-sonnet-4-6", {"thinking": "adaptive", "refuses": frozenset()}),
        ("anthropic", "claude-opus-4-8", {"refuses": frozenset({"temperature", "top_p", "top_k"})}),
        ("anthropic", "claude-haiku-9", {"thinking": "adaptive", "always_thinks": False}),
        ("anthropic", "claude-fable-5-2", {"always_thinks": True}),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", {"prompt_cache": "marks", "max_output": 64_000}),
        ("bedrock", "eu.amazon.nova-micro-v1:0", {"vision": False, "max_output": 10_000}),
        ("bedrock", "meta.llama3-70b-instruct-v1:0", {"tools": False}),
        ("bedrock", "meta.llama3-1-70b-instruct-v1:0", {"tools": True, "vision": False}),
        ("gemini", "gemini-2.5-flash", {"thinking": "budget", "audio": True, "max_output": 65_536}),
        ("vertex", "gemini-3-pro-preview", {"thinking": "level"}),
        ("gemini", "gemini-2.0-flash", {"thinking": "none", "max_output": 8192}),
        ("mistral", "codestral-latest", {"vision": False}),
        ("deepseek", "deepseek-chat", {"json_schema": False, "json_object": True}),
        ("some-preset-of-no-row", "gpt-4.1", {"max_output": 32_768}),
    ],
)
def test_the_most_special_row_counts(kind: str, model: str, expected: dict[str, object]) -> None:
    found = capabilities_of(kind, model)
    assert {name: getattr(found, name) for name in expected} == expected


def test_the_file_wins_and_the_more_special_of_two_wins_in_it() -> None:
    models = {
        "*": ModelConfig(vision=False, max_output=100),
        "gpt-4o*": ModelConfig(max_output=200, refuses=("top_p",)),
    }
    found = capabilities_of("openai", "gpt-4o-mini", models)
    assert (found.vision, found.max_output, found.refuses) == (False, 200, frozenset({"top_p"}))
    assert capabilities_of("openai", "o3", models).max_output == 100


def test_refusals_are_added_and_taken_back() -> None:
    models = {"gpt-5": ModelConfig(refuses=("seed",), accepts=("temperature",))}
    found = capabilities_of("openai", "gpt-5", models).refuses
    assert "seed" in found
    assert "top_p" in found
    assert "temperature" not in found


def test_an_unknown_parameter_is_reported_at_its_place() -> None:
    problems: list[tuple[str, str]] = []
    check_models({"a*": ModelConfig(refuses=("top_k", "topk"))}, lambda *found: problems.append(found))
    assert problems == [("'topk' is not a parameter of requests", "models.a*.refuses[1]")]


def test_what_is_remembered_is_bounded() -> None:
    known = Known("openai")
    for at in range(MANY):
        known.of(f"model-{at}")
    assert len(known._known) <= 1024
    assert known.of("gpt-4o") is known.of("gpt-4o")


@given(kind=st.text(max_size=12) | st.sampled_from(["openai", "bedrock"]), model=st.text(max_size=40))
def test_every_name_of_every_kind_has_capabilities(kind: str, model: str) -> None:
    assert isinstance(capabilities_of(kind, model), Capabilities)


def test_every_row_of_the_table_is_found_by_a_name_that_fits_it() -> None:
    """A row that is always hidden by another one would never count."""
    for kind, glob, expected in table():
        name = glob.replace("*", "zz").replace("?", "5")
        assert capabilities_of(kind, name) == expected, (kind, glob)
