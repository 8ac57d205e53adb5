"""Errors that a provider tells in place of an answer, or in the middle of a stream."""

from __future__ import annotations

import msgspec

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

_MESSAGES: dict[str, tuple[type[UpstreamError], str]] = {
    "rate_limit_error": (RateLimited, "The provider is limiting requests."),
    "overloaded_error": (Overloaded, "The provider is overloaded."),
    "timeout_error": (UpstreamTimeout, "The provider timed out."),
    "api_error": (Unavailable, "The provider failed."),
    "authentication_error": (BadCredential, "The provider refused the gateway's own credential."),
    "permission_error": (BadCredential, "The provider refused the gateway's own credential."),
    "billing_error": (BadCredential, "The account of the gateway at the provider cannot pay."),
    "invalid_request_error": (Rejected, "The provider refused the request."),
    "request_too_large": (Rejected, "The provider refused the request as too large."),
}


class _Inner(msgspec.Struct):
    type: str = ""


class _Outer(msgspec.Struct):
    error: _Inner | None = None


def failure_of(body: bytes) -> UpstreamError:
    """What an error object means."""
    try:
        found = msgspec.json.decode(body, type=_Outer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BadAnswer("the provider sent an error that cannot be read")
    kind, message = _MESSAGES.get(found.error.type if found.error else "", (Unavailable, "The provider failed."))
    return kind(message)
