"""How each provider fails, by meaning: status, headers and body as their documentation shows them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

MEANINGS = (
    "rate_limited",
    "overloaded",
    "context_too_long",
    "content_refused",
    "rejected",
    "bad_credential",
    "model_not_found",
    "unavailable",
)
RETRY_AFTER = 7
SECRET = "sk-of-the-gateway"  # what a provider may repeat of the credential that it refuses


class Failure(NamedTuple):
    """An answer that is an error."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str | list[str]] = {}

    def encoded(self) -> bytes:
        """Its body."""
        return json.dumps(self.body).encode()


def _openai(status: int, kind: str, message: str, code: str | None, param: str | None = None) -> Failure:
    error = {"message": message, "type": kind, "param": param, "code": code}
    headers: dict[str, str | list[str]] = {"retry-after": str(RETRY_AFTER)} if status == 429 else {}
    return Failure(status, {"error": error}, headers)


def _anthropic(status: int, kind: str, message: str) -> Failure:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_upstream"}
    return Failure(status, body, {"retry-after": str(RETRY_AFTER)} if status == 429 else {})


def _google(code: int, status: str, message: str, *details: dict[str, Any]) -> Failure:
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    return Failure(code, {"error": error | ({"details": list(details)} if details else {})})


def _aws(status: int, kind: str, message: str) -> Failure:
    return Failure(status, {"message": message}, {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/"})


_OPENAI = {
    "rate_limited": _openai(
        429, "tokens", "Rate limit reached for gpt-4o on tokens per min (TPM)", "rate_limit_exceeded"
    ),
    "overloaded": _openai(
        503, "server_error", "The engine is currently overloaded, please try again later", "server_overloaded"
    ),
    "context_too_long": _openai(
        400,
        "invalid_request_error",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 200001 tokens.",
        "context_length_exceeded",
        "messages",
    ),
    "content_refused": _openai(
        400, "invalid_request_error", "Your request was rejected by our safety system.", "content_policy_violation"
    ),
    "rejected": _openai(400, "invalid_request_error", "Invalid value for 'temperature'.", None, "temperature"),
    "bad_credential": _openai(
        401, "invalid_request_error", f"Incorrect API key provided: {SECRET}.", "invalid_api_key"
    ),
    "model_not_found": _openai(
        404, "invalid_request_error", "The model `nothing` does not exist.", "model_not_found", "model"
    ),
    "unavailable": _openai(500, "server_error", "The server had an error while processing your request.", None),
}
_ANTHROPIC = {
    "rate_limited": _anthropic(429, "rate_limit_error", "This request would exceed your rate limit."),
    "overloaded": _anthropic(529, "overloaded_error", "Overloaded"),
    "context_too_long": _anthropic(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    "content_refused": _anthropic(400, "invalid_request_error", "Output blocked by content filtering policy"),
    "rejected": _anthropic(400, "invalid_request_error", "temperature: Input should be less than or equal to 1"),
    "bad_credential": _anthropic(401, "authentication_error", f"invalid x-api-key {SECRET}"),
    "model_not_found": _anthropic(404, "not_found_error", "model: nothing"),
    "unavailable": _anthropic(500, "api_error", "Internal server error"),
}
_TYPES = "type.googleapis.com/google.rpc."
_GEMINI = {
    "rate_limited": _google(
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota.",
        {"@type": f"{_TYPES}RetryInfo", "retryDelay": f"{RETRY_AFTER}s"},
    ),
    "overloaded": _google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "context_too_long": _google(
        400,
        "INVALID_ARGUMENT",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "content_refused": Failure(
        200,
        {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
            "modelVersion": "gemini",
            "responseId": "refused",
        },
    ),
    "rejected": _google(400, "INVALID_ARGUMENT", "Invalid value at 'generation_config.temperature'"),
    "bad_credential": _google(
        400,
        "INVALID_ARGUMENT",
        f"API key not valid: {SECRET}. Please pass a valid API key.",
        {"@type": f"{_TYPES}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"},
    ),
    "model_not_found": _google(404, "NOT_FOUND", "models/nothing is not found for API version v1beta."),
    "unavailable": _google(500, "INTERNAL", "An internal error has occurred."),
}
_BEDROCK = {
    "rate_limited": _aws(429, "ThrottlingException", "Too many requests, please wait before trying again."),
    "overloaded": _aws(503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
    "context_too_long": _aws(400, "ValidationException", "Input is too long for requested model."),
    "rejected": _aws(400, "ValidationException", "1 validation error detected: temperature must be at most 1"),
    "bad_credential": _aws(
        403, "UnrecognizedClientException", f"The security token included in the request is invalid: {SECRET}"
    ),
    "model_not_found": _aws(404, "ResourceNotFoundException", "Could not resolve the foundation model."),
    "unavailable": _aws(500, "InternalServerException", "The server encountered an internal error."),
}
# A prompt that Bedrock's guardrail stops is answered with 200 and its own stop reason: it has no error for that.
FAILURES: dict[str, dict[str, Failure]] = {
    "openai_chat": _OPENAI,
    "openai_responses": _OPENAI,
    "anthropic_messages": _ANTHROPIC,
    "gemini": _GEMINI,
    "bedrock": _BEDROCK,
}
