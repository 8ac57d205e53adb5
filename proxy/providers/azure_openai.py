"""``kind: azure_openai``: OpenAI's models at Azure, by its v1 API or by deployments with a dated API version."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from yarl import URL

from proxy.dialects.dialect import Aim
from proxy.dialects.endpoint import Endpoint
from proxy.dialects.paths import EXACT, PATHS
from proxy.errors import Header
from proxy.exchange import Exchange
from proxy.providers.account import Account, all_keys, constant_headers
from proxy.providers.address import below, check_base_url, clean_query
from proxy.providers.capabilities import ModelsConfig
from proxy.providers.openai import SPEAKS, path_of
from proxy.providers.provider import ProviderContext
from proxy.translation.attempt import Turn
from proxy.units import Secret

_PREFIX = len("/v1")
_VERSION = re.compile(r"v1|preview|latest|\d{4}-\d{2}-\d{2}(-preview)?")
# With a dated version these belong to the resource, not to a deployment.
_RESOURCE = ("files", "batches", "responses", "chat.completions.stored", "responses.stored")
_VERSION_IN_QUERY = frozenset({"api-version"})
_DEPLOYMENT_IN_QUERY = frozenset({"api-version", "deployment", "model"})


class AzureOpenAI(Account):
    """``api_version: v1`` sends to ``{base_url}/openai/v1/…``, a date to ``…/openai/deployments/{deployment}/…``.

    ``deployments`` maps models to deployments; a model that is not in it is its own deployment.
    """

    __slots__ = ("_base", "_by_deployment", "_deployments", "_fixed", "_version")

    class Config(ModelsConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/azure_openai.json``."""

        kind: Literal["azure_openai"] = "azure_openai"
        base_url: str
        api_key: Secret | None = None
        api_keys: list[Secret] = []
        api: Literal["chat", "responses"] = "chat"
        api_version: str = "v1"
        deployments: dict[str, str] = {}
        headers: dict[str, Secret] = {}
        max_connections: int = 1024
        optional: bool = False

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> AzureOpenAI | None:
        """Check address and version, collect keys and headers."""
        keys = all_keys(config.api_key, config.api_keys, context)
        if not keys:
            context.fail("an Azure account needs `api_key` or `api_keys`")
        if not _VERSION.fullmatch(config.api_version):
            context.fail(
                f"{config.api_version!r} is not an API version; `v1`, or a date like 2024-10-21", "api_version"
            )
        constant = constant_headers({name: value.reveal() for name, value in config.headers.items()}, context)
        base = check_base_url(config.base_url, context.fail)
        if base is not None and base.path.rstrip("/").endswith(("/openai", "/openai/v1")):
            context.fail("the base URL ends before /openai: https://NAME.openai.azure.com", "base_url")
            return None
        return None if base is None else cls(name, base, keys, constant, config, context)

    def __init__(
        self,
        name: str,
        base: URL,
        keys: list[str],
        constant: list[Header],
        config: Config,
        context: ProviderContext,
    ) -> None:
        speaks = SPEAKS[config.api]
        super().__init__(
            name, keys, constant, context, str(base), max_connections=config.max_connections, speaks=speaks
        )
        self._deployments = dict(config.deployments)
        self._version = config.api_version
        self._by_deployment = config.api_version[:1].isdigit()
        self._base = f"{base}/openai" if self._by_deployment else f"{base}/openai/v1"
        self._fixed = {path: URL(self._base + path[_PREFIX:], encoded=True) for path in PATHS}

    def credential(self, key: str) -> Header:
        """Azure's own header."""
        return b"api-key", key.encode("latin-1")

    def address(self, x: Exchange, model: str | None) -> URL:
        """By deployment with a dated version, else as OpenAI's own."""
        return self._address(x.path, x.query, x.endpoint, self._deployment(x, model))

    def door(self, x: Exchange, turn: Turn, model: str) -> URL:
        """As any other address, by the path of the provider's dialect."""
        if turn.is_native:
            return self.address(x, model)
        path = path_of(turn)
        return self._address(path, b"", EXACT["POST", path], self._deployment(x, model))

    def _address(self, path: str, asked: bytes, endpoint: Endpoint, deployment: str) -> URL:
        known, path = path, path[_PREFIX:]
        in_query = endpoint.model_in == "query"
        if not self._by_deployment:
            query = clean_query(asked, deployment if in_query else None, _VERSION_IN_QUERY)
            url = self._fixed.get(known) or below(self._base, path)
            if self._version != "v1":
                query = f"{query}&api-version={self._version}".lstrip("&")
            return URL(f"{url}?{query}", encoded=True) if query else url
        query = clean_query(asked, None, _DEPLOYMENT_IN_QUERY if in_query else _VERSION_IN_QUERY)
        if in_query:
            query = f"{query}&deployment={quote(deployment, safe='')}".lstrip("&")
        elif endpoint.name not in _RESOURCE and deployment:
            path = f"/deployments/{quote(deployment, safe='')}{path}"
        url = below(self._base, path)
        return URL(f"{url}?{f'{query}&' if query else ''}api-version={self._version}", encoded=True)

    def aim(self, model: str) -> Aim:
        """A translated request names the deployment in place of the model."""
        return msgspec.structs.replace(super().aim(model), model=self._deployments.get(model, model))

    def outbound_body(self, x: Exchange, model: str | None) -> bytes:
        """The v1 API reads the deployment in place of the model; with a dated version it stands in the path too."""
        return super().outbound_body(x, self._deployment(x, model) or None)

    def _below(self) -> str:
        return self._base

    def describe(self) -> str:
        """The base URL and the version."""
        return f"{self._base} ({self._version})"

    def _deployment(self, x: Exchange, model: str | None) -> str:
        wanted = model or x.model
        return self._deployments.get(wanted, wanted)
