"""What a provider's refusal means: from status, headers and body to one of our errors.

The caller sees the provider's own words only where the request itself was refused; what concerns the gateway's account
(its key, its limits, its quota) is said in ours. The tables below are in the order in which they are asked: what a
name says exactly comes first, then what only the words tell, then the status.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

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
from proxy.providers.refusal import Refusal, read
from proxy.providers.waiting import MAX_RETRY_AFTER, capped, reset_in, retry_after, wait_in_words

__all__ = ["MAX_RETRY_AFTER", "failure_in", "failure_of", "retry_after"]

# Codes and types of OpenAI and those who follow it, Anthropic, Google, AWS, Mistral, llama.cpp, Hugging Face.
_BY_NAME: tuple[tuple[str, frozenset[str]], ...] = (
    (
        "quota",
        frozenset(
            {
                "billing_error",
                "billing_hard_limit_reached",
                "billing_not_active",
                "insufficient_balance",
                "insufficient_credits",
                "insufficient_quota",
                "quota_per_day",
                "servicequotaexceededexception",
            }
        ),
    ),
    (
        "context",
        frozenset(
            {
                "context_length_exceeded",
                "context_window_exceeded",
                "exceed_context_size_error",
                "request_too_large",
                "token_limit_exceeded",
            }
        ),
    ),
    (
        "content",
        frozenset(
            {
                "bio_policy",
                "content_filter",
                "content_policy_violation",
                "cyber_policy",
                "data_inspection_failed",
                "image_content_policy_violation",
                "invalid_prompt",
                "misalignment_policy_violation",
                "moderation_blocked",
                "responsible_ai_policy_violation",
                "responsibleaipolicyviolation",
            }
        ),
    ),
    (
        "model",
        frozenset(
            {
                "dedicated_endpoint_not_running",
                "deploymentnotfound",
                "invalid_model",
                "model_decommissioned",
                "model_not_available",
                "model_not_found",
                "model_terms_required",
                "resourcenotfoundexception",
                "unknown_model",
            }
        ),
    ),
    (
        "credential",
        frozenset(
            {
                "accessdeniedexception",
                "account_deactivated",
                "api_key_invalid",
                "api_key_service_blocked",
                "billing_disabled",
                "consumer_suspended",
                "expiredtoken",
                "expiredtokenexception",
                "incompletesignature",
                "incompletesignatureexception",
                "invalid_api_key",
                "invalidclienttokenid",
                "invalidsignatureexception",
                "missingauthenticationtoken",
                "missingauthenticationtokenexception",
                "optinrequired",
                "service_disabled",
                "signaturedoesnotmatch",
                "unrecognizedclientexception",
                "unsupported_country_region_territory",
            }
        ),
    ),
    (
        "overloaded",
        frozenset(
            {
                "capacity_exceeded",
                "engine_overloaded",
                "engine_overloaded_error",
                "modelnotreadyexception",
                "overloaded",
                "overloaded_error",
                "server_is_overloaded",
                "server_overloaded",
                "serviceunavailableexception",
                "slow_down",
                "unavailable_error",
            }
        ),
    ),
    ("limited", frozenset({"throttling", "throttlingexception", "throttledexception", "toomanyrequestsexception"})),
    ("timeout", frozenset({"modeltimeoutexception", "timeout_error"})),
    ("failed", frozenset({"internaldependencyexception", "modelerrorexception", "modelstreamerrorexception"})),
)
# For those that say it in words alone. Each pattern is linear, and sees the beginning of the message in lower case.
_BY_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "quota",
        re.compile(
            r"credit balance is too low|insufficient (?:balance|credits)|exceeded your monthly included credits"
        ),
    ),
    ("too_large", re.compile(r"request too large for .{0,200}(?:limit|requested)|requested tokens exceed the rate")),
    (
        "context",
        re.compile(
            r"maximum context length"
            r"|context (?:length|window|size|limit).{0,40}exceed|exceeds? .{0,40}context"
            r"|context length is only"
            r"|prompt is too long|input is too long|too many tokens: |too many input tokens"
            r"|exceeds the maximum number of tokens|input token count is .{0,40}only supports"
            r"|tokens \+ `max_new_tokens` must be|too large for model with .{0,20}maximum context"
            r"|reduce the length of (?:the|your) (?:messages|input|prompt)"
        ),
    ),
    (
        "content",
        re.compile(
            r"content exists risk|blocked by (?:the )?content filter|usage guidelines|responsible ai practices"
            r"|blocked (?:due to|because of|for) safety|flagged as potentially violating|input was flagged"
        ),
    ),
    (
        "credential",
        re.compile(
            r"(?:incorrect|invalid|expired|missing) (?:api[ _-]?key|api token)"
            r"|api[ _-]?key (?:not valid|expired|not found)"
            r"|security token included in the request is (?:invalid|expired)|signature .{0,80}does not match"
            r"|user location is not supported|reported as leaked"
        ),
    ),
)
_OF_THE_ACCOUNT = ("quota", "too_large")
# Meant only where the request was refused, not for what happened inside the provider.
_MODEL_WORDS = re.compile(
    r"\bmodels?\b.{0,200}(?:not found|does not exist|not exist|is not supported for generatecontent)"
    r"|^model: \S+$|provided model identifier is invalid|not resolve the foundation model|not a valid model id"
    r"|on-demand throughput isn.t supported|access to the model with the specified|end of its life"
    r"|no endpoints found for|^endpoint .{1,100} not found|publisher model "
)
# What an error inside an answer would have been as a status, by any of its words.
_INSIDE: tuple[tuple[frozenset[str], int], ...] = (
    (frozenset({"rate_limit_error", "rate_limit_exceeded", "resource_exhausted", "429"}), 429),
    (frozenset({"unavailable", "503", "529"}), 503),
    (frozenset({"timeout", "deadline_exceeded", "vector_store_timeout", "408", "504"}), 504),
    (
        frozenset({"authentication_error", "permission_error", "permission_denied", "unauthenticated", "401", "403"}),
        401,
    ),
    (frozenset({"402"}), 402),
    (frozenset({"not_found_error", "not_found", "404"}), 404),
    (
        frozenset(
            {
                "400",
                "bad_request",
                "empty_image_file",
                "failed_precondition",
                "failed_to_download_image",
                "image_file_not_found",
                "image_file_too_large",
                "image_parse_error",
                "image_too_large",
                "image_too_small",
                "invalid_argument",
                "invalid_base64_image",
                "invalid_image",
                "invalid_image_format",
                "invalid_image_mode",
                "invalid_image_url",
                "invalid_request_error",
                "out_of_range",
                "unsupported_image_media_type",
                "validationexception",
            }
        ),
        400,
    ),
)
_BY_STATUS = {
    401: "credential",
    402: "quota",
    403: "credential",
    407: "credential",
    408: "timeout",
    424: "failed",
    429: "limited",
    498: "overloaded",  # Groq's flex tier; Cohere's "invalid token" has words for it
    503: "overloaded",
    504: "timeout",
    524: "timeout",
    529: "overloaded",
}
# Statuses that would tell the caller of a credential or a limit of its own, which this is not.
_NOT_THEIRS = frozenset({401, 402, 403, 407, 429})


def failure_of(
    status: int,
    headers: list[Header],
    body: bytes,
    provider: str,
    told: Sequence[Header] = (),
    *,
    now: float | None = None,
) -> UpstreamError:
    """The error that an answer with ``status`` ≥ 400 means.

    ``headers`` are those that may reach the caller, ``told`` others of the provider's that say more of the error.
    """
    refusal = read(body, told)
    now = time.time() if now is None else now
    wait = retry_after(headers, now)
    if wait is None and refusal is not None:
        wait = capped(refusal.wait)
    if wait is None and status == 429:  # resets stand in every answer, and only here they are its cause
        wait = reset_in(told, now)
    if wait is None and refusal is not None:
        wait = capped(wait_in_words(refusal.text))
    raw = (status, tuple(headers), body)
    return _failure(status, refusal, wait, f"The provider {provider!r}", raw)


def failure_in(body: bytes) -> UpstreamError:
    """The error that an error object means which came inside a stream, or under status 200."""
    refusal = read(body)
    if refusal is None:
        return BadAnswer("The provider sent an error that cannot be read.")
    status = next((status for names, status in _INSIDE if refusal.names & names), 500)
    wait = refusal.wait if refusal.wait is not None else wait_in_words(refusal.text)
    return _failure(status, refusal, capped(wait), "The provider", None)


def _failure(
    status: int,
    refusal: Refusal | None,
    wait: float | None,
    name: str,
    raw: tuple[int, tuple[Header, ...], bytes] | None,
) -> UpstreamError:
    if refusal is not None and refusal.status is not None:
        status, raw = refusal.status, None
    if status in _NOT_THEIRS or status >= 500:
        raw = None
    quote = f": {refusal.quote}" if refusal is not None and refusal.quote else "."
    match _meaning(status, refusal):
        case "quota":
            return _quota(name)
        case "limited":
            return RateLimited(f"{name} is limiting requests.", retry_after=wait)
        case "context":
            return ContextTooLong(f"The conversation is too long for this model{quote}", raw=raw)
        case "too_large":
            return ContextTooLong(f"The request is larger than what the gateway's account may send. {name} limits it.")
        case "content":
            return ContentRefused(f"The provider's content filter refused the request{quote}", raw=raw)
        case "model":
            return ModelNotFound(f"{name} has no such model, or not for this account.")
        case "credential":
            return BadCredential(f"{name} refused the gateway's own credential ({status}).")
        case "rejected" if refusal is not None:
            return Rejected(f"{name} refused the request ({status}){quote}", raw=raw, status=status)
        case "rejected":
            return BadAnswer(f"{name} refused with {status} and a body that is not JSON.")
        case broken:
            return _broken(broken, status, wait, name)


def _meaning(status: int, refusal: Refusal | None) -> str:
    """One of the words of the tables, or "rejected"."""
    if refusal is not None:
        if refusal.flagged:
            return "content"
        for meaning, names in _BY_NAME:
            if refusal.names & names and not (meaning == "credential" and _MODEL_WORDS.search(refusal.text)):
                return meaning
        for meaning, pattern in _BY_WORDS:
            if (status != 429 or meaning in _OF_THE_ACCOUNT) and pattern.search(refusal.text):
                return meaning
        if status in (400, 403, 404, 422) and _MODEL_WORDS.search(refusal.text):
            return "model"
    return _BY_STATUS.get(status, "failed" if status >= 500 else "rejected")


def _quota(name: str) -> RateLimited:
    """No wait will help, so none is named; the official clients heed the header."""
    error = RateLimited(f"The quota of the gateway's account is used up. {name} wants it paid, or a new day.")
    error.error_code = RateLimited.quota_code
    error.headers = ((b"x-should-retry", b"false"),)
    return error


def _broken(meaning: str, status: int, wait: float | None, name: str) -> UpstreamError:
    error: UpstreamError
    if meaning == "overloaded":
        error = Overloaded(f"{name} is overloaded ({status}).")
    elif meaning == "timeout":
        error = UpstreamTimeout(f"{name} timed out ({status}).")
    else:
        error = Unavailable(f"{name} failed ({status}).")
    if wait is not None:
        error.retry_after = wait
        error.headers = ((b"retry-after", b"%d" % max(1, round(wait))),)
    return error
