"""``/admin/cache/prefixes``: what ``sluicegate cache prefixes`` tells of providers' caches of prompts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from proxy.admin.asked import Asked, json_reply, read_number
from proxy.admin.roles import check
from proxy.admin.usage_api import confined, dimensions_of, read_ledger, selection_of
from proxy.exchange import Reply
from proxy.keys.record import MICRO
from proxy.ledger.export import Source
from proxy.ledger.prefixes import BY, as_data, prefixes

_FIELDS = ("by", "since", "until", "where", "limit")
_LINES, _MAX_LINES = 50, 1000


async def get_prefixes(asked: Asked) -> Reply:
    """The groups with the most input, of what the operator sees; the sum of all of these groups."""
    check(asked.operator, "usage.read")
    query = asked.texts(_FIELDS)
    by = dimensions_of(query.get("by", ",".join(BY)))
    limit = read_number(query.get("limit", str(_LINES)), "limit", 1, _MAX_LINES)
    now = datetime.fromtimestamp(asked.desk.service.micros() / MICRO, UTC)
    chosen = confined(asked.operator, selection_of(query, now))

    def work(source: Source) -> dict[str, Any]:
        return as_data(prefixes(source, chosen, by, limit=limit))

    found = await read_ledger(asked, work)
    return json_reply(found | {"since": chosen.since, "until": chosen.until or None})
