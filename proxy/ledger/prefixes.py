"""What providers' caches of prompts have saved, or lost: rows of the ledger in groups, each at its own price.

A token that was read from a cache has saved what it would have cost otherwise; one that was written has cost more than
a plain one, which comes back when it is read. All of it is counted in whole nano-dollars.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from proxy.ledger.export import Selection, Source, is_most
from proxy.ledger.shown import NANO
from proxy.ledger.usage import DIMENSIONS, EVER, names_of
from proxy.price import MILLE, MILLION, Price, Rates

BY = ("route", "provider", "model")  # that nobody has asked for otherwise
_INPUT = "(input + cached_read + cache_write_5m + cache_write_1h + input_audio)"
_ABOVE = " ".join(("CASE WHEN", _INPUT, "> ? THEN 1 ELSE 0 END"))
_SUMS = ", ".join(
    ("count(*)", " ".join(("sum", _INPUT)), "sum(cached_read)", "sum(cache_write_5m)", "sum(cache_write_1h)")
)
_FROM = " ".join(("FROM attempts WHERE", _INPUT, "> 0 AND"))
_WHOLE = MILLION * MILLE
_TIER = "tier:"
_MOST_STEPS = 50  # of all prices together


class Prefixes(msgspec.Struct):
    """One line. ``requests`` are those to providers that had an input; tokens of all of it, ``read`` from caches and
    ``written`` to them.

    Nano-dollars: ``saved`` by what was read; ``surcharge``: what writing cost above the plain price; ``lost`` of that
    for certain: at least so many tokens were written in vain as were written more than read. ``unpriced`` requests have
    no known price, and none of this.
    """

    names: tuple[str, ...]
    requests: int = 0
    input: int = 0
    read: int = 0
    written: int = 0
    saved: int = 0
    surcharge: int = 0
    lost: int = 0
    unpriced: int = 0

    @property
    def net(self) -> int:
        """What is left of it, below 0 where it was a loss."""
        return self.saved - self.surcharge

    @property
    def hit_rate(self) -> float | None:
        """The share of the input that came from caches; None without any."""
        return self.read / self.input if self.input else None


class Report(msgspec.Struct):
    """The groups with the most input, the sum of all, and how many there are."""

    by: tuple[str, ...]
    groups: list[Prefixes]
    total: Prefixes
    count: int


class _Sum:
    """A group while it grows: money in millionths of thousandths of a nano-dollar, to be rounded once."""

    __slots__ = ("line", "saved", "surcharge")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.line = Prefixes(names)
        self.saved = self.surcharge = 0

    def add(self, requests: int, tokens: int, read: int, written: tuple[int, int]) -> None:
        line = self.line
        line.requests += requests
        line.input += tokens
        line.read += read
        line.written += sum(written)

    def charge(self, rates: Rates, multiplier: int, read: int, written: tuple[int, int]) -> None:
        self.saved += (rates.input - rates.cached_read) * read * multiplier
        for tokens, rate in zip(written, (rates.cache_write_5m, rates.cache_write_1h), strict=True):
            self.surcharge += (rate - rates.input) * tokens * multiplier

    def end(self) -> Prefixes:
        line = self.line
        line.saved, line.surcharge = _rounded(self.saved), _rounded(self.surcharge)
        in_vain = max(0, line.written - line.read)
        line.lost = max(0, line.surcharge) * in_vain // line.written if in_vain else 0
        return line


def prefixes(source: Source, selection: Selection, by: Sequence[str] = BY, *, limit: int = 50) -> Report:
    """The ``limit`` groups with the most input, the largest first.

    Raises:
        ValueError: a dimension that does not exist.
    """
    if wrong := [name for name in by if name not in DIMENSIONS]:
        raise ValueError(f"{wrong[0]}: cannot be grouped by")
    terms = _terms(source)
    steps = _steps(terms)
    sums: dict[tuple[str, ...], _Sum] = {}
    for key, version, flags, step, requests, *tokens in _each(source, selection, by, steps):
        names = names_of(by, key)
        found = sums.setdefault(names, _Sum(names))
        whole, read, short, long = tokens
        found.add(requests, whole, read, (short, long))
        price = terms.get(version)
        if price is None:
            found.line.unpriced += requests
            continue
        at, multiplier = price.at(_tier(flags))
        found.charge(at.rates(steps[step - 1] + 1 if step else 0), multiplier, read, (short, long))
    lines = [found.end() for found in sums.values()]
    groups = heapq.nsmallest(limit, lines, key=lambda line: (-line.input, line.names))
    return Report(tuple(by), groups, _total(lines), len(lines))


def _each(source: Source, selection: Selection, by: Sequence[str], steps: Sequence[int]) -> Any:
    """Key, version of the price, flags, how many steps of prices the input is above, requests, and sums of tokens."""
    condition, params = selection.condition(scans=is_most(source, selection.since, selection.until or EVER))
    above = " + ".join([_ABOVE] * len(steps)) or "0"
    columns = [*(DIMENSIONS[name] for name in by), "price", "flags", above]
    grouped = ", ".join(str(at + 1) for at in range(len(columns)))
    sql = " ".join(("SELECT", ", ".join([*columns, _SUMS]), _FROM, condition, "GROUP BY", grouped))
    for found in source.each(sql, (*steps, *params)):
        key, (version, flags), numbers = found[: len(by)], found[len(by) : len(by) + 2], found[len(by) + 2 :]
        yield key, version, flags, *(int(number or 0) for number in numbers)


def _terms(source: Source) -> dict[str, Price]:
    """All prices that were ever used, by their versions; there are few."""
    found = {}
    for version, terms in source.query("SELECT version, terms FROM prices"):
        with suppress(msgspec.DecodeError):  # written by a later version: as if it was not known
            found[version] = Price.decode(bytes(terms))
    return found


def _steps(terms: dict[str, Price]) -> list[int]:
    """From how many tokens on prices change, of any of them, in order."""
    every = [one for price in terms.values() for one in (price, *(variant for _, variant in price.variants))]
    return sorted({step.above for price in every for step in price.steps})[:_MOST_STEPS]


def _tier(flags: str) -> str:
    return next((word.removeprefix(_TIER) for word in flags.split() if word.startswith(_TIER)), "")


def _rounded(amount: int) -> int:
    return (amount + _WHOLE // 2) // _WHOLE


def _total(lines: Sequence[Prefixes]) -> Prefixes:
    total = Prefixes(())
    for name in Prefixes.__struct_fields__[1:]:
        setattr(total, name, sum(getattr(line, name) for line in lines))
    return total


def as_data(found: Report) -> dict[str, Any]:
    """For machines; money as dollars, too."""

    def line(group: Prefixes) -> dict[str, Any]:
        values: dict[str, Any] = msgspec.to_builtins(group)
        del values["names"]
        values |= {"net": group.net, "hit_rate": group.hit_rate}
        return values | {f"{name}_usd": values[name] / NANO for name in ("saved", "surcharge", "lost", "net")}

    groups = [dict(zip(found.by, group.names, strict=True)) | line(group) for group in found.groups]
    return {"by": list(found.by), "groups": groups, "count": found.count, "total": line(found.total)}
