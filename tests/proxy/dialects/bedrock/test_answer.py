"""Whole answers of Converse, read and written, with botocore as the other side."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from proxy.chat import Chat, Choice, Citation, Completion, Media, Message, Reasoning, Refusal, Text, ToolCall, Usage
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL
from proxy.dialects.bedrock.answer import read_answer, write_answer
from proxy.errors import BadAnswer
from tests.proxy.dialects.bedrock import client

CHAT = Chat(model="m", messages=[Message("user", [Text("hi")])])
BLOB = base64.b64encode(b"\x00\xffhidden").decode()
IMAGE = base64.b64encode(b"\x89PNG").decode()


def answered(*blocks: Any, stop: str = "end_turn", **more: Any) -> Completion:
    """What is read from an answer of these blocks."""
    message = {"role": "assistant", "content": list(blocks)}
    usage = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}
    body = {"output": {"message": message}, "stopReason": stop, "usage": usage, "metrics": {"latencyMs": 1}} | more
    return read_answer(json.dumps(body).encode())


def test_every_kind_of_block_is_understood() -> None:
    cited = {
        "content": [{"text": "a"}, {"text": "b"}],
        "citations": [{"title": "T", "location": {"web": {"url": "u"}}}],
    }
    found = answered(
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": BLOB}},
        {"text": "hello"},
        {"citationsContent": cited},
        {"image": {"format": "png", "source": {"bytes": IMAGE}}},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": [1, 2.50]}}},
        stop="tool_use",
        serviceTier={"type": "priority"},
    )
    thought, hidden, text, sourced, image, call = found.choices[0].parts
    assert thought == Reasoning(text="hm", signature="sig", origin="anthropic")
    assert hidden == Reasoning(redacted=BLOB, origin="anthropic")
    assert text == Text("hello")
    assert isinstance(sourced, Text)
    assert (sourced.text, sourced.citations[0].url) == ("ab", "u")
    assert image == Media(kind="image", data=IMAGE, media_type="image/png")
    assert call == ToolCall(id="t1", name="f", arguments='{"a": [1, 2.5]}')
    assert (found.choices[0].stop, found.usage, found.service_tier) == (
        "tool_calls",
        Usage(input=3, output=4),
        "priority",
    )


def test_thoughts_without_a_proof_belong_to_nobody() -> None:
    (thought,) = answered({"reasoningContent": {"reasoningText": {"text": "hm"}}}).choices[0].parts
    assert thought == Reasoning(text="hm")


def test_tools_of_amazon_are_nobodys_to_run() -> None:
    found = answered(
        {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "s1", "content": [{"text": "x"}]}},
        {"text": "so"},
        {"somethingNew": {"a": 1}},
    )
    assert found.choices[0].parts == [Text("so")]
    assert found.choices[0].stop == "stop"


def test_an_answer_that_came_by_our_tool_is_text() -> None:
    found = answered({"toolUse": {"toolUseId": "t1", "name": ANSWER_TOOL, "input": {"a": 1}}}, stop="tool_use")
    assert found.choices[0].parts == [Text('{"a": 1}')]
    assert found.choices[0].stop == "stop"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"output":{}}',
        b'{"output":{"message":{"content":[{"toolUse":{}}]}}}',
        b'{"output":{"message":{"content":"x"}}}',
        b'{"output":{"message":{"content":[{"text":"\xff"}]}}}',
        b'{"message":"The security token is invalid"}',
    ],
)
def test_what_is_no_answer_is_a_bad_one(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answer(body)


def test_a_missing_usage_is_none() -> None:
    body = b'{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},"stopReason":"end_turn"}'
    assert read_answer(body).usage is None


def test_what_is_written_is_what_botocore_reads() -> None:
    parts: list[Any] = [
        Reasoning(text="hm", signature="sig", origin="anthropic"),
        Reasoning(redacted=BLOB, origin="anthropic"),
        Text("hello"),
        Text("cited", citations=(Citation(text="q", url="http://x/", title="T"),)),
        Refusal("no"),
        Media(kind="image", data=IMAGE, media_type="image/png"),
        ToolCall(id="t1", name="f", arguments='{"a":1}'),
    ]
    usage = Usage(input=3, cached_read=2, cache_write_1h=1, output=4)
    completion = Completion(id="", model="", choices=[Choice(parts=parts, stop="tool_calls")], usage=usage)
    found = client.answer(write_answer(completion, CHAT))
    thought, hidden, text, cited, refusal, image, call = found["output"]["message"]["content"]
    assert thought["reasoningContent"]["reasoningText"] == {"text": "hm", "signature": "sig"}
    assert hidden["reasoningContent"]["redactedContent"] == base64.b64decode(BLOB)
    assert [text["text"], refusal["text"]] == ["hello", "no"]
    assert cited["citationsContent"]["citations"][0]["location"]["web"]["url"] == "http://x/"
    assert image["image"] == {"format": "png", "source": {"bytes": base64.b64decode(IMAGE)}}
    assert call["toolUse"] == {"toolUseId": "t1", "name": "f", "input": {"a": 1}}
    assert found["stopReason"] == "tool_use"
    assert found["usage"]["totalTokens"] == 10


def test_what_is_written_is_read_again() -> None:
    parts: list[Any] = [
        Reasoning(redacted=BLOB, origin="anthropic"),
        Text("a"),
        ToolCall(id="1", name="f", arguments="{}"),
    ]
    choice = Choice(parts=parts, stop="tool_calls")
    completion = Completion(id="", model="", choices=[choice], usage=Usage(input=1, output=2))
    assert read_answer(write_answer(completion, CHAT)) == completion
    assert read_answer(write_answer(Completion(id="", model="", choices=[]), CHAT)).choices[0].parts == []
