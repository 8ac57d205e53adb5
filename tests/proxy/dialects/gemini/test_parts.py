"""Turns are read part by part: calls find their results, thoughts their signatures."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Foreign, Media, Message, Reasoning, Text, ToolCall, ToolResult
from proxy.dialects.gemini.parts import Turns, join
from proxy.dialects.gemini.wire import Content
from proxy.errors import BadRequest


def _read(*contents: dict[str, Any]) -> tuple[list[Message], dict[str, Any]]:
    extra: dict[str, Any] = {}
    body = msgspec.json.encode(contents)
    return Turns(extra).read(msgspec.json.decode(body, type=list[Content])), extra


def _user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def _model(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def _call(name: str, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {"a": 1}} | more}


def _result(name: str, response: Any, **more: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": response} | more}


def test_parallel_calls_without_ids_find_their_results_by_name_and_order() -> None:
    messages, _ = _read(
        _model(_call("f"), _call("g"), _call("f")),
        _user(_result("f", {"output": "1"}), _result("f", {"output": "3"}), _result("g", {"output": "2"})),
    )
    first, second, third = [part.id for part in messages[0].parts if isinstance(part, ToolCall)]
    assert len({first, second, third}) == 3
    assert [part.call_id for part in messages[1].parts if isinstance(part, ToolResult)] == [first, third, second]


def test_the_ids_of_calls_are_the_same_whenever_a_conversation_is_repeated() -> None:
    """What a provider has cached of it would be lost otherwise."""
    turns = [_model(_call("f")), _user(_result("f", {}))]
    assert _read(*turns)[0] == _read(*turns, _user({"text": "more"}))[0][:2]


def test_given_ids_stay() -> None:
    messages, _ = _read(_model(_call("f", id="x")), _user(_result("f", {"output": "1"}, id="x")))
    assert messages[0].parts == [ToolCall(id="x", name="f", arguments='{"a":1}')]
    assert messages[1].parts == [ToolResult(call_id="x", parts=(Text("1"),), name="f")]


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [
        ({"output": "plain"}, "plain", False),
        ({"output": {"a": [1.50]}}, '{"a":[1.5]}', False),
        ({"error": "broken"}, "broken", True),
        ({"error": {"code": 5}}, '{"code":5}', True),
        ({"result": 5}, '{"result":5}', False),
        ({"output": "a", "more": 1}, '{"output":"a","more":1}', False),
        ({}, "", False),
        ({"output": ""}, "", False),
    ],
)
def test_what_a_tool_said_is_read(response: dict[str, Any], text: str, is_error: bool) -> None:
    (message,), _ = _read(_user(_result("f", response)))
    (result,) = message.parts
    assert isinstance(result, ToolResult)
    assert result.parts == ((Text(text),) if text else ())
    assert result.is_error is is_error


def test_results_hold_media_and_stand_before_other_parts() -> None:
    media = [{"inlineData": {"mimeType": "image/png", "data": "QQ=="}}, {"fileData": {"fileUri": "gs://a/b.pdf"}}]
    (message,), extra = _read(
        _user({"text": "look"}, _result("f", {"output": "1"}, parts=media, willContinue=True, scheduling="SILENT"))
    )
    result, text = message.parts
    assert isinstance(result, ToolResult)
    assert [getattr(part, "kind", "") for part in result.parts] == ["", "image", "file"]
    assert text == Text("look")
    assert list(extra) == [
        "contents[0].parts[1].functionResponse.willContinue",
        "contents[0].parts[1].functionResponse.scheduling",
    ]


def test_pieces_of_a_streamed_turn_are_one_turn_again() -> None:
    messages, _ = _read(
        _model({"text": "Hm", "thought": True}),
        _model({"text": ".", "thought": True}),
        _model({"text": "", "thought": True, "thoughtSignature": "QUJD"}),
        _model({"text": "a"}),
        _model({"text": "\n"}),
        _model({"text": "b", "thoughtSignature": "REVG"}),
        _model({"text": "c"}),
        _model({"text": ""}),
    )
    assert messages == [
        Message(
            "assistant",
            [
                Reasoning(text="Hm.", signature="QUJD", origin="gemini"),
                Text("a\nb", signature="REVG", origin="gemini"),
                Text("c"),
            ],
        )
    ]


def test_a_signature_ends_a_thought() -> None:
    signed = Reasoning(text="a", signature="s", origin="gemini")
    assert join([signed, Reasoning(text="b", origin="gemini")]) == [signed, Reasoning(text="b", origin="gemini")]


def test_what_only_gemini_can_say_is_foreign_and_what_is_about_media_is_named() -> None:
    code = {"executableCode": {"code": "1"}, "thoughtSignature": "QQ=="}
    video = {"fileData": {"fileUri": "https://youtu.be/x", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 1}}
    (user, model), extra = _read(_user(video), _model(code))
    assert user.parts == [Media(kind="video", url="https://youtu.be/x", media_type="video/mp4")]
    assert extra == {"contents[0].parts[0].videoMetadata": {"fps": 1}}
    assert model.parts == [Foreign(origin="gemini", what="contents[1].parts[0].executableCode", value=code)]


def test_older_clients_give_results_a_role_of_their_own() -> None:
    (message,), _ = _read({"role": "function", "parts": [_result("f", {})]})
    assert message.role == "user"


@pytest.mark.parametrize(
    ("turn", "at"),
    [
        (_user(_call("f")), "contents[0].parts[0].functionCall"),
        (_model(_result("f", {})), "contents[0].parts[0].functionResponse"),
        (_model({"functionCall": {"args": {}}}), "contents[0].parts[0].functionCall.name"),
        (_model({"functionCall": {"name": "f", "args": [1]}}), "contents[0].parts[0].functionCall.args"),
        (_user({"functionResponse": {"response": {}}}), "contents[0].parts[0].functionResponse.name"),
        (_user(_result("f", "text")), "contents[0].parts[0].functionResponse.response"),
        (_user({"inlineData": {"mimeType": "a/b"}}), "contents[0].parts[0].inlineData.data"),
    ],
)
def test_what_is_wrong_is_named(turn: dict[str, Any], at: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _read(turn)
    assert caught.value.param == at
