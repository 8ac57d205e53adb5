"""Requests are written in words that the official types know, and in others where a service wants others."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from proxy.chat import Cache, Chat, Format, Losses, Message, Text, Thinking, Tool, ToolChoice
from proxy.dialects.dialect import Aim
from proxy.dialects.openai_chat.body import QUIRKS, write_request
from proxy.dialects.openai_chat.request import read_request
from proxy.dialects.openai_chat.wire import NAME
from proxy.errors import BadRequest
from tests.proxy.dialects.openai_chat.official import check_request
from tests.support.everything import EVERYTHING
from tests.support.mutations import Spoiler

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def _written(chat: Chat, *quirks: str) -> tuple[dict[str, Any], list[str]]:
    losses = Losses()
    body = write_request(chat, Aim(model="m", quirks=frozenset(quirks)), losses)
    return msgspec.json.decode(body), list(losses.names)


def _chat(**more: Any) -> Chat:
    return Chat(**{"model": "x", "messages": [Message("user", [Text("hi")])]} | more)


def test_the_smallest_request_is_the_smallest_body() -> None:
    assert _written(_chat()) == ({"model": "m", "messages": [{"role": "user", "content": "hi"}]}, [])


def test_every_request_that_is_read_is_written_as_it_was() -> None:
    """What the official types take, with every member that has a neutral name."""
    body: dict[str, Any] = {
        "model": "m",
        "messages": [
            {"role": "developer", "content": "be kind"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "ada"},
            {
                "role": "assistant",
                "content": "ok",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "7"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "top_p": 1.0,
        "n": 2,
        "seed": 3,
        "stop": ["x"],
        "presence_penalty": 0.5,
        "frequency_penalty": 0.5,
        "logit_bias": {"1": 2.0},
        "logprobs": True,
        "top_logprobs": 2,
        "verbosity": "low",
        "service_tier": "flex",
        "user": "u",
        "metadata": {"k": "v"},
        "store": False,
        "modalities": ["text"],
        "audio": {"voice": "alloy", "format": "wav"},
        "prediction": {"type": "content", "content": "x"},
        "prompt_cache_key": "k",
        "reasoning_effort": "low",
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}},
            {"type": "custom", "custom": {"name": "g", "format": {"type": "text"}}},
        ],
        "tool_choice": {"type": "custom", "custom": {"name": "g"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "description": "d"}},
    }
    written, losses = _written(read_request(msgspec.json.encode(body)))
    assert written == body
    assert losses == []
    check_request(msgspec.json.encode(written))


def test_a_stream_is_always_asked_for_its_usage() -> None:
    assert _written(_chat(stream=True))[0]["stream_options"] == {"include_usage": True}
    assert "stream_options" not in _written(_chat(stream=True), "no_stream_options")[0]


@pytest.mark.parametrize(
    ("quirk", "chat", "plain", "expected"),
    [
        ("max_tokens", {"max_tokens": 5}, {"max_completion_tokens": 5}, {"max_tokens": 5}),
        ("random_seed", {"seed": 5}, {"seed": 5}, {"random_seed": 5}),
        ("top_k", {"top_k": 5}, {}, {"top_k": 5}),
        (
            "any",
            {"tools": [Tool(name="f")], "tool_choice": ToolChoice("required")},
            {"tool_choice": "required"},
            {"tool_choice": "any"},
        ),
        (
            "low_to_high",
            {"thinking": Thinking(effort="xhigh")},
            {"reasoning_effort": "xhigh"},
            {"reasoning_effort": "high"},
        ),
        (
            "none_or_high",
            {"thinking": Thinking(effort="low")},
            {"reasoning_effort": "low"},
            {"reasoning_effort": "high"},
        ),
        ("none_or_high", {"thinking": Thinking(budget=0)}, {"reasoning_effort": "none"}, {"reasoning_effort": "none"}),
        (
            "thinking_off",
            {"thinking": Thinking(effort="none")},
            {"reasoning_effort": "none"},
            {"thinking": {"type": "disabled"}},
        ),
        (
            "thinking_off",
            {"thinking": Thinking(effort="low")},
            {"reasoning_effort": "low"},
            {"reasoning_effort": "low"},
        ),
        (
            "thinking_switch",
            {"thinking": Thinking(budget=9000)},
            {"reasoning_effort": "high"},
            {"thinking": {"type": "enabled"}},
        ),
    ],
)
def test_services_with_other_words_are_told_in_theirs(
    quirk: str, chat: dict[str, Any], plain: dict[str, Any], expected: dict[str, Any]
) -> None:
    bare = {"model", "messages", "tools"}
    for quirks, wanted in (((), plain), ((quirk,), expected)):
        written = _written(_chat(**chat), *quirks)[0]
        assert {name: value for name, value in written.items() if name not in bare} == wanted


def test_what_cannot_be_said_is_named() -> None:
    assert _written(_chat(top_k=5))[1] == ["top_k"]
    assert _written(_chat(thinking=Thinking(effort="none")), "low_to_high")[1] == ["thinking"]
    foreign = Tool(name="search", foreign="anthropic_messages", value={})
    assert _written(_chat(tools=[foreign])) == (_written(_chat())[0], ["tools[0]"])


def test_own_tools_of_this_format_are_written_as_they_were() -> None:
    value = {"type": "web_search", "x": [1]}
    assert _written(_chat(tools=[Tool(name="web_search", foreign=NAME, value=value)]))[0]["tools"] == [value]


def test_tools_of_free_text_become_functions_where_there_are_no_others() -> None:
    tools = [Tool(name="g", custom=True, description="d", format={"type": "grammar"}), Tool(name="f")]
    written, losses = _written(_chat(tools=tools, tool_choice=ToolChoice("tool", "g")), "functions_only")
    function = written["tools"][0]["function"]
    assert (function["name"], function["description"]) == ("g", "d")
    assert function["parameters"]["required"] == ["input"]
    assert written["tool_choice"] == {"type": "function", "function": {"name": "g"}}
    assert losses == ["tools[0].format"]


def test_some_of_the_tools_are_all_there_are_where_a_choice_of_some_is_not_known() -> None:
    tools = [Tool(name="f"), Tool(name="g")]
    choice = ToolChoice("required", allowed=("g",))
    named = {"type": "function", "function": {"name": "g"}}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named]}}
    assert _written(_chat(tools=tools, tool_choice=choice))[0]["tool_choice"] == allowed
    written = _written(_chat(tools=tools, tool_choice=choice), "functions_only")[0]
    assert [tool["function"]["name"] for tool in written["tools"]] == ["g"]
    assert written["tool_choice"] == "required"


def test_a_service_that_leaves_the_choice_to_the_model_is_told_none() -> None:
    for choice, losses in ((ToolChoice("auto"), []), (ToolChoice("required"), ["tool_choice"])):
        written = _written(_chat(tools=[Tool(name="f")], tool_choice=choice), "auto_choice")
        assert ("tool_choice" in written[0], written[1]) == (False, losses)


def test_markers_are_written_only_for_those_who_take_them() -> None:
    chat = _chat(messages=[Message("user", [Text("hi", Cache("1h"))])], tools=[Tool(name="f", cache=Cache("5m"))])
    assert b"cache_control" not in msgspec.json.encode(_written(chat)[0])
    written = _written(chat, "cache_control")[0]
    assert written["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert written["tools"][0]["cache_control"] == {"type": "ephemeral"}


def test_a_strict_schema_is_closed() -> None:
    shape = Format(kind="json_schema", schema=SCHEMA, strict=True)
    written = _written(_chat(format=shape))[0]["response_format"]["json_schema"]
    assert written["strict"] is True
    assert written["schema"]["additionalProperties"] is False
    assert _written(_chat(format=Format(kind="json_object")))[0]["response_format"] == {"type": "json_object"}


def test_whatever_can_be_read_can_be_written_with_any_quirks() -> None:
    chance, spoiler = random.Random(3), Spoiler(4, large=500)
    for _ in range(400):
        try:
            chat = read_request(spoiler.spoil(EVERYTHING[NAME]))
        except BadRequest:
            continue
        with suppress(BadRequest):  # a result without its call
            _written(chat, *chance.sample(sorted(QUIRKS), 5))
