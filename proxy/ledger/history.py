"""What the ledger knows of the past that limits still count: summed up by whose it was, and when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec

from proxy.ledger.export import Source, is_most
from proxy.limit import Amounts

TAGS = ("user", "session", "project", "feature")
_MICRO = 1_000_000
_HOUR = 3600.0
_LAST = 0.999_999  # of a second: what came within it counts until all of it is too old
_WHO = ("team", "model", "key", "organisation", "route", "asked")  # as an index has them
# What is still open may cost up to its bound.
_SUMS = """sum(CASE WHEN number = 1 AND (status <> 'error' OR output > 0) THEN 1 ELSE 0 END),
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
    """What was used before ``now``, oldest first: before this month if ``ever``, in this month, today, and in each
    second of the last hour. With ``tags``, apart for each value of them."""
    edges = _edges(now, zone)
    for start, end, per_second in edges if ever else edges[1:]:
        if start < end:
            yield from _between(source, start, end, per_second=per_second, tags=tags)


def _edges(now: float, zone: str) -> list[tuple[float, float, bool]]:
    here = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone))
    day = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    hour_ago, today, month = now - _HOUR, day.timestamp(), day.replace(day=1).timestamp()
    return [
        (0.0, min(month, hour_ago), False),
        (month, min(today, hour_ago), False),
        (today, hour_ago, False),
        (hour_ago, now, True),
    ]


def _between(source: Source, start: float, end: float, *, per_second: bool, tags: bool) -> Iterator[Past]:
    names = [*_WHO, *(TAGS if tags else ())]
    columns = ", ".join(f'"{name}"' for name in names)
    second = f", opened / {_MICRO}" if per_second else ""
    opened = "+opened" if is_most(source, int(start * _MICRO), int(end * _MICRO)) else "opened"
    sql = " ".join(
        (
            *("SELECT", columns + second + ",", _SUMS, "FROM attempts WHERE", opened, ">= ? AND", opened, "< ?"),
            *("GROUP BY", columns + second, f"ORDER BY {len(names) + 1}" if per_second else ""),
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
            found[len(names)] + _LAST if per_second else start,
            Amounts(requests, input_, output, money),
        )
