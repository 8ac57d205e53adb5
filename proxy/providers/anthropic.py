"""``kind: anthropic``: Anthropic, and all that speak its Messages API."""

from __future__ import annotations

import re
from typing import Any, Literal

from yarl import URL

from proxy.chat import Losses
from proxy.dialects.anthropic_messages.alien import without_aliens
from proxy.dialects.anthropic_messages.content import SYSTEM_ANYWHERE
from proxy.dialects.dialect import Aim
from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.providers.account import Account, all_keys, constant_headers
from proxy.providers.address import check_base_url, clean_query
from proxy.providers.capabilities import Known, ModelsConfig
from proxy.providers.provider import ProviderContext
from proxy.translation.attempt import Turn
from proxy.units import Secret

_VERSION = b"anthropic-version"
_BETA = b"anthropic-beta"
# Models from Opus 4.8 on take messages of the system between the turns.
_TAKES_SYSTEM = re.compile(r"claude-(?:opus-4-[89]|[a-z]+-(?:[5-9]|[1-9][0-9])(?![0-9]))")
_NEWER, _NOTHING = frozenset({SYSTEM_ANYWHERE}), frozenset[str]()
_WORD = re.compile(r"[A-Za-z0-9._-]+")


def quirks_of(model: str) -> frozenset[str]:
    """What the writer of requests must know of a model, wherever it is served."""
    return _NEWER if _TAKES_SYSTEM.search(model) else _NOTHING


class Anthropic(Account):
    """Conversations, and the question for their tokens."""

    __slots__ = ("_base", "_betas", "_by_token", "_count", "_messages", "_version")

    class Config(ModelsConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/anthropic.json``."""

        kind: Literal["anthropic"] = "anthropic"
        base_url: str = "https://api.anthropic.com"
        api_key: Secret | None = None
        api_keys: list[Secret] = []
        auth_token: Secret | None = None
        version: str = "2023-06-01"
        betas: list[str] = []
        headers: dict[str, Secret] = {}
        max_connections: int = 1024
        optional: bool = False

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Anthropic | None:
        """Check the address, collect keys and headers."""
        keys = all_keys(config.api_key, config.api_keys, context)
        by_token = config.auth_token is not None
        if by_token:
            if config.api_key is not None or config.api_keys:
                context.fail("`auth_token` beside a key; use one of them", "auth_token")
            keys = all_keys(config.auth_token, [], context)
        extra = {header: value.reveal() for header, value in config.headers.items()}
        constant = constant_headers(extra, context)
        for at, beta in enumerate(config.betas):
            if not _WORD.fullmatch(beta):
                context.fail(f"{beta!r} is not the name of a beta, such as `context-1m-2025-08-07`", f"betas[{at}]")
                return None
        base = check_base_url(config.base_url, context.fail)
        return None if base is None else cls(name, base, keys, constant, config, context, by_token=by_token)

    def __init__(
        self,
        name: str,
        base: URL,
        keys: list[str],
        constant: list[Header],
        config: Config,
        context: ProviderContext,
        *,
        by_token: bool,
    ) -> None:
        self._by_token = by_token
        super().__init__(
            name,
            keys,
            constant,
            context,
            str(base),
            max_connections=config.max_connections,
            speaks=("anthropic_messages",),
        )
        # The API's paths begin with /v1 themselves; many write it into the address all the same.
        self._base = str(base).removesuffix("/v1")
        self._messages = URL(f"{self._base}/v1/messages", encoded=True)
        self._count = URL(f"{self._base}/v1/messages/count_tokens", encoded=True)
        self._version: Header = (_VERSION, config.version.encode())
        self.known = Known("anthropic", config.models)
        self._betas = [beta.encode() for beta in config.betas]

    def credential(self, key: str) -> Header:
        """Anthropic's own header, or a bearer token."""
        if self._by_token:
            return b"authorization", b"Bearer " + key.encode("latin-1")
        return b"x-api-key", key.encode("latin-1")

    def aim(self, model: str) -> Aim:
        """By the model's name."""
        return Aim(model=model, capabilities=self.known.of(model), quirks=quirks_of(model))

    def native_body(self, x: Exchange, model: str | None, losses: Losses) -> bytes:
        """The caller's bytes, without the thoughts of other providers."""
        return without_aliens(super().native_body(x, model, losses), losses)

    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """One path for conversations, one for counting; what a native caller asks in the query goes along."""
        url = self._count if turn.counts else self._messages
        query = clean_query(x.query, None) if x.query and turn.is_native else ""
        return URL(f"{url}?{query}", encoded=True) if query else url

    def describe(self) -> str:
        """The base URL."""
        return self._base

    def _below(self) -> str:
        """The version belongs to the paths."""
        return f"{self._base}/v1"

    def _own_headers(self) -> list[Header]:
        """With the version."""
        return [*super()._own_headers(), self._version]

    def _headers(self, x: Exchange, forward: list[Header], index: int) -> list[Header]:
        """With a version, the caller's if it sent one, and the betas of both."""
        headers = super()._headers(x, forward, index)
        if self._betas:
            asked = [one.strip() for name, value in headers if name == _BETA for one in value.split(b",")]
            betas = dict.fromkeys(one for one in (*self._betas, *asked) if one)
            headers = [header for header in headers if header[0] != _BETA]
            headers.append((_BETA, b",".join(betas)))
        if not any(name == _VERSION for name, _ in headers):
            headers.append(self._version)
        return headers
