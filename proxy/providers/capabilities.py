"""The capability table: what a model of a provider can do, by its kind or preset and its name.

Three layers: the row of the table that fits best, what a preset or provider says of all its models, and what the file
says under the account's ``models``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from fnmatch import translate
from math import inf
from typing import Any, Literal, TypeAlias

import msgspec

from proxy.choosing.capability import Capabilities, ThinkingStyle
from proxy.dialects.fit import REFUSABLE
from proxy.ledger.prices import Dated
from proxy.policy import Config
from proxy.price import MILLE, Price, Rates
from proxy.providers.capability_rows import ROWS, SAME_AS
from proxy.providers.presets import REFUSED
from proxy.units import Duration, Money, Percent

_MAX_KNOWN = 1024  # models of one account that are remembered; their names may come from callers
_WILDCARDS = re.compile(r"\[[^\]]*\]|[*?]")
_Compiled = tuple[tuple[str, re.Pattern[str], dict[str, Any]], ...]


class DatedPrice(Config, frozen=True):
    """For a million tokens, from a day on, which begins in UTC. What is absent costs what its class does elsewhere."""

    input: Money
    output: Money
    cached_read: Money | None = None
    cache_write_5m: Money | None = None
    cache_write_1h: Money | None = None
    input_audio: Money | None = None
    reasoning: Money | None = None
    output_audio: Money | None = None
    request: Money = Money(0)
    batch: Percent = Percent(1.0)
    since: date | None = msgspec.field(default=None, name="from")

    def price(self) -> Price:
        """Classes that are absent cost what their like does."""
        told: dict[str, Any] = {
            name: int(value) for name in Rates.__struct_fields__ if (value := getattr(self, name)) is not None
        }
        share = round(self.batch * MILLE)
        multipliers = () if share == MILLE else (("batch", share),)
        return Price(**told, request=int(self.request), multipliers=multipliers, source="file")

    def begins(self) -> float:
        """Seconds since the epoch; before all of them without a day."""
        return -inf if self.since is None else datetime.combine(self.since, time(tzinfo=UTC)).timestamp()


PriceConfig: TypeAlias = DatedPrice | tuple[DatedPrice, ...]


class ModelConfig(Config, frozen=True):
    """What the file says of some models: see ``models`` in ``schemas/gateway.json``. None: as the table has it."""

    vision: bool | None = None
    files: bool | None = None
    audio: bool | None = None
    video: bool | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    json_object: bool | None = None
    json_schema: bool | None = None
    json_by_tool: bool | None = None
    thinking: ThinkingStyle | None = None
    always_thinks: bool | None = None
    prompt_cache: Literal["none", "automatic", "marks"] | None = None
    count_tokens: bool | None = None
    max_output: int | None = None
    context: int | None = None
    refuses: tuple[str, ...] = ()
    accepts: tuple[str, ...] = ()
    price: PriceConfig | None = None


class CheckConfig(Config, frozen=True):
    """How an account is checked: see ``check`` in ``schemas/gateway.json``. Without ``status``: any below 400."""

    path: str = "/models"
    interval: Duration = Duration(10)
    timeout: Duration = Duration(2)
    failures: int = 2
    status: tuple[int, ...] = ()


class ModelsConfig(Config, frozen=True):
    """Base of the ``Config`` of every kind of account that is reached over HTTP, and whose models differ."""

    models: dict[str, ModelConfig] = {}
    check: CheckConfig | None = None


_SIMPLE = tuple(name for name in ModelConfig.__struct_fields__ if name not in ("refuses", "accepts", "price"))


def check_models(models: Mapping[str, ModelConfig], fail: Callable[[str, str], None]) -> None:
    """Report what the schema cannot: names of parameters that do not exist."""
    for glob, config in models.items():
        for key in ("refuses", "accepts"):
            for at, name in enumerate(getattr(config, key)):
                if name not in REFUSABLE:
                    fail(f"{name!r} is not a parameter of requests", f"models.{glob}.{key}[{at}]")
        check_price(config.price, f"models.{glob}.price", fail)


def dated(price: PriceConfig) -> Dated:
    """What the file says of a price, as ``Prices`` takes it."""
    return tuple((one.begins(), one.price()) for one in (price if isinstance(price, tuple) else (price,)))


def priced(models: Mapping[str, Any]) -> dict[str, Dated]:
    """What the file says of prices, by pattern of models' names."""
    return {glob: dated(one.price) for glob, one in models.items() if one.price is not None}


def check_price(price: PriceConfig | None, path: str, fail: Callable[[str, str], None]) -> None:
    """Report what the schema cannot: days out of order, and shares that cannot be counted exactly."""
    if isinstance(price, DatedPrice):
        _check_share(price, path, fail)
        return
    for at, one in enumerate(price or ()):
        _check_share(one, f"{path}[{at}]", fail)
        before = price[at - 1].since if price and at else None
        if at and one.since is None:
            fail("only the first of several prices may stand without `from`", f"{path}[{at}]")
        elif at and before is not None and one.since is not None and one.since <= before:
            fail(f"must be later than {before}, where the price before it begins", f"{path}[{at}].from")


def _check_share(price: DatedPrice, path: str, fail: Callable[[str, str], None]) -> None:
    mille = price.batch * MILLE
    if abs(mille - round(mille)) > 1e-6:
        fail("must be a multiple of 0.1%", f"{path}.batch")


class Known:
    """The capabilities of one account's models. What was looked up is kept, within bounds."""

    __slots__ = ("_known", "_overrides", "_refused", "_rows", "kind")

    def __init__(self, kind: str, models: Mapping[str, ModelConfig] | None = None) -> None:
        self.kind = kind  # or preset
        self._rows = _compile(rows_of(kind))
        self._refused = REFUSED.get(kind, frozenset())
        self._overrides = tuple(
            (_pattern(glob), (models or {})[glob]) for glob in sorted(models or {}, key=_fixed)
        )  # the most special last, so that it wins
        self._known: dict[str, Capabilities] = {}

    def of(self, model: str) -> Capabilities:
        """What ``model`` can do."""
        found = self._known.get(model)
        if found is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = self._known[model] = self._look_up(model)
        return found

    def _look_up(self, model: str) -> Capabilities:
        row = next((row for _, pattern, row in self._rows if pattern.fullmatch(model)), {})
        found = _capabilities(row, self._refused)
        for pattern, config in self._overrides:
            if pattern.fullmatch(model):
                found = _overridden(found, config)
        return found


def capabilities_of(kind: str, model: str, overrides: Mapping[str, ModelConfig] | None = None) -> Capabilities:
    """What ``model`` of a provider of this ``kind`` (or preset) can do. For many look-ups keep a ``Known``."""
    return Known(kind, overrides).of(model)


def rows_of(kind: str) -> dict[str, dict[str, Any]]:
    """The table's rows for a kind or preset."""
    return ROWS[_root(kind)]


def table() -> Iterator[tuple[str, str, Capabilities]]:
    """Every row of the table: kind, glob, capabilities; the general rows of a kind first."""
    for kind, rows in ROWS.items():
        for glob in sorted(rows, key=lambda glob: (glob != "*", glob)):
            yield kind, glob, _capabilities(rows[glob], REFUSED.get(kind, frozenset()))


def _capabilities(row: dict[str, Any], refused: frozenset[str]) -> Capabilities:
    """A row of the table, and what no model of that service takes."""
    return Capabilities(**row | {"refuses": row.get("refuses", frozenset()) | refused})


def _root(kind: str) -> str:
    return kind if kind in ROWS else SAME_AS.get(kind, "openai")


def _compile(rows: dict[str, dict[str, Any]]) -> _Compiled:
    ordered = sorted(rows, key=_fixed, reverse=True)
    return tuple((glob, _pattern(glob), rows[glob]) for glob in ordered)


def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob), re.IGNORECASE)


def _fixed(glob: str) -> tuple[int, str]:
    """How special a glob is: the number of its characters that are no wildcards; exact names win."""
    plain = len(_WILDCARDS.sub("", glob))
    return (plain if plain < len(glob) else plain + 1), glob


def _overridden(found: Capabilities, config: ModelConfig) -> Capabilities:
    changes = {name: value for name in _SIMPLE if (value := getattr(config, name)) is not None}
    accepted = frozenset(config.accepts)
    changes["refuses"] = (found.refuses - accepted) | frozenset(config.refuses)
    changes["refuses_thinking"] = found.refuses_thinking - accepted
    return msgspec.structs.replace(found, **changes)
