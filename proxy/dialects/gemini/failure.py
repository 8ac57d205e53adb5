"""Errors that a provider tells in place of an answer, or in the middle of a stream."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.dialects.gemini.wire import ANSWER, Answer
from proxy.errors import (
    BadAnswer,
    BadCredential,
    ContextTooLong,
    ModelNotFound,
    Overloaded,
    RateLimited,
    Rejected,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)

_BY_NAME: dict[str, tuple[type[UpstreamError], str]] = {
    "RESOURCE_EXHAUSTED": (RateLimited, "The provider is limiting requests."),
    "UNAVAILABLE": (Overloaded, "The provider is overloaded."),
    "INTERNAL": (Unavailable, "The provider failed."),
    "DEADLINE_EXCEEDED": (UpstreamTimeout, "The provider timed out."),
    "UNAUTHENTICATED": (BadCredential, "The provider refused the gateway's own credential."),
    "PERMISSION_DENIED": (BadCredential, "The provider refused the gateway's own credential."),
    "NOT_FOUND": (ModelNotFound, "The provider has no such model, or not for this account."),
    "INVALID_ARGUMENT": (Rejected, "The provider refused the request."),
    "FAILED_PRECONDITION": (Rejected, "The provider refused the request."),
    "OUT_OF_RANGE": (Rejected, "The provider refused the request."),
}
_BY_CODE = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TOO_LONG = ("input token count", "exceeds the maximum number of tokens")


def read_body(body: bytes) -> Answer:
    """An answer or an event of one.

    Raises:
        UpstreamError: it is an error, or cannot be read.
    """
    try:
        answer = ANSWER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadAnswer(f"the provider's answer cannot be read: {wrong}") from wrong
    error = bytes(answer.error)
    if error and error != b"null":
        raise failure_of(error)
    return answer


def failure_of(error: bytes) -> UpstreamError:
    """What an error object means."""
    try:
        found: Any = msgspec.json.decode(error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return BadAnswer("the provider sent an error that cannot be read")
    name, code, text = found.get("status"), found.get("code"), found.get("message")
    if not isinstance(name, str) or name not in _BY_NAME:
        name = _BY_CODE.get(code, "INTERNAL") if isinstance(code, int) else "INTERNAL"
    if name == "INVALID_ARGUMENT" and isinstance(text, str) and any(word in text for word in _TOO_LONG):
        return ContextTooLong("The conversation is too long for this model.")
    kind, message = _BY_NAME[name]
    return kind(message)
