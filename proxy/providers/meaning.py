"""What a provider's refusal means: from status, headers and body to one of our errors.

The caller sees the provider's own words only where the request itself was refused; what concerns the gateway's account
(its key, its limits, its quota) is said in ours.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import msgspec

from proxy.errors import (
    BadAnswer,
    BadCredential,
    ContentRefused,
    ContextTooLong,
    Header,
    ModelNotFound,
    Overloaded,
    RateLimited,
    Rejected,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)

MAX_RETRY_AFTER = 300.0  # seconds: what a provider asks for beyond that is not believed, or tried again by then

_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"})
_CONTEXT = frozenset({"context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"})
_CONTENT = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "data_inspection_failed",
        "moderation_blocked",
        "responsibleaipolicyviolation",
        "responsible_ai_policy_violation",
    }
)
_MODEL = frozenset({"model_not_found", "deploymentnotfound", "invalid_model", "unknown_model", "model_not_available"})
_KEY = frozenset({"invalid_api_key", "api_key_invalid", "account_deactivated"})
_OVERLOADED = frozenset({"overloaded_error", "overloaded", "server_overloaded", "engine_overloaded", "slow_down"})
# For those that answer without a code: vLLM, llama.cpp, Mistral; Ollama; Gemini; Anthropic.
_CONTEXT_TEXT = re.compile(
    r"maximum context length|context (?:length|window|size).{0,40}exceed|exceeds? .{0,40}context"
    r"|(?:prompt|input) is too long"
)
_MODEL_TEXT = re.compile(r"\bmodel\b.{0,200}(?:not found|does not exist|not exist)|^model: \S+$")
_CONTENT_TEXT = re.compile(r"blocked by content filtering policy")
_QUOTA_TEXT = re.compile(r"credit balance is too low")
_KEY_TEXT = re.compile(r"(?:incorrect|invalid) api key|api key not valid")


# What an error inside an answer would have been as a status, by any of its words.
_INSIDE: tuple[tuple[frozenset[str], int], ...] = (
    (frozenset({"rate_limit_error", "rate_limit_exceeded", "resource_exhausted", "throttlingexception", "429"}), 429),
    (_OVERLOADED | {"unavailable", "serviceunavailableexception", "503", "529"}, 503),
    (frozenset({"timeout_error", "timeout", "deadline_exceeded", "modeltimeoutexception", "504"}), 504),
    (
        frozenset({"authentication_error", "permission_error", "permission_denied", "unauthenticated", "401", "403"}),
        401,
    ),
    (frozenset({"billing_error", "402"}), 402),
    (frozenset({"not_found_error", "not_found", "404"}), 404),
    (_CONTEXT | _CONTENT | _MODEL, 400),
    (frozenset({"invalid_request_error", "invalid_argument", "validationexception", "bad_request", "400"}), 400),
)


class _Refusal(NamedTuple):
    names: frozenset[str]  # every code and type in it, lower-case
    text: str  # its message, lower-case, the beginning of it


def failure_of(status: int, headers: list[Header], body: bytes, provider: str) -> UpstreamError:
    """The error that an answer with ``status`` ≥ 400 means. ``headers`` are those that may reach the caller."""
    refusal = _read(body)
    wait = retry_after(headers, time.time())
    if status == 402 or (refusal is not None and (refusal.names & _QUOTA or _QUOTA_TEXT.search(refusal.text))):
        return _quota(provider)
    if status == 429:
        return RateLimited(f"The provider {provider!r} is limiting requests.", retry_after=wait)
    if status >= 500:
        return _broken(status, refusal, wait, provider)
    if refusal is not None:
        raw = (status, tuple(headers), body)
        if refusal.names & _CONTEXT or _CONTEXT_TEXT.search(refusal.text):
            return ContextTooLong("The conversation is too long for this model.", raw=raw)
        if refusal.names & _CONTENT or _CONTENT_TEXT.search(refusal.text):
            return ContentRefused("The provider's content filter refused the request.", raw=raw)
        if refusal.names & _MODEL or (status == 404 and _MODEL_TEXT.search(refusal.text)):
            return ModelNotFound(f"The provider {provider!r} has no such model, or not for this account.")
    if status in (401, 403) or (refusal is not None and (refusal.names & _KEY or _KEY_TEXT.search(refusal.text))):
        return BadCredential(f"The provider {provider!r} refused the gateway's own credential ({status}).")
    if status == 408:
        return UpstreamTimeout(f"The provider {provider!r} gave up waiting ({status}).")
    if refusal is None:
        return BadAnswer(f"The provider {provider!r} refused with {status} and a body that is not JSON.")
    return Rejected(f"The provider {provider!r} refused the request ({status}).", raw=raw, status=status)


def failure_in(body: bytes, provider: str) -> UpstreamError:
    """The error that an error object means which came inside a stream, or under status 200."""
    refusal = _read(body)
    if refusal is None:
        return BadAnswer(f"The provider {provider!r} sent an error that cannot be read.")
    status = next((status for names, status in _INSIDE if refusal.names & names), 500)
    return failure_of(status, [], body, provider)


def retry_after(headers: list[Header], now: float) -> float | None:
    """Seconds that a provider asks to wait, capped; None if it does not say or makes no sense."""
    given = dict(headers)
    milliseconds = _number(given.get(b"retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000, MAX_RETRY_AFTER)
    text = given.get(b"retry-after")
    seconds = _number(text)
    if seconds is None and text is not None:
        try:
            seconds = max(0.0, parsedate_to_datetime(text.decode("latin-1")).timestamp() - now)
        except (ValueError, OverflowError):
            return None
    return None if seconds is None else min(seconds, MAX_RETRY_AFTER)


def _number(text: bytes | None) -> float | None:
    """A plain non-negative decimal; no sign, no exponent, no infinity."""
    if text is None or not re.fullmatch(rb"\s*\d{1,18}(?:\.\d{0,9})?\s*", text):
        return None
    return float(text)


def _quota(provider: str) -> RateLimited:
    """No wait will help, so none is named; the official clients heed the header."""
    error = RateLimited(f"The quota of the gateway's account at the provider {provider!r} is used up.")
    error.error_code = "upstream_quota_exhausted"
    error.headers = ((b"x-should-retry", b"false"),)
    return error


def _broken(status: int, refusal: _Refusal | None, wait: float | None, provider: str) -> UpstreamError:
    error: UpstreamError
    if status in (503, 529) or (refusal is not None and refusal.names & _OVERLOADED):
        error = Overloaded(f"The provider {provider!r} is overloaded ({status}).")
    elif status in (504, 524):
        error = UpstreamTimeout(f"The provider {provider!r} timed out ({status}).")
    else:
        error = Unavailable(f"The provider {provider!r} failed ({status}).")
    if wait is not None:
        error.headers = ((b"retry-after", b"%d" % max(1, round(wait))),)
    return error


def _read(body: bytes) -> _Refusal | None:
    """What a body says; None if it is not a JSON object. Every provider nests it a little differently."""
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(found, list) and found:  # Gemini wraps it in a list
        found = found[0]
    if not isinstance(found, dict):
        return None
    inner = found.get("error")
    layers = [found]
    if isinstance(inner, dict):
        layers.append(inner)
        deeper = inner.get("innererror")
        if isinstance(deeper, dict):
            layers.append(deeper)
    names: set[str] = set()
    text = inner if isinstance(inner, str) else ""
    for layer in layers:
        told = (layer.get(key) for key in ("code", "type", "status"))
        names.update(str(value).lower() for value in told if isinstance(value, str | int))
        text = next((value for key in ("message", "detail") if isinstance(value := layer.get(key), str)), text)
    return _Refusal(frozenset(names), text[:2000].lower())
