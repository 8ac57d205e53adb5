"""``kind: mistral``: Mistral's own API, which is OpenAI's chat format with differences. https://docs.mistral.ai/api

It refuses every member that it does not know, at any depth, and thoughts stand among its content. Requests with what it
has other words for are written anew; others pass as they are, but for the members that ``fitted`` takes out.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from proxy.dialects.dialect import Aim
from proxy.exchange import Exchange
from proxy.providers.account import all_keys, constant_headers
from proxy.providers.address import check_base_url
from proxy.providers.capabilities import Known, ModelsConfig
from proxy.providers.openai import OpenAI
from proxy.providers.presets import MISTRAL
from proxy.providers.provider import ProviderContext
from proxy.units import Secret

# Words of OpenAI's format, or of others, that it refuses or says otherwise; and the wish for thoughts, as they come
# back in a form that clients of OpenAI's do not know.
_STRANGE = (
    b'"reasoning',
    b'"refusal"',
    b'"annotations"',
    b'"audio"',
    b'"cache_control"',
    b'"custom"',
    b'"allowed_tools"',
    b'"file"',
    b'"format"',
    b'"function_call"',
    b'"functions"',
    b'"moderation"',
    b'"prompt_cache_',
    b'"web_search_options"',
)
# The only models that know efforts between none and high.
_GRADED = re.compile(r"mistral-large-(?:[4-9]|latest)", re.IGNORECASE)
_PLAIN, _GRADES = MISTRAL.quirks | {"none_or_high"}, MISTRAL.quirks | {"low_to_high"}


class Mistral(OpenAI):
    """``/v1/…`` of the gateway is ``{base_url}/…`` of Mistral."""

    __slots__ = ()

    class Config(ModelsConfig, frozen=True, kw_only=True):
        """As in ``schemas/providers/mistral.json``."""

        kind: Literal["mistral"] = "mistral"
        base_url: str = "https://api.mistral.ai/v1"
        api_key: Secret | None = None
        api_keys: list[Secret] = []
        headers: dict[str, Secret] = {}
        max_connections: int = 1024
        optional: bool = False

    @classmethod
    def compile(cls, name: str, config: Any, context: ProviderContext) -> Mistral | None:
        """Check the address, collect keys and headers."""
        keys = all_keys(config.api_key, config.api_keys, context)
        constant = constant_headers({header: value.reveal() for header, value in config.headers.items()}, context)
        base = check_base_url(config.base_url, context.fail)
        if base is None:
            return None
        limit, speaks = config.max_connections, MISTRAL.speaks
        made = cls(name, base, keys, constant, context, max_connections=limit, speaks=speaks, preset=MISTRAL)
        made.known = Known("mistral", config.models)
        return made

    def aim(self, model: str) -> Aim:
        """By the model's name: most know of thinking only whether."""
        return Aim(model=model, capabilities=self.known.of(model), quirks=_GRADES if _GRADED.match(model) else _PLAIN)

    def passes(self, x: Exchange, model: str | None) -> bool:
        """Whether nothing in the request has another form here, nor will in the answer."""
        if self.known.of(model or x.model).thinking == "always":
            return False
        body = x.body
        return not any(word in body for word in _STRANGE)
