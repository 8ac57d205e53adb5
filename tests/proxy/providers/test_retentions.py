"""For how long each service keeps a prompt."""

from __future__ import annotations

import pytest

from proxy.prefixes.retention import Retention
from proxy.providers.capabilities import Known, ModelConfig
from proxy.providers.retentions import retention_of

HOUR = 3600


@pytest.mark.parametrize(
    ("kind", "model", "lifetime", "marked", "asked", "automatic"),
    [
        ("openai", "gpt-5.1", HOUR, 0, 24 * HOUR, True),
        ("azure_openai", "gpt-4o", HOUR, 0, 24 * HOUR, True),
        ("anthropic", "claude-sonnet-4-5", 300, HOUR, 0, False),
        ("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0", 300, HOUR, 0, False),
        ("gemini", "gemini-2.5-pro", 600, HOUR, 0, True),
        ("deepseek", "deepseek-chat", 3 * HOUR, 0, 0, True),
        ("openrouter", "anthropic/claude-sonnet-4.5", 300, HOUR, 0, False),
        ("mistral", "mistral-large-latest", 600, 0, 0, False),
    ],
)
def test_services_differ(kind: str, model: str, lifetime: float, marked: float, asked: float, automatic: bool) -> None:
    """By their own documentation, which stands beside the table."""
    found = retention_of(Known(kind), model)
    assert (found.lifetime, found.marked, found.asked, found.automatic) == (lifetime, marked, asked, automatic)


def test_the_file_has_the_last_word() -> None:
    """A server of one's own may keep prompts by itself, whatever the table says of its like."""
    own = Known("llamacpp", {"*": ModelConfig(prompt_cache="automatic")})
    none = Known("llamacpp", {"*": ModelConfig(prompt_cache="none")})
    assert retention_of(own, "qwen3") == Retention()
    assert not retention_of(none, "qwen3").automatic
