"""What callers are told of a job."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest

from proxy.jobs.record import Job, Response
from proxy.jobs.view import place_of, view, why

JSON = b"application/json"


@pytest.mark.parametrize(
    ("kind", "body", "encoding", "shown"),
    [
        (JSON, b'{"a":[1.50,"\xc3\xa4"]}', "json", {"a": [1.5, "ä"]}),
        (JSON, b"{broken", "text", "{broken"),
        (JSON, b'"\xff"', "base64", base64.b64encode(b'"\xff"').decode()),
        (b"text/event-stream; charset=utf-8", b"data: 1\n\n", "text", "data: 1\n\n"),
        (b"audio/mpeg", b"\x00", "base64", "AA=="),
        (b"", b"plain", "base64", "cGxhaW4="),
    ],
)
def test_an_answer_is_embedded(kind: bytes, body: bytes, encoding: str, shown: object) -> None:
    """JSON as JSON, text as text, all else in base64; whatever came, the job can be read."""
    job = Job(id="job_1", status="succeeded")
    told = json.loads(msgspec.json.encode(view(job, Response(200, [(b"content-type", kind)], body))))
    assert (told["response"]["encoding"], told["response"]["body"]) == (encoding, shown)


def test_no_secret_is_told() -> None:
    """Neither the proof nor the scope nor the idempotency key."""
    told = view(Job(id="job_1", proof=b"p", scope="acme/search/web", idempotency="k", digest=b"d"), None)
    assert not {"proof", "scope", "idempotency", "digest"} & told.keys()


def test_places_and_reasons() -> None:
    """Where a job and a queue entry are asked for, and why they failed."""
    assert place_of(Job(id="job_1")) == "/v1/jobs/job_1"
    assert place_of(Job(id="queue_1", kind="queue")) == "/v1/queue/queue_1"
    assert view(Job(id="x", code="interrupted"), None)["error"] == {
        "code": "interrupted",
        "message": why("interrupted"),
    }
    waiting = view(Job(id="x", created=1.0, not_before=5.0, webhook="https://a/"), None)
    assert waiting["not_before"] == 5.0
    assert waiting["webhook"]["state"] == "waiting"
