"""Answers read back, in each dialect, whole and streamed."""

from __future__ import annotations

import pytest

from proxy.chat import Chat, Choice, Completion, Part, Refusal, Text, ToolCall, Usage
from proxy.dialects.paths import endpoint_for
from proxy.dialects.table import DIALECTS
from proxy.exchange import Exchange
from proxy.gather import events_of
from proxy.translation.answers import Taken, completion_of, reply_of
from tests.support.compiled import make_exchange

PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "anthropic_messages": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
}


def _asked(path: str) -> Exchange:
    x = make_exchange(path)
    x.endpoint = endpoint_for("POST", path)
    return x


@pytest.mark.parametrize("is_sse", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", PATHS)
def test_what_was_written_is_read(name: str, is_sse: bool) -> None:
    """Its text, its calls, and why it ended."""
    parts: list[Part] = [Text("Paris"), ToolCall(id="call_1", name="get_city", arguments='{"a":1}')]
    said = Completion(id="id_1", model="m", choices=[Choice(parts=parts, stop="tool_calls")])
    dialect, chat = DIALECTS[name], Chat(model="m", messages=[], stream=is_sse)
    body = dialect.writer(chat).feed(events_of(said)) if is_sse else dialect.write_answer(said, chat)
    found = completion_of(_asked(PATHS[name]), body, is_sse=is_sse)
    assert found is not None
    (choice,) = found.choices
    assert [part.text for part in choice.parts if isinstance(part, Text)] == ["Paris"]
    assert [part.name for part in choice.parts if isinstance(part, ToolCall)] == ["get_city"]
    assert choice.stop == "tool_calls"


@pytest.mark.parametrize("is_sse", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("body", [b"", b"<html>", b'data: {"error": {"message": "x"}}\n\n', b"data: {}{\n\n", b"[1]"])
def test_what_cannot_be_read_is_nothing(body: bytes, is_sse: bool) -> None:
    """It is no failure of anybody's."""
    found = completion_of(_asked(PATHS["openai_chat"]), body, is_sse=is_sse)
    assert found is None or not found.choices


def test_what_is_no_conversation_is_nothing() -> None:
    """Embeddings, counts."""
    for path in ("/v1/embeddings", "/v1/messages/count_tokens"):
        assert completion_of(_asked(path), b"{}", is_sse=False) is None


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", PATHS)
def test_an_answer_of_our_own_is_one(name: str, stream: bool) -> None:
    """With id, model and usage; read back it declines."""
    x = _asked(PATHS[name])
    x.model = "m"
    x.read = Chat(model="m", messages=[], stream=stream)
    said = Completion(id="", model="", choices=[Choice(parts=[Refusal("No.")], stop="refusal")], usage=Usage())
    reply = reply_of(x, said, stream=stream)
    assert reply is not None
    assert (reply.status, reply.code) == (200, None)
    assert dict(reply.headers)[b"content-type"].startswith(b"text/event-stream" if stream else b"application/json")
    found = completion_of(x, reply.body, is_sse=stream)
    assert found is not None
    assert found.id
    assert found.model == "m"
    assert "No." in str(found.choices[0].parts)


def test_there_is_no_answer_to_what_is_no_conversation() -> None:
    assert reply_of(_asked("/v1/embeddings"), Completion(id="", model="", choices=[]), stream=False) is None


def test_what_cannot_be_read_of_a_stream_passes() -> None:
    pieces = Taken(_asked(PATHS["openai_chat"]))
    broken = b"data: {{\n\n"
    assert pieces.split(b": ping\n\n" + broken + b"data: [DO") == [b": ping\n\n", broken]
    assert pieces.read(broken) == []
