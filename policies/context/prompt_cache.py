"""Where a provider's cache of prompts shall hold: after the tools, the system prompt, some messages."""

from __future__ import annotations

from typing import Literal, Self

from proxy import chat
from proxy.exchange import Exchange
from proxy.policy import CompileContext, Config, Policy

MAX_MARKERS = 4  # that Anthropic takes in a request


class PromptCacheConfig(Config, frozen=True):
    """``messages``: positions after the system prompt, negative ones from the end. ``ttl``: how long it is kept."""

    tools: bool = True
    system: bool = True
    messages: tuple[int, ...] = (-1,)
    ttl: Literal["5m", "1h"] = "5m"


class PromptCache(Policy):
    """Says where markers go. They are placed where a request is written, for targets that cache by markers alone, and
    never beside the caller's own."""

    __slots__ = ("_wanted", "_words")

    Config = PromptCacheConfig

    def __init__(self, wanted: chat.PromptCache) -> None:
        self._wanted = wanted
        self._words = _words(wanted)

    @classmethod
    def compile(cls, config: PromptCacheConfig, context: CompileContext) -> Self:
        if not (config.tools or config.system or config.messages):
            context.fail("this marks nothing; name some messages, or remove the policy", "messages")
        if config.tools + config.system + len(config.messages) > MAX_MARKERS:
            context.fail(f"these are more than {MAX_MARKERS} marks, and providers take no more", "messages")
        wanted = chat.PromptCache(
            tools=config.tools, system=config.system, messages=config.messages, cache=chat.Cache(config.ttl)
        )
        return cls(wanted)

    def on_request(self, x: Exchange) -> None:
        x.prompt_cache = self._wanted

    def explain(self, x: Exchange) -> str:
        return self._words


def _words(wanted: chat.PromptCache) -> str:
    places = ["the tools"] if wanted.tools else []
    places += ["the system prompt"] if wanted.system else []
    places += [f"message {at}" for at in wanted.messages]
    return f"marks for {wanted.cache.ttl} after {', '.join(places)}, where the target caches by marks"
