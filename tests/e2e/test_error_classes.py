"""What the gateway itself refuses or cannot do raises the official client's own classes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

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
