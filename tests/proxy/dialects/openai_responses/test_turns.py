"""Messages are items, and what has no form is reported."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.chat import (
    Cache,
    Citation,
    Foreign,
    Losses,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from proxy.dialects.openai_responses.turns import MAX_ID, Turns, write_id
from proxy.errors import BadRequest

_CALL = ToolCall(id="c1", name="f", arguments='{"a":1}')


def _write(*messages: Message) -> tuple[list[dict[str, Any]], list[str]]:
    losses = Losses()
    turns = Turns(losses)
    turns.write(messages)
    return turns.items, list(losses.names)


def _result(*parts: Text | Media | Foreign, is_error: bool = False) -> Any:
    items, losses = _write(
        Message("assistant", [_CALL]), Message("user", [ToolResult(call_id="c1", parts=parts, is_error=is_error)])
    )
    assert losses == []
    return items[1]["output"]


def test_plain_texts_are_written_short() -> None:
    items, _ = _write(
        Message("developer", [Text("Be.")]), Message("user", [Text("Hi")]), Message("assistant", [Text("Yo")])
    )
    assert items == [
        {"role": "developer", "content": "Be."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yo"},
    ]


def test_what_was_said_in_one_go_is_told_in_its_order() -> None:
    thought = Reasoning(text="hm", signature="rs_1:E", origin="openai", is_summary=True)
    items, losses = _write(Message("assistant", [thought, Text("a"), Text("b"), _CALL, Refusal("no")]))
    assert items == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "E",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "output_text", "text": "b", "annotations": []},
            ],
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    ]
    assert losses == []


def test_a_thought_that_is_no_summary_is_content() -> None:
    items, _ = _write(Message("assistant", [Reasoning(text="hm", signature="E", origin="openai", id="rs_2")]))
    assert items[0]["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert items[0]["id"] == "rs_2"


@pytest.mark.parametrize(
    "thought",
    [Reasoning(text="x", signature="S", origin="anthropic"), Reasoning(text="x"), Reasoning(text="x", origin="openai")],
)
def test_thoughts_that_openai_did_not_sign_are_left_out_and_reported(thought: Reasoning) -> None:
    assert _write(Message("assistant", [thought, thought, Text("a")])) == (
        [{"role": "assistant", "content": "a"}],
        ["messages.reasoning"],
    )


def test_empty_arguments_are_an_empty_object() -> None:
    items, _ = _write(Message("assistant", [ToolCall(id="c", name="f", arguments="")]))
    assert items[0]["arguments"] == "{}"


def test_a_custom_tools_result_is_of_its_kind() -> None:
    call = ToolCall(id="c", name="p", arguments="", custom=True)
    items, _ = _write(Message("assistant", [call]), Message("user", [ToolResult(call_id="c", parts=(Text("ok"),))]))
    assert [item["type"] for item in items] == ["custom_tool_call", "custom_tool_call_output"]
    assert items[0]["input"] == ""


def test_results_are_text_or_a_list() -> None:
    image = Media(kind="image", data="AAAA", media_type="image/png")
    assert _result(Text("ok")) == "ok"
    assert _result() == ""
    assert [block["type"] for block in _result(Text("ok"), image)] == ["input_text", "input_image"]
    assert [block["type"] for block in _result(image)] == ["input_image"]


@pytest.mark.parametrize(
    ("given", "told"), [("no such file", "Error: no such file"), ("Error: gone", "Error: gone"), ("", "Error: ")]
)
def test_a_tool_that_failed_says_so(given: str, told: str) -> None:
    assert _result(Text(given), is_error=True) == told


def test_a_tool_that_failed_without_a_word_says_so() -> None:
    assert _result(is_error=True) == "Error"


def test_a_result_without_its_call_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        _write(Message("user", [ToolResult(call_id="c9", parts=())]))
    assert caught.value.param == "messages[0]"


def test_a_long_id_is_shortened_equally_for_call_and_result() -> None:
    long = "x" * 100
    items, _ = _write(
        Message("assistant", [ToolCall(id=long, name="f", arguments="{}")]),
        Message("user", [ToolResult(call_id=long, parts=())]),
    )
    assert items[0]["call_id"] == items[1]["call_id"] == write_id(long)
    assert len(write_id(long)) <= MAX_ID
    assert write_id("x" * 64) == "x" * 64


def test_media_stand_in_what_the_user_says() -> None:
    image = Media(kind="image", url="https://a.example/x.png", cache=Cache("1h"))
    items, _ = _write(Message("user", [Text("See"), image]))
    assert items[0]["content"][1] == {
        "type": "input_image",
        "detail": "auto",
        "image_url": "https://a.example/x.png",
        "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"},
    }


@pytest.mark.parametrize(
    ("message", "loss"),
    [
        (Message("user", [Text("x")], "ann"), "messages[0].name"),
        (Message("assistant", [Media(kind="image", data="AAAA"), Text("x")]), "messages[0].image"),
        (Message("user", [Media(kind="video", data="AAAA"), Text("x")]), "messages[0].video"),
        (Message("user", [Foreign(origin="gemini", what="messages[0].code", value={}), Text("x")]), "messages[0].code"),
    ],
)
def test_what_has_no_form_is_reported(message: Message, loss: str) -> None:
    items, losses = _write(message)
    assert losses == [loss]
    assert items == [{"role": message.role, "content": "x"}]


def test_a_result_reports_what_it_cannot_hold() -> None:
    sound = Media(kind="audio", data="AAAA", media_type="audio/wav")
    _, losses = _write(
        Message("assistant", [_CALL]), Message("user", [ToolResult(call_id="c1", parts=(sound, Text("x")))])
    )
    assert losses == ["messages[1].audio"]


def test_own_items_and_own_content_go_where_they_were() -> None:
    item: Part = Foreign(
        origin="openai_responses", what="messages[0].web_search_call", value={"type": "web_search_call"}
    )
    piece: Part = Foreign(origin="openai_responses", what="messages[0].content.new", value={"type": "new"})
    items, _ = _write(Message("user", [Text("a"), piece, item]))
    assert items[0]["content"][1] == {"type": "new"}
    assert items[1] == {"type": "web_search_call"}


def test_own_citations_are_kept_in_what_the_model_said() -> None:
    note = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 1}
    own = Citation(url="https://a.example", value=note, origin="openai_responses")
    items, _ = _write(Message("assistant", [Text("a", citations=(own, Citation(url="https://b.example")))]))
    assert items[0]["content"][0]["annotations"] == [note]
