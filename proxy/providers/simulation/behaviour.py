"""The settings of the simulation, and how they apply to one request."""

from __future__ import annotations

import random
import re
from fnmatch import translate
from typing import Any, Literal

import msgspec

from proxy import policy
from proxy.providers.capabilities import PriceConfig
from proxy.units import Duration

MAX_TOKENS = 32_768  # of one answer


class Usage(policy.Config, frozen=True, kw_only=True):
    """Token counts to report instead of the counted ones."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class ToolCalls(policy.Config, frozen=True, kw_only=True):
    """What to do when a request brings tools: call ``name`` (default: the first), ``count`` times in parallel."""

    name: str | None = None
    count: int = 1


class Overrides(policy.Config, frozen=True, kw_only=True):
    """Settings of one model; what is absent is as for the whole account."""

    text: str | None = None
    tokens: int | None = None
    first_token: Duration | None = None
    gap: Duration | None = None
    usage: Usage | None = None
    prompt_cache: Duration | None = None
    tool_calls: ToolCalls | None = None
    error_rate: float | None = None
    errors: tuple[int, ...] | None = None
    retry_after: Duration | None = None
    cut_rate: float | None = None
    cut_after: int | None = None
    seed: int | None = None
    price: PriceConfig | None = None


class Config(policy.Config, frozen=True, kw_only=True):
    """As in ``schemas/providers/simulated.json``."""

    kind: Literal["simulated"] = "simulated"
    text: str = "This is {model}, simulated. You said: {message}"
    tokens: int | None = None
    first_token: Duration = Duration(0)
    gap: Duration = Duration(0)
    usage: Usage = Usage()
    prompt_cache: Duration | None = None
    tool_calls: ToolCalls = ToolCalls()
    error_rate: float = 0.0
    errors: tuple[int, ...] = (500,)
    retry_after: Duration | None = None
    cut_rate: float = 0.0
    cut_after: int = 3
    seed: int = 0
    models: dict[str, Overrides] = {}
    optional: bool = False


class Behaviour(msgspec.Struct, frozen=True):
    """How one model behaves, with nothing left open. Times in seconds."""

    text: str
    tokens: int | None
    first_token: float
    gap: float
    usage: Usage
    prompt_cache: float | None
    tool_name: str | None
    tool_count: int
    error_rate: float
    errors: tuple[int, ...]
    retry_after: float | None
    cut_rate: float
    cut_after: int
    seed: int


class Fate(msgspec.Struct, frozen=True):
    """What happens to one request: an error status, or a cut after so many tokens, or neither."""

    status: int | None = None
    cut_after: int | None = None


_WELL = Fate()
_OWN = frozenset(Overrides.__struct_fields__) - {"price"}


class Behaviours:
    """Every model's behaviour: by exact name, by the first glob that fits, or the account's own."""

    __slots__ = ("_default", "_exact", "_globs")

    def __init__(self, config: Config) -> None:
        common = {name: value for name, value in msgspec.structs.asdict(config).items() if name in _OWN}
        self._default = _behaviour(common)
        self._exact: dict[str, Behaviour] = {}
        self._globs: list[tuple[re.Pattern[str], Behaviour]] = []
        for name, changes in config.models.items():
            given = {
                key: value
                for key, value in msgspec.structs.asdict(changes).items()
                if value is not None and key in _OWN
            }
            found = _behaviour(common | given)
            if any(mark in name for mark in "*?["):
                self._globs.append((re.compile(translate(name)), found))
            else:
                self._exact[name] = found

    def of(self, model: str) -> Behaviour:
        """The behaviour of ``model``."""
        found = self._exact.get(model)
        if found is not None:
            return found
        return next((one for pattern, one in self._globs if pattern.match(model)), self._default)


def _behaviour(given: dict[str, Any]) -> Behaviour:
    calls: ToolCalls = given["tool_calls"]
    plain = {name: value for name, value in given.items() if name != "tool_calls"}
    return Behaviour(**plain, tool_name=calls.name, tool_count=calls.count)


def fate(behaviour: Behaviour, number: int) -> Fate:
    """Decided by the seed and the request's number: equal requests share their words, not their misfortunes."""
    if not behaviour.error_rate and not behaviour.cut_rate:
        return _WELL
    chance = random.Random(behaviour.seed * 1_000_003 + number)  # noqa: S311 # repeatable on purpose
    if chance.random() < behaviour.error_rate:
        return Fate(status=chance.choice(behaviour.errors))
    if chance.random() < behaviour.cut_rate:
        return Fate(cut_after=behaviour.cut_after)
    return _WELL
