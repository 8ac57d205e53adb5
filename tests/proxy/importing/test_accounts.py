"""LiteLLM's names for providers: every one leads to a kind and a preset that there are."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.config.syntax import parse
from proxy.importing.accounts import PREFIXES, Accounts
from proxy.importing.source import Source
from proxy.providers.presets import PRESETS
from proxy.providers.table import PROVIDERS


def _target(**params: Any) -> tuple[tuple[str, str] | None, dict[str, Any], Source]:
    root, _ = parse(b"a: 1\n", "config.yaml")
    assert root is not None
    source = Source(root)
    accounts = Accounts(source)
    found = accounts.target(("a",), params, {})
    return found, accounts.found[found[0]] if found else {}, source


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_prefix_leads_somewhere(prefix: str) -> None:
    known = PREFIXES[prefix]
    assert known.kind in PROVIDERS
    assert not known.preset or known.preset in PRESETS
    found, settings, _ = _target(model=f"{prefix}/some-model")
    assert found is not None
    assert found[1] == "some-model"
    assert settings["kind"] == known.kind


@pytest.mark.parametrize(
    ("model", "name", "asked"),
    [
        ("gpt-4o", "openai", "gpt-4o"),
        ("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("bedrock/converse/amazon.nova-lite-v1:0", "bedrock", "amazon.nova-lite-v1:0"),
        ("openrouter/anthropic/claude-sonnet-4.5", "openrouter", "anthropic/claude-sonnet-4.5"),
        ("openai/responses/gpt-5", "openai", "gpt-5"),
    ],
)
def test_names_of_models(model: str, name: str, asked: str) -> None:
    assert _target(model=model)[0] == (name, asked)


def test_addresses_are_those_of_this_gateway() -> None:
    assert _target(model="ollama/x", api_base="http://h:11434")[1]["base_url"] == "http://h:11434/v1"
    assert _target(model="ollama/x", api_base="http://h:11434/v1/")[1]["base_url"] == "http://h:11434/v1"
    assert _target(model="anthropic/x", api_base="https://h/v1")[1]["base_url"] == "https://h"
    assert _target(model="openai/x", api_base="http://h:1/v1")[1] == {"kind": "openai", "base_url": "http://h:1/v1"}


def test_what_nobody_knows_is_asked_in_openais_format_if_it_has_an_address() -> None:
    found, settings, _ = _target(model="newcomer/x", api_base="https://newcomer.example/v1")
    assert (found, settings["kind"]) == (("newcomer", "x"), "openai")
    found, _, source = _target(model="newcomer/x")
    assert found is None
    assert "no provider `newcomer`" in source.findings()[-1].text


def test_the_same_settings_share_an_account() -> None:
    root, _ = parse(b"a: 1\n", "config.yaml")
    assert root is not None
    accounts = Accounts(Source(root))
    names = [
        accounts.target(("a",), {"model": "openai/x", "api_key": f"os.environ/{key}"}, {}) for key in ("A", "B", "A")
    ]
    assert [name and name[0] for name in names] == ["openai", "openai_2", "openai"]
