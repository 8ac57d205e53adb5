"""From a request line to a pipeline: endpoint, credentials, body, model, route, in this order.

Whoever must authenticate on every route that a path can lead to does so before a byte of the body is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from proxy import models
from proxy.conversations.retrieval import stored
from proxy.dialects.paths import PATHS, UNKNOWN, endpoint_for, read_path, style_of
from proxy.dialects.splice import read_envelope, read_form
from proxy.errors import BadRequest
from proxy.exchange import Exchange, Reply
from proxy.pipeline import Pipeline
from proxy.runtime import Runtime
from proxy.tags import TAGS_HEADER, read_tags

_ALTERNATIVE = b"alt=sse"
_PLACE = {
    "path": "path: `/v1beta/models/MODEL:generateContent`",
    "json": "body's member `model`",
    "multipart": "form's field `model`",
    "query": "query: `?model=…`",
}
Receive = Callable[[], Awaitable[dict[str, Any]]]

DEADLINE_HEADER = b"x-deadline-ms"
_MILLISECONDS = re.compile(rb"[1-9][0-9]{0,11}")
MAX_MODEL = 256  # characters of a model's name
# What reaches a provider of the client's headers unless a `headers` policy says more. No credentials, no cookies.
FORWARDED = frozenset(
    {
        b"accept",
        b"anthropic-beta",
        b"anthropic-version",
        b"content-type",
        b"idempotency-key",
        b"openai-beta",
        b"traceparent",
        b"tracestate",
    }
)


async def admit(runtime: Runtime, x: Exchange, receive: Receive) -> Pipeline | Reply:
    """The pipeline for ``x``, its body read; or a reply when it ends here.

    Raises:
        GatewayError: what the client sent cannot be read.
    """
    endpoint = endpoint_for(x.method, x.path)
    if endpoint is None:
        found = models.answer(runtime, x) if models.is_of_models(x.path) else None
        return _unknown_path(x) if found is None else found
    x.endpoint = endpoint
    door = runtime.doors.get(x.path)
    for name, step, _ in runtime.router.door(x.path) if door is None else door:
        reply = step(x)
        if reply is not None:
            x.notes["refused_by"] = name
            return reply
    if endpoint.body != "none":
        x.body = await read_body(receive)
    if endpoint.name == "responses.stored":
        reply = await _stored(runtime, x)
        if reply is not None:
            return reply
    _read_fields(x)
    tags: dict[str, str] = {}
    if runtime.router.needs_tags and (sent := x.header(TAGS_HEADER)) is not None:
        tags = read_tags(sent)
    if x.identity is not None:
        tags |= x.identity.tags  # what is proved wins
    pipeline = runtime.router.match(x, tags)
    if pipeline is None:
        return _no_route(x)
    x.route = pipeline.route
    x.deadline = x.received + min(pipeline.timeouts.total, _patience(x))
    x.state = [None] * pipeline.slots
    x.policies = pipeline.names
    x.on_loss = pipeline.on_loss
    x.conversations = runtime.conversations
    x.forward = [header for header in x.headers if header[0] in FORWARDED]
    return pipeline


async def _stored(runtime: Runtime, x: Exchange) -> Reply | None:
    """An answer that the gateway keeps for its caller, who may be known on one route and not on another."""
    for entry in runtime.router.entries:
        if x.identity is not None:
            break
        for _, step, _ in entry.pipeline.door:
            step(x)
    return await stored(runtime.conversations, x)


def identify(runtime: Runtime, x: Exchange) -> Reply | None:
    """Who is calling. Where every route asks for a key, so does this; else one that any route knows will do."""
    for name, step, _ in runtime.router.door(x.path):
        reply = step(x)
        if reply is not None:
            x.notes["refused_by"] = name
            return reply
    for entry in runtime.router.entries:
        for _, policy in entry.pipeline.policies:
            if x.identity is None and policy.at_door:
                policy.on_request(x)
    return None


async def read_body(receive: Receive) -> bytes:
    """The whole request body; the server bounds its size and time."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _read_fields(x: Exchange) -> None:
    """Model and stream flag from the body or the query."""
    where = x.endpoint.model_in
    if where == "json":
        envelope = read_envelope(x.body)
        x.model, x.stream, x.maxima = envelope.model, envelope.stream, envelope.maxima
    elif where == "multipart":
        form = read_form(x.body, x.header(b"content-type") or b"")
        x.model, x.stream = form.model, form.stream
    elif where == "path":
        x.maxima = read_envelope(x.body).maxima
        x.model, x.stream = read_path(x.path)
        if x.stream and _ALTERNATIVE not in x.query.split(b"&"):
            raise BadRequest("Ask for the stream as server-sent events: add `?alt=sse`.", code="invalid_request")
    elif where == "query":
        x.model = _queried(x.query)
    if not x.model and where != "none" and x.endpoint.needs_model:
        raise BadRequest(f"Name one model in the {_PLACE[where]}.", code="missing_model", param="model")
    if len(x.model) > MAX_MODEL or not x.model.isprintable():  # a good one stands in headers and log lines
        x.model = ""
        text = f"The model's name is longer than {MAX_MODEL} characters or holds one that cannot be printed."
        raise BadRequest(text, code="invalid_model", param="model")


def _patience(x: Exchange) -> float:
    """Seconds within which the caller wants to have its answer, if it says so."""
    given = x.header(DEADLINE_HEADER)
    if given is None:
        return math.inf
    if not _MILLISECONDS.fullmatch(given):
        text = f"{DEADLINE_HEADER.decode()} must be a whole number of milliseconds, at least 1."
        raise BadRequest(text, code="invalid_deadline", param=DEADLINE_HEADER.decode())
    return int(given) / 1000


def _queried(query: bytes) -> str:
    try:
        found = parse_qs(query.decode("latin-1"), max_num_fields=32).get("model", [])
    except ValueError:
        raise BadRequest("The query has too many fields.", code="invalid_request") from None
    return found[0] if len(found) == 1 else ""


def _unknown_path(x: Exchange) -> Reply:
    if x.endpoint is None:
        x.endpoint = UNKNOWN[style_of(x.path).name]
    if x.path in PATHS:
        return x.refuse(405, "method_not_allowed", f"{x.path} does not take {x.method}.")
    return x.refuse(404, "unknown_path", f"There is no {x.method} {x.path[:200]} here.")


def _no_route(x: Exchange) -> Reply:
    if x.model:
        return models.no_such_model(x)
    return x.refuse(
        404, "no_route", f"No route takes {x.path}; a route needs a `match.path` for requests without model."
    )
