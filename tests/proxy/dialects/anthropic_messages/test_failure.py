"""Errors in place of an answer keep their meaning."""

from __future__ import annotations

import pytest

from proxy.dialects.anthropic_messages.failure import failure_of
from proxy.errors import (
    BadAnswer,
    BadCredential,
    Overloaded,
    RateLimited,
    Rejected,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("overloaded_error", Overloaded),
        ("rate_limit_error", RateLimited),
        ("timeout_error", UpstreamTimeout),
        ("api_error", Unavailable),
        ("authentication_error", BadCredential),
        ("invalid_request_error", Rejected),
        ("something_new", Unavailable),
    ],
)
def test_an_error_is_known_by_its_type(kind: str, meaning: type[UpstreamError]) -> None:
    body = b'{"type":"error","error":{"type":"%b","message":"key sk-ant-secret00001111"}}' % kind.encode()
    error = failure_of(body)
    assert type(error) is meaning
    assert "sk-ant" not in error.message


@pytest.mark.parametrize("body", [b"", b"[]", b'{"error":7}', b"\xff"])
def test_an_error_that_cannot_be_read_is_a_bad_answer(body: bytes) -> None:
    assert type(failure_of(body)) is BadAnswer
