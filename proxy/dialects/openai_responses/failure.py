"""Errors that a provider tells in place of an answer, or in the middle of a stream."""

from __future__ import annotations

from typing import Any

from proxy.errors import (
    BadAnswer,
    BadCredential,
    ContentRefused,
    ContextTooLong,
    ModelNotFound,
    Overloaded,
    RateLimited,
    Rejected,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)

_FILTERED = (ContentRefused, "The provider's content filter refused the request.")
_LIMITED = (RateLimited, "The provider is limiting requests.")
_QUOTA = (RateLimited, "The quota of the gateway's account at the provider is used up.")
_KEY = (BadCredential, "The provider refused the gateway's own credential.")
_REJECTED = (Rejected, "The provider refused the request.")
_MEANINGS: dict[str, tuple[type[UpstreamError], str]] = {
    "rate_limit_exceeded": _LIMITED,
    "rate_limit_error": _LIMITED,
    "insufficient_quota": _QUOTA,
    "invalid_api_key": _KEY,
    "authentication_error": _KEY,
    "permission_error": _KEY,
    "context_length_exceeded": (ContextTooLong, "The conversation is too long for this model."),
    "invalid_prompt": _FILTERED,
    "content_filter": _FILTERED,
    "bio_policy": _FILTERED,
    "cyber_policy": _FILTERED,
    "misalignment_policy_violation": _FILTERED,
    "image_content_policy_violation": _FILTERED,
    "model_not_found": (ModelNotFound, "The provider has no such model, or not for this account."),
    "server_is_overloaded": (Overloaded, "The provider is overloaded."),
    "slow_down": (Overloaded, "The provider is overloaded."),
    "overloaded_error": (Overloaded, "The provider is overloaded."),
    "vector_store_timeout": (UpstreamTimeout, "The provider timed out."),
    "invalid_request_error": _REJECTED,
}
# Images that cannot be used; the codes say why, and it is the caller who can do something about it.
_IMAGE = ("invalid_image", "image_", "invalid_base64_image", "unsupported_image", "empty_image", "failed_to_download")


def failure_of(told: Any) -> UpstreamError:
    """What an error object means, of a response or of an event."""
    if isinstance(told, dict) and isinstance(told.get("error"), dict):
        told = told["error"]
    if not isinstance(told, dict):
        return BadAnswer("the provider sent an error that cannot be read")
    code, kind = told.get("code"), told.get("type")
    for word in (code, kind):
        if isinstance(word, str):
            if word in _MEANINGS:
                error, message = _MEANINGS[word]
                return error(message)
            if word.startswith(_IMAGE):
                return Rejected(f"The provider cannot use an image of the request ({word[:60]}).")
    return Unavailable("The provider failed.")
