"""What refusals mean, as the providers word them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy import errors
from proxy.providers.meaning import MAX_RETRY_AFTER, failure_of, retry_after

NOW = 1_700_000_000.0


def _error(message: str = "no", **fields: Any) -> bytes:
    return msgspec.json.encode({"error": {"message": message, **fields}})


OVER_CONTEXT = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."


@pytest.mark.parametrize(
    ("status", "body", "kind", "shown"),
    [
        (400, _error(code="context_length_exceeded"), errors.ContextTooLong, 400),
        (400, _error(OVER_CONTEXT, type="BadRequestError", code=400), errors.ContextTooLong, 400),
        (400, msgspec.json.encode({"object": "error", "message": OVER_CONTEXT}), errors.ContextTooLong, 400),
        (400, _error(type="exceed_context_size_error"), errors.ContextTooLong, 400),
        (400, _error(code="content_filter"), errors.ContentRefused, 400),
        (400, _error(innererror={"code": "ResponsibleAIPolicyViolation"}), errors.ContentRefused, 400),
        (403, _error(code="content_policy_violation"), errors.ContentRefused, 400),
        (404, _error(code="model_not_found"), errors.ModelNotFound, 404),
        (404, _error("model 'x' not found, try pulling it first"), errors.ModelNotFound, 404),
        (404, _error("The model `x` does not exist."), errors.ModelNotFound, 404),
        (404, _error(code="DeploymentNotFound"), errors.ModelNotFound, 404),
        (404, _error("No such File object: model.bin"), errors.Rejected, 404),
        (401, _error(code="invalid_api_key"), errors.BadCredential, 502),
        (403, b"<html>", errors.BadCredential, 502),
        (400, b'[{"error":{"message":"API key not valid. Please pass one","status":"X"}}]', errors.BadCredential, 502),
        (402, _error("Insufficient Balance"), errors.RateLimited, 429),
        (429, _error(code="insufficient_quota"), errors.RateLimited, 429),
        (429, b"slow down", errors.RateLimited, 429),
        (408, _error(), errors.UpstreamTimeout, 504),
        (400, _error("missing messages"), errors.Rejected, 400),
        (409, _error(), errors.Rejected, 409),
        (413, _error(), errors.Rejected, 413),
        (422, b'{"detail": [{"msg": "x"}]}', errors.Rejected, 422),
        (418, b'{"error": "teapot"}', errors.Rejected, 418),
        (400, _error("prompt is too long: 210000 tokens > 200000 maximum"), errors.ContextTooLong, 400),
        (400, _error("Output blocked by content filtering policy"), errors.ContentRefused, 400),
        (400, _error("Your credit balance is too low to use this API."), errors.RateLimited, 429),
        (404, _error("model: claude-nothing", type="not_found_error"), errors.ModelNotFound, 404),
        (404, _error("model: and more words", type="not_found_error"), errors.Rejected, 404),
        (400, b"<html>", errors.BadAnswer, 502),
        (413, b"", errors.BadAnswer, 502),
        (400, b'"text"', errors.BadAnswer, 502),
        (400, b"[" * 100_000, errors.BadAnswer, 502),
        (500, _error(), errors.Unavailable, 502),
        (502, b"<html>", errors.Unavailable, 502),
        (500, _error(type="overloaded_error"), errors.Overloaded, 503),
        (503, b"", errors.Overloaded, 503),
        (529, _error(), errors.Overloaded, 503),
        (504, b"", errors.UpstreamTimeout, 504),
        (599, b"", errors.Unavailable, 502),
    ],
)
def test_a_refusal_has_one_meaning(status: int, body: bytes, kind: type[errors.UpstreamError], shown: int) -> None:
    """By status, code, type and, where there is no code, the words."""
    error = failure_of(status, [], body, "acc")
    assert type(error) is kind
    assert error.http_status == shown


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_the_providers_own_words_reach_the_caller_when_the_request_was_wrong(status: int) -> None:
    """Status, headers and body as they came."""
    headers = [(b"content-type", b"application/json")]
    error = failure_of(status, headers, _error("your fault"), "acc")
    assert error.raw == (status, tuple(headers), _error("your fault"))


@pytest.mark.parametrize("status", [401, 403, 402, 429, 500, 503])
def test_what_concerns_our_account_stays_with_us(status: int) -> None:
    """No organisation, key or limit of ours in what the caller sees."""
    error = failure_of(status, [], _error("org-secret sk-secret"), "acc")
    assert error.raw is None
    assert "secret" not in error.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:30 GMT"}, 10.0),
        ({"retry-after": "Tue, 14 Nov 2000 22:13:30 GMT"}, 0.0),
        ({"retry-after": "Tue, 14 Nov 9999 22:13:30 GMT"}, MAX_RETRY_AFTER),
        ({"retry-after": "1000000000"}, MAX_RETRY_AFTER),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "\xff"}, None),
    ],
)
def test_retry_after_is_read_capped_or_ignored(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds, seconds, dates; garbage is nothing."""
    given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    assert retry_after(given, NOW) == seconds


def test_a_wait_is_passed_on() -> None:
    """For limits and overload; never for a quota, which no wait restores."""
    wait = [(b"retry-after", b"7")]
    assert failure_of(429, wait, b"", "acc").headers == ((b"retry-after", b"7"),)
    assert failure_of(503, wait, b"", "acc").headers == ((b"retry-after", b"7"),)
    quota = failure_of(429, wait, _error(code="insufficient_quota"), "acc")
    assert quota.headers == ((b"x-should-retry", b"false"),)
    assert quota.error_code == "upstream_quota_exhausted"
