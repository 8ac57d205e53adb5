"""Which requests may be sent twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.choosing.effects import lasting
from proxy.dialects.paths import endpoint_for
from tests.support.compiled import make_exchange


def _lasting(path: str, body: Any, method: str = "POST") -> str | None:
    x = make_exchange(path, method=method)
    x.endpoint = endpoint_for(method, path)
    x.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    if isinstance(body, dict):  # who has read it already hears the same
        assert lasting(x, body) == lasting(x)
    return lasting(x)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [], "tools": [{"type": "function"}]}),
        ("/v1/responses", {"input": "Hi", "store": False}),
        ("/v1/messages", {"messages": [], "tools": [{"name": "f"}]}),
        ("/v1beta/models/m:streamGenerateContent", {"contents": [], "tools": {}}),
        ("/v1/embeddings", {"input": "Hi"}),
        ("/v1/messages/count_tokens", {}),
    ],
)
def test_an_answer_is_all_that_comes_of_it(path: str, body: Any) -> None:
    """In every dialect."""
    assert _lasting(path, body) is None


@pytest.mark.parametrize(
    ("path", "body", "why"),
    [
        ("/v1/chat/completions", {"store": True}, "stores"),
        ("/v1/responses", {"input": "Hi"}, "stores"),
        ("/v1/responses", {"store": False, "background": True}, "background"),
        ("/v1/responses", {"store": False, "conversation": "conv_1"}, "conversation"),
        ("/v1/responses", {"store": False, "tools": [{"type": "mcp"}]}, "tools"),
        ("/v1/messages", {"mcp_servers": [{"url": "x"}]}, "tools"),
        ("/v1/chat/completions", b"not JSON", "read"),
        ("/v1/images/generations", {}, "more than an answer"),
        ("/v1/audio/speech", {}, "more than an answer"),
        ("/v1/files", b"", "more than an answer"),
        ("/v1/batches", b"", "more than an answer"),
    ],
)
def test_something_is_left_behind(path: str, body: Any, why: str) -> None:
    """With the reason."""
    assert why in (_lasting(path, body) or "")
