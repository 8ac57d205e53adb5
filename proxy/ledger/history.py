"""What the ledger knows of the past that limits still count: summed up by whose it was, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from proxy.ledger.export import Source, is_most
from proxy.limits.limit import Amounts

TAGS = ("user", "session", "project", "feature")
_MICRO = 1_000_000
_HOUR = 3600.0
_MILLI = 1000
_LATELY = 3.0  # seconds; windows of a second are shorter than that
_WHO = ("team", "model", "key", "organisation", "route", "asked")  # as an index has them
# What is still open may cost up to its bound.
# An old answer may have taken the place of attempts that failed, which count for nothing.
_SUMS = """sum(CASE WHEN cache = 'stale' OR number = 1 AND (status <> 'error' OR output > 0) THEN 1 ELSE 0 END),
sum(CASE WHEN status = 'open' THEN bound_input
    ELSE input + cached_read + cache_write_5m + cache_write_1h + input_audio END),
sum(CASE WHEN status = 'open' THEN bound_output ELSE output + reasoning + output_audio END),
sum(CASE WHEN status = 'open' THEN bound_cost ELSE cost END)"""


class Past(msgspec.Struct, frozen=True):
    """What one caller used at one model. ``at``: seconds since the epoch, at which it counts."""

    route: str
    organisation: str
    team: str
    key: str
    model: str
    tags: dict[str, str]
    at: float
    amounts: Amounts


def history(source: Source, now: float, zone: str, *, tags: bool, ever: bool) -> Iterator[Past]:
    """What was used before ``now``, oldest first: before this month if ``ever``, in this month, today, in each second
    of the last hour, and in each millisecond of the last seconds. With ``tags``, apart for each value of them."""
    edges = _edges(now, zone)
    for start, end, grain in edges if ever else edges[1:]:
        if start < end:
            yield from _between(source, start, end, grain, tags=tags)


def _edges(now: float, zone: str) -> list[tuple[float, float, int]]:
    """Where periods begin and end, and the microseconds that are one moment within them; 0: all of it is one."""
    here = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone))
    day = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    hour_ago, today, month = now - _HOUR, day.timestamp(), day.replace(day=1).timestamp()
    return [
        (0.0, min(month, hour_ago), 0),
        (month, min(today, hour_ago), 0),
        (today, hour_ago, 0),
        (hour_ago, now - _LATELY, _MICRO),
        (now - _LATELY, now, _MILLI),
    ]


def _between(source: Source, start: float, end: float, grain: int, *, tags: bool) -> Iterator[Past]:
    names = [*_WHO, *(TAGS if tags else ())]
    columns = ", ".join(f'"{name}"' for name in names)
    moment = f", opened / {grain}" if grain else ""
    opened = "+opened" if is_most(source, int(start * _MICRO), int(end * _MICRO)) else "opened"
    sql = " ".join(
        (
            *("SELECT", columns + moment + ",", _SUMS, "FROM attempts WHERE", opened, ">= ? AND", opened, "< ?"),
            *("GROUP BY", columns + moment, f"ORDER BY {len(names) + 1}" if grain else ""),
        )
    )
    for found in source.each(sql, (int(start * _MICRO), int(end * _MICRO))):
        who = dict(zip(names, found, strict=False))
        requests, input_, output, money = (int(value or 0) for value in found[-4:])
        yield Past(
            who["route"],
            who["organisation"],
            who["team"],
            who["key"],
            who["asked"],
            {tag: who[tag] for tag in TAGS if who.get(tag)} if tags else {},
            ((found[len(names)] + 1) * grain - 1) / _MICRO if grain else start,
            Amounts(requests, input_, output, money),
        )
