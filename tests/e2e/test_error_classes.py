"""What goes wrong raises the official clients' own classes, whoever it was that failed, and in whatever dialect."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import anthropic
import openai
import pytest
from google.genai import errors as google
from openai import AsyncOpenAI

from tests.support.pairs import INBOUND, PAIRS, Pair, spoken, start
from tests.upstream.failures import FAILURES, MEANINGS, RETRY_AFTER, SECRET
from tests.upstream.say import Part, Say

# Google's client extends a class of aiohttp's.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

KEY = "sk-caller"
MESSAGES: Any = [{"role": "user", "content": "Hello"}]
SILENT = {"script": {"timeout": 0}}
HTML = {"script": {"body": "<html>", "content_type": "text/html"}}


def config(url: str) -> str:
    """One good route, one that its key may not use, one to nowhere, one that never answers."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    return f"""
listen: 127.0.0.1:8080
server: {{max_body: 64KiB, body_timeout: 300ms}}
timeouts: {{first_token: 200ms, total: 400ms}}
providers:
  up: {{kind: openai, base_url: "{url}"}}
  dead: {{kind: openai, base_url: "http://127.0.0.1:1/v1"}}
tenants:
  acme: {{teams: {{search: {{models: [fast, dead], keys: {{web: {{hash: "sha256:{digest}"}}}}}}}}}}
policies:
  standard: [authenticate, allow_models]
routes:
  fast: {{models: [fast], policies: [{{use: standard}}], target: up/fast}}
  forbidden: {{models: [forbidden], policies: [{{use: standard}}], target: up/x}}
  dead: {{models: [dead], policies: [{{use: standard}}], target: dead/x}}
"""


@pytest.fixture
def running(gateway: Any, upstream: Any) -> Any:
    """A gateway with these routes."""
    return gateway(config(upstream.url))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("key", "asked", "kind", "status", "code"),
    [
        ("sk-wrong", {"model": "fast"}, openai.AuthenticationError, 401, "invalid_api_key"),
        (KEY, {"model": "forbidden"}, openai.PermissionDeniedError, 403, "model_not_allowed"),
        (KEY, {"model": "unknown"}, openai.NotFoundError, 404, "model_not_found"),
        (KEY, {"model": None}, openai.BadRequestError, 400, "missing_model"),
        (KEY, {"model": "fast", "user": "x" * 70_000}, openai.APIStatusError, 413, None),
        (KEY, {"model": "dead"}, openai.InternalServerError, 502, "upstream_unavailable"),
        (KEY, {"model": "fast", "extra_body": SILENT}, openai.InternalServerError, 504, "upstream_timeout"),
        (KEY, {"model": "fast", "extra_body": HTML}, openai.InternalServerError, 502, "bad_upstream_answer"),
    ],
)  # fmt: skip
async def test_each_refusal_has_its_class(
    key: str,
    asked: dict[str, Any],
    kind: type[openai.APIStatusError],
    status: int,
    code: str | None,
    stream: bool,
    running: Any,
    client: Callable[..., AsyncOpenAI],
) -> None:
    """Status, class, stable code, a message, a request id; streamed or not."""
    with pytest.raises(kind) as caught:
        await client(running.url, key).chat.completions.create(messages=MESSAGES, stream=stream, **asked)
    assert (caught.value.status_code, code or caught.value.code) == (status, caught.value.code)
    assert caught.value.message


async def test_a_body_that_never_comes_is_a_408(running: Any, wire: Any) -> None:
    """In OpenAI's shape, and the connection is closed."""
    connection = await wire(running.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: 9\r\n\r\n"
    await connection.send(head.encode() + b"{")
    status, body = await connection.answer()
    assert (status, b'"code":"request_timeout"' in body) == (408, True)
    assert await connection.until_closed() == b""


class Raised(NamedTuple):
    """What a client raises, with which status, and what it can be told apart by."""

    kind: type[Exception]
    status: int
    word: str


_OPENAI = {
    "rate_limited": Raised(openai.RateLimitError, 429, "rate_limited"),
    "overloaded": Raised(openai.InternalServerError, 503, "upstream_overloaded"),
    "context_too_long": Raised(openai.BadRequestError, 400, "context_length_exceeded"),
    "content_refused": Raised(openai.BadRequestError, 400, "content_filter"),
    "rejected": Raised(openai.BadRequestError, 400, "upstream_rejected"),
    "bad_credential": Raised(openai.InternalServerError, 502, "upstream_credential_refused"),
    "model_not_found": Raised(openai.NotFoundError, 404, "model_not_found"),
    "unavailable": Raised(openai.InternalServerError, 502, "upstream_unavailable"),
}
_ANTHROPIC = {
    "rate_limited": Raised(anthropic.RateLimitError, 429, "rate_limit_error"),
    "overloaded": Raised(anthropic.OverloadedError, 529, "overloaded_error"),
    "context_too_long": Raised(anthropic.BadRequestError, 400, "invalid_request_error"),
    "content_refused": Raised(anthropic.BadRequestError, 400, "invalid_request_error"),
    "rejected": Raised(anthropic.BadRequestError, 400, "invalid_request_error"),
    "bad_credential": Raised(anthropic.InternalServerError, 502, "api_error"),
    "model_not_found": Raised(anthropic.NotFoundError, 404, "not_found_error"),
    "unavailable": Raised(anthropic.InternalServerError, 502, "api_error"),
}
_GOOGLE = {
    "rate_limited": Raised(google.ClientError, 429, "RESOURCE_EXHAUSTED"),
    "overloaded": Raised(google.ServerError, 503, "UNAVAILABLE"),
    "context_too_long": Raised(google.ClientError, 400, "INVALID_ARGUMENT"),
    "content_refused": Raised(google.ClientError, 400, "INVALID_ARGUMENT"),
    "rejected": Raised(google.ClientError, 400, "INVALID_ARGUMENT"),
    "bad_credential": Raised(google.ServerError, 502, "INTERNAL"),
    "model_not_found": Raised(google.ClientError, 404, "NOT_FOUND"),
    "unavailable": Raised(google.ServerError, 502, "INTERNAL"),
}
RAISES = {"openai_chat": _OPENAI, "openai_responses": _OPENAI, "anthropic_messages": _ANTHROPIC, "gemini": _GOOGLE}
# What the provider itself found wrong, it says in its own words to a client of its dialect.
_OWN_WORDS = {"context_too_long", "content_refused", "rejected"}


def _word(error: Any) -> str | None:
    """What programs tell errors apart by."""
    if isinstance(error, openai.APIError):
        return error.code
    return error.type if isinstance(error, anthropic.APIStatusError) else error.status


def _status(error: Any) -> int:
    return int(error.code if isinstance(error, google.APIError) else error.status_code)


@pytest.fixture
async def pair(module_gateway: Any, upstream: Any, request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """A client and a provider; the gateway is the same for this file."""
    cache: dict[str, Any] = request.module.__dict__.setdefault("_running", {})
    if "gateway" not in cache:
        cache["gateway"] = start(module_gateway, upstream)
    made = Pair(cache["gateway"], upstream, *request.param)
    yield made
    await made.close()


async def _fails(pair: Pair, stream: bool) -> Any:
    """What the client raises."""
    talk = pair.talk()
    talk.user("Hello")
    with pytest.raises((openai.APIError, anthropic.APIError, google.APIError)) as caught:
        await talk.ask(stream=stream)
    return caught.value


def _is_refused(inbound: str, outbound: str, meaning: str) -> bool:
    """Some providers have no error for a meaning: they answer, and stop for a reason."""
    failure = FAILURES[spoken(inbound, outbound)].get(meaning)
    return failure is not None and failure.status >= 400


_CASES = [(pair, meaning) for pair in PAIRS for meaning in MEANINGS if _is_refused(*pair, meaning)]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("pair", "meaning"), _CASES, indirect=["pair"], ids=[f"{i}-{o}-{m}" for (i, o), m in _CASES])
async def test_each_failure_of_a_provider_has_its_class(pair: Pair, meaning: str, stream: bool) -> None:
    """Every meaning, every client, every provider. The gateway's own key is neither the caller's fault nor told."""
    failure = FAILURES[pair.spoken][meaning]
    pair.says(fails=meaning)
    error = await _fails(pair, stream)
    expected = RAISES[pair.inbound][meaning]
    assert (type(error), _status(error)) == (expected.kind, expected.status)
    own_words = pair.spoken == pair.inbound and meaning in _OWN_WORDS
    assert own_words or _word(error) == expected.word
    assert SECRET not in str(error)
    said = _message(failure.body)
    assert (said in str(error)) == (meaning in _OWN_WORDS), "the provider's words, where they help the caller"
    if meaning == "rate_limited" and pair.spoken != "bedrock":  # AWS names no wait
        assert error.response.headers["retry-after"] == str(RETRY_AFTER)


def _message(body: dict[str, Any]) -> str:
    inner = body.get("error", body)
    return str(inner["message"])


_LONG = Say(parts=[Part(kind="text", pieces=["one ", "two ", "three ", "four ", "five "])])


@pytest.mark.parametrize("pair", PAIRS, indirect=True, ids=[f"{i}-{o}" for i, o in PAIRS])
async def test_a_stream_that_breaks_raises(pair: Pair) -> None:
    """No official client takes half an answer for a whole one."""
    pair.says(say=_LONG, die_after=4)
    error = await _fails(pair, stream=True)
    assert "provider" in str(error)
    match error:
        case openai.APIError():
            assert error.code == "bad_upstream_answer"
        case anthropic.APIStatusError():
            assert error.type == "api_error"
        case _:
            assert type(error) is google.ServerError
            assert error.code == 502


@pytest.mark.parametrize("pair", [(name, "anthropic_messages") for name in INBOUND], indirect=True, ids=INBOUND)
async def test_an_error_in_the_middle_of_a_stream_raises(pair: Pair) -> None:
    """What the provider tells in its stream arrives with its meaning."""
    message: dict[str, Any] = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
    }
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message | {"usage": {"input_tokens": 1, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    ]
    pair.says(events=[f"event: {one['type']}\ndata: {json.dumps(one)}" for one in events], done=False)
    error = await _fails(pair, stream=True)
    match error:
        case openai.APIError():
            assert error.code == "upstream_overloaded"
        case anthropic.APIStatusError():
            assert error.type == "overloaded_error"
        case _:
            assert (type(error), error.code, error.status) == (google.ServerError, 503, "UNAVAILABLE")
