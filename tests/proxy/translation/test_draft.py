"""Requests that are changed before they are sent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.dialects.paths import EXACT
from proxy.dialects.splice import read_envelope
from proxy.errors import BadRequest
from proxy.exchange import Exchange
from proxy.tokens.request import bound
from proxy.translation.draft import Draft
from tests.support.compiled import make_exchange


def _asked(path: str = "/v1/chat/completions", **body: Any) -> Exchange:
    x = make_exchange(path)
    x.endpoint = EXACT["POST", path]
    x.body = json.dumps({"model": "m", **body}).encode()
    x.model, x.maxima = "m", read_envelope(x.body).maxima
    return x


MESSAGES = [{"role": "user", "content": "Hello"}]


async def test_what_was_found_out_is_forgotten_with_the_old_body() -> None:
    x = _asked(messages=MESSAGES, max_tokens=900)
    chat = await Draft().read(x)
    assert chat is not None
    x.bound = bound(x)
    assert x.bound[1] == 900
    Draft().adjust(x, {"max_tokens": lambda value: 10})
    assert bound(x)[1] == 10
    assert [getattr(x, name) for name in ("bound", "chat", "needs", "read")] == [None] * 4
    again = await Draft().read(x)
    assert again is not None
    assert again.max_tokens == 10


async def test_long_requests_are_read_as_well() -> None:
    x = _asked(messages=[{"role": "user", "content": "word " * 600_000}, *MESSAGES])
    chat, history = await Draft().read(x), await Draft().history(x)
    assert chat is not None
    assert history is not None
    assert (len(chat.messages), len(history.steps)) == (2, 0)


async def test_what_is_no_conversation_has_no_messages() -> None:
    x = _asked("/v1/embeddings", input="a")
    assert await Draft().read(x) is None
    assert await Draft().history(x) is None
    Draft().adjust(x, {"max_tokens": lambda value: 10})
    assert b"max" not in x.body


def test_completions_have_parameters() -> None:
    x = _asked("/v1/completions", prompt="a", temperature=2)
    Draft().adjust(x, {"temperature": lambda value: 1})
    assert json.loads(x.body)["temperature"] == 1


async def test_nonsense_is_refused() -> None:
    x = _asked(messages=7)
    assert (await Draft().history(x)) is not None  # none that could go
    with pytest.raises(BadRequest):
        await Draft().read(x)
    x.body = b"[]"
    with pytest.raises(BadRequest, match="cannot be read"):
        Draft().adjust(x, {"max_tokens": lambda value: 10})
    assert await Draft().history(x) is None
