"""Messages become contents: roles, results in the order of their calls, signatures."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Chat, Foreign, Losses, Media, Message, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from proxy.dialects.gemini.content import Contents, write_arguments
from proxy.dialects.gemini.signature import PLACEHOLDER
from proxy.errors import BadRequest

NEW, OLD = "gemini-3-flash", "gemini-2.5-flash"


def _write(*messages: Message, model: str = NEW) -> tuple[Any, Any, list[str]]:
    losses = Losses()
    contents = Contents(model, losses)
    contents.write(Chat(model=model, messages=list(messages)))
    plain = msgspec.json.decode(msgspec.json.encode([contents.contents, contents.system]))
    return plain[0], plain[1], list(losses.names)


def _calls(*ids: str, **more: Any) -> Message:
    return Message("assistant", [ToolCall(id=one, name=f"f{one}", arguments="{}", **more) for one in ids])


def _results(*ids: str, **more: Any) -> Message:
    return Message("user", [ToolResult(call_id=one, parts=(Text(f"r{one}"),), **more) for one in ids])


@pytest.mark.parametrize(
    ("call", "value", "meant"),
    [
        (ToolCall(id="1", name="f", arguments=""), {}, True),
        (ToolCall(id="1", name="f", arguments='{"a": 12345678901234567890}'), {"a": 12345678901234567890}, True),
        (ToolCall(id="1", name="f", arguments='{"a":\r\n1}'), {"a": 1}, True),
        (ToolCall(id="1", name="f", arguments="[1]"), {"arguments": "[1]"}, False),
        (ToolCall(id="1", name="f", arguments='{"a'), {"arguments": '{"a'}, False),
        (ToolCall(id="1", name="f", arguments="free", custom=True), {"input": "free"}, True),
    ],
)
def test_arguments_are_always_an_object_on_one_line(call: ToolCall, value: Any, meant: bool) -> None:
    written, is_meant = write_arguments(call)
    encoded = msgspec.json.encode(written)
    assert (msgspec.json.decode(encoded), is_meant) == (value, meant)
    assert b"\n" not in encoded
    assert b"\r" not in encoded


def test_results_are_one_turn_in_the_order_of_their_calls() -> None:
    contents, _, _ = _write(
        Message("user", [Text("go")]),
        _calls("1", "2", "3"),
        _results("3", "1"),
        Message("user", [*_results("2").parts, Text("on")]),
    )
    assert [(one["role"], len(one["parts"])) for one in contents] == [
        ("user", 1),
        ("model", 3),
        ("user", 3),
        ("user", 1),
    ]
    names = [part["functionResponse"]["name"] for part in contents[2]["parts"]]
    assert sorted(names) == ["f1", "f2", "f3"]
    assert names[:2] == ["f1", "f3"]
    assert contents[3]["parts"] == [{"text": "on"}]


def test_a_call_whose_signature_was_lost_gets_the_documented_placeholder() -> None:
    """The first of a turn only, as with real ones; and only for models that would refuse it otherwise."""
    turns = (
        Message("user", [Text("go")]),
        _calls("1", "2"),
        _results("1", "2"),
        _calls("3", signature="QQ==", origin="gemini"),
    )
    contents, _, _ = _write(*turns)
    signatures = [part.get("thoughtSignature") for one in contents for part in one["parts"] if "functionCall" in part]
    assert signatures == [PLACEHOLDER, None, "QQ=="]
    older, _, _ = _write(*turns, model=OLD)
    signatures = [part.get("thoughtSignature") for one in older for part in one["parts"] if "functionCall" in part]
    assert signatures == [None, None, "QQ=="]


def test_a_signature_of_others_is_not_sent() -> None:
    contents, _, lost = _write(
        Message("user", [Text("go")]),
        Message(
            "assistant",
            [
                Reasoning(text="mine", signature="QQ==", origin="gemini"),
                Reasoning(text="theirs", signature="x", origin="anthropic"),
                Text("signed", signature="QQ==", origin="gemini"),
                Text("a", signature="y", origin="openai"),
                ToolCall(id="1", name="f", arguments="{}", signature="z", origin="openai"),
            ],
        ),
    )
    assert lost == ["messages.reasoning"]
    assert [part.get("thoughtSignature") for part in contents[1]["parts"]] == ["QQ==", "QQ==", None, PLACEHOLDER]
    assert contents[1]["parts"][0] == {"text": "mine", "thought": True, "thoughtSignature": "QQ=="}


def test_images_of_tools_stand_in_their_results_or_behind_them() -> None:
    image = Media(kind="image", data="QQ==", media_type="image/png")
    result = ToolResult(call_id="1", parts=(Text("see"), image), is_error=True)
    turns = (Message("user", [Text("go")]), _calls("1"), Message("user", [result]))
    new, _, _ = _write(*turns)
    response = new[2]["parts"][0]["functionResponse"]
    assert response["response"] == {"error": "see"}
    assert response["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}]
    old, _, _ = _write(*turns, model=OLD)
    assert "parts" not in old[2]["parts"][0]["functionResponse"]
    assert old[3]["parts"] == [
        {"text": "(from the tool f1:)"},
        {"inlineData": {"mimeType": "image/png", "data": "QQ=="}},
    ]


def test_the_head_is_the_instruction_and_later_words_of_the_system_are_the_users() -> None:
    contents, system, lost = _write(
        Message("system", [Text("S")]),
        Message("developer", [Text("D")]),
        Message("user", [Text("U")], name="bob"),
        Message("system", [Text("later")]),
        Message("assistant", [Refusal("no")]),
    )
    assert system == [{"text": "S"}, {"text": "D"}]
    assert contents == [
        {"role": "user", "parts": [{"text": "U"}, {"text": "later"}]},
        {"role": "model", "parts": [{"text": "no"}]},
    ]
    assert lost == ["messages[2].name", "messages[3].role"]


def test_an_instruction_alone_is_said_by_the_user() -> None:
    contents, system, lost = _write(Message("system", [Text("S")]))
    assert (contents, system, lost) == ([{"role": "user", "parts": [{"text": "S"}]}], [], ["messages[0].role"])


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [Message("user", [Text("")])],
        [Message("user", [Text("go")]), _results("1")],
        [Message("assistant", list[Part](_results("1").parts))],
    ],
)
def test_what_cannot_be_said_is_refused(messages: list[Message]) -> None:
    with pytest.raises(BadRequest):
        _write(*messages)


def test_what_is_lost_is_named() -> None:
    _, _, lost = _write(
        Message(
            "user",
            [
                Text("a"),
                Media(kind="file", file_id="file-1"),
                Foreign(origin="gemini", what="x", value={"executableCode": {}}),
                Foreign(origin="openai_chat", what="messages[0].content[3]", value={}),
            ],
        ),
        Message("assistant", [ToolCall(id="1", name="f", arguments="{}"), ToolCall(id="2", name="f", arguments="x")]),
    )
    assert lost == ["messages[0].file", "messages[0].content[3]", "messages[1].tool_calls[1].arguments"]
