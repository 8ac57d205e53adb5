"""The object that accompanies a request."""

from __future__ import annotations

import json

import pytest

from tests.support.compiled import make_exchange


def test_headers_are_found_by_their_first_occurrence() -> None:
    """Names are lower-case by then."""
    x = make_exchange(headers=[(b"a", b"1"), (b"a", b"2")])
    assert (x.header(b"a"), x.header(b"b")) == (b"1", None)


def test_a_refusal_is_a_value_in_the_callers_dialect() -> None:
    """With its stable code, for logs and metrics."""
    reply = make_exchange().refuse(429, "rate_limited", "later", headers=((b"retry-after", b"1"),))
    assert (reply.status, reply.code) == (429, "rate_limited")
    assert dict(reply.headers) == {b"content-type": b"application/json", b"retry-after": b"1"}
    assert json.loads(reply.body)["error"]["type"] == "rate_limit_error"


def test_nothing_can_be_added_by_accident() -> None:
    """Slots only: a misspelt field is an error."""
    with pytest.raises(AttributeError):
        make_exchange().modle = "x"  # type: ignore[attr-defined]


def test_what_comes_of_a_request_beside_another_is_kept_apart() -> None:
    """It is the same request, with accounts of its own."""
    x = make_exchange()
    x.model, x.degraded, x.upstream_wait = "fast", "overloaded", 1.0
    x.notes["fallback"] = "a: overloaded"
    twin = x.beside()
    assert (twin.request_id, twin.model, twin.headers is x.headers) == ("req_test", "fast", True)
    assert (twin.notes, twin.attempts, twin.skipped, twin.degraded, twin.upstream_wait) == ({}, [], [], "", 0.0)
    twin.notes["race"] = "b"
    twin.skipped.append(("a", "open"))
    assert x.notes == {"fallback": "a: overloaded"}
    assert x.skipped == []
