"""What the models of an account cost: the built-in list of prices, and what the file says instead.

The list comes with the package ``genai-prices`` and is read from it alone, never over a network. Reading it takes a
fifth of a second and its package brings others along, so it is loaded when a file first needs it, while compiling.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from datetime import time as Clock
from decimal import ROUND_HALF_UP, Decimal
from fnmatch import translate
from functools import cache
from importlib.metadata import version
from math import inf
from typing import Any, NamedTuple

from msgspec.structs import replace

from proxy.price import FREE, Price, Rates, Step

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
# Where a model of Bedrock runs stands before its name. The list has some of these names, and else the rest alone.
_REGION = re.compile(r"^(?:us|eu|apac|au|jp|global|us-gov)\.")
# What a request says of itself when the list has another price for it.
_VARIANTS = ("processing", "service_tier", "speed")
_CLASSES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_read": "cache_read_mtok",
    "cache_write_5m": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "input_audio": "input_audio_mtok",
    "reasoning": "output_reasoning_mtok",
    "output_audio": "output_audio_mtok",
}
# The seconds since the epoch from which prices hold, ascending. Before the first of them what holds without them.
Dated = tuple[tuple[float, Price], ...]


class Found(NamedTuple):
    """A price, and the seconds since the epoch before which it holds."""

    price: Price | None
    until: float


class Prices:
    """Of one account's models. What was looked up is kept, within bounds, and as long as it holds.

    ``now`` gives seconds since the epoch.
    """

    __slots__ = ("_free", "_known", "_listed", "_now", "_overrides")

    def __init__(
        self,
        kind: str = "",
        overrides: Mapping[str, Price | Dated] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._free = kind == "simulated"
        self._listed = _LISTED.get(kind)
        self._now = now
        said = {glob: ((-inf, one),) if isinstance(one, Price) else one for glob, one in (overrides or {}).items()}
        patterns = sorted(said, key=lambda glob: (len(glob.replace("*", "").replace("?", "")), glob), reverse=True)
        self._overrides = [(re.compile(translate(glob), re.IGNORECASE), said[glob]) for glob in patterns]
        self._known: dict[str, Found] = {}

    @property
    def is_listed(self) -> bool:
        """Whether the built-in list may be asked."""
        return self._listed is not None

    def of(self, model: str) -> Price | None:
        """What ``model`` costs now; None if nobody knows."""
        now = self._now()
        found = self._known.get(model)
        if found is None or now >= found.until:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = self._known[model] = self._look_up(model, now)
        return found.price

    def _look_up(self, model: str, now: float) -> Found:
        until = inf
        for pattern, dated in self._overrides:  # the most special wins, as soon as it holds
            if not pattern.fullmatch(model):
                continue
            until = min([until, *(since for since, _ in dated if since > now)])
            held = [price for since, price in dated if since <= now]
            if held:
                return Found(held[-1], until)
        if self._free:
            return Found(FREE, until)
        if self._listed is None:
            return Found(None, until)
        found = listed_price(self._listed, model, now)
        return Found(found.price, min(until, found.until))


def preload() -> None:
    """Read the list now: for a thread, so that no request waits for it."""
    listed_price("openai", "gpt-4o", time.time())


def listed_price(provider: str, model: str, now: float) -> Found:
    """Of the built-in list, as it is at ``now`` (seconds since the epoch); None for what it does not have."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    for name in dict.fromkeys((model, _REGION.sub("", model))):
        try:
            _, found = snapshot.find_provider_model(name, None, provider, None)
        except LookupError:
            continue
        at = datetime.fromtimestamp(now, UTC)
        return Found(_price(found, provider, at), min(_changes(found, at), default=inf))
    return Found(None, inf)


def _price(found: Any, provider: str, at: datetime) -> Price | None:
    """A model of the list, with the service tiers that have prices of their own."""
    standard = found.get_prices(at)
    if standard.input_mtok is None and standard.output_mtok is None:
        return None
    price = _terms(standard, found.id)
    variants = {}
    for one in found.price_variants or ():
        [(key, tier), *more] = one.when.items()
        if key in _VARIANTS and not more and tier not in variants:
            variant = _terms(found.get_prices(at, one.when), found.id)
            if variant != price:
                variants[tier] = variant
    source = f"genai-prices {_version()} {provider}/{found.id}"
    return replace(price, variants=tuple(sorted(variants.items())), source=source)


def _terms(listed: Any, model: str) -> Price:
    """The prices of every class; those that depend on the size of the input in steps."""
    told = {name: value for name, key in _CLASSES.items() if (value := getattr(listed, key)) is not None}
    starts = sorted({tier.start for value in told.values() for tier in getattr(value, "tiers", ())})
    steps = tuple(Step(start, Rates(**_rates(told, start, model))) for start in starts)
    request = listed.requests_kcount
    fee = 0 if request is None else _nano(_at(request, -1) / 1000)
    plain: dict[str, Any] = {**_rates(told, -1, model), "request": fee, "steps": steps}
    return Price(**plain)


def _rates(told: Mapping[str, Any], start: int, model: str) -> dict[str, int]:
    """Of a request with more than ``start`` tokens of input. What Claude's caches cost follows from its input."""
    rates = {"input": 0, "output": 0} | {name: _nano(_at(value, start)) for name, value in told.items()}
    if "claude" in model:
        rates.setdefault("cache_write_5m", rates["input"] * 5 // 4)
        rates.setdefault("cache_write_1h", rates["input"] * 2)
    return rates


def _at(value: Any, start: int) -> Decimal:
    """Dollars for a request with more than ``start`` tokens of input, but not many more."""
    reached = [tier.price for tier in getattr(value, "tiers", ()) if tier.start <= start]
    price = reached[-1] if reached else getattr(value, "base", value)
    assert isinstance(price, Decimal)
    return price


def _nano(dollars: Decimal) -> int:
    """Nano-dollars; the list has a few prices that are thirds of something."""
    return int((dollars * _NANO).to_integral_value(ROUND_HALF_UP))


def _changes(found: Any, at: datetime) -> Iterator[float]:
    """When this model's prices may become others, in seconds since the epoch: all within a day, and dates to come."""
    dated = [*(found.prices if isinstance(found.prices, list) else ()), *(found.price_variants or ())]
    for constraint in [one.constraint for one in dated if one.constraint is not None]:
        if hasattr(constraint, "start_date"):
            start = datetime.combine(constraint.start_date, Clock(tzinfo=UTC))
            if start > at:
                yield start.timestamp()
            continue
        for edge in (constraint.start_time, constraint.end_time):
            today = datetime.combine(at.date(), edge if edge.tzinfo else edge.replace(tzinfo=UTC)).astimezone(UTC)
            yield min(day.timestamp() for days in (-1, 0, 1, 2) if (day := today + timedelta(days=days)) > at)


@cache
def _version() -> str:
    """Of the list."""
    return version("genai-prices")
