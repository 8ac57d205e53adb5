"""``kind: openai``: OpenAI, and all that speak its API (Ollama, vLLM, LM Studio, Groq, DeepSeek, OpenRouter …)."""

from __future__ import annotations

from typing import Any, Literal

from yarl import URL

from proxy.dialects.paths import PATHS
from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.providers.account import Account, all_keys, constant_headers
from proxy.providers.address import below, check_base_url, clean_query
from proxy.providers.capabilities import ModelsConfig
from proxy.providers.provider import ProviderContext
from proxy.translation import Turn
from proxy.units import Secret

_PREFIX = len("/v1")
# What an account speaks, by the interface that translated conversations shall use.
SPEAKS = {"chat": ("openai_chat", "openai_responses"), "responses": ("openai_responses", "openai_chat")}
_PATH_OF = {"openai_chat": "/v1/chat/completions", "openai_responses": "/v1/responses"}


def path_of(turn: Turn) -> str:
    """The path of OpenAI's API for a conversation in one of its dialects."""
    return "/v1/responses/input_tokens" if turn.counts else _PATH_OF[turn.outbound.name]


class OpenAI(Account):
    """``/v1/…`` of the gateway is ``{base_url}/…`` of the provider."""

    __slots__ = ("_base", "_fixed")

    class Config(ModelsConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/openai.json``."""

        kind: Literal["openai"] = "openai"
        base_url: str = "https://api.openai.com/v1"
        api_key: Secret | None = None
        api_keys: list[Secret] = []
        api: Literal["chat", "responses"] = "chat"
        organization: str | None = None
        project: str | None = None
        headers: dict[str, Secret] = {}
        max_connections: int = 1024
        optional: bool = False

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> OpenAI | None:
        """Check the address, collect keys and headers."""
        extra = {name: value.reveal() for name, value in config.headers.items()}
        if config.organization is not None:
            extra["openai-organization"] = config.organization
        if config.project is not None:
            extra["openai-project"] = config.project
        keys = all_keys(config.api_key, config.api_keys, context)
        constant = constant_headers(extra, context)
        base = check_base_url(config.base_url, context.fail)
        if base is None:
            return None
        speaks = SPEAKS[config.api]
        return cls(name, base, keys, constant, context, max_connections=config.max_connections, speaks=speaks)

    def __init__(
        self,
        name: str,
        base: URL,
        keys: list[str],
        constant: list[Header],
        context: ProviderContext,
        *,
        max_connections: int,
        speaks: tuple[str, ...],
    ) -> None:
        super().__init__(name, keys, constant, context, str(base), max_connections=max_connections, speaks=speaks)
        self._base = str(base)
        self._fixed = {path: URL(self._base + path[_PREFIX:], encoded=True) for path in PATHS}

    def credential(self, key: str) -> Header:
        """A bearer token."""
        return b"authorization", b"Bearer " + key.encode("latin-1")

    def address(self, x: Exchange, model: str | None) -> URL:
        """Built ahead for every fixed path."""
        url = self._fixed.get(x.path)
        if url is None:
            url = below(self._base, x.path[_PREFIX:])
        if x.query:
            query = clean_query(x.query, model if x.endpoint.model_in == "query" else None)
            return URL(f"{url}?{query}", encoded=True) if query else url
        return url

    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """A conversation that passes goes where the caller sent it, one that is translated to its new path."""
        return self.address(x, model) if turn.is_native else self._fixed[path_of(turn)]

    def describe(self) -> str:
        """The base URL."""
        return self._base
