"""A job as its caller sees it."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from proxy.jobs.record import Job, Response

# Bytes. A larger answer is not read here, nor sent to a webhook: it is fetched as it is.
MAX_EMBEDDED = 256 << 10
_PLACES = {"job": "/v1/jobs", "queue": "/v1/queue"}
_MESSAGES = {
    "cancelled": "The job was cancelled.",
    "interrupted": "The gateway was stopped while the job ran, and it was not to be run again.",
    "result_too_large": "The answer was larger than `jobs.max_result` allows.",
    "incomplete": "The answer broke off.",
}


def place_of(job: Job) -> str:
    """The path at which it is asked for."""
    return f"{_PLACES[job.kind]}/{job.id}"


def why(code: str) -> str:
    """What a code means, in a sentence."""
    return _MESSAGES.get(code, "The request was answered with an error; `response` holds it.")


def view(job: Job, response: Response | None) -> dict[str, Any]:
    """What is told of it. An answer that is not large is embedded: JSON as JSON, text as text, all else in base64."""
    place = place_of(job)
    found: dict[str, Any] = {
        "id": job.id,
        "object": "job" if job.kind == "job" else "queue.entry",
        "status": job.status,
        "path": job.path,
        "model": job.model or None,
        "created_at": round(job.created, 3),
        "started_at": _rounded(job.started),
        "finished_at": _rounded(job.finished),
        "expires_at": _rounded(job.expires),
        "attempts": job.starts,
        "interruptions": job.interruptions,
        "poll_url": place,
    }
    if job.kind == "job":
        found["result_url"] = f"{place}/result"
    if job.status == "queued" and job.not_before > job.created:
        found["not_before"] = _rounded(job.not_before)
    if job.webhook is not None:
        found["webhook"] = {
            "url": job.webhook,
            "state": job.webhook_state,
            "tries": job.webhook_tries,
            "next_try_at": _rounded(job.webhook_at),
            "last_status": job.webhook_status,
        }
    if job.code is not None:
        found["error"] = {"code": job.code, "message": why(job.code)}
    if response is not None:
        found["response"] = _embedded(response)
    return found


def _rounded(at: float | None) -> float | None:
    return None if at is None else round(at, 3)


def _embedded(response: Response) -> dict[str, Any]:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
    told = {"status": response.status, "headers": headers}
    if len(response.body) > MAX_EMBEDDED:
        return told | {"body_omitted": True, "size": len(response.body)}
    kind = response.header(b"content-type") or b""
    encoding, body = _readable(kind.lower(), response.body)
    return told | {"encoding": encoding, "body": body}


def _readable(kind: bytes, body: bytes) -> tuple[str, Any]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(body).decode()
    if b"json" in kind and _is_json(body):
        return "json", msgspec.Raw(body)
    if b"json" in kind or kind.startswith(b"text/"):
        return "text", text
    return "base64", base64.b64encode(body).decode()


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
