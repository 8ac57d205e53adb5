"""What the models of an account cost: the built-in list of prices, and what the file says instead.

The list comes with the package ``genai-prices`` and is read from it alone, never over a network. Reading it takes a
fifth of a second and its package brings others along, so it is loaded when a file first needs it, while compiling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import translate
from typing import Any

from proxy.price import Price

_NANO = 10**9
_MAX_KNOWN = 1024  # models of one account that are remembered
# Kind or preset of an account → its name in the list. What is missing here has no prices there.
_LISTED = {
    "anthropic": "anthropic",
    "azure_openai": "azure",
    "bedrock": "aws",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "gemini": "google",
    "groq": "groq",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "vertex": "google",
    "xai": "x-ai",
    "zai": "zai",
}
# Where a model of Bedrock runs stands before its name; the list has the name alone.
_REGION = re.compile(r"^(?:us|eu|apac|au|jp|global|us-gov)\.")


class Prices:
    """Of one account's models. What was looked up is kept, within bounds."""

    __slots__ = ("_known", "_listed", "_overrides")

    def __init__(self, kind: str = "", overrides: Mapping[str, Price] | None = None) -> None:
        self._listed = _LISTED.get(kind)
        patterns = sorted(overrides or {}, key=lambda glob: (len(glob.replace("*", "").replace("?", "")), glob))
        self._overrides = [(re.compile(translate(glob), re.IGNORECASE), (overrides or {})[glob]) for glob in patterns]
        self._known: dict[str, Price | None] = {}

    def of(self, model: str) -> Price | None:
        """What ``model`` costs; None if nobody knows."""
        if model not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[model] = self._look_up(model)
        return self._known[model]

    def _look_up(self, model: str) -> Price | None:
        for pattern, price in reversed(self._overrides):  # the most special wins
            if pattern.fullmatch(model):
                return price
        return None if self._listed is None else listed_price(self._listed, model)


def listed_price(provider: str, model: str) -> Price | None:
    """Of the built-in list, as it is today; None for what it does not have."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(_REGION.sub("", model), None, provider, None)
    except LookupError:
        return None
    prices = found.get_prices(datetime.now(UTC))
    ends = _nano(prices.input_mtok), _nano(prices.output_mtok)
    if ends[0] is None and ends[1] is None:
        return None
    return Price(ends[0] or 0, ends[1] or 0)


def _nano(price: Any) -> int | None:
    """Nano-dollars. A price that depends on the size of the request is that of a small one."""
    base = getattr(price, "base", price)
    return int(base * _NANO) if isinstance(base, Decimal) else None
