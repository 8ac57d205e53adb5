"""Whole answers are read and written; the official client reads what is written."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import (
    Chat,
    Choice,
    Citation,
    Completion,
    Foreign,
    Media,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
    seal,
)
from proxy.dialects.anthropic_messages.answer import new_id, read_answer, write_answer, write_part, write_signature
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL, NAME
from proxy.errors import BadAnswer, Overloaded, UpstreamError
from tests.proxy.dialects.anthropic_messages.official import check_answer

CHAT = Chat(model="asked", messages=[])
SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
ANSWER: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "SIG"},
        {"type": "redacted_thinking", "data": "R"},
        SEARCH,
        {"type": "text", "text": "a", "citations": None},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1, {"b": None}]}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 1,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 2,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 5},
        "service_tier": "standard",
    },
}


def _read(**more: Any) -> Completion:
    return read_answer(msgspec.json.encode(ANSWER | more))


def _written(*parts: Part, **more: Any) -> Any:
    completion = Completion(id="x", model="m", choices=[Choice(parts=list(parts), **more)])
    return check_answer(write_answer(completion, CHAT))


def test_an_answer_is_read_completely() -> None:
    assert _read() == Completion(
        id="msg_1",
        model="claude",
        choices=[
            Choice(
                parts=[
                    Reasoning(text="hm", signature="SIG", origin="anthropic"),
                    Reasoning(redacted="R", origin="anthropic"),
                    Foreign(origin=NAME, what="content.server_tool_use", value=SEARCH),
                    Text("a"),
                    ToolCall(id="t", name="f", arguments='{"a":[1,{"b":null}]}'),
                ],
                stop="tool_calls",
            )
        ],
        usage=Usage(input=1, cached_read=2, cache_write_5m=3, cache_write_1h=4, output=4, reasoning=5),
        service_tier="default",
    )


def test_an_answer_comes_back_as_it_was() -> None:
    body = write_answer(_read(), CHAT)
    check_answer(body)
    assert msgspec.json.decode(body) == ANSWER


def test_an_answer_by_tool_is_text() -> None:
    found = _read(content=[{"type": "tool_use", "id": "t", "name": ANSWER_TOOL, "input": {"x": 1}}])
    assert found.choices[0].parts == [Text('{"x":1}')]
    assert found.choices[0].stop == "stop"


def test_a_refusal_keeps_its_explanation() -> None:
    found = _read(content=[], stop_reason="refusal", stop_details={"type": "refusal", "explanation": "No."})
    assert found.choices[0] == Choice(parts=[Refusal("No.")], stop="refusal")


def test_unknown_things_are_no_error() -> None:
    found = _read(content=[{"type": "news", "x": 1}], stop_reason="tired", usage=None, more={"y": 2})
    assert found.choices[0].parts == [Foreign(origin=NAME, what="content.news", value={"type": "news", "x": 1})]
    assert (found.choices[0].stop, found.choices[0].reason, found.usage) == ("other", "tired", None)


def test_calls_without_arguments_have_an_empty_object() -> None:
    found = _read(content=[{"type": "tool_use", "id": "t", "name": "f", "input": None}])
    assert found.choices[0].parts == [ToolCall(id="t", name="f", arguments="{}")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"content":7}',
        b'{"content":[{"type":"tool_use"}]}',
        b'{"content":[{"type":"news","x":"\xff"}]}',
        b'{"content":[{"type":"tool_use","id":"a","name":"b","input":{"x":"\xff"}}]}',
    ],
)
def test_what_cannot_be_read_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answer(body)


def test_an_error_under_a_good_status_has_its_meaning() -> None:
    with pytest.raises(Overloaded):
        read_answer(b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}')
    with pytest.raises(UpstreamError):
        read_answer(b'{"type":"error"}')


def test_thoughts_of_others_are_sealed() -> None:
    message = _written(
        Reasoning(text="a", signature="O", origin="openai"),
        Reasoning(text="b"),
        Reasoning(text="c", signature="G", redacted="D", origin="gemini"),
    )
    assert [block.to_dict() for block in message.content] == [
        {"type": "thinking", "thinking": "a", "signature": seal("openai", "O")},
        {"type": "thinking", "thinking": "b", "signature": ""},
        {"type": "thinking", "thinking": "c", "signature": seal("gemini", "G")},
        {"type": "redacted_thinking", "data": seal("gemini", "D")},
    ]
    assert write_signature("", "x") == write_signature("anthropic", "x") == "x"


def test_signatures_of_calls_travel_before_them() -> None:
    message = _written(
        Text("a", signature="1", origin="gemini"),
        Text("", signature="2", origin="gemini"),
        ToolCall(id="t", name="f", arguments="{}", signature="3", origin="gemini"),
        stop="tool_calls",
    )
    assert [block.type for block in message.content] == [
        "redacted_thinking", "text", "redacted_thinking", "redacted_thinking", "tool_use",
    ]  # fmt: skip


def test_arguments_that_are_no_object_are_put_into_one() -> None:
    message = _written(ToolCall(id="t", name="f", arguments="nope"), stop="tool_calls")
    assert message.content[0].input == {"arguments": "nope"}


def test_what_says_nothing_here_gives_no_block() -> None:
    assert write_part(Text("")) == write_part(Refusal("")) == write_part(Foreign(origin="x", what="x", value={})) == []
    assert "image/png" in write_part(Media(kind="image", data="AA==", media_type="image/png"))[0]["text"]


def test_citations_of_others_are_told() -> None:
    message = _written(Text("a", citations=(Citation(url="u", title="t"), Citation(document=0, text="q", unit="page"))))
    assert [one.type for one in message.content[0].citations] == ["web_search_result_location", "page_location"]


def test_an_answer_without_choices_is_still_one() -> None:
    message = check_answer(write_answer(Completion(id="", model="", choices=[]), CHAT))
    assert (message.content, message.model) == ([], "asked")
    assert message.id.startswith("msg_")
    assert new_id() != new_id()


def test_a_refusal_of_others_is_a_reason() -> None:
    message = _written(Refusal("No."))
    assert (message.stop_reason, message.content[0].text) == ("refusal", "No.")
