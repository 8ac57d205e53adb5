"""`/v1/jobs` and `/v1/queue/{id}`: make, ask, fetch, list and cancel.

A job belongs to the key that made it; for everybody else it does not exist. Callers without a key share nothing but
the ids that they were given, which nobody can guess: they get no list.
"""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs

import msgspec

from proxy.dialects.endpoint import Endpoint
from proxy.dialects.paths import endpoint_for, style_of
from proxy.errors import BadRequest
from proxy.exchange import Exchange, Reply
from proxy.inbound import Receive, admit, identify
from proxy.jobs.hooks import WEBHOOK_HEADER
from proxy.jobs.record import Job, Kind, Response
from proxy.jobs.service import Jobs, Unavailable, accepted, no_room
from proxy.jobs.store import Full
from proxy.jobs.view import view, why
from proxy.jobs.writer import StoreBroken
from proxy.pipeline import Pipeline
from proxy.runtime import Runtime
from proxy.translation.attempt import scope_of

PATH_HEADER = b"x-sluicegate-path"
_JOBS = "/v1/jobs"
_BELOW = ("/v1/jobs/", "/v1/queue/")
_ONE = re.compile(r"/v1/(jobs|queue)/((?:job|queue)_[0-9a-f]{32})(/result)?")
_DEFAULT_PATH = "/v1/chat/completions"
_LIMIT, _MAX_LIMIT = 20, 100
_ENDPOINT = Endpoint("jobs", "jobs", "none", "none")
# Of the gateway's own words about an answer, those that are still true when it is fetched.
_TOLD = frozenset(b"x-sluicegate-" + name for name in (b"target", b"degraded", b"cache", b"cost", b"dropped"))
# A job that ended without an answer: what its result is then.
_STATUS = {"cancelled": 410, "result_too_large": 502, "interrupted": 503}


def is_of_jobs(path: str) -> bool:
    """Whether ``path`` is answered here."""
    return path == _JOBS or path.startswith(_BELOW)


async def answer(jobs: Jobs, runtime: Runtime, x: Exchange, receive: Receive) -> Reply:
    """The answer to a request for jobs.

    Raises:
        GatewayError: what was asked makes no sense, or cannot be done now.
    """
    x.endpoint = _ENDPOINT
    found = _ONE.fullmatch(x.path)
    if x.path == _JOBS and x.method == "POST":
        return await _make(jobs, runtime, x, receive)
    refused = identify(runtime, x)
    if refused is not None:
        return refused
    if x.path == _JOBS and x.method == "GET":
        return await _list(jobs, x)
    if x.path == _JOBS or (found is not None and x.method not in ("GET", "DELETE")):
        return x.refuse(405, "method_not_allowed", f"{x.path} does not take {x.method}.")
    if found is None:
        return _missing(x)
    kind: Kind = "job" if found[1] == "jobs" else "queue"
    if x.method == "DELETE":
        return await _cancel(jobs, x, found[2], kind) if found[3] is None else _missing(x)
    return await _show(jobs, x, found[2], kind, whole=found[3] is not None)


# Make


async def _make(jobs: Jobs, runtime: Runtime, x: Exchange, receive: Receive) -> Reply:
    """Take the body as one for another path, look whether it could be answered there, and keep it."""
    if not jobs.settings.enabled:
        return x.refuse(404, "jobs_disabled", "No jobs are accepted here (`jobs.enabled`).")
    path, query, hook = _asked(x)
    x.endpoint = msgspec.structs.replace(_ENDPOINT, style=style_of(path))
    meant = endpoint_for("POST", path)
    if meant is None or meant.body not in ("json", "multipart"):
        message = f"There is no POST {path[:200]} of which a job could be made."
        raise BadRequest(message, code="invalid_path", param="path")
    inner = Exchange(x.request_id, "POST", path, query, _with_hook(x, hook), x.received, 0)
    inner.client = x.client
    try:
        pipeline = await admit(runtime, inner, receive)
        if isinstance(pipeline, Reply):
            return pipeline
        x.route, x.model = pipeline.route, inner.model
        refused = _at_door(pipeline, inner)
        if refused is not None:
            return refused
    finally:
        x.identity = inner.identity
        x.notes |= inner.notes
    try:
        job = await jobs.add(inner, "job")
    except Full as full:
        return no_room(x, full)
    except StoreBroken:
        raise Unavailable from None
    x.notes["job"] = job.id
    return accepted(job, time.time())


def _asked(x: Exchange) -> tuple[str, bytes, str | None]:
    """Path and query of the request that is meant, and the webhook."""
    fields = _query(x, "path", "webhook")
    header = x.header(PATH_HEADER)
    target = fields.get("path", _DEFAULT_PATH if header is None else header.decode("latin-1"))
    path, _, query = target.partition("?")
    if not target.isascii() or not target.isprintable() or " " in target:
        raise BadRequest("The path must be written as in a request line.", code="invalid_path", param="path")
    return path, query.encode(), fields.get("webhook")


def _with_hook(x: Exchange, hook: str | None) -> list[tuple[bytes, bytes]]:
    """The headers of the request, with a webhook of the query where its header would stand."""
    if hook is None:
        return x.headers
    if not hook.isascii():
        raise BadRequest("`webhook` must be an address in ASCII.", code="webhook_not_allowed", param="webhook")
    return [*(one for one in x.headers if one[0] != WEBHOOK_HEADER), (WEBHOOK_HEADER, hook.encode())]


def _at_door(pipeline: Pipeline, x: Exchange) -> Reply | None:
    """Who is calling, by the policies that tell it from headers alone, wherever they stand on this route."""
    for name, policy in pipeline.policies:
        if policy.at_door:
            reply = policy.on_request(x)
            if isinstance(reply, Reply):
                x.notes["refused_by"] = name
                return reply
    return None


# Ask


async def _list(jobs: Jobs, x: Exchange) -> Reply:
    if x.identity is None:
        return x.refuse(403, "key_required", "Jobs are listed by key; without one, ask for a job by its id.")
    fields = _query(x, "limit", "after")
    limit = fields.get("limit", str(_LIMIT))
    if not re.fullmatch("[0-9]{1,3}", limit) or not 1 <= int(limit) <= _MAX_LIMIT:
        raise BadRequest(f"`limit` must be a number from 1 to {_MAX_LIMIT}.", code="invalid_request", param="limit")
    found = await jobs.newest(scope_of(x), int(limit) + 1, fields.get("after"))
    page = found[: int(limit)]
    told = {"object": "list", "data": [view(job, None) for job in page], "has_more": len(found) > len(page)}
    return Reply(200, msgspec.json.encode(told))


async def _show(jobs: Jobs, x: Exchange, identity: str, kind: Kind, *, whole: bool) -> Reply:
    found = await jobs.get(identity, kind, scope_of(x))
    if found is None:
        return _missing(x)
    job, response = found
    if kind == "job" and not whole:
        return Reply(200, msgspec.json.encode(view(job, response)))
    return accepted(job, time.time()) if not job.is_over else _result(x, job, response)


def _result(x: Exchange, job: Job, response: Response | None) -> Reply:
    """The answer as it would have been, or why there is none, in the dialect that was asked."""
    if response is not None:
        headers = tuple(one for one in response.headers if one[0] in _TOLD or not one[0].startswith(b"x-"))
        return Reply(response.status, response.body, headers, job.code)
    x.endpoint = msgspec.structs.replace(_ENDPOINT, style=style_of(job.path))
    code = job.code or "internal_error"
    return x.refuse(_STATUS.get(code, 502), code, why(code))


async def _cancel(jobs: Jobs, x: Exchange, identity: str, kind: Kind) -> Reply:
    found = await jobs.cancel(identity, kind, scope_of(x))
    return _missing(x) if found is None else Reply(200, msgspec.json.encode(view(*found)))


def _missing(x: Exchange) -> Reply:
    return x.refuse(404, "job_not_found", "There is no such job, or it is not this key's, or its time is over.")


def _query(x: Exchange, *known: str) -> dict[str, Any]:
    """The query's fields, each once.

    Raises:
        BadRequest: one that is not known here, or is there twice.
    """
    try:
        fields = parse_qs(x.query.decode("latin-1"), keep_blank_values=True, max_num_fields=32)
    except ValueError:
        raise BadRequest("The query has more than 32 fields.", code="invalid_request") from None
    for name, values in fields.items():
        if name not in known or len(values) > 1:
            message = f"The query knows {' and '.join(f'`{one}`' for one in known)}, each once."
            raise BadRequest(message, code="invalid_request", param=name[:64])
    return {name: values[0] for name, values in fields.items()}
