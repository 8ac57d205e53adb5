"""Stored answers of the Responses API: fetched, listed and deleted by their id, where the gateway keeps them."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import msgspec

from proxy.conversations.earlier import Conversations
from proxy.errors import BadRequest
from proxy.exchange import Exchange, Reply
from proxy.translation.attempt import scope_of

_PATH = re.compile(r"/v1/responses/(resp_sg_[A-Za-z0-9_-]+)(/input_items|/cancel)?")
_LIMIT = 20
_MAX_LIMIT = 100


async def stored(conversations: Conversations | None, x: Exchange) -> Reply | None:
    """The answer to a request for a stored response of ours; None if it is for another, which a provider may have.

    Raises:
        BadRequest: a parameter of the query makes no sense.
    """
    found = _PATH.fullmatch(x.path)
    if found is None:
        return None
    response, what = found[1], found[2] or ""
    if conversations is None:
        return _missing(x, response)
    scope = scope_of(x)
    match x.method, what:
        case "GET", "":
            body = await _get(conversations, scope, response, x)
        case "GET", "/input_items":
            body = await _items(conversations, scope, response, x)
        case "DELETE", "":
            gone = await conversations.delete(scope, response)
            deleted = {"id": response, "object": "response", "deleted": True}
            body = msgspec.json.encode(deleted) if gone else None
        case "POST", "/cancel":
            known = await conversations.get(scope, response)
            if known is not None:
                raise BadRequest("Only answers in the background can be cancelled.", code="cannot_cancel", param="id")
            body = None
        case _:
            return x.refuse(405, "method_not_allowed", f"A stored response does not take {x.method} here.")
    return _missing(x, response) if body is None else Reply(200, body)


async def _get(conversations: Conversations, scope: str, response: str, x: Exchange) -> bytes | None:
    if _query(x).get("stream", "false") == "true":
        raise BadRequest("A stored answer is told whole; leave `stream` out.", code="invalid_request", param="stream")
    return await conversations.get(scope, response)


async def _items(conversations: Conversations, scope: str, response: str, x: Exchange) -> bytes | None:
    query = _query(x)
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise BadRequest("`order` must be asc or desc.", code="invalid_request", param="order")
    limit = query.get("limit", str(_LIMIT))
    if not re.fullmatch("[0-9]{1,3}", limit) or not 1 <= int(limit) <= _MAX_LIMIT:
        raise BadRequest(f"`limit` must be a number from 1 to {_MAX_LIMIT}.", code="invalid_request", param="limit")
    after = query.get("after")
    return await conversations.items(scope, response, after=after, limit=int(limit), newest_first=order == "desc")


def _query(x: Exchange) -> dict[str, str]:
    try:
        fields = parse_qs(x.query.decode("latin-1"), max_num_fields=32)
    except ValueError:
        raise BadRequest("The query has more than 32 fields.", code="invalid_request") from None
    return {name: values[-1] for name, values in fields.items()}


def _missing(x: Exchange, response: str) -> Reply:
    return x.refuse(404, "response_not_found", f"Response with id {response[:100]!r} not found.", param="id")
