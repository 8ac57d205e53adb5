"""Neutral messages become turns that the API takes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from proxy.chat import (
    Cache,
    Chat,
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
from proxy.dialects.anthropic_messages.content import (
    SYSTEM_ANYWHERE,
    Turns,
    is_prefill,
    leads_with_thought,
    read_input,
    write_cache,
    write_id,
    write_input,
)
from proxy.dialects.anthropic_messages.wire import NAME
from proxy.errors import BadRequest

CALL = ToolCall(id="c1", name="f", arguments='{"a":1}')
USER = Message("user", [Text("hi")])


def _write(*messages: Message, quirks: frozenset[str] = frozenset()) -> tuple[Turns, list[str]]:
    losses = Losses()
    turns = Turns(losses)
    turns.write(Chat(model="m", messages=list(messages)), quirks)
    return turns, list(losses.names)


def _assistant(*parts: Part) -> Message:
    return Message("assistant", list(parts))


def test_the_head_becomes_the_system_prompt() -> None:
    turns, lost = _write(Message("system", [Text("a", Cache("1h"))]), Message("developer", [Text("b"), Text("")]), USER)
    assert turns.system == [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "b"},
    ]
    assert turns.messages == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert not lost


def test_a_later_message_of_the_system_is_the_users_and_reported() -> None:
    turns, lost = _write(USER, Message("developer", [Text("be brief")]), _assistant(Text("ok")))
    assert [message["role"] for message in turns.messages] == ["user", "assistant"]
    assert [block["text"] for block in turns.messages[0]["content"]] == ["hi", "be brief"]
    assert lost == ["messages[1].role"]


def test_newer_models_take_messages_of_the_system_after_the_users() -> None:
    turns, lost = _write(
        USER,
        Message("system", [Text("be brief")]),
        _assistant(Text("ok")),
        Message("system", [Text("longer")]),
        quirks=frozenset({SYSTEM_ANYWHERE}),
    )
    assert [message["role"] for message in turns.messages] == ["user", "system", "assistant", "user"]
    assert lost == ["messages[3].role"]


def test_neighbours_of_one_role_are_one_turn_and_empty_ones_vanish() -> None:
    turns, _ = _write(
        USER,
        _assistant(Text("  \n")),
        Message("user", [Text("again")]),
        _assistant(Text("a")),
        _assistant(Refusal("no")),
        USER,
    )
    assert [message["role"] for message in turns.messages] == ["user", "assistant", "user"]
    assert [block["text"] for block in turns.messages[1]["content"]] == ["a", "no"]


def test_results_stand_first_in_the_turn_they_are_merged_into() -> None:
    turns, _ = _write(
        USER,
        _assistant(CALL, ToolCall(id="c2", name="f", arguments="")),
        Message("user", [ToolResult(call_id="c1", parts=(Text("1"),)), Text("x")]),
        Message("user", [ToolResult(call_id="c2", parts=(), is_error=True), Text("y")]),
    )
    content = turns.messages[2]["content"]
    assert [block.get("tool_use_id") or block["text"] for block in content] == ["c1", "c2", "x", "y"]
    assert content[1] == {"type": "tool_result", "tool_use_id": "c2", "is_error": True}


def test_a_result_that_answers_no_call_is_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        _write(USER, Message("user", [ToolResult(call_id="zz", parts=())]))
    assert caught.value.param == "messages[1]"


def test_a_conversation_without_words_is_refused() -> None:
    for message in (Message("system", [Text("a")]), Message("user", [Text("")])):
        with pytest.raises(BadRequest):
            _write(message)


def test_a_marker_on_a_text_that_is_left_out_moves_to_what_stands_before() -> None:
    turns, _ = _write(Message("user", [Text("a"), Text(" ", Cache("5m"))]))
    assert turns.messages[0]["content"] == [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]


def test_an_answer_to_go_on_with_does_not_end_with_white_space() -> None:
    turns, _ = _write(USER, _assistant(Text("The answer is \n")))
    assert turns.messages[1]["content"] == [{"type": "text", "text": "The answer is"}]
    assert is_prefill(turns.messages)
    turns, _ = _write(USER, _assistant(Text("kept \n")), USER)
    assert turns.messages[1]["content"][0]["text"] == "kept \n"


def test_ids_that_do_not_fit_are_mapped_alike_in_call_and_result() -> None:
    odd = "call:1/é"
    turns, _ = _write(
        USER,
        _assistant(ToolCall(id=odd, name="f", arguments="{}")),
        Message("user", [ToolResult(call_id=odd, parts=(Text("x"),))]),
    )
    made = turns.messages[1]["content"][0]["id"]
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", made)
    assert turns.messages[2]["content"][0]["tool_use_id"] == made
    assert write_id("call_abc-9") == "call_abc-9"
    assert write_id("x" * 65) != write_id("x" * 66)


@pytest.mark.parametrize(
    ("call", "value", "meant"),
    [
        (ToolCall(id="1", name="f", arguments=""), {}, True),
        (ToolCall(id="1", name="f", arguments="[1]"), {"arguments": "[1]"}, False),
        (ToolCall(id="1", name="f", arguments="{broken"), {"arguments": "{broken"}, False),
        (ToolCall(id="1", name="f", arguments="ls -l", custom=True), {"input": "ls -l"}, True),
    ],
)
def test_arguments_are_an_object(call: ToolCall, value: dict[str, Any], meant: bool) -> None:
    written, was_meant = write_input(call)
    assert was_meant is meant
    assert (written if isinstance(written, dict) else {}) == value


def test_arguments_that_are_an_object_are_kept_byte_for_byte() -> None:
    text = '{ "b":1.0,"a" : [1e3] }'
    raw = read_input(text)
    assert raw is not None
    assert bytes(raw) == text.encode()


def test_arguments_that_are_none_are_reported() -> None:
    _, lost = _write(USER, _assistant(CALL, ToolCall(id="c2", name="f", arguments="nope")), USER)
    assert lost == ["messages[1].tool_calls[1].arguments"]


def test_only_thoughts_of_this_maker_are_sent_back() -> None:
    turns, lost = _write(
        USER,
        _assistant(
            Reasoning(text="a", signature="S", origin="anthropic"),
            Reasoning(redacted="R", origin="anthropic"),
            Reasoning(text="b", signature="G", origin="gemini"),
            Reasoning(text="c"),
            Text("ok"),
        ),
        USER,
    )
    assert turns.messages[1]["content"] == [
        {"type": "thinking", "thinking": "a", "signature": "S"},
        {"type": "redacted_thinking", "data": "R"},
        {"type": "text", "text": "ok"},
    ]
    assert lost == ["messages.reasoning"]


def test_a_model_that_thinks_must_have_thought_before_it_called() -> None:
    thought: dict[str, Any] = {"type": "thinking"}
    call: dict[str, Any] = {"type": "tool_use"}
    user: dict[str, Any] = {"role": "user", "content": [{"type": "text"}]}
    assert leads_with_thought([user])
    assert leads_with_thought([user, {"role": "assistant", "content": [thought, call]}, user])
    assert leads_with_thought([user, {"role": "assistant", "content": [{"type": "text"}]}, user])
    assert not leads_with_thought([user, {"role": "assistant", "content": [{"type": "text"}, call]}, user])


def test_what_the_api_cannot_hold_is_left_out_and_reported() -> None:
    own = {"type": "container_upload", "file_id": "f"}
    turns, lost = _write(
        Message(
            "user",
            [
                Text("hi"),
                Media(kind="audio", data="AA==", media_type="audio/wav"),
                Foreign(origin=NAME, what="messages[0].container_upload", value=own),
                Foreign(origin="gemini", what="messages[0].code", value={}),
            ],
            name="ada",
        ),
        _assistant(Media(kind="image", url="https://a.example"), Text("ok")),
        USER,
    )
    assert turns.messages[0]["content"] == [{"type": "text", "text": "hi"}, own]
    assert lost == ["messages[0].audio", "messages[0].code", "messages[0].name", "messages[1].image"]


def test_own_citations_go_back_with_their_text() -> None:
    value = {"type": "web_search_result_location", "url": "u", "cited_text": "c", "encrypted_index": "E", "title": "t"}
    cited = (Citation(url="u", value=value, origin=NAME), Citation(url="v"))
    turns, _ = _write(USER, _assistant(Text("a", citations=cited)), USER)
    assert turns.messages[1]["content"][0]["citations"] == [value]


def test_markers_say_their_lifetime_only_if_it_is_the_longer() -> None:
    assert write_cache(Cache("5m")) == {"type": "ephemeral"}
    assert write_cache(Cache("1h")) == {"type": "ephemeral", "ttl": "1h"}


def test_messages_of_the_caller_are_not_changed() -> None:
    message = _assistant(Text("end "))
    _write(USER, message)
    assert message.parts == [Text("end ")]
