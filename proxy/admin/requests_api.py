"""``/admin/requests``: receipts of the requests that the operator sees: the latest, one by its id, or as they come.

Without ``receipts.keep`` they are those of the process that answers; with it, those of all workers of the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import msgspec

from proxy.admin.asked import Asked, Feed, json_reply, read_number
from proxy.admin.roles import ALLOWED, check, sees
from proxy.errors import BadRequest, GatewayError
from proxy.exchange import JSON_HEADERS, Reply
from proxy.jobs.writer import StoreBroken
from proxy.telemetry.receipt import Ended
from proxy.telemetry.receipts import STATUS, Filter, Receipts

_FIELDS = ("route", "model", "status", "organisation", "team", "key", "limit", "follow")
_WANTED = ("route", "model", "organisation", "team", "key")
_PAGE, _MAX_PAGE = 50, 1000
_LINES = 20  # receipts that are made before others get their turn
_LOOK = 1.0  # seconds between looks whether the process is about to end
_ALIVE = 10  # such looks until a line says that somebody is still there
_NDJSON = ((b"content-type", b"application/x-ndjson"),)


async def list_requests(asked: Asked) -> Reply:
    """The newest first; or, with ``follow=true``, a line of JSON for each in order of time, and for each to come."""
    check(asked.operator, "requests.read")
    receipts = _receipts(asked)
    query = asked.texts(_FIELDS)
    limit = read_number(query.get("limit", str(_PAGE)), "limit", 0, _MAX_PAGE)
    meant = _meant(asked, query)
    if query.get("follow", "false") not in ("true", "false"):
        raise BadRequest("`follow` is `true` or `false`.", param="follow")
    if query.get("follow") == "true":
        if receipts.is_full:
            raise GatewayError("Others follow the requests already; try later.", status=503, code="too_many_listeners")
        return Feed(_followed(receipts, meant, limit), _NDJSON)
    return json_reply({"requests": [msgspec.Raw(one) for one in await _latest(asked, receipts, meant, limit)]})


async def get_request(asked: Asked) -> Reply:
    """One receipt, as long as it is remembered. Who asks right after the answer may be told that it is not settled."""
    check(asked.operator, "requests.read")
    receipts = _receipts(asked)
    meant = _meant(asked, {})
    has_texts = asked.operator.role in ALLOWED["requests.texts"]
    one = None if meant is None else receipts.find(asked.name)
    if one is not None and meant is not None and meant.meets(one):
        return Reply(200, receipts.write(one, bodies=has_texts), JSON_HEADERS)
    kept = None
    if meant is not None and receipts.keeper is not None:
        try:
            kept = await receipts.keeper.find(asked.name, meant, bodies=has_texts)
        except StoreBroken as error:
            asked.log.error("receipts.store_unavailable", problem=str(error))
    if kept is None:
        message = f"There is no receipt of {asked.name[:80]!r}; the file says how many are kept (`receipts`)."
        raise GatewayError(message, status=404, code="request_not_found")
    return Reply(200, kept, JSON_HEADERS)


def _receipts(asked: Asked) -> Receipts:
    found = asked.desk.receipts
    if found is None or not found.settings.max:
        raise GatewayError("This gateway keeps no receipts (`receipts.max`).", status=404, code="receipts_disabled")
    return found


def _meant(asked: Asked, query: dict[str, str]) -> Filter | None:
    """What is asked for of what the operator sees; None for nothing."""
    operator = asked.operator
    status = query.get("status", "")
    if status and not STATUS.fullmatch(status):
        raise BadRequest("`status` is a number such as 429, or 4xx.", param="status")
    wanted = {name: query.get(name, "") for name in _WANTED}
    if not sees(operator, operator.organisation, operator.team):
        return None
    for name, own in (("organisation", operator.organisation), ("team", operator.team)):
        if own and wanted[name] not in ("", own):
            return None
        wanted[name] = own or wanted[name]
    return Filter(status=status, **wanted)


async def _latest(asked: Asked, receipts: Receipts, meant: Filter | None, limit: int) -> list[bytes]:
    """Made in a thread: there may be many."""
    if meant is None:
        return []
    if receipts.keeper is not None:
        try:
            return await receipts.keeper.latest(meant, limit)
        except StoreBroken as error:  # the ring still knows some
            asked.log.error("receipts.store_unavailable", problem=str(error))
    return await asyncio.to_thread(
        lambda found: [receipts.write(one, bodies=False) for one in found], receipts.latest(meant, limit)
    )


async def _followed(receipts: Receipts, meant: Filter | None, first: int) -> AsyncGenerator[bytes, None]:
    """Lines of JSON: receipts, ``{"missed": 3}`` for those that came too fast, and empty ones while nothing comes."""
    if meant is None:
        return
    waiting = receipts.latest(meant, first)[::-1]
    listener = receipts.listen(meant)
    try:
        for at in range(0, len(waiting), _LINES):
            yield _lines(receipts, waiting[at : at + _LINES])
            await asyncio.sleep(0)
        idle = 0
        while not receipts.draining.active:
            if await listener.more(_LOOK):
                idle = 0
                missed, found = listener.take(_LINES)
                yield (b'{"missed":%d}\n' % missed if missed else b"") + _lines(receipts, found)
                await asyncio.sleep(0)
            elif (idle := idle + 1) == _ALIVE:
                idle = 0
                yield b"\n"
    finally:
        receipts.leave(listener)


def _lines(receipts: Receipts, found: list[Ended]) -> bytes:
    return b"".join(receipts.write(one, bodies=False) + b"\n" for one in found)
