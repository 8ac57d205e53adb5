"""BAD-05 from outside: a real gateway, spoiled requests of every client, providers of every dialect behind it."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from typing import Any

import pytest

from tests.support.everything import EVERYTHING
from tests.support.mutations import Spoiler
from tests.support.pairs import MODELS, start
from tests.support.talk.talk import OUT

REQUESTS = 300
PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini": "/v1beta/models/{}:generateContent",
}


def _is_error_of(dialect: str, body: bytes) -> bool:
    """Whether this is an error object of that dialect."""
    found: Any = json.loads(body)
    error = found["error"]
    if dialect == "anthropic_messages":
        return bool(found["type"] == "error" and error["type"].endswith(("_error", "_large")) and error["message"])
    if dialect == "gemini":
        return bool(isinstance(error["code"], int) and error["message"] and error["status"].isupper())
    return bool(error["message"] and error["type"] and {"param", "code"} <= error.keys())


@pytest.mark.parametrize("inbound", EVERYTHING)
def test_no_request_is_a_failure_of_the_gateway(inbound: str, module_gateway: Any, upstream: Any) -> None:
    """An answer, or a 4xx in the caller's dialect; never a 5xx, and no traceback in the log."""
    cache: dict[str, Any] = globals().setdefault("_running", {})
    if "gateway" not in cache:
        cache["gateway"] = start(module_gateway, upstream)
    gateway, spoiler, seen = cache["gateway"], Spoiler(11, large=150), Counter[int]()
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    for number in range(REQUESTS):
        outbound = list(MODELS)[number % len(MODELS)]
        model = MODELS[outbound].format("fuzz")
        body = spoiler.spoil(EVERYTHING[inbound].replace(b'"m-1"', json.dumps(model).encode()))
        headers = {"content-type": "application/json", OUT: outbound, "authorization": "Bearer sk-test"}
        connection.request("POST", PATHS[inbound].format(model), body, headers)
        answer = connection.getresponse()
        got = answer.read()
        seen[answer.status] += 1
        assert answer.status < 500, (number, outbound, answer.status, got[:500], body[:3000])
        if answer.status >= 400:
            assert _is_error_of(inbound, got), (number, got[:500])
            assert b"Traceback" not in got
    connection.close()
    assert seen[200] > REQUESTS / 10
    assert seen[400] > REQUESTS / 10
    assert "Traceback" not in gateway.output()
