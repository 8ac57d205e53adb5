"""Refusals as providers word them, each with where it was seen or documented.

Ids, names and numbers that belonged to somebody are replaced by made-up ones.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from proxy.errors import Meaning

Whole = Literal["quota", "too_large"]  # a limit that no wait restores; a request larger than the account may send

ANTHROPIC = "https://platform.claude.com/docs/en/api/errors"
OPENAI = "https://platform.openai.com/docs/guides/error-codes"
GEMINI = "https://ai.google.dev/gemini-api/docs/troubleshooting"
BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"
SAGEMAKER = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html"
OPENROUTER = "https://openrouter.ai/docs/api/reference/errors-and-debugging"
GITHUB = "https://github.com/"


class Recorded(NamedTuple):
    """One refusal, what it means, and what the caller must be told of it (None: nothing of the provider's)."""

    provider: str
    source: str
    status: int
    body: Any
    means: Meaning | Whole
    quoted: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    wait: float | None = None

    def encoded(self) -> bytes:
        """Its body."""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


def _anthropic(status: int, kind: str, message: str, means: Meaning | Whole, **more: Any) -> Recorded:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}
    return Recorded("anthropic", more.pop("source", ANTHROPIC), status, body, means, **more)


def _openai(
    status: int, message: str, kind: str, code: Any, means: Meaning | Whole, provider: str = "openai", **more: Any
) -> Recorded:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Recorded(provider, more.pop("source", OPENAI), status, body, means, **more)


def _google(status: int, name: str, message: str, means: Meaning | Whole, *details: Any, **more: Any) -> Recorded:
    error: dict[str, Any] = {"code": status, "message": message, "status": name}
    if details:
        error["details"] = [{**one, "@type": f"type.googleapis.com/google.rpc.{one['@type']}"} for one in details]
    return Recorded("gemini", more.pop("source", GEMINI), status, {"error": error}, means, **more)


def _aws(status: int, kind: str, message: str | None, means: Meaning | Whole, **more: Any) -> Recorded:
    headers = (("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"),)
    return Recorded(
        "bedrock", more.pop("source", BEDROCK), status, {"message": message}, means, headers=headers, **more
    )


_LONG = "prompt is too long: 200251 tokens > 200000 maximum"
_SUM = "input length and `max_tokens` exceed context limit: 196395 + 64000 > 204698, decrease input length or `max_tokens` and try again"
_CREDIT = (
    "Your credit balance is too low to access the Anthropic API. "
    "Please go to Plans & Billing to upgrade or purchase credits."
)
_RESETS = (
    ("anthropic-ratelimit-requests-remaining", "49"),
    ("anthropic-ratelimit-requests-reset", "2023-11-14T22:13:21Z"),
    ("anthropic-ratelimit-input-tokens-remaining", "0"),
    ("anthropic-ratelimit-input-tokens-reset", "2023-11-14T22:13:32Z"),
)
_ANTHROPIC: tuple[Recorded, ...] = (
    _anthropic(400, "invalid_request_error", "messages.0.content: Field required", "rejected", quoted="Field required"),
    _anthropic(401, "authentication_error", "invalid x-api-key", "bad_credential"),
    _anthropic(402, "billing_error", "There's an issue with your billing.", "quota"),
    _anthropic(403, "permission_error", "Your API key does not have permission.", "bad_credential"),
    _anthropic(404, "not_found_error", "model: claude-nothing", "model_not_found"),
    _anthropic(404, "not_found_error", "File not found: file_1", "rejected", quoted="File not found"),
    _anthropic(413, "request_too_large", "Request exceeds the maximum size", "context_too_long", quoted="maximum size"),
    _anthropic(429, "rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit", "rate_limited", headers=_RESETS, wait=12.0),
    _anthropic(429, "rate_limit_error", "slow", "rate_limited", headers=(("retry-after", "8"), *_RESETS), wait=8.0),
    _anthropic(500, "api_error", "Internal server error", "unavailable"),
    _anthropic(504, "timeout_error", "The request timed out", "timeout"),
    _anthropic(529, "overloaded_error", "Overloaded", "overloaded", headers=_RESETS),
    _anthropic(400, "invalid_request_error", _LONG, "context_too_long", quoted=_LONG, source=f"{GITHUB}earendil-works/pi/issues/102"),
    _anthropic(400, "invalid_request_error", _SUM, "context_too_long", quoted="196395 + 64000", source=f"{GITHUB}RooCodeInc/Roo-Code/issues/3713"),
    _anthropic(400, "invalid_request_error", _CREDIT, "quota", source=f"{GITHUB}anthropics/claude-code/issues/66314"),
    _anthropic(400, "invalid_request_error", "Output blocked by content filtering policy", "content_refused", quoted="filtering policy"),
)  # fmt: skip

_TPM = "Rate limit reached for gpt-4o in organization org-1a2b3c4d5e6f on tokens per min (TPM): Limit 30000"
_OPENAI: tuple[Recorded, ...] = (
    _openai(400, "This model's maximum context length is 128000 tokens.", "invalid_request_error", "context_length_exceeded", "context_too_long", quoted="128000"),
    _openai(400, "Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "invalid_request_error", "invalid_prompt", "content_refused", quoted="flagged"),
    _openai(401, "Incorrect API key provided: sk-proj-********0abc.", "invalid_request_error", "invalid_api_key", "bad_credential"),
    _openai(403, "Country, region, or territory not supported", "request_forbidden", "unsupported_country_region_territory", "bad_credential"),
    _openai(403, "Project `proj_1a2b3c4d5e6f` does not have access to model `gpt-5`", "invalid_request_error", "model_not_found", "model_not_found"),
    _openai(404, "The model `gpt-nothing` does not exist or you do not have access to it.", "invalid_request_error", "model_not_found", "model_not_found"),
    _openai(429, f"{_TPM}. Please try again in 1.5s.", "tokens", "rate_limit_exceeded", "rate_limited", wait=1.5),
    _openai(429, _TPM, "tokens", "rate_limit_exceeded", "rate_limited", headers=(("x-ratelimit-reset-requests", "8.64s"), ("x-ratelimit-remaining-requests", "9999"), ("x-ratelimit-reset-tokens", "1m30s"), ("x-ratelimit-remaining-tokens", "0")), wait=90.0),
    _openai(429, _TPM, "tokens", "rate_limit_exceeded", "rate_limited", headers=(("x-ratelimit-reset-requests", "120ms"), ("x-ratelimit-reset-tokens", "6m0s")), wait=0.12),
    _openai(429, "You exceeded your current quota, please check your plan and billing details.", "insufficient_quota", "insufficient_quota", "quota"),
    _openai(429, "Request too large for gpt-4o in organization org-1a2b3c4d5e6f on tokens per min (TPM): Limit 30000, Requested 342389.", "tokens", "rate_limit_exceeded", "too_large"),
    _openai(503, "That model is currently overloaded with other requests.", "server_error", None, "overloaded"),
    _openai(400, "Unknown parameter: 'reasoning_effort'.", "invalid_request_error", "unknown_parameter", "rejected", quoted="Unknown parameter: 'reasoning_effort'."),
)  # fmt: skip

_COUNT = "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576)."
_MINUTE = {
    "@type": "QuotaFailure",
    "violations": [{"quotaId": "GenerateContentPaidTierInputTokensPerModelPerMinute", "quotaValue": "4000000"}],
}
_DAY = {"@type": "QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
_RETRY = {"@type": "RetryInfo", "retryDelay": "47.434392449s"}
_INVALID_KEY = {"@type": "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
_PUBLISHER = "Publisher Model `projects/my-project/locations/us-central1/publishers/google/models/gemini-x` was not found or your project does not have access to it."
_GEMINI: tuple[Recorded, ...] = (
    _google(400, "INVALID_ARGUMENT", _COUNT, "context_too_long", quoted="1048576", source=f"{GITHUB}google-gemini/gemini-cli/issues/6678"),
    _google(400, "INVALID_ARGUMENT", "Unable to submit request because the input token count is 1200000 but model only supports up to 1048576.", "context_too_long", quoted="1048576"),
    _google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "bad_credential", _INVALID_KEY),
    _google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key.", "bad_credential"),
    _google(400, "FAILED_PRECONDITION", "User location is not supported for the API use.", "bad_credential"),
    _google(400, "INVALID_ARGUMENT", "Invalid value at 'contents[0]'", "rejected", quoted="Invalid value at 'contents[0]'"),
    _google(400, "INVALID_ARGUMENT", "The prompt could not be submitted. It contains words that violate Google's Responsible AI practices.", "content_refused", quoted="could not be submitted"),
    _google(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key.", "bad_credential"),
    _google(404, "NOT_FOUND", "models/gemini-x is not found for API version v1beta, or is not supported for generateContent.", "model_not_found"),
    _google(404, "NOT_FOUND", _PUBLISHER, "model_not_found"),
    _google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details.", "rate_limited", _MINUTE, _RETRY, wait=47.434392449, source=f"{GITHUB}browserbase/mcp-server-browserbase/issues/129"),
    _google(429, "RESOURCE_EXHAUSTED", "Quota exceeded.\nPlease retry in 12.5s.", "rate_limited", _MINUTE, wait=12.5),
    _google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", "quota", _DAY, _RETRY),
    _google(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later.", "rate_limited", source=f"{GITHUB}google-gemini/gemini-cli/issues/14811"),
    _google(500, "INTERNAL", "An internal error has occurred.", "unavailable"),
    _google(503, "UNAVAILABLE", "The model is overloaded. Please try again later.", "overloaded"),
    _google(504, "DEADLINE_EXCEEDED", "The request timed out.", "timeout"),
)  # fmt: skip

_BEDROCK: tuple[Recorded, ...] = (
    _aws(400, "ValidationException", "Input is too long for requested model.", "context_too_long", quoted="Input is too long", source=f"{GITHUB}aws-samples/assessment-generator/issues/2"),
    _aws(400, "ValidationException", f"The model returned the following errors: {_LONG}", "context_too_long", quoted=_LONG, source=f"{GITHUB}daisuke-awaji/moca/issues/254"),
    _aws(400, "ValidationException", "Too many input tokens. Max input tokens: 8192, request input token count: 9000", "context_too_long", quoted="8192"),
    _aws(400, "ValidationException", "The provided model identifier is invalid.", "model_not_found"),
    _aws(400, "ValidationException", "Invocation of model ID x with on-demand throughput isn\u2019t supported.", "model_not_found"),
    _aws(400, "ValidationException", "The maximum tokens you requested exceeds the model limit of 4096.", "rejected", quoted="4096", source=f"{GITHUB}RooCodeInc/Roo-Code/issues/248"),
    _aws(400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account.", "quota"),
    _aws(403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", "model_not_found"),
    _aws(403, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:InvokeModel", "bad_credential"),
    _aws(403, "ExpiredTokenException", "The security token included in the request is expired", "bad_credential"),
    _aws(403, "UnrecognizedClientException", "The security token included in the request is invalid.", "bad_credential"),
    _aws(403, "InvalidSignatureException", "The request signature we calculated does not match.", "bad_credential"),
    _aws(404, "ResourceNotFoundException", "This model version has reached the end of its life.", "model_not_found"),
    _aws(408, "ModelTimeoutException", "The request took too long to process.", "timeout"),
    _aws(424, "ModelErrorException", "The request failed due to an error while processing the model.", "unavailable"),
    _aws(429, "ModelNotReadyException", "The model is not ready for inference.", "overloaded"),
    _aws(429, "ThrottlingException", "Too many tokens, please wait before trying again.", "rate_limited", source=f"{GITHUB}hyunhwan-bcm/MARRVEL_MCP/issues/225"),
    _aws(500, "InternalServerException", "An internal server error occurred.", "unavailable"),
    _aws(503, "ServiceUnavailableException", "The service isn't currently available.", "overloaded"),
    Recorded("bedrock", BEDROCK, 400, {"__type": "com.amazon.coral.service#ThrottlingException", "message": "Rate exceeded"}, "rate_limited"),
)  # fmt: skip


def _sagemaker(status: int, original: int, message: str, means: Meaning | Whole, quoted: str | None = None) -> Recorded:
    body = {
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL",
        "LogStreamArn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/mine",
        "Message": f'Received client error ({original}) from primary with message "{message}". See the logs in account 123456789012',
        "OriginalMessage": message,
        "OriginalStatusCode": original,
    }
    return Recorded("sagemaker", SAGEMAKER, status, body, means, quoted, (("x-amzn-errortype", "ModelError"),))


_TGI = "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 512 `max_new_tokens`"
_SAGEMAKER: tuple[Recorded, ...] = (
    _sagemaker(424, 422, json.dumps({"error": _TGI, "error_type": "validation"}), "context_too_long", "5000"),
    _sagemaker(424, 400, json.dumps({"error": {"message": "temperature must be positive"}}), "rejected", "must be positive"),
    _sagemaker(424, 500, "<html>Internal Server Error</html>", "unavailable"),
    Recorded("sagemaker", f"{GITHUB}opensearch-project/ml-commons/issues/2429", 400, {"message": None}, "rate_limited", headers=(("x-amzn-errortype", "ThrottlingException"),)),
    Recorded("sagemaker", SAGEMAKER, 400, {"message": "Endpoint mine of account 123456789012 not found."}, "model_not_found", headers=(("x-amzn-errortype", "ValidationError"),)),
    Recorded("sagemaker", SAGEMAKER, 530, {"message": "x"}, "unavailable", headers=(("x-amzn-errortype", "InternalDependencyException"),)),
)  # fmt: skip

_MISTRAL_LONG = "Prompt contains 33013 tokens and 0 draft tokens, too large for model with 32768 maximum context length"
_GROQ_413 = "Request too large for model `llama-3.1-8b-instant` in organization `org_1a2b3c4d5e6f7g8h` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 12328, please reduce your message size and try again."
_ROUTED = {
    "message": "Provider returned error",
    "code": 400,
    "metadata": {"raw": json.dumps({"error": {"message": "top_p must be at most 1"}}), "provider_name": "X"},
}
_FLAGGED = {
    "code": 403,
    "message": "openai/gpt-4o requires moderation and your input was flagged",
    "metadata": {"reasons": ["violence"], "flagged_input": "…", "provider_name": "OpenAI"},
}
_OTHERS: tuple[Recorded, ...] = (
    Recorded("mistral", "https://docs.mistral.ai/api", 400, {"object": "error", "message": _MISTRAL_LONG, "type": "invalid_request_prompt", "code": "3051"}, "context_too_long", "33013"),
    Recorded("mistral", "https://docs.mistral.ai/api", 400, {"object": "error", "message": "Invalid model: nothing", "type": "invalid_model", "code": "1500"}, "model_not_found"),
    Recorded("mistral", "https://docs.mistral.ai/api", 401, {"detail": "Unauthorized"}, "bad_credential"),
    Recorded("mistral", "https://docs.mistral.ai/api", 429, {"object": "error", "message": "Service tier capacity exceeded for this model.", "type": "invalid_request_error", "code": "3505"}, "rate_limited"),
    Recorded("mistral", "https://docs.mistral.ai/api", 422, {"object": "error", "message": {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]}, "type": "invalid_request_error"}, "rejected", "Field required"),
    Recorded("cohere", f"{GITHUB}cohere-ai/sandbox-topically/issues/4", 400, {"message": "too many tokens: total number of tokens (prompt and prediction) cannot exceed 2048 - received 6354."}, "context_too_long", "6354"),
    Recorded("cohere", f"{GITHUB}MaartenGr/BERTopic/issues/1864", 404, {"message": "model 'xlarge' not found, make sure the correct model ID was used and that you have access to the model."}, "model_not_found"),
    Recorded("cohere", "https://docs.cohere.com/reference/errors", 401, {"message": "invalid api token"}, "bad_credential"),
    Recorded("cohere", "https://docs.cohere.com/reference/errors", 498, {"message": "invalid api token"}, "bad_credential"),
    Recorded("cohere", "https://docs.cohere.com/reference/errors", 429, {"message": "You are using a Trial key, which is limited to 10 API calls / minute."}, "rate_limited"),
    _openai(413, _GROQ_413, "tokens", "rate_limit_exceeded", "too_large", "groq", source=f"{GITHUB}HunorLaczko/ha-groq-cloud-api/issues/27"),
    _openai(429, "Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used 97050, Requested 3619. Please try again in 9m38.016s.", "tokens", "rate_limit_exceeded", "rate_limited", "groq", wait=300.0, source=f"{GITHUB}continuedev/continue/issues/10920"),
    _openai(400, "Please reduce the length of the messages or completion.", "invalid_request_error", "context_length_exceeded", "context_too_long", "groq", quoted="reduce the length"),
    _openai(400, "The model `x` has been decommissioned and is no longer supported.", "invalid_request_error", "model_decommissioned", "model_not_found", "groq"),
    _openai(498, "Flex tier capacity exceeded", "server_error", "capacity_exceeded", "overloaded", "groq"),
    _openai(402, "Insufficient Balance", "unknown_error", "invalid_request_error", "quota", "deepseek"),
    _openai(401, "Authentication Fails (no such user)", "authentication_error", "invalid_request_error", "bad_credential", "deepseek"),
    _openai(400, "Content Exists Risk", "invalid_request_error", "invalid_request_error", "content_refused", "deepseek", quoted="Content Exists Risk"),
    Recorded("openrouter", OPENROUTER, 402, {"error": {"code": 402, "message": "Insufficient credits"}}, "quota"),
    Recorded("openrouter", OPENROUTER, 403, {"error": _FLAGGED}, "content_refused", "your input was flagged"),
    Recorded("openrouter", OPENROUTER, 400, {"error": _ROUTED}, "rejected", "top_p must be at most 1"),
    Recorded("openrouter", OPENROUTER, 404, {"error": {"code": 404, "message": "No endpoints found for x/y."}}, "model_not_found"),
    Recorded("openrouter", OPENROUTER, 400, {"error": {"code": 400, "message": "x/y is not a valid model ID"}}, "model_not_found"),
    Recorded("openrouter", OPENROUTER, 408, {"error": {"code": 408, "message": "Timed out"}}, "timeout"),
    Recorded("openrouter", OPENROUTER, 429, {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-min."}}, "rate_limited", headers=(("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700000009000")), wait=9.0),
    _openai(400, "Unable to access non-serverless model x/y. Please visit the page to start a dedicated endpoint.", "invalid_request_error", "model_not_available", "model_not_found", "together", source=f"{GITHUB}HeyPuter/puter/issues/3168"),
    _openai(400, "The dedicated endpoint for x/y is not running.", "invalid_request_error", "dedicated_endpoint_not_running", "model_not_found", "together", source=f"{GITHUB}HeyPuter/puter/issues/3168"),
    Recorded("together", f"{GITHUB}bytedance/UI-TARS-desktop/issues/626", 422, {"error": {"message": _TGI, "type": "invalid_request_error"}}, "context_too_long", "5000"),
    _openai(400, "You passed 9000 input tokens and requested 512 output tokens. However, the model's context length is only 8192 tokens.", "BadRequestError", 400, "context_too_long", "vllm", quoted="8192"),
    _openai(404, "The model `x` does not exist.", "NotFoundError", 404, "model_not_found", "vllm"),
    Recorded("ollama", "https://docs.ollama.com/api/errors", 404, {"error": "model 'x' not found"}, "model_not_found"),
    Recorded("ollama", f"{GITHUB}valentinfrlch/ha-llmvision/issues/648", 503, {"error": "server busy, please try again. maximum pending requests exceeded"}, "overloaded"),
    Recorded("ollama", "https://docs.ollama.com/api/errors", 400, {"error": "the input length exceeds the context length"}, "context_too_long", "exceeds the context length"),
    Recorded("llama.cpp", f"{GITHUB}ggml-org/llama.cpp/pull/15780", 500, {"error": {"code": 500, "message": "the request exceeds the available context size.", "type": "exceed_context_size_error", "n_prompt_tokens": 1407, "n_ctx": 256}}, "context_too_long", "available context size"),
    Recorded("llama.cpp", f"{GITHUB}ggml-org/llama.cpp", 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "overloaded"),
)  # fmt: skip

REFUSALS: tuple[Recorded, ...] = (*_ANTHROPIC, *_OPENAI, *_GEMINI, *_BEDROCK, *_SAGEMAKER, *_OTHERS)
