"""``kind: openai``: OpenAI, and all that speak its API (Ollama, vLLM, LM Studio, Groq, DeepSeek, OpenRouter …).

A preset names a service: its address, what it wants otherwise, and what it does not take.
"""

from __future__ import annotations

from typing import Any, Literal

from yarl import URL

from proxy.chat import Losses
from proxy.dialects.openai_chat.native import fitted
from proxy.dialects.paths import PATHS
from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.providers.account import Account, all_keys, constant_headers
from proxy.providers.address import below, check_base_url, clean_query
from proxy.providers.capabilities import Known, ModelsConfig
from proxy.providers.presets import PRESETS, Preset
from proxy.providers.provider import ProviderContext
from proxy.translation.attempt import Turn
from proxy.units import Secret

_PREFIX = len("/v1")
_OPENAI = "https://api.openai.com/v1"
# What an account speaks, by the interface that translated conversations shall use.
SPEAKS = {"chat": ("openai_chat", "openai_responses"), "responses": ("openai_responses", "openai_chat")}
_PATH_OF = {"openai_chat": "/v1/chat/completions", "openai_responses": "/v1/responses"}


def path_of(turn: Turn) -> str:
    """The path of OpenAI's API for a conversation in one of its dialects."""
    return "/v1/responses/input_tokens" if turn.counts else _PATH_OF[turn.outbound.name]


class OpenAI(Account):
    """``/v1/…`` of the gateway is ``{base_url}/…`` of the provider."""

    __slots__ = ("_base", "_fixed", "_preset")

    class Config(ModelsConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/openai.json``."""

        kind: Literal["openai"] = "openai"
        preset: str | None = None
        base_url: str | None = None
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
        preset = None if config.preset is None else PRESETS.get(config.preset)
        if config.preset is not None and preset is None:
            context.fail(f"there is no preset {config.preset!r}; there are: {', '.join(sorted(PRESETS))}", "preset")
            return None
        base = check_base_url(config.base_url or (preset.base_url if preset else _OPENAI), context.fail)
        if base is None:
            return None
        speaks = SPEAKS[config.api] if preset is None or config.api == "responses" else preset.speaks
        limit = config.max_connections
        made = cls(name, base, keys, constant, context, max_connections=limit, speaks=speaks, preset=preset)
        made.known = Known(config.preset or "openai", config.models)
        return made

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
        preset: Preset | None = None,
    ) -> None:
        super().__init__(name, keys, constant, context, str(base), max_connections=max_connections, speaks=speaks)
        self._preset = preset
        if preset is not None:
            self.quirks = preset.quirks
        self._base = str(base)
        self._fixed = {path: URL(self._base + path[_PREFIX:], encoded=True) for path in PATHS}

    def credential(self, key: str) -> Header:
        """A bearer token."""
        return b"authorization", b"Bearer " + key.encode("latin-1")

    def native_body(self, x: Exchange, model: str | None, losses: Losses) -> bytes:
        """The caller's bytes; for a preset, without what the service does not take."""
        body = super().native_body(x, model, losses)
        if self._preset is None or x.endpoint.dialect != "openai_chat":
            return body
        aim = self.aim(model or x.model)
        return fitted(body, aim.quirks, aim.capabilities.refuses, losses)

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
