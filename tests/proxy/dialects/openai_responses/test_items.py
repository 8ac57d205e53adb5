"""Items are messages: what the model says in one go is one, and results that follow each other are one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Foreign, Media, Message, Reasoning, Refusal, Text, ToolCall, ToolResult
from proxy.dialects.openai_responses.items import Items, thoughts
from proxy.dialects.openai_responses.wire import Item
from proxy.dialects.reading import Again
from proxy.errors import BadRequest


def _read(*items: dict[str, Any]) -> tuple[list[Message], dict[str, Any]]:
    body = msgspec.json.encode({"input": items})
    extra: dict[str, Any] = {}
    found = Items(Again(body), extra)
    for at, item in enumerate(items):
        found.add(msgspec.convert(item, Item), at)
    return found.messages, extra


def _call(number: int) -> dict[str, Any]:
    return {"type": "function_call", "call_id": f"c{number}", "name": "f", "arguments": "{}"}


def _result(number: int, output: Any = "ok") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": f"c{number}", "output": output}


def test_a_turn_with_thoughts_and_parallel_calls_is_one_message() -> None:
    messages, extra = _read(
        {"role": "user", "content": "Hi"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "E",
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look"}]},
        _call(1),
        _call(2),
        _result(1),
        _result(2),
        {"role": "user", "content": "And?"},
    )
    assert [message.role for message in messages] == ["user", "assistant", "user", "user"]
    assert [type(part) for part in messages[1].parts] == [Reasoning, Text, ToolCall, ToolCall]
    assert [part.call_id for part in messages[2].parts if isinstance(part, ToolResult)] == ["c1", "c2"]
    assert extra == {}


def test_results_after_other_words_are_another_message() -> None:
    messages, _ = _read(_call(1), _call(2), _result(1), {"role": "user", "content": "x"}, _result(2))
    assert [len(message.parts) for message in messages] == [2, 1, 1, 1]


def test_custom_tools_take_and_give_text() -> None:
    messages, _ = _read(
        {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "done"}]},
    )
    assert messages[0].parts == [ToolCall(id="c", name="patch", arguments="*** Begin", custom=True)]
    assert messages[1].parts == [ToolResult(call_id="c", parts=(Text("done"),))]


def test_a_result_may_hold_an_image() -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
    messages, _ = _read(_call(1), _result(1, [image]))
    assert messages[1].parts == [
        ToolResult(call_id="c1", parts=(Media(kind="image", data="AAAA", media_type="image/png", detail="auto"),))
    ]


def test_refusals_pictures_and_roles_are_read() -> None:
    messages, _ = _read(
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
        {
            "type": "image_generation_call",
            "id": "ig_1",
            "status": "completed",
            "result": "AAAA",
            "output_format": "webp",
        },
    )
    assert messages[0] == Message("developer", [Text("Be brief.")])
    assert messages[1].parts == [Refusal("No"), Media(kind="image", data="AAAA", media_type="image/webp")]


@pytest.mark.parametrize("item", [{"id": "msg_1"}, {"type": "item_reference", "id": "msg_1"}])
def test_a_reference_stays_one(item: dict[str, Any]) -> None:
    messages, _ = _read(item)
    value = {"type": "item_reference", "id": "msg_1"}
    assert messages[0].parts == [Foreign(origin="openai_responses", what="messages[0].item_reference", value=value)]


def test_items_of_the_providers_own_tools_stay_as_they_came() -> None:
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "x"},
    }
    screen = {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}}
    messages, _ = _read(search, screen)
    assert [message.role for message in messages] == ["assistant", "user"]
    assert messages[0].parts == [Foreign(origin="openai_responses", what="messages[0].web_search_call", value=search)]
    assert messages[1].parts[0] == Foreign(
        origin="openai_responses", what="messages[1].computer_call_output", value=screen
    )


def test_what_has_no_neutral_name_is_reported() -> None:
    _, extra = _read({"role": "assistant", "content": "x", "phase": "commentary"}, {**_call(1), "namespace": "n"})
    assert extra == {"input[0].phase": "commentary", "input[1].namespace": "n"}


@pytest.mark.parametrize(
    ("item", "param"),
    [
        ({"type": "message", "content": "x"}, "input[0].role"),
        ({"role": "tool", "content": "x"}, "input[0].role"),
        ({"role": "user"}, "input[0].content"),
        ({"role": "user", "content": [{"type": "input_text"}]}, "input[0].content[0].text"),
        ({}, "input[0].type"),
        ({"type": ""}, "input[0].type"),
        ({"type": "function_call", "name": "f", "arguments": ""}, "input[0].call_id"),
        ({"type": "function_call", "call_id": "c", "arguments": ""}, "input[0].name"),
        ({"type": "function_call", "call_id": "c", "name": "f", "arguments": {}}, "input[0].arguments"),
        ({"type": "custom_tool_call", "call_id": "c", "name": "f"}, "input[0].input"),
        ({"type": "function_call_output", "output": "x"}, "input[0].call_id"),
        ({"type": "function_call_output", "call_id": "c"}, "input[0].output"),
        ({"type": "function_call_output", "call_id": "c", "output": {"a": 1}}, "input[0].output"),
        ({"type": "function_call_output", "call_id": "c", "output": [{"text": "x"}]}, "input[0].output[0].type"),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "refusal", "refusal": "x"}]},
            "input[0].output[0].type",
        ),
    ],
)
def test_what_is_wrong_has_a_place(item: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _read(item)
    assert caught.value.param == param


def test_thoughts_are_content_or_else_a_summary() -> None:
    raw = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "a"}]}
    summary = {"type": "reasoning", "summary": [{"type": "summary_text", "text": t} for t in "ab"]}
    assert thoughts(msgspec.convert(raw, Item)) == ("a", False)
    assert thoughts(msgspec.convert(summary, Item)) == ("a\n\nb", True)
