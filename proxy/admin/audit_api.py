"""``/admin/audit``: who changed what, oldest first."""

from __future__ import annotations

import sqlite3

from proxy.admin.asked import Asked, json_reply, read_number
from proxy.admin.roles import check
from proxy.exchange import Reply
from proxy.keys import audit

_PAGE = 100
_HIGHEST = 2**53


async def list_audit(asked: Asked) -> Reply:
    """Rows after ``after``. ``next``: the ``after`` of the page that follows; the same again if there is none yet."""
    check(asked.operator, "audit.read")
    query = asked.texts(("after", "limit"))
    after = read_number(query.get("after", "0"), "after", 0, _HIGHEST)
    limit = read_number(query.get("limit", str(_PAGE)), "limit", 1, audit.MAX_ROWS)

    def work(db: sqlite3.Connection) -> list[audit.Entry]:
        return audit.entries(db, after, limit)

    found = await asked.desk.service.read(work)
    return json_reply({"audit": found, "next": found[-1].seq if found else after})
