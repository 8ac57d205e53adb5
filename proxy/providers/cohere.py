"""``kind: cohere``: Cohere by its compatibility API, and its own for reranking.

https://docs.cohere.com/docs/compatibility-api, https://docs.cohere.com/reference/rerank
"""

from __future__ import annotations

from typing import Any, Literal

from yarl import URL

from proxy.errors import Header, Unsupported
from proxy.exchange import Exchange
from proxy.providers.account import all_keys, constant_headers
from proxy.providers.address import check_base_url
from proxy.providers.capabilities import Known, ModelsConfig
from proxy.providers.openai import OpenAI
from proxy.providers.presets import COHERE
from proxy.providers.provider import ProviderContext
from proxy.units import Secret

_COMPATIBLE = "/compatibility/v1"
# Beside conversations.
_HAS = frozenset({"audio.transcriptions", "embeddings"})


class Cohere(OpenAI):
    """``/v1/…`` of the gateway is ``{base_url}/compatibility/v1/…`` of Cohere, ``/v1/rerank`` is ``/v2/rerank``."""

    __slots__ = ("_rerank",)

    class Config(ModelsConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/cohere.json``."""

        kind: Literal["cohere"] = "cohere"
        base_url: str = "https://api.cohere.com"
        api_key: Secret | None = None
        api_keys: list[Secret] = []
        headers: dict[str, Secret] = {}
        max_connections: int = 1024
        optional: bool = False

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Cohere | None:
        """Check the address, collect keys and headers."""
        keys = all_keys(config.api_key, config.api_keys, context)
        constant = constant_headers({header: value.reveal() for header, value in config.headers.items()}, context)
        root = check_base_url(config.base_url.rstrip("/").removesuffix(_COMPATIBLE), context.fail)
        if root is None:
            return None
        made = cls(name, root, keys, constant, context, max_connections=config.max_connections)
        made.known = Known("cohere", config.models)
        return made

    def __init__(
        self,
        name: str,
        root: URL,
        keys: list[str],
        constant: list[Header],
        context: ProviderContext,
        *,
        max_connections: int,
    ) -> None:
        address = str(root).rstrip("/")
        super().__init__(
            name,
            URL(address + _COMPATIBLE, encoded=True),
            keys,
            constant,
            context,
            max_connections=max_connections,
            speaks=COHERE.speaks,
            preset=COHERE,
        )
        self._rerank = URL(f"{address}/v2/rerank", encoded=True)

    def address(self, x: Exchange, model: str | None) -> URL:
        """One door for reranking; what the compatibility API has; nothing else."""
        if x.endpoint.name == "rerank":
            return self._rerank
        if x.endpoint.dialect is None and x.endpoint.name not in _HAS:
            raise Unsupported(f"The provider {self.name!r} has no {x.endpoint.name}.")
        return super().address(x, model)
