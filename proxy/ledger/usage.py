"""Who used what, and what it cost: rows of the ledger in groups."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from proxy.ledger.export import TEXTS, Selection, Source, is_most
from proxy.ledger.shown import MICRO, NANO

Sort = Literal["cost", "requests", "tokens"]
SORTS: tuple[Sort, ...] = ("cost", "requests", "tokens")
EVER = 2**62  # microseconds
HOUR, DAY = 3600 * MICRO, 86400 * MICRO
_NOT_ASKED_BY = {"id", "request", "reason", "price", "source", "flags"}  # texts that make no groups
# Dimension → its expression. Times divide as integers in SQLite and PostgreSQL alike.
DIMENSIONS: dict[str, str] = {
    **{name: f'"{name}"' for name in TEXTS if name not in _NOT_ASKED_BY},
    "day": f"opened / {DAY}",
    "hour": f"opened / {HOUR}",
}
_TIMES = {"day": (86400, "%Y-%m-%d"), "hour": (3600, "%Y-%m-%dT%H:00Z")}
_SUMS = """count(*), sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END),
sum(input + cache_write_5m + cache_write_1h + input_audio), sum(cached_read), sum(output + reasoning + output_audio),
sum(cost), sum(CASE WHEN cache = '' THEN 0 ELSE 1 END), sum(saved), sum(saved_input) + sum(saved_output)"""
# Nearly every request is one attempt, so only those of several are looked at one by one: what is counted twice is
# taken off, which is far quicker than count(DISTINCT request).
_SEVERAL = "request IN (SELECT request FROM attempts WHERE number > 1 AND opened >= ?)"


class Group(msgspec.Struct):
    """One line. ``requests`` are those with an attempt in this group: one that was tried on two models is in both.

    ``input`` are tokens that were not read from a provider's cache, ``cached`` those that were. Cost in nano-dollars.
    ``hits``: requests that the gateway has answered from a cache of its own, and so without an attempt; ``saved``:
    nano-dollars and tokens of their answers when a provider gave them.
    """

    names: tuple[str, ...]
    requests: int = 0
    attempts: int = 0
    errors: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0
    cost: int = 0
    hits: int = 0
    saved: int = 0
    saved_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.input + self.cached + self.output


class Usage(msgspec.Struct):
    """The groups that are the largest, the sum of all, and how many there are."""

    by: tuple[str, ...]
    groups: list[Group]
    total: Group
    count: int


_KEYS: Mapping[Sort, Callable[[Group], int]] = {
    "cost": lambda group: group.cost,
    "requests": lambda group: group.requests,
    "tokens": lambda group: group.tokens,
}


def usage(source: Source, selection: Selection, by: Sequence[str], *, sort: Sort = "cost", limit: int = 50) -> Usage:
    """The ``limit`` largest groups, the largest first; those by time alone in the order of time.

    Raises:
        ValueError: a dimension that does not exist.
    """
    if wrong := [name for name in by if name not in DIMENSIONS]:
        raise ValueError(f"{wrong[0]}: cannot be grouped by")
    twice, twice_in_all = _counted_twice(source, selection, by)
    condition, params = selection.condition(scans=is_most(source, selection.since, selection.until or EVER))
    expressions = [DIMENSIONS[name] for name in by]
    sql = " ".join(("SELECT", ", ".join([*expressions, _SUMS]), "FROM attempts WHERE", condition, _grouped(len(by))))
    total = Group(())
    count = rows = 0

    def each() -> Any:
        nonlocal count, rows
        for found in source.each(sql, params):
            key, sums = found[: len(by)], [int(value or 0) for value in found[len(by) :]]
            if not sums[0]:
                continue  # without dimensions, nothing is one row, too
            group = Group(names_of(by, key), sums[0] - twice.get(key, 0), *sums)
            group.attempts -= group.hits
            rows += sums[0]
            count += 1
            _add(total, group)
            yield group

    value = _KEYS[sort]
    groups = heapq.nsmallest(limit, each(), key=lambda group: (-value(group), group.names))
    total.requests = rows - twice_in_all
    if by and set(by) <= _TIMES.keys():
        groups.sort(key=lambda group: group.names)
    return Usage(tuple(by), groups, total, count)


def _counted_twice(source: Source, selection: Selection, by: Sequence[str]) -> tuple[dict[tuple[Any, ...], int], int]:
    """By group and in all: rows beyond the first of the same request."""
    condition, params = selection.condition()
    expressions = ", ".join(["request", *(DIMENSIONS[name] for name in by)])
    grouped = _grouped(len(by) + 1)
    several = ("FROM attempts WHERE", condition, "AND", _SEVERAL)
    sql = " ".join(("SELECT", expressions, ", count(*)", *several, grouped, "ORDER BY 1"))
    groups: dict[tuple[Any, ...], int] = {}
    in_all, last = 0, None
    for request, *key, attempts in source.each(sql, (*params, selection.since)):
        if attempts > 1:
            groups[tuple(key)] = groups.get(tuple(key), 0) + attempts - 1
        in_all += attempts - (request != last)
        last = request
    return groups, in_all


def _grouped(columns: int) -> str:
    return " ".join(("GROUP BY", ", ".join(str(at + 1) for at in range(columns)))) if columns else ""


def _add(total: Group, group: Group) -> None:
    total.attempts += group.attempts
    total.errors += group.errors
    total.input += group.input
    total.cached += group.cached
    total.output += group.output
    total.cost += group.cost
    total.hits += group.hits
    total.saved += group.saved
    total.saved_tokens += group.saved_tokens


def names_of(by: Sequence[str], key: Sequence[Any]) -> tuple[str, ...]:
    """What a group is called, by the values of its dimensions."""
    return tuple(_time(name, value) if name in _TIMES else str(value) for name, value in zip(by, key, strict=True))


def _time(name: str, value: int) -> str:
    seconds, form = _TIMES[name]
    return datetime.fromtimestamp(int(value) * seconds, UTC).strftime(form)


def spent(source: Source, selection: Selection) -> int:
    """Nano-dollars."""
    condition, params = selection.condition()
    sql = " ".join(("SELECT coalesce(sum(cost), 0) FROM attempts WHERE", condition))
    return int(source.query(sql, params)[0][0])


def daily(source: Source, selection: Selection, by: Sequence[str] = ()) -> dict[tuple[str, ...], dict[int, int]]:
    """Nano-dollars by group and day, a day being its number since the epoch (UTC).

    Raises:
        ValueError: a dimension that does not exist.
    """
    if wrong := [name for name in by if name not in DIMENSIONS]:
        raise ValueError(f"{wrong[0]}: cannot be grouped by")
    condition, params = selection.condition()
    columns = ", ".join([DIMENSIONS["day"], *(DIMENSIONS[name] for name in by), "sum(cost)"])
    sql = " ".join(("SELECT", columns, "FROM attempts WHERE", condition, _grouped(1 + len(by))))
    found: dict[tuple[str, ...], dict[int, int]] = {}
    for day, *names, cost in source.each(sql, params):
        found.setdefault(tuple(names), {})[int(day)] = int(cost)
    return found


def as_data(found: Usage) -> dict[str, Any]:
    """For machines; money as dollars, too."""

    def line(group: Group) -> dict[str, Any]:
        values: dict[str, Any] = msgspec.to_builtins(group)
        del values["names"]
        values["cost_usd"] = group.cost / NANO
        values["saved_usd"] = group.saved / NANO
        values["share"] = group.cost / found.total.cost if found.total.cost else 0.0
        return values

    groups = [dict(zip(found.by, group.names, strict=True)) | line(group) for group in found.groups]
    return {"by": list(found.by), "groups": groups, "count": found.count, "total": line(found.total)}
