"""Tools, the choice among them and the shape of the answer, both ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openai.types.responses import Tool as OfficialTool
from openai.types.responses.response import ToolChoice as OfficialChoice
from openai.types.responses.response_format_text_config import ResponseFormatTextConfig
from pydantic import TypeAdapter

from proxy.chat import Chat, Format, Losses, Tool, ToolChoice
from proxy.dialects.openai_responses.tools import (
    read_choice,
    read_format,
    read_tool,
    write_choice,
    write_format,
    write_tools,
)
from proxy.dialects.openai_responses.wire import Choice, FormatWire, Function
from proxy.dialects.reading import Again
from proxy.errors import BadRequest

_TOOL: TypeAdapter[Any] = TypeAdapter(OfficialTool)
_CHOICE: TypeAdapter[Any] = TypeAdapter(OfficialChoice)
_FORMAT: TypeAdapter[Any] = TypeAdapter(ResponseFormatTextConfig)
_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def _chat(*tools: Tool, choice: ToolChoice | None = None) -> Chat:
    return Chat(model="m", messages=[], tools=list(tools), tool_choice=choice)


def _read(value: dict[str, Any]) -> tuple[Tool, dict[str, Any]]:
    extra: dict[str, Any] = {}
    again = Again(msgspec.json.encode({"tools": [value]}))
    return read_tool(msgspec.convert(value, Function), 0, again, extra), extra


@pytest.mark.parametrize(
    "value",
    [
        {"type": "function", "name": "f", "description": "d", "parameters": _SCHEMA, "strict": True},
        {"type": "function", "name": "f", "parameters": _SCHEMA, "strict": False},
        {"type": "custom", "name": "p", "description": "d", "format": {"type": "text"}},
        {"type": "custom", "name": "p", "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}},
        {"type": "web_search", "search_context_size": "low"},
        {"type": "mcp", "server_label": "x", "server_url": "https://a.example"},
        {"type": "namespace", "name": "n", "description": "d", "tools": []},
    ],
)
def test_a_tool_that_is_read_is_written_the_same(value: dict[str, Any]) -> None:
    tool, extra = _read(value)
    assert extra == {}
    assert write_tools(_chat(tool)) == [value]
    _TOOL.validate_python(write_tools(_chat(tool))[0])


def test_a_tool_of_nobody_takes_no_parameters() -> None:
    written = write_tools(_chat(Tool(name="f")), Losses())
    assert written == [
        {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False}
    ]


def test_a_strict_tool_is_written_as_the_api_wants_it() -> None:
    losses = Losses()
    schema = {"type": "object", "properties": {"a": {"type": "string", "minLength": 3}}, "required": ["a"]}
    written = write_tools(_chat(Tool(name="f", parameters=schema, strict=True)), losses)
    assert written[0]["parameters"]["additionalProperties"] is False
    assert list(losses.names) == ["tools[0].parameters.properties.a.minLength"] or losses


def test_tools_of_other_providers_are_left_out_and_reported() -> None:
    losses = Losses()
    tools = (Tool(name="bash", foreign="anthropic_messages", value={"type": "bash_20250124"}), Tool(name="f"))
    assert [tool["name"] for tool in write_tools(_chat(*tools), losses)] == ["f"]
    assert list(losses.names) == ["tools[0]"]


def test_what_only_this_api_can_be_told_is_reported() -> None:
    _, extra = _read({"type": "function", "name": "f", "parameters": None, "defer_loading": True, "async": True})
    assert extra == {"tools[0].defer_loading": True, "tools[0].async": True}


@pytest.mark.parametrize(
    ("value", "param"),
    [
        ({"type": ""}, "tools[0].type"),
        ({"type": "function"}, "tools[0].name"),
        ({"type": "custom", "name": ""}, "tools[0].name"),
    ],
)
def test_what_is_wrong_with_a_tool_has_a_place(value: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _read(value)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("tool", "f")),
        ({"type": "custom", "name": "p"}, ToolChoice("tool", "p")),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
            },
            ToolChoice("required", allowed=("f", "web_search")),
        ),
    ],
)
def test_a_choice_that_is_read_is_written_the_same(value: Any, choice: ToolChoice) -> None:
    read = read_choice(value if isinstance(value, str) else msgspec.convert(value, Choice), Again(b"{}"), {})
    assert read == choice
    search = Tool(name="web_search", foreign="openai_responses", value={"type": "web_search"})
    chat = _chat(Tool(name="f"), Tool(name="p", custom=True), search, choice=choice)
    assert write_choice(chat) == value
    _CHOICE.validate_python(write_choice(chat))


def test_a_tool_of_the_provider_that_is_chosen_is_reported() -> None:
    extra: dict[str, Any] = {}
    value = {"type": "mcp", "server_label": "x"}
    assert read_choice(Choice("mcp"), Again(msgspec.json.encode({"tool_choice": value})), extra) is None
    assert extra == {"tool_choice": value}


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        (Choice("function"), "tool_choice.name"),
        (Choice("allowed_tools", tools=[{"name": "f"}]), "tool_choice.mode"),
        (Choice("allowed_tools", mode="auto"), "tool_choice.tools"),
        (Choice("allowed_tools", mode="auto", tools=[{"name": 5}]), "tool_choice.tools[0].name"),
    ],
)
def test_what_is_wrong_with_a_choice_has_a_place(choice: Choice, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_choice(choice, Again(b"{}"), {})
    assert caught.value.param == param


@pytest.mark.parametrize(
    "shape",
    [
        Format(kind="json_object"),
        Format(kind="json_schema", name="n", schema=_SCHEMA, description="d", strict=False),
        Format(kind="json_schema", schema=_SCHEMA),
    ],
)
def test_a_shape_that_is_written_is_read_the_same(shape: Format) -> None:
    written = write_format(shape)
    _FORMAT.validate_python(written)
    assert read_format(msgspec.convert(written, FormatWire)) == shape


def test_plain_text_is_no_shape() -> None:
    assert read_format(None) is None
    assert read_format(FormatWire("text")) is None
    assert write_format(None) is None
    with pytest.raises(BadRequest):
        read_format(FormatWire("json_schema"))


def test_a_strict_shape_is_written_as_the_api_wants_it() -> None:
    written = write_format(Format(kind="json_schema", schema=_SCHEMA, strict=True), Losses())
    assert written is not None
    assert (written["schema"]["required"], written["schema"]["additionalProperties"]) == (["a"], False)
