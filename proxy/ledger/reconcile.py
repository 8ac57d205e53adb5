"""The ledger against a provider's own file: where they differ, and the likely cause.

A cell is a model, on a day if the file tells days. A difference counts from more than one percent on. Causes are read
from the rows of the cell; they are likely, not certain.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Mapping
from copy import copy
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec

from proxy.ledger.export import Selection, Source
from proxy.ledger.shown import NANO, count, money
from proxy.ledger.usage import DIMENSIONS

TOLERANCE = 0.01  # the part of an amount that it may differ by
_MOST = 1_000_000  # lines of a file
_ROUNDING = NANO // 100  # a cent
_SUM = "input", "cached", "output", "cost", "requests"
# What a column is → the names that providers give it, in small letters with _ between words.
_WRITES = ("cache_write", "cache_creation", "cache_write_5m", "cache_write_1h", "cache_creation_input")
_NAMES: dict[str, tuple[str, ...]] = {
    "model": ("model", "model_version", "model_id", "model_name", "snapshot_id"),
    "day": ("date", "day", "usage_date", "usage_date_utc", "start_time_iso", "start_time", "timestamp", "time"),
    "input": ("input", "prompt", "n_context_total", "uncached_input", "usage_input_no_cache", "input_no_cache"),
    "cached": ("cached", "input_cached", "cached_input", "cache_read", "cache_read_input", "usage_input_cache_read"),
    "written": (*_WRITES, *(f"usage_input_{name}" for name in _WRITES)),
    "output": ("output", "completion", "n_generated_total", "usage_output", "generated"),
    "cost": ("cost", "amount", "cost_usd", "amount_usd", "amount_value", "total_cost", "cost_in_usd"),
    "requests": ("requests", "num_model_requests", "num_requests", "n_requests", "request_count", "calls"),
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names}
_DATED = re.compile(r"(-\d{4}-?\d{2}-?\d{2}|-latest|@\d{8})$")
HELP = """columns (matched leniently; tokens of either style):
  OpenAI usage export      start_time_iso, model, num_model_requests, input_tokens, input_cached_tokens, output_tokens
                           (input_tokens holds the cached ones)
  Anthropic usage export   usage_date_utc, model_version, usage_input_tokens_no_cache, usage_input_tokens_cache_read,
                           usage_input_tokens_cache_write_5m, usage_input_tokens_cache_write_1h, usage_output_tokens
  anything alike           model, date, input tokens, cached tokens, output tokens, cost, requests
A model is needed, and at least one of input, output, cost and requests. Costs are dollars; days are UTC."""


class BadInvoice(Exception):
    """The file cannot be understood; the message says where."""


class Cell(msgspec.Struct):
    """Of a model on a day ("" if the file tells none): ``input`` are all input tokens, ``cached`` those of them that
    were read from a cache; ``cost`` in nano-dollars."""

    day: str
    model: str
    input: int = 0
    cached: int = 0
    output: int = 0
    cost: int = 0
    requests: int = 0


class Booked(Cell):
    """What the ledger has, and which of its rows are likely to differ."""

    bound: int = 0  # rows whose outcome is unknown, and what they cost
    bound_cost: int = 0
    aborted: int = 0  # rows that broke off and were counted here
    unpriced: int = 0


_C = TypeVar("_C", bound=Cell)


class Invoice(msgspec.Struct):
    """What a file says, and which of its columns were understood."""

    cells: dict[tuple[str, str], Cell]
    columns: frozenset[str]

    @property
    def days(self) -> tuple[str, str] | None:
        """The first and the last, if it tells days."""
        days = sorted(day for day, _ in self.cells if day)
        return (days[0], days[-1]) if days else None


class Difference(msgspec.Struct):
    """One amount of one cell: ``there`` is the provider's."""

    day: str
    model: str
    what: str  # a column
    here: int
    there: int
    part: float | None  # of ``there``; None of nothing
    causes: list[str]


def read_invoice(lines: Iterable[str]) -> Invoice:
    """The lines of a CSV file with a head.

    Raises:
        BadInvoice: with the number of the line.
    """
    reader = csv.reader(lines, strict=True)
    try:
        head = next(reader, [])
        kinds = _kinds(head)
        columns = _understood(head, kinds)
        is_apart = any("cache_read" in _plain(n) or "no_cache" in _plain(n) or "uncached" in _plain(n) for n in head)
        cells: dict[tuple[str, str], Cell] = {}
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if reader.line_num > _MOST:
                raise BadInvoice(f"line {reader.line_num}: more than {_MOST:,} lines")
            if len(values) != len(head):
                raise BadInvoice(f"line {reader.line_num}: {len(values)} columns, but the head has {len(head)}")
            _book(cells, head, kinds, values, reader.line_num, is_apart)
    except csv.Error as error:
        raise BadInvoice(f"line {reader.line_num}: {error}") from error
    if not cells:
        raise BadInvoice("line 1: there is nothing below the head")
    return Invoice(cells, columns)


def _plain(name: str) -> str:
    """ "Input Tokens (cached)" → "input_cached": tokens are what is counted anyway."""
    words = re.findall(r"[a-z0-9]+", name.lower().replace("\ufeff", ""))
    return "_".join(word for word in words if word not in ("tokens", "token"))


def _kind(name: str) -> str:
    return _KINDS.get(_plain(name), "")


def _kinds(head: list[str]) -> list[str]:
    """Of two columns of a kind, the first counts; there are several of writes to a cache."""
    kinds: list[str] = []
    for name in head:
        kind = _kind(name)
        kinds.append("" if kind in kinds and kind != "written" else kind)
    return kinds


def _understood(head: list[str], kinds: list[str]) -> frozenset[str]:
    found = frozenset(kinds) - {""}
    shown = ", ".join(name.strip()[:40] for name in head[:20]) or "nothing"
    if "model" not in found:
        raise BadInvoice(f"line 1: no column is a model (there are: {shown})")
    if not found & {"input", "output", "cost", "requests"}:
        raise BadInvoice(f"line 1: no column is input, output, cost or requests (there are: {shown})")
    return found


def _book(
    cells: dict[tuple[str, str], Cell], head: list[str], kinds: list[str], values: list[str], line: int, is_apart: bool
) -> None:
    """Add one line. ``is_apart``: cached tokens are not among the input tokens."""
    model = day = ""
    sums = dict.fromkeys((*_SUM, "written"), 0)
    for name, kind, value in zip(head, kinds, values, strict=True):
        if kind == "model":
            model = model or value.strip()
        elif kind == "day":
            day = day or _day(value.strip(), line)
        elif kind:
            sums[kind] += _number(name, value, line, NANO if kind == "cost" else 1)
    if not model:
        raise BadInvoice(f"line {line}: no model")
    cell = cells.setdefault((day, model), Cell(day, model))
    cell.input += sums["input"] + sums["written"] + (sums["cached"] if is_apart else 0)
    cell.cached += sums["cached"]
    cell.output += sums["output"]
    cell.cost += sums["cost"]
    cell.requests += sums["requests"]


def _number(name: str, value: str, line: int, factor: int) -> int:
    text = re.sub(r"[\s,$]|USD", "", value)
    if not text:
        return 0
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) > 10**15:
        raise BadInvoice(f"line {line}: {name.strip()!r} is no number: {value.strip()[:40]!r}")
    return round(number * factor)


def _day(value: str, line: int) -> str:
    try:
        if value.isdecimal() and len(value) == 10:
            return datetime.fromtimestamp(int(value), UTC).date().isoformat()
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError as error:
        raise BadInvoice(f"line {line}: {value[:40]!r} is no day (2026-11-01)") from error


def booked(source: Source, selection: Selection, *, by_day: bool) -> dict[tuple[str, str], Booked]:
    """What the ledger has, in cells."""
    condition, params = selection.condition()
    sums = """sum(input + cached_read + cache_write_5m + cache_write_1h + input_audio), sum(cached_read),
        sum(output + reasoning + output_audio), sum(cost), sum(CASE WHEN source = 'none' THEN 0 ELSE 1 END),
        sum(CASE WHEN source = 'bound' THEN 1 ELSE 0 END), sum(CASE WHEN source = 'bound' THEN cost ELSE 0 END),
        sum(CASE WHEN source = 'counted' AND status <> 'ok' THEN 1 ELSE 0 END),
        sum(CASE WHEN price = '' AND source <> 'none' THEN 1 ELSE 0 END)"""
    keys = ", ".join(["model", *([DIMENSIONS["day"]] if by_day else [])])
    grouped = "GROUP BY 1, 2" if by_day else "GROUP BY 1"
    found = {}
    for model, *values in source.each(
        " ".join(("SELECT", keys, ",", sums, "FROM attempts WHERE", condition, grouped)), params
    ):
        day = datetime.fromtimestamp(int(values.pop(0)) * 86400, UTC).date().isoformat() if by_day else ""
        found[day, model] = Booked(day, model, *(int(value) for value in values))
    return found


def compare(here: Mapping[tuple[str, str], Booked], invoice: Invoice) -> list[Difference]:
    """Differences of more than the tolerance, the largest costs first."""
    ours, theirs, aliased = _aligned(here, invoice.cells)
    found: list[Difference] = []
    for key in sorted(ours.keys() | theirs.keys()):
        mine, other = ours.get(key), theirs.get(key)
        for what in _SUM:
            if what not in invoice.columns:
                continue
            a, b = getattr(mine, what, 0), getattr(other, what, 0)
            if abs(a - b) > TOLERANCE * abs(b):
                causes = _causes(what, mine, other, invoice.columns, key[1] in aliased)
                found.append(Difference(*key, what, a, b, (a - b) / abs(b) if b else None, causes))
    return sorted(found, key=lambda one: (one.what != "cost", -abs(one.here - one.there)))


def _aligned(
    here: Mapping[tuple[str, str], Booked], there: Mapping[tuple[str, str], Cell]
) -> tuple[dict[tuple[str, str], Booked], dict[tuple[str, str], Cell], set[str]]:
    """Models that one side names with a date and the other without are one; the names of such."""
    mine, others = {model for _, model in here}, {model for _, model in there}
    lonely = mine ^ others
    named: dict[str, str] = {}
    aliased = set()
    for model in sorted(lonely):
        bare = _DATED.sub("", model)
        twins = {one for one in (others if model in mine else mine) if _DATED.sub("", one) == bare}
        named[model] = bare if twins else model
        if twins:
            named |= dict.fromkeys(twins, bare)
            aliased.add(bare)
    return _joined(here, named), _joined(there, named), aliased


def _joined(cells: Mapping[tuple[str, str], _C], named: Mapping[str, str]) -> dict[tuple[str, str], _C]:
    found: dict[tuple[str, str], _C] = {}
    for (day, model), cell in cells.items():
        key = day, named.get(model, model)
        if key not in found:
            found[key] = copy(cell)
            continue
        for name in cell.__struct_fields__[2:]:
            setattr(found[key], name, getattr(found[key], name) + getattr(cell, name))
    return found


def _causes(what: str, here: Booked | None, there: Cell | None, columns: frozenset[str], is_aliased: bool) -> list[str]:
    """What is likely to have made the difference, by what the rows of the cell are."""
    if here is None:
        return ["no such requests passed the gateway, or under another model name"]
    if there is None:
        return ["not in the file: another account or period, or the provider did not bill it"]
    causes = []
    a, b = getattr(here, what), getattr(there, what)
    if a > b and here.bound:
        causes.append(
            f"{count(here.bound)} rows of unknown outcome are counted at their bound ({money(here.bound_cost)})"
        )
    if here.aborted and what != "requests":
        causes.append(f"{count(here.aborted)} answers broke off and were counted here")
    if a < b and here.unpriced and what == "cost":
        causes.append(f"{count(here.unpriced)} rows have no price")
    if a > b and what == "cost" and "cached" in columns and there.cached > here.cached * (1 + TOLERANCE):
        causes.append("cached tokens were priced as input")
    if a < b and "requests" in columns and there.requests > here.requests:
        causes.append(f"{count(there.requests - here.requests)} requests did not pass the gateway")
    if what == "cost" and abs(a - b) <= _ROUNDING:
        causes.append("rounding")
    if is_aliased:
        causes.append("the file names the model with a date, or without: versions are compared as one")
    if not causes:
        causes.append(_guess(what, a < b, here, there, columns))
    return causes


def _guess(what: str, is_less: bool, here: Booked, there: Cell, columns: frozenset[str]) -> str:
    """When no row explains it."""
    tokens = [name for name in ("input", "output") if name in columns]
    same = all(math.isclose(getattr(here, name), getattr(there, name), rel_tol=TOLERANCE) for name in tokens)
    if what == "cost" and tokens and same:
        return "the tokens agree, so another price: a discount, a tier, a batch or an old price"
    if is_less:
        return "requests that did not pass the gateway"
    return "failed requests that the provider did not bill, or another period"
