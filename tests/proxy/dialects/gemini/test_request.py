"""Requests are read whole, or refused with the place of what is wrong."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Format, Message, Text, Thinking, ToolChoice
from proxy.dialects.gemini.request import read_count_request, read_request
from proxy.dialects.reading import MAX_MESSAGES, MAX_TOOLS
from proxy.errors import BadRequest

HI: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
TOOLS: dict[str, Any] = {"tools": [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]}


def _read(**more: Any) -> Any:
    return read_request(msgspec.json.encode(HI | more), "m", False)


def test_model_and_stream_are_the_paths() -> None:
    chat = read_request(msgspec.json.encode(HI), "gemini-x", True)
    assert (chat.model, chat.stream, chat.messages) == ("gemini-x", True, [Message("user", [Text("hi")])])


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({}, ToolChoice("auto")),
        ({"mode": "AUTO"}, ToolChoice("auto")),
        ({"mode": "none"}, ToolChoice("none")),
        ({"mode": "ANY"}, ToolChoice("required")),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, ToolChoice("tool", "f")),
        ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, ToolChoice("required", allowed=("f", "g"))),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, ToolChoice("auto", allowed=("f",))),
    ],
)
def test_every_mode_of_calling_has_its_choice(config: dict[str, Any], choice: ToolChoice) -> None:
    chat = _read(**TOOLS, toolConfig={"functionCallingConfig": config})
    assert chat.tool_choice == choice
    assert [tool.strict for tool in chat.tools] == [True if config.get("mode") == "VALIDATED" else None] * 2


@pytest.mark.parametrize(
    ("config", "meant"),
    [
        ({"responseMimeType": "application/json"}, Format(kind="json_object")),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}},
            Format(kind="json_schema", schema={"type": "object"}, strict=True),
        ),
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "text/x.enum"}, None),
    ],
)
def test_the_shape_of_the_answer_is_read(config: dict[str, Any], meant: Format | None) -> None:
    chat = _read(generationConfig=config)
    assert chat.format == meant
    assert ("generationConfig.responseMimeType" in chat.extra) is (config["responseMimeType"] == "text/x.enum")


@pytest.mark.parametrize(
    ("config", "meant"),
    [
        ({"thinkingBudget": 0}, Thinking(budget=0)),
        ({"thinkingLevel": "high", "includeThoughts": True}, Thinking(effort="high", visible=True)),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, Thinking()),
    ],
)
def test_the_wish_to_think_is_read(config: dict[str, Any], meant: Thinking) -> None:
    assert _read(generationConfig={"thinkingConfig": config}).thinking == meant


def test_what_others_have_no_word_for_is_named() -> None:
    declared = {"name": "f", "behavior": "NON_BLOCKING"}
    chat = _read(
        safetySettings=[{}],
        serviceTier="FLEX",
        tools=[{"functionDeclarations": [declared]}, {"googleSearch": {}}],
        toolConfig={"retrievalConfig": {}, "includeServerSideToolInvocations": True},
    )
    assert set(chat.extra) == {
        "safetySettings",
        "tools[0].functionDeclarations[0].behavior",
        "toolConfig.retrievalConfig",
        "toolConfig.includeServerSideToolInvocations",
    }
    assert chat.service_tier == "flex"
    assert [tool.name for tool in chat.tools] == ["f", "googleSearch"]


@pytest.mark.parametrize(
    ("more", "at"),
    [
        ({"contents": []}, "contents"),
        ({"contents": None}, "contents"),
        ({"contents": "hi"}, "contents"),
        ({"contents": [{"role": "robot", "parts": [{"text": "a"}]}]}, "contents[0].role"),
        ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0]"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "contents[0].parts[0].text"),
        ({"contents": [{"parts": []}] * (MAX_MESSAGES + 1)}, "contents"),
        ({"systemInstruction": {"parts": [{"inlineData": {}}]}}, "systemInstruction.parts[0]"),
        ({"tools": [{}] * (MAX_TOOLS + 1)}, "tools"),
        ({"tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
        (
            {"tools": [{"functionDeclarations": [{"name": "f", "parameters": {}, "parametersJsonSchema": {}}]}]},
            "tools[0].functionDeclarations[0].parameters",
        ),
        (
            {"tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": 5}]}]},
            "tools[0].functionDeclarations[0].parametersJsonSchema",
        ),
        ({"toolConfig": {"functionCallingConfig": {"mode": "X"}}}, "toolConfig.functionCallingConfig.mode"),
        ({"generationConfig": {"maxOutputTokens": -1}}, "generationConfig.maxOutputTokens"),
        ({"generationConfig": {"temperature": 3}}, "generationConfig.temperature"),
        ({"generationConfig": {"responseSchema": {}, "responseJsonSchema": {}}}, "generationConfig.responseSchema"),
        ({"generationConfig": {"responseJsonSchema": 5}}, "generationConfig.responseJsonSchema"),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "X"}}},
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
        ({"serviceTier": "gold"}, "serviceTier"),
        ({"labels": {"a": 5}}, "labels[...]"),
    ],
)
def test_what_is_wrong_is_named(more: dict[str, Any], at: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _read(**more)
    assert caught.value.param == at


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"contents":[{"parts":[{"text":"\xff"}]}]}', b'{"a":' + b"[" * 100_000]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    for read in (read_request, read_count_request):
        with pytest.raises(BadRequest):
            read(body, "m", False) if read is read_request else read_count_request(body, "m")


def test_a_question_for_tokens_may_hold_a_whole_request() -> None:
    wrapped = {"generate_content_request": HI | {"model": "models/m", "system_instruction": {"parts": [{"text": "s"}]}}}
    assert len(read_count_request(msgspec.json.encode(wrapped), "m").messages) == 2
    assert len(read_count_request(msgspec.json.encode(HI), "m").messages) == 1
