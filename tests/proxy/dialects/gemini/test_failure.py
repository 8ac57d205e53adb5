"""Answers that are errors, or nothing that can be read, have their meaning."""

from __future__ import annotations

import msgspec
import pytest

from proxy.dialects.gemini.failure import read_body
from proxy.errors import BadAnswer, Overloaded, RateLimited, UpstreamError


@pytest.mark.parametrize(
    ("code", "status", "meaning"), [(429, "RESOURCE_EXHAUSTED", RateLimited), (503, "UNAVAILABLE", Overloaded)]
)
def test_an_error_under_a_good_status_is_an_error(code: int, status: str, meaning: type[Exception]) -> None:
    body = msgspec.json.encode({"error": {"code": code, "status": status, "message": "no"}})
    with pytest.raises(meaning):
        read_body(body)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"candidates":5}', b'{"candidates":[{"content":{"parts":[{"text"']
)
def test_what_cannot_be_read_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_body(body)


def test_an_odd_error_is_an_error_too() -> None:
    with pytest.raises(UpstreamError):
        read_body(b'{"error": "no"}')
    assert read_body(b'{"error": null}').candidates is None
