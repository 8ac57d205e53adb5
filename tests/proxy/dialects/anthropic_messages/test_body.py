"""Requests are written as the API takes them; the official client's types are the judge."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.chat import (
    Cache,
    Chat,
    Format,
    Losses,
    Media,
    Message,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from proxy.choosing.capability import Capabilities
from proxy.dialects.anthropic_messages.body import write_count_request, write_request
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL, NAME
from proxy.dialects.dialect import Aim
from tests.proxy.dialects.anthropic_messages.official import check_count, check_request

USER = Message("user", [Text("hi")])
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL = Tool(name="f", description="d", parameters=SCHEMA)
NATIVE = Aim(model="m", capabilities=Capabilities(thinking="budget", max_output=32000))
BY_TOOL = Aim(model="m", capabilities=Capabilities(json_schema=False, json_by_tool=True))


def _write(*messages: Message, aim: Aim = NATIVE, **more: Any) -> tuple[dict[str, Any], list[str]]:
    losses = Losses()
    body = write_request(Chat(model="asked", messages=list(messages) or [USER], **more), aim, losses)
    return check_request(body), list(losses.names)


def test_a_plain_request_holds_nothing_more_than_asked() -> None:
    body, lost = _write()
    assert body == {
        "model": "m",
        "max_tokens": 32000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }
    assert not lost


def test_parameters_have_their_names() -> None:
    body, lost = _write(
        stream=True,
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        top_k=3,
        stop=["END", " "],
        user="ada",
        service_tier="priority",
        cache=Cache("1h"),
    )
    assert body["stream"] is True
    assert (body["max_tokens"], body["temperature"], body["top_p"], body["top_k"]) == (9, 0.5, 0.9, 3)
    assert (body["stop_sequences"], body["metadata"], body["service_tier"]) == (["END"], {"user_id": "ada"}, "auto")
    assert body["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert lost == ["stop"]


def test_a_temperature_beyond_the_range_is_cut_and_reported() -> None:
    assert _write(temperature=1.7)[0]["temperature"] == 1
    assert _write(temperature=1.7)[1] == ["temperature"]
    assert _write(service_tier="flex")[1] == ["service_tier"]


def test_a_conversation_with_everything_in_it_is_accepted() -> None:
    body, lost = _write(
        Message("system", [Text("s", Cache("5m"))]),
        Message("user", [Text("look"), Media(kind="image", data="iVBORw0KGgo=", media_type="image/png")]),
        Message(
            "assistant",
            [
                Reasoning(text="hm", signature="S", origin="anthropic"),
                ToolCall(id="a", name="f", arguments='{"city":"Bern"}'),
                ToolCall(id="b", name="f", arguments='{"city":"Rome"}'),
            ],
        ),
        Message(
            "user",
            [
                ToolResult(call_id="a", parts=(Text("cold"), Media(kind="image", url="https://a.example/x.png"))),
                ToolResult(call_id="b", parts=(Text("no"),), is_error=True, cache=Cache("5m")),
                Media(kind="file", data="JVBERi0=", media_type="application/pdf", name="T", cite=True),
            ],
        ),
        tools=[TOOL, Tool(name="g", cache=Cache("1h"))],
        tool_choice=ToolChoice("auto"),
        parallel_tool_calls=False,
        thinking=Thinking(effort="low"),
        max_tokens=9000,
    )
    assert not lost
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert body["tools"][1] == {
        "name": "g",
        "input_schema": {"type": "object", "properties": {}},
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
    }
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


@pytest.mark.parametrize(
    ("choice", "parallel", "written"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (ToolChoice("required"), None, {"type": "any"}),
        (ToolChoice("tool", "f"), False, {"type": "tool", "name": "f", "disable_parallel_tool_use": True}),
    ],
)
def test_every_choice_of_tools_can_be_said(choice: ToolChoice | None, parallel: bool | None, written: Any) -> None:
    body, lost = _write(tools=[TOOL], tool_choice=choice, parallel_tool_calls=parallel)
    assert body.get("tool_choice") == written
    assert not lost


def test_of_tools_that_are_not_allowed_the_model_does_not_hear() -> None:
    body, _ = _write(tools=[TOOL, Tool(name="g")], tool_choice=ToolChoice("required", allowed=("g",)))
    assert [tool["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == {"type": "any"}


def test_tools_that_others_run_are_theirs() -> None:
    own = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    body, lost = _write(
        tools=[
            Tool(name="web_search", foreign=NAME, value=own),
            Tool(name="x", foreign="gemini", value={}),
            Tool(name="shell", custom=True, format={"type": "grammar"}),
        ]
    )
    assert body["tools"][0] == own
    assert body["tools"][1]["input_schema"]["properties"] == {"input": {"type": "string"}}
    assert lost == ["tools[1]", "tools[2].format"]


def test_strict_tools_need_a_model_that_knows_schemas() -> None:
    strict = Tool(name="f", parameters=SCHEMA, strict=True)
    assert _write(tools=[strict])[0]["tools"][0]["strict"] is True
    body, lost = _write(tools=[strict], aim=BY_TOOL)
    assert "strict" not in body["tools"][0]
    assert lost == ["tools[0].strict"]


def test_tools_that_were_called_are_described_even_if_none_is_given() -> None:
    body, _ = _write(
        USER,
        Message("assistant", [ToolCall(id="a", name="old", arguments="{}")]),
        Message("user", [ToolResult(call_id="a", parts=(Text("x"),))]),
        tool_choice=ToolChoice("auto"),
    )
    assert [tool["name"] for tool in body["tools"]] == ["old"]
    assert body["tool_choice"] == {"type": "none"}


def test_a_schema_of_the_answer_is_said_natively() -> None:
    body, lost = _write(format=Format(kind="json_schema", schema=SCHEMA), thinking=Thinking(effort="low"))
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert "tools" not in body
    assert body["thinking"]["type"] == "enabled"
    assert not lost


@pytest.mark.parametrize(
    ("wanted", "aim"),
    [(Format(kind="json_schema", schema=SCHEMA, description="a place"), BY_TOOL), (Format(kind="json_object"), NATIVE)],
)
def test_else_the_answer_comes_by_a_tool(wanted: Format, aim: Aim) -> None:
    body, lost = _write(format=wanted, aim=aim)
    assert body["tool_choice"] == {"type": "tool", "name": ANSWER_TOOL}
    assert [tool["name"] for tool in body["tools"]] == [ANSWER_TOOL]
    assert body["tools"][0]["input_schema"]["type"] == "object"
    assert not lost


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (None, {"type": "any"}),
        (ToolChoice("required"), {"type": "any"}),
        (ToolChoice("none"), {"type": "tool", "name": ANSWER_TOOL}),
    ],
)
def test_the_tool_of_the_answer_stands_beside_the_callers(choice: ToolChoice | None, written: Any) -> None:
    body, _ = _write(tools=[TOOL], tool_choice=choice, format=Format(kind="json_object"))
    assert [tool["name"] for tool in body["tools"]] == ["f", ANSWER_TOOL]
    assert body["tool_choice"] == written


def test_a_call_that_is_demanded_needs_no_tool_for_the_answer() -> None:
    body, _ = _write(tools=[TOOL], tool_choice=ToolChoice("tool", "f"), format=Format(kind="json_object"))
    assert [tool["name"] for tool in body["tools"]] == ["f"]
    assert body["tool_choice"] == {"type": "tool", "name": "f"}


def test_an_answer_by_tool_rules_out_thinking() -> None:
    body, lost = _write(format=Format(kind="json_object"), thinking=Thinking(effort="low"))
    assert "thinking" not in body
    assert lost == ["thinking"]


def test_thinking_wins_over_what_the_api_does_not_take_beside_it() -> None:
    body, lost = _write(
        tools=[TOOL], tool_choice=ToolChoice("tool", "f"), temperature=0.1, top_k=4, thinking=Thinking(effort="low")
    )
    assert body["tool_choice"] == {"type": "auto"}
    assert not {"temperature", "top_k"} & body.keys()
    assert lost == ["temperature", "top_k", "tool_choice"]


def test_an_effort_and_a_shape_share_their_place() -> None:
    aim = Aim(model="m", capabilities=Capabilities(thinking="adaptive"))
    body, _ = _write(aim=aim, format=Format(kind="json_schema", schema=SCHEMA), thinking=Thinking(effort="high"))
    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"]["effort"] == "high"
    assert body["output_config"]["format"]["schema"] == SCHEMA


def test_a_question_for_tokens_holds_what_counts() -> None:
    chat = Chat(
        model="x", messages=[USER], stream=True, max_tokens=5, temperature=0.1, stop=["x"], user="u", tools=[TOOL]
    )
    body = check_count(write_count_request(chat, NATIVE, Losses()))
    assert body.keys() == {"model", "messages", "tools"}


def test_the_same_prefix_gives_the_same_bytes() -> None:
    """A longer conversation begins with the bytes of the shorter one, so that the provider's cache is met."""
    first = [Message("system", [Text("s")]), USER, Message("assistant", [Text("a")]), Message("user", [Text("b")])]
    short = write_request(Chat(model="m", messages=first, tools=[TOOL]), NATIVE, Losses())
    longer = write_request(
        Chat(model="m", messages=[*first, Message("assistant", [Text("c")]), USER], tools=[TOOL]), NATIVE, Losses()
    )
    end = short.index(b'],"tools"')
    assert longer[:end] == short[:end]
    assert longer.endswith(short[end:])
