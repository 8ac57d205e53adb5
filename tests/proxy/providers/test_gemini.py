"""Accounts at Google's developer API against the fake upstream: addresses, headers, bytes, translation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from google.genai import types

from proxy.errors import BadAnswer
from tests.support.journal import body_of, header_of
from tests.support.upstream import FakeUpstream

Make = Callable[..., Any]
ASK: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
CHAT: dict[str, Any] = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "hi"}]}
PATH = "/v1beta/models/gemini-2.5-flash:"


async def test_the_body_arrives_byte_for_byte_and_the_model_in_the_path(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    provider = account("gemini", base_url=upstream.origin, api_key="AIza-ours")
    body = b'{ "zz":[1, "\\u00e9"] ,"contents":\t[{"parts":[{"text":"hi \xc3\xa9"}]}],"generation_config":{} }'
    headers = [(b"content-type", b"application/json"), (b"x-goog-api-key", b"client")]
    await ask(provider, body, PATH + "generateContent?key=client&x=1", headers=headers)
    await ask(provider, body, PATH + "generateContent", model="models/mine 1")
    first, second = upstream.journal().requests()
    assert body_of(first) == body_of(second) == body
    assert (first["path"], first["query"]) == (PATH + "generateContent", "x=1")
    assert second["path"] == "/v1beta/models/mine%201:generateContent"
    assert header_of(first, "x-goog-api-key") == "AIza-ours"


async def test_a_native_stream_passes_and_one_that_breaks_off_is_an_error(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    provider = account("gemini", base_url=upstream.origin)
    answer = await ask(provider, ASK, PATH + "streamGenerateContent?alt=sse")
    assert upstream.journal().requests()[0]["query"] == "alt=sse"
    events = [line[6:] for line in answer.body.splitlines() if line.startswith(b"data: ")]
    last = types.GenerateContentResponse.model_validate_json(events[-1])
    assert last.candidates is not None
    assert last.candidates[0].finish_reason is not None
    half = {"candidates": [{"content": {"parts": [{"text": "hal"}], "role": "model"}, "index": 0}]}
    broken = account("gemini", base_url=upstream.scripted(events=[f"data: {msgspec.json.encode(half).decode()}"]))
    with pytest.raises(BadAnswer):
        await ask(broken, ASK, PATH + "streamGenerateContent?alt=sse")


async def test_a_conversation_in_another_dialect_is_translated(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    """To the path of the model, with the caller's dialect told nothing of it."""
    provider = account("gemini", base_url=upstream.origin)
    whole = msgspec.json.decode((await ask(provider, CHAT)).body)
    streamed = await ask(provider, {**CHAT, "stream": True})
    first, second = upstream.journal().requests()
    assert first["path"] == PATH + "generateContent"
    assert (second["path"], second["query"]) == (PATH + "streamGenerateContent", "alt=sse")
    assert types.Content.model_validate(msgspec.json.decode(body_of(first))["contents"][0]).role == "user"
    assert whole["object"] == "chat.completion"
    assert streamed.body.endswith(b"data: [DONE]\n\n")


async def test_tokens_are_counted_for_callers_of_other_dialects(
    upstream: FakeUpstream, account: Make, ask: Make
) -> None:
    provider = account("gemini", base_url=upstream.origin)
    question = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "hi"}]}
    answer = await ask(provider, question, "/v1/messages/count_tokens")
    sent = upstream.journal().requests()[0]
    assert sent["path"] == PATH + "countTokens"
    assert msgspec.json.decode(body_of(sent))["generateContentRequest"]["model"] == "models/gemini-2.5-flash"
    assert msgspec.json.decode(answer.body)["input_tokens"] > 0


@pytest.mark.parametrize(
    ("config", "at"), [({"base_url": "https://x.org/v1beta"}, "base_url"), ({"base_url": "x"}, "base_url")]
)
def test_what_cannot_be_an_address_is_refused(config: dict[str, Any], at: str, account: Make, context: Any) -> None:
    assert account("gemini", **config) is None
    assert [place for place, _ in context.problems] == [at]


def test_it_describes_itself_by_its_address(account: Make) -> None:
    assert account("gemini").describe() == "https://generativelanguage.googleapis.com/v1beta"
    assert account("gemini", api_version="v1").describe().endswith("/v1")
