"""Messages as services want them: results after their calls, words in the right places."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import Cache, Foreign, Losses, Media, Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from proxy.dialects.openai_chat.turns import Turns, mark, nine
from proxy.dialects.openai_chat.wire import NAME
from proxy.errors import BadRequest

ASK = Message("user", [Text("hi")])
CALL = ToolCall(id="call_123456", name="f", arguments="{}")
PICTURE = Media(kind="image", url="https://x/a.png")


def _written(*messages: Message, quirks: tuple[str, ...] = ()) -> tuple[list[dict[str, Any]], list[str]]:
    losses = Losses()
    return Turns(frozenset(quirks), losses).write(list(messages)), list(losses.names)


def _result(*parts: Any, **more: Any) -> ToolResult:
    return ToolResult(call_id=CALL.id, parts=parts, **more)


def test_roles_have_their_words() -> None:
    messages = [Message("system", [Text("a")]), Message("developer", [Text("b")], "n"), ASK]
    assert [one["role"] for one in _written(*messages)[0]] == ["system", "developer", "user"]
    assert [one["role"] for one in _written(*messages, quirks=("no_developer",))[0]] == ["system", "system", "user"]
    assert _written(*messages)[0][1]["name"] == "n"
    written, losses = _written(*messages, quirks=("no_names",))
    assert "name" not in written[1]
    assert losses == ["messages[1].name"]


def test_results_are_messages_of_their_own_before_what_the_user_says() -> None:
    said = Message("user", [_result(Text("7")), _result(Text("a"), Text("b")), Text("so?")])
    written, losses = _written(ASK, Message("assistant", [CALL]), said)
    assert written[2:] == [
        {"role": "tool", "tool_call_id": CALL.id, "content": "7"},
        {"role": "tool", "tool_call_id": CALL.id, "content": [{"type": "text", "text": t} for t in "ab"]},
        {"role": "user", "content": "so?"},
    ]
    assert losses == []


def test_a_result_without_its_call_is_refused_by_its_place() -> None:
    with pytest.raises(BadRequest) as refused:
        _written(ASK, Message("user", [_result(Text("7"))]))
    assert refused.value.param == "messages[1]"


def test_a_failure_of_a_tool_is_said_in_words() -> None:
    for text, expected in (("boom", "Error: boom"), ("Error 7", "Error 7"), ("", "Error")):
        result = _result(Text(text), is_error=True) if text else _result(is_error=True)
        assert _written(Message("assistant", [CALL]), Message("user", [result]))[0][1]["content"] == expected


def test_what_a_tool_shows_is_shown_by_the_user() -> None:
    written, losses = _written(Message("assistant", [CALL]), Message("user", [_result(Text("see"), PICTURE)]))
    assert written[1]["content"] == "see"
    assert written[2]["content"][1] == {"type": "image_url", "image_url": {"url": "https://x/a.png"}}
    assert CALL.id in written[2]["content"][0]["text"]
    assert losses == []


def test_a_word_of_the_assistant_stands_between_tool_and_user_where_that_is_wanted() -> None:
    said = Message("user", [_result(Text("7")), Text("so?")])
    roles = [one["role"] for one in _written(Message("assistant", [CALL]), said, quirks=("no_user_after_tool",))[0]]
    assert roles == ["assistant", "tool", "assistant", "user"]


@given(st.text(max_size=80))
def test_ids_of_nine_letters_are_the_same_for_the_same_call(call_id: str) -> None:
    short = nine(call_id)
    assert len(short) == 9
    assert short.isascii()
    assert short.isalnum()
    assert nine(call_id) == short == nine(short)


def test_ids_are_mapped_in_call_and_result() -> None:
    messages = [Message("assistant", [CALL]), Message("user", [_result(Text("7"))])]
    written = _written(*messages, quirks=("tool_ids_9",))[0]
    assert written[0]["tool_calls"][0]["id"] == written[1]["tool_call_id"] == nine(CALL.id)
    assert _written(*messages)[0][1]["tool_call_id"] == CALL.id


def test_what_the_model_said_is_one_message() -> None:
    said = Message("assistant", [Text("a"), Text("b"), Refusal("no"), CALL])
    assert _written(said)[0] == [
        {
            "role": "assistant",
            "content": "ab",
            "refusal": "no",
            "tool_calls": [{"id": CALL.id, "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        }
    ]
    assert _written(said, quirks=("no_refusals",))[0][0]["content"] == "abno"
    assert _written(Message("assistant", []))[0] == [{"role": "assistant", "content": ""}]
    assert "content" not in _written(Message("assistant", [CALL]))[0][0]


def test_an_earlier_answer_in_audio_goes_back_by_its_id() -> None:
    audio = Foreign(origin=NAME, what="audio", value={"id": "audio_1"})
    assert _written(Message("assistant", [audio])) == ([{"role": "assistant", "audio": {"id": "audio_1"}}], [])
    other = Foreign(origin="gemini", what="code", value={})
    assert _written(Message("assistant", [other, Text("a")]))[1] == ["messages[0].code"]


def test_thoughts_go_back_to_those_who_want_them() -> None:
    signed = Reasoning(text="hm", signature="S", origin="anthropic", id="i")
    said = Message("assistant", [signed, Reasoning(redacted="D", origin="anthropic"), Text("a")])
    plain, losses = _written(said)
    assert (plain, losses) == ([{"role": "assistant", "content": "a"}], ["messages.reasoning"])
    assert _written(said, quirks=("reasoning_content",))[0][0]["reasoning_content"] == "hm"
    details = _written(said, quirks=("reasoning_details",))[0][0]["reasoning_details"]
    assert [one["type"] for one in details] == ["reasoning.text", "reasoning.encrypted"]
    assert details[0]["signature"] == "S"
    chunk = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}
    written = _written(said, quirks=("thinking",))[0][0]
    assert written["content"] == [chunk, {"type": "text", "text": "a"}]


def test_calls_of_free_text_become_calls_of_functions() -> None:
    call = ToolCall(id="c", name="g", arguments='say "hi"', custom=True)
    assert _written(Message("assistant", [call]))[0][0]["tool_calls"][0]["custom"]["input"] == 'say "hi"'
    function = _written(Message("assistant", [call]), quirks=("functions_only",))[0][0]["tool_calls"][0]["function"]
    assert function == {"name": "g", "arguments": '{"input":"say \\"hi\\""}'}


def test_markers_stand_on_parts() -> None:
    said = Message("user", [Text("a", Cache("1h")), PICTURE])
    written = _written(said, Message("assistant", [Text("b", Cache("5m"))]), quirks=("cache_control",))[0]
    assert written[0]["content"][0]["cache_control"] == mark(Cache("1h"))
    assert written[1]["content"] == [{"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]
    assert _written(said)[0][0]["content"][0] == {"type": "text", "text": "a"}


def test_what_has_no_word_is_named() -> None:
    song = Media(kind="audio", url="https://x/a.mp3")
    assert _written(Message("user", [Text("a"), song]))[1] == ["messages[0].audio"]
    other = Foreign(origin="anthropic_messages", what="search_result", value={})
    assert _written(Message("user", [Text("a"), other]))[1] == ["messages[0].search_result"]
    result = Message("user", [_result(other)])
    assert _written(Message("assistant", [CALL]), result)[1] == ["messages[1].tool_result"]
