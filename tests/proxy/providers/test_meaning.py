"""What refusals mean, as the providers word them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy import errors
from proxy.providers.meaning import failure_in, failure_of
from proxy.providers.refusal import MAX_QUOTE
from proxy.wire.passing import passed_on
from tests.support.refusals import REFUSALS, Recorded


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


def test_a_wait_is_passed_on() -> None:
    """For limits and overload; never for a quota, which no wait restores."""
    wait = [(b"retry-after", b"7")]
    assert failure_of(429, wait, b"", "acc").headers == ((b"retry-after", b"7"),)
    assert failure_of(503, wait, b"", "acc").headers == ((b"retry-after", b"7"),)
    quota = failure_of(429, wait, _error(code="insufficient_quota"), "acc")
    assert quota.headers == ((b"x-should-retry", b"false"),)
    assert quota.error_code == "upstream_quota_exhausted"


def _meaning(error: errors.UpstreamError) -> str:
    """Its meaning, or the two limits that no wait restores."""
    if error.error_code == "upstream_quota_exhausted":
        return "quota"
    return "too_large" if "than what the gateway's account may send" in error.message else error.meaning


NOW = 1_700_000_000.0


def _read(told: Recorded) -> errors.UpstreamError:
    raw = [(name.encode(), value.encode()) for name, value in told.headers]
    headers, facts = passed_on(raw, is_error=True)
    return failure_of(told.status, headers, told.encoded(), "acc", facts.told, now=NOW)


@pytest.mark.parametrize("told", REFUSALS, ids=lambda told: f"{told.provider}-{told.status}-{told.means}")
def test_what_providers_really_send_is_understood(told: Recorded) -> None:
    """Each recorded refusal has its meaning, its wait, and of its words what is the caller's to know."""
    error = _read(told)
    assert _meaning(error) == told.means
    assert getattr(error, "retry_after", None) == told.wait
    if told.quoted is not None:
        assert told.quoted in error.message
    assert "\n" not in error.message
    for ours in ("org-1a2b", "org_1a2b", "proj_1a2b", "123456789012", "sk-proj-"):
        assert ours not in error.message
        assert error.raw is None or ours.encode() not in error.raw[2]


@pytest.mark.parametrize("told", REFUSALS, ids=lambda told: f"{told.provider}-{told.status}-{told.means}")
def test_no_refusal_of_our_account_looks_like_one_of_the_caller(told: Recorded) -> None:
    """What is passed on has no status that official clients take for their own key or limit."""
    error = _read(told)
    assert error.http_status not in (401, 402, 403, 407)
    assert error.raw is None or error.raw[0] not in (401, 402, 403, 407, 429)


def test_a_quota_that_is_used_up_names_no_wait() -> None:
    """Nor does a request that is too large for the account: sending it again cannot help."""
    for told in REFUSALS:
        error = _read(told)
        if told.means == "quota":
            assert error.headers == ((b"x-should-retry", b"false"),)
        if told.means == "too_large":
            assert (error.http_status, error.raw, error.headers) == (400, None, ())


@pytest.mark.parametrize("kind", [{"code": "context_length_exceeded"}, {"code": "content_filter"}, {}])
def test_what_was_wrong_is_told_in_one_bounded_line(kind: dict[str, str]) -> None:
    """Callers in another dialect never see the body; they learn from the message."""
    message = failure_of(400, [], _error("first\r\n\x00line\u2028 " + "x" * 5000, **kind), "acc").message
    assert "first line xxx" in message
    assert message.isprintable()
    assert len(message) < MAX_QUOTE + 100


INSIDE: list[tuple[Any, type[errors.UpstreamError]]] = [
    ({"error": {"message": "x", "type": "server_error", "code": None}}, errors.Unavailable),
    ({"error": {"message": "x", "code": 429}, "choices": []}, errors.RateLimited),
    ({"error": {"message": "x", "code": 502}}, errors.Unavailable),
    ({"error": {"message": "maximum context length", "code": 400}}, errors.ContextTooLong),
    ({"error": {"message": "top_p", "type": "invalid_request_error"}}, errors.Rejected),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, errors.Overloaded),
    ({"type": "error", "error": {"type": "rate_limit_error", "message": "x"}}, errors.RateLimited),
    ({"type": "error", "error": {"type": "api_error", "message": "x"}}, errors.Unavailable),
    ({"type": "error", "error": {"type": "timeout_error", "message": "x"}}, errors.UpstreamTimeout),
    ({"type": "error", "error": {"type": "authentication_error", "message": "x"}}, errors.BadCredential),
    ({"type": "error", "error": {"type": "billing_error", "message": "x"}}, errors.RateLimited),
    ({"type": "error", "code": "rate_limit_exceeded", "message": "x", "sequence_number": 3}, errors.RateLimited),
    ({"type": "error", "code": "server_error", "message": "x"}, errors.Unavailable),
    (
        {"type": "response.failed", "response": {"status": "failed", "error": {"code": "invalid_prompt"}}},
        errors.ContentRefused,
    ),
    ({"type": "response.failed", "response": {"error": {"code": "invalid_image_url"}}}, errors.Rejected),
    ({"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}}, errors.Overloaded),
    ({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "x"}}, errors.RateLimited),
    ({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "x"}}, errors.Rejected),
    ([{"error": {"code": 504, "status": "DEADLINE_EXCEEDED"}}], errors.UpstreamTimeout),
    ({"error": {"code": "throttlingException", "message": "Too many tokens, please wait"}}, errors.RateLimited),
    ({"error": {"code": "modelStreamErrorException", "message": "x"}}, errors.Unavailable),
    ({"error": {"code": "serviceUnavailableException", "message": "x"}}, errors.Overloaded),
    ({"error": {"code": "validationException", "message": "Input is too long"}}, errors.ContextTooLong),
    ({"error": {"code": "validationException", "message": "x"}}, errors.Rejected),
    ({"error": {"code": "somethingNew", "message": "x"}}, errors.Unavailable),
    ({}, errors.Unavailable),
    ("text", errors.BadAnswer),
]


@pytest.mark.parametrize(("body", "kind"), INSIDE)
def test_an_error_inside_an_answer_has_one_meaning(body: Any, kind: type[errors.UpstreamError]) -> None:
    """Of any dialect; the provider's bytes are never passed on, since nobody has looked for secrets in them."""
    error = failure_in(msgspec.json.encode(body))
    assert type(error) is kind
    assert error.raw is None
    assert error.http_status >= 400
    assert "'the provider'" not in error.message


def test_an_error_inside_an_answer_that_is_no_json_is_a_bad_answer() -> None:
    for body in (b"<html>", b"", b"[" * 100_000, b"\xff"):
        assert type(failure_in(body)) is errors.BadAnswer
