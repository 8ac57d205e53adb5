"""Everything that can go wrong on a request, and the one renderer per dialect.

::

    GatewayError                 status, code, message for the caller; rendered in the caller's dialect
    ├── BadRequest        400    what the caller sent cannot be used
    └── UpstreamError            what a provider did, by meaning; a target may try another on most of them
        ├── RateLimited   429    retry_after: seconds, if the provider said so
        ├── Overloaded    503
        ├── Unavailable   502    refused, reset, DNS, TLS, 5xx
        │   └── NoTarget  503    nothing was sent: every target is ejected or drained
    │       └── TargetOff    all that is left is switched off
        ├── UpstreamTimeout 504  connect, first token, gap, total
        ├── BadAnswer     502    HTML, broken JSON, lies about its length, a stream without its end
        ├── BadCredential 502    the gateway's own credential was refused; never shown as the caller's
        ├── ContextTooLong 400   the conversation is too large for this model
        ├── ContentRefused 400   the provider's own filter said no
        ├── ModelNotFound 404
        ├── Unsupported   400    this target cannot do what the request needs; another may
        │   └── NoBranch  400    no branch of a target is meant for such a request
        └── Rejected      4xx    the provider refused the request itself; its answer is passed on
    HungUp                       the caller's connection breaks, on purpose
    ConfigError                  problems of a file, all of them (see ``proxy.config.problem``)

A refusal by a policy is not in this tree: it is a value (``Reply``), made by ``refuse``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import msgspec

Header = tuple[bytes, bytes]
Meaning = Literal[
    "rate_limited",
    "overloaded",
    "unavailable",
    "timeout",
    "bad_answer",
    "bad_credential",
    "context_too_long",
    "content_refused",
    "model_not_found",
    "unsupported",
    "rejected",
]


class HungUp(Exception):
    """The connection to the caller is to break where it is, without a word. Nobody's failure: it was asked for."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class GatewayError(Exception):
    """A failure with a status and a stable snake_case code; ``message`` is for the caller and holds no secret."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, status: int | None = None, code: str | None = None, param: str | None = None):
        super().__init__(message)
        self.message = message
        self.http_status = status or self.status
        self.error_code = code or self.code
        self.param = param
        self.headers: tuple[Header, ...] = ()


class BadRequest(GatewayError):
    status = 400
    code = "invalid_request"


class UpstreamError(GatewayError):
    """``raw`` is the provider's own answer (status, headers that may pass, body) where the caller may see it."""

    status = 502
    code = "upstream_error"
    meaning: ClassVar[Meaning] = "unavailable"

    def __init__(self, message: str, *, raw: tuple[int, tuple[Header, ...], bytes] | None = None, **more: object):
        super().__init__(message, **more)  # type: ignore[arg-type]
        self.raw = raw
        self.retry_after: float | None = None  # seconds, where the provider or the gateway knows
        self.skipped = False  # nothing was sent: the target is known not to answer now


class RateLimited(UpstreamError):
    """``is_quota``: paid for and used up; no short wait will help."""

    status = 429
    code = "rate_limited"
    meaning = "rate_limited"
    quota_code: ClassVar[str] = "upstream_quota_exhausted"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        raw: tuple[int, tuple[Header, ...], bytes] | None = None,
    ):
        super().__init__(message, raw=raw)
        self.retry_after = retry_after
        if retry_after is not None:
            self.headers = ((b"retry-after", str(max(1, math.ceil(retry_after))).encode()),)

    @property
    def is_quota(self) -> bool:
        return self.error_code == self.quota_code


class Overloaded(UpstreamError):
    status = 503
    code = "upstream_overloaded"
    meaning = "overloaded"


class Unavailable(UpstreamError):
    status = 502
    code = "upstream_unavailable"
    meaning = "unavailable"


class NoTarget(Unavailable):
    """Nobody was asked. ``retry_after``: seconds until the first target may be asked again."""

    status = 503
    code = "no_target_available"

    def __init__(self, message: str, *, retry_after: float):
        super().__init__(message)
        self.retry_after = retry_after
        self.skipped = True
        self.headers = ((b"retry-after", str(max(1, math.ceil(retry_after))).encode()),)


class TargetOff(NoTarget):
    """Nobody was asked, and no time is known at which that may change: somebody has to switch it on."""

    def __init__(self, route: str):
        UpstreamError.__init__(self, f"What would answer on the route {route!r} is switched off.")
        self.skipped = True


class UpstreamTimeout(UpstreamError):
    status = 504
    code = "upstream_timeout"
    meaning = "timeout"


class BadAnswer(UpstreamError):
    status = 502
    code = "bad_upstream_answer"
    meaning = "bad_answer"


class BadCredential(UpstreamError):
    status = 502
    code = "upstream_credential_refused"
    meaning = "bad_credential"


class ContextTooLong(UpstreamError):
    status = 400
    code = "context_length_exceeded"
    meaning = "context_too_long"


class ContentRefused(UpstreamError):
    status = 400
    code = "content_filter"
    meaning = "content_refused"


class ModelNotFound(UpstreamError):
    status = 404
    code = "model_not_found"
    meaning = "model_not_found"


class Unsupported(UpstreamError):
    status = 400
    code = "unsupported_by_target"
    meaning = "unsupported"


class NoBranch(Unsupported):
    """Nobody was asked."""

    code = "no_branch_matches"

    def __init__(self, message: str):
        super().__init__(message)
        self.skipped = True


class Rejected(UpstreamError):
    status = 400
    code = "upstream_rejected"
    meaning = "rejected"


def decisive(failures: Sequence[UpstreamError]) -> UpstreamError:
    """Which of several targets' failures the caller is told: the last that a provider was asked for; if none was, that
    of the target that is back first."""
    for failure in reversed(failures):
        if not failure.skipped:
            return failure
    return min(failures, key=lambda failure: failure.retry_after or math.inf)


class Style(msgspec.Struct, frozen=True):
    """How errors look in one dialect. ``body`` gives status and bytes of a refusal, ``event`` what ends a stream."""

    name: str
    body: Callable[[int, str, str, str | None], tuple[int, bytes]]
    event: Callable[[int, str, str], bytes]


# OpenAI's documented `type` of an error object, by status.
_OPENAI_TYPE = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
# What a caller is told when the gateway itself has more to do than it can.
GATEWAY_OVERLOADED = "gateway_overloaded"
# Anthropic's, by status: https://docs.claude.com/en/api/errors. What it overloads with is its own 529.
_ANTHROPIC_TYPE = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# Google's canonical names: https://cloud.google.com/apis/design/errors#handling_errors
_GOOGLE_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def render_openai(status: int, code: str, message: str, param: str | None = None) -> bytes:
    """The error object of OpenAI's API: ``{"error": {message, type, param, code}}``, as JSON bytes."""
    error = {"message": message, "type": _openai_type(status), "param": param, "code": code}
    return msgspec.json.encode({"error": error})


def _openai_type(status: int) -> str:
    return _OPENAI_TYPE.get(status, "server_error" if status >= 500 else "invalid_request_error")


def _openai(status: int, code: str, message: str, param: str | None) -> tuple[int, bytes]:
    return status, render_openai(status, code, message, param)


def _openai_event(status: int, code: str, message: str) -> bytes:
    return b"data: %b\n\n" % render_openai(status, code, message)


def _responses_event(status: int, code: str, message: str) -> bytes:
    """As documented, and with the object beside it that OpenAI sends too: only that makes its clients raise."""
    inner = {"type": _openai_type(status), "code": code, "message": message, "param": None}
    error = {"type": "error", "code": code, "message": message, "param": None, "sequence_number": 0, "error": inner}
    return b"event: error\ndata: %b\n\n" % msgspec.json.encode(error)


def _anthropic(status: int, code: str, message: str, param: str | None) -> tuple[int, bytes]:
    status = 529 if code in (Overloaded.code, GATEWAY_OVERLOADED) else status
    kind = _ANTHROPIC_TYPE.get(status, "api_error" if status >= 500 else "invalid_request_error")
    error = {"type": kind, "message": message if not param or param in message else f"{param}: {message}", "code": code}
    return status, msgspec.json.encode({"type": "error", "error": error})


def _anthropic_event(status: int, code: str, message: str) -> bytes:
    return b"event: error\ndata: %b\n\n" % _anthropic(status, code, message, None)[1]


def _gemini(status: int, code: str, message: str, param: str | None) -> tuple[int, bytes]:
    name = _GOOGLE_STATUS.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    details: list[dict[str, object]] = [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code, "domain": "sluicegate"}
    ]
    if param:
        violation = {"field": param, "description": message}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    return status, msgspec.json.encode(
        {"error": {"code": status, "message": message, "status": name, "details": details}}
    )


def _gemini_event(status: int, code: str, message: str) -> bytes:
    return b"data: %b\n\n" % _gemini(status, code, message, None)[1]


OPENAI = Style("openai", _openai, _openai_event)
OPENAI_RESPONSES = Style("openai_responses", _openai, _responses_event)
ANTHROPIC = Style("anthropic", _anthropic, _anthropic_event)
GEMINI = Style("gemini", _gemini, _gemini_event)
