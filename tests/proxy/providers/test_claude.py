"""Models are known by their names, old ones and those that are still to come."""

from __future__ import annotations

import pytest

from proxy.capability import ThinkingStyle
from proxy.dialects.anthropic_messages.body import SCHEMA_BY_TOOL
from proxy.dialects.anthropic_messages.content import SYSTEM_ANYWHERE
from proxy.dialects.anthropic_messages.thought import ALWAYS_THINKS
from proxy.providers.claude import UNKNOWN, claude


@pytest.mark.parametrize(
    ("model", "thinking", "most", "quirks"),
    [
        ("claude-3-haiku-20240307", "none", 4096, {SCHEMA_BY_TOOL}),
        ("claude-3-5-sonnet-20241022", "none", 8192, {SCHEMA_BY_TOOL}),
        ("claude-3-7-sonnet-latest", "budget", 64_000, {SCHEMA_BY_TOOL}),
        ("claude-opus-4-20250514", "budget", 32_000, {SCHEMA_BY_TOOL}),
        ("claude-sonnet-4-20250514", "budget", 64_000, {SCHEMA_BY_TOOL}),
        ("claude-opus-4-5-20251101", "budget", 64_000, set()),
        ("claude-haiku-4-5", "budget", 64_000, set()),
        ("claude-sonnet-4-6", "adaptive", 64_000, set()),
        ("claude-opus-4-7", "adaptive", 128_000, set()),
        ("claude-opus-4-8-20260528", "adaptive", 128_000, {SYSTEM_ANYWHERE}),
        ("claude-sonnet-5", "adaptive", 128_000, {SYSTEM_ANYWHERE}),
        ("claude-opus-5-5", "adaptive", 128_000, {SYSTEM_ANYWHERE, ALWAYS_THINKS}),
        ("claude-fable-5-1", "adaptive", 128_000, {SYSTEM_ANYWHERE, ALWAYS_THINKS}),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "budget", 64_000, set()),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "none", 8192, {SCHEMA_BY_TOOL}),
        ("claude-sonnet-4@20250514", "budget", 64_000, {SCHEMA_BY_TOOL}),
    ],
)
def test_a_model_is_known_by_its_name(model: str, thinking: ThinkingStyle, most: int, quirks: set[str]) -> None:
    can, found = claude(model)
    assert (can.thinking, can.max_output, found) == (thinking, most, quirks)
    assert (can.prompt_cache, can.count_tokens) == ("marks", True)


def test_sampling_is_refused_from_the_models_on_that_refuse_it() -> None:
    assert claude("claude-opus-4-6")[0].refuses == frozenset()
    assert claude("claude-opus-4-7")[0].refuses == {"temperature", "top_p", "top_k"}


def test_models_of_others_take_what_all_take() -> None:
    assert claude("kimi-k2") == claude("") == UNKNOWN
