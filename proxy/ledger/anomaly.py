"""Spending unlike its own past: what an organisation spent within an hour, against its usual hour."""

from __future__ import annotations

import msgspec

from proxy.ledger.export import Source, is_most

LEAST = 10_000_000  # nano-dollars: an hour that costs no more alarms nobody
LEAST_HOURS = 24  # with spend, before it can be said what is usual
_HOUR = 3600
_MICRO = 1_000_000
_PAST = 7 * 24 * _HOUR  # seconds
_MOST = 1000  # organisations that are told of at once, those who spent most
_LAST = (
    "SELECT organisation, sum(cost) FROM attempts WHERE opened >= ? AND opened < ? GROUP BY organisation"
    " HAVING sum(cost) > ? ORDER BY sum(cost) DESC LIMIT ?"
)
_BEFORE = (
    "SELECT organisation, count(*), sum(spent) FROM (SELECT organisation, sum(cost) AS spent FROM attempts"
    " WHERE {opened} >= ? AND {opened} < ? GROUP BY organisation, opened / 3600000000 HAVING sum(cost) > 0) AS hours"
    " GROUP BY organisation HAVING count(*) >= ?"
)


class Anomaly(msgspec.Struct, frozen=True):
    """``hour``: seconds since the epoch at which it began. ``cost``: of that hour, ``usual``: the mean of the hours
    with spend in the seven days before it, both in nano-dollars."""

    organisation: str
    hour: int
    cost: int
    usual: int


def anomalies(source: Source, now: float, factor: float) -> list[Anomaly]:
    """Organisations whose last full hour before ``now`` cost more than ``factor`` times their usual hour, the dearest
    first. What is still open does not count. A factor of 0 asks for nothing.

    Raises:
        NoLedger, sqlite3.Error: the ledger cannot be read.
    """
    hour = int(now) // _HOUR * _HOUR - _HOUR
    if factor <= 0:
        return []
    start, end = hour * _MICRO, (hour + _HOUR) * _MICRO
    last = source.query(_LAST, (start, end, LEAST, _MOST))
    if not last:  # by far the most frequent, and cheap to find out
        return []
    begin = (hour - _PAST) * _MICRO
    opened = "+opened" if is_most(source, begin, start) else "opened"
    usual = {
        organisation: int(spent) // hours
        for organisation, hours, spent in source.query(_BEFORE.format(opened=opened), (begin, start, LEAST_HOURS))
    }
    return [
        Anomaly(organisation, hour, int(cost), usual[organisation])
        for organisation, cost in last
        if organisation in usual and int(cost) > factor * usual[organisation]
    ]
