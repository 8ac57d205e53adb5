"""Where marks go is said on the exchange, and what makes no sense is a problem of the file."""

from __future__ import annotations

from typing import Any

import pytest

from policies.context.prompt_cache import MAX_MARKERS, PromptCache, PromptCacheConfig
from proxy import chat
from proxy.dialects import prompt_cache


def test_the_wish_stands_on_the_exchange(context: Any, exchange: Any) -> None:
    policy = PromptCache.compile(PromptCacheConfig(system=False, messages=(0, -1), ttl="1h"), context)
    x = exchange([])
    policy.on_request(x)
    assert x.prompt_cache == chat.PromptCache(system=False, messages=(0, -1), cache=chat.Cache("1h"))
    assert policy.explain(x) == (
        "marks for 1h after the tools, message 0, message -1, where the target caches by marks"
    )
    assert context.problems == []


@pytest.mark.parametrize(
    "config",
    [
        PromptCacheConfig(tools=False, system=False, messages=()),
        PromptCacheConfig(messages=(0, 1, -1)),
    ],
)
def test_no_mark_and_too_many_are_problems(config: PromptCacheConfig, context: Any) -> None:
    PromptCache.compile(config, context)
    assert [at for at, _ in context.problems] == ["messages"]


def test_the_limit_is_that_of_the_writer() -> None:
    assert MAX_MARKERS == prompt_cache.MAX_MARKERS
