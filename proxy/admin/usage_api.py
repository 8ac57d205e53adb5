"""``/admin/usage``: who used what, and what it cost, as ``sluicegate usage`` tells it."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from proxy.admin.asked import Asked, json_reply, read_number
from proxy.admin.roles import Operator, check, sees
from proxy.commands import parse_time, parse_where
from proxy.errors import BadRequest, GatewayError
from proxy.exchange import Reply
from proxy.keys.record import MICRO
from proxy.ledger.export import NoLedger, Selection, Source
from proxy.ledger.forecast import micros, month
from proxy.ledger.usage import DIMENSIONS, SORTS, as_data, usage

_FIELDS = ("by", "since", "until", "where", "sort", "limit")
_BY = "team,model"
_LINES, _MAX_LINES = 50, 1000
_NOTHING = (1, 1)  # microseconds: from then to before then


async def get_usage(asked: Asked) -> Reply:
    """The groups that are the largest, of what the operator sees; the sum of all of these groups."""
    check(asked.operator, "usage.read")
    query = asked.texts(_FIELDS)
    by = dimensions_of(query.get("by", _BY))
    sort = query.get("sort", SORTS[0])
    if sort not in SORTS:
        raise BadRequest(f"`sort` is one of {', '.join(SORTS)}.", param="sort")
    limit = read_number(query.get("limit", str(_LINES)), "limit", 1, _MAX_LINES)
    chosen = confined(
        asked.operator, selection_of(query, datetime.fromtimestamp(asked.desk.service.micros() / MICRO, UTC))
    )

    def work(source: Source) -> dict[str, Any]:
        return as_data(usage(source, chosen, by, sort=sort, limit=limit))

    found = await read_ledger(asked, work)
    return json_reply(found | {"since": chosen.since, "until": chosen.until or None})


def confined(operator: Operator, chosen: Selection) -> Selection:
    """What is chosen of what the operator sees: the ledger is asked for nothing else."""
    where = dict(chosen.where)
    for column, own in (("organisation", operator.organisation), ("team", operator.team)):
        if own and own not in where.get(column, (own,)):
            return Selection(*_NOTHING)
        if own:
            where[column] = (own,)
    if not sees(operator, operator.organisation, operator.team):
        return Selection(*_NOTHING)
    return Selection(chosen.since, chosen.until, where)


async def read_ledger(asked: Asked, work: Callable[[Source], dict[str, Any]]) -> dict[str, Any]:
    """Ask the ledger, in a thread and by a connection of its own; a few at a time.

    Raises:
        GatewayError: there is none, or it cannot be read.
    """
    desk = asked.desk
    open_ledger = desk.source
    if open_ledger is None:
        raise GatewayError("This gateway keeps no ledger.", status=404, code="ledger_disabled")

    def ask() -> dict[str, Any]:
        source = open_ledger()
        try:
            return work(source)
        finally:
            source.close()

    try:
        async with desk.reading:
            return await asyncio.to_thread(ask)
    except (NoLedger, OSError, sqlite3.Error) as error:
        asked.log.error("admin.ledger_unavailable", problem=str(error))
        raise GatewayError("The ledger cannot be read now.", status=503, code="ledger_unavailable") from error


def dimensions_of(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(text.split(",")))
    if any(name not in DIMENSIONS for name in names):
        raise BadRequest(f"`by` takes, with commas between them: {', '.join(DIMENSIONS)}.", param="by")
    return names


def selection_of(query: dict[str, str], now: datetime) -> Selection:
    where: dict[str, tuple[str, ...]] = {}
    for column, text in _parsed(query, "where", parse_where, []):
        where[column] = (*where.get(column, ()), text)

    def time(text: str) -> int:
        return parse_time(text, now)

    return Selection(_parsed(query, "since", time, micros(month(now)[0])), _parsed(query, "until", time, 0), where)


def _parsed(query: dict[str, str], name: str, parse: Callable[[str], Any], default: Any) -> Any:
    if name not in query:
        return default
    try:
        return parse(query[name][:2000])
    except (argparse.ArgumentTypeError, OverflowError) as error:
        raise BadRequest(f"`{name}`: {str(error)[:300]}.", param=name) from None
