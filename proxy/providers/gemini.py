"""``kind: gemini``: Google's models by its developer API."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from yarl import URL

from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.providers.account import Account, all_keys, constant_headers
from proxy.providers.address import check_base_url, clean_query
from proxy.providers.capabilities import Known, ModelsConfig
from proxy.providers.provider import ProviderContext
from proxy.translation.attempt import Turn
from proxy.units import Secret

_MAX_DOORS = 1024  # addresses that are kept; names of models may come from callers
# A name that tells its collection; a plain one is one of `models`.
_COLLECTIONS = ("models/", "tunedModels/")


def verb_of(turn: Turn) -> str:
    """What a model is asked for, with the way in which a stream is to come."""
    if turn.counts:
        return "countTokens"
    return "streamGenerateContent" if turn.stream else "generateContent"


def query_of(x: Exchange, turn: Turn) -> str:
    """A caller who speaks this dialect says itself in which form its stream is to come."""
    if turn.is_native:
        return clean_query(x.query, None) if x.query else ""
    return "alt=sse" if turn.stream else ""


class Doors:
    """Addresses by everything that they depend on, built once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, URL] = {}

    def of(self, address: str, query: str) -> URL:
        """The address with its query; both are encoded already."""
        whole = f"{address}?{query}" if query else address
        url = self._known.get(whole)
        if url is None:
            if len(self._known) >= _MAX_DOORS:
                self._known.clear()
            url = self._known[whole] = URL(whole, encoded=True)
        return url


class Gemini(Account):
    """``{base_url}/{api_version}/models/{model}:generateContent``, and its streams and counts."""

    __slots__ = ("_base", "_doors")

    class Config(ModelsConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/gemini.json``."""

        kind: Literal["gemini"] = "gemini"
        base_url: str = "https://generativelanguage.googleapis.com"
        api_version: str = "v1beta"
        api_key: Secret | None = None
        api_keys: list[Secret] = []
        headers: dict[str, Secret] = {}
        max_connections: int = 1024
        optional: bool = False

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Gemini | None:
        """Check the address, collect keys and headers."""
        keys = all_keys(config.api_key, config.api_keys, context)
        constant = constant_headers({header: value.reveal() for header, value in config.headers.items()}, context)
        base = check_base_url(config.base_url, context.fail)
        if base is None:
            return None
        if base.path.rstrip("/").endswith(f"/{config.api_version}"):
            context.fail(f"the base URL ends before /{config.api_version}, which `api_version` says", "base_url")
            return None
        return cls(name, base, keys, constant, config, context)

    def __init__(
        self,
        name: str,
        base: URL,
        keys: list[str],
        constant: list[Header],
        config: Config,
        context: ProviderContext,
    ) -> None:
        super().__init__(
            name, keys, constant, context, str(base), max_connections=config.max_connections, speaks=("gemini",)
        )
        self._base = f"{base}/{config.api_version}"
        self._doors = Doors()
        self.known = Known("gemini", config.models)

    def credential(self, key: str) -> Header:
        """Google's own header; never the query, which stands in logs."""
        return b"x-goog-api-key", key.encode("latin-1")

    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """By the model, and what it is asked for."""
        collection, slash, rest = model.partition("/")
        if not slash or f"{collection}/" not in _COLLECTIONS:
            collection, rest = "models", model
        address = f"{self._base}/{collection}/{quote(rest, safe='')}:{verb_of(turn)}"
        return self._doors.of(address, query_of(x, turn))

    def describe(self) -> str:
        """The base URL and the version."""
        return self._base
