"""What clients of the Messages API ask is read completely, and anything wrong is refused by name."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from proxy.chat import Cache, Format, Losses, Message, Text, Thinking, Tool, ToolChoice, ToolResult
from proxy.choosing.capability import Capabilities
from proxy.dialects.anthropic_messages.body import write_request
from proxy.dialects.anthropic_messages.request import read_request
from proxy.dialects.anthropic_messages.wire import NAME
from proxy.dialects.dialect import Aim
from proxy.errors import BadRequest

BASE: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


def _read(**more: Any) -> Any:
    return read_request(msgspec.json.encode(BASE | more))


def test_the_smallest_request_says_nothing_that_was_not_said() -> None:
    chat = _read()
    assert (chat.model, chat.max_tokens, chat.stream) == ("m", 10, False)
    assert chat.messages == [Message("user", [Text("hi")])]
    assert (chat.temperature, chat.tools, chat.tool_choice, chat.extra, chat.thinking) == (None, [], None, {}, None)


def test_plain_parameters_are_read() -> None:
    chat = _read(
        stream=True,
        temperature=0,
        top_p=0.5,
        top_k=7,
        stop_sequences=["a", "b"],
        metadata={"user_id": "ada"},
        service_tier="standard_only",
        cache_control={"type": "ephemeral", "ttl": "1h"},
    )
    assert (chat.stream, chat.temperature, chat.top_p, chat.top_k, chat.stop) == (True, 0, 0.5, 7, ["a", "b"])
    assert (chat.user, chat.service_tier, chat.cache) == ("ada", "default", Cache("1h"))


def test_null_is_the_same_as_nothing() -> None:
    names = ("system", "temperature", "tools", "tool_choice", "thinking", "output_config", "metadata", "container")
    assert _read(**dict.fromkeys(names)) == _read()


def test_the_system_prompt_is_the_first_message() -> None:
    marked = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b"}]
    assert _read(system="be kind").messages[0] == Message("system", [Text("be kind")])
    assert _read(system=marked).messages[0] == Message("system", [Text("a", Cache("5m")), Text("b")])
    assert _read(system="").messages[0].role == "user"


def test_messages_of_the_system_may_stand_between_the_turns() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "system", "content": "now in French"}]
    assert _read(messages=turns).messages[1] == Message("system", [Text("now in French")])


def test_results_of_tools_stand_first_in_their_message() -> None:
    content = [
        {"type": "text", "text": "see"},
        {"type": "tool_result", "tool_use_id": "a", "content": "1"},
        {"type": "tool_result", "tool_use_id": "b", "content": "2"},
    ]
    parts = _read(messages=[{"role": "user", "content": content}]).messages[0].parts
    assert [type(part) for part in parts] == [ToolResult, ToolResult, Text]
    assert [part.call_id for part in parts[:2]] == ["a", "b"]


def test_tools_of_every_sort_are_read() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    chat = _read(
        tools=[
            {"name": "f", "description": "d", "input_schema": schema, "strict": True},
            {"type": "custom", "name": "g", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}},
            search,
            {"type": "mcp_toolset", "mcp_server_name": "x"},
            {"name": "h", "input_schema": {}, "defer_loading": True, "input_examples": [{"a": 1}]},
        ]
    )
    assert chat.tools[:3] == [
        Tool(name="f", description="d", parameters=schema, strict=True),
        Tool(name="g", parameters={"type": "object"}, cache=Cache("5m")),
        Tool(name="web_search", foreign=NAME, value=search),
    ]
    assert (chat.tools[3].name, chat.tools[3].foreign) == ("mcp_toolset", NAME)
    assert chat.extra == {"tools[4].defer_loading": True, "tools[4].input_examples": [{"a": 1}]}


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        ({"type": "auto"}, ToolChoice("auto")),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "none"}, ToolChoice("none")),
        ({"type": "tool", "name": "f"}, ToolChoice("tool", "f")),
    ],
)
def test_every_choice_of_tools_is_read(choice: dict[str, Any], read: ToolChoice) -> None:
    assert _read(tool_choice=choice).tool_choice == read
    assert _read(tool_choice=choice).parallel_tool_calls is None
    assert _read(tool_choice=choice | {"disable_parallel_tool_use": True}).parallel_tool_calls is False


@pytest.mark.parametrize(
    ("asked", "effort", "read"),
    [
        ({"type": "enabled", "budget_tokens": 2048}, None, Thinking(budget=2048)),
        (
            {"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
            "low",
            Thinking(budget=2048, effort="low", visible=False),
        ),
        ({"type": "adaptive"}, None, Thinking(budget=-1)),
        ({"type": "adaptive", "display": "summarized"}, "max", Thinking(effort="max", visible=True)),
        ({"type": "disabled"}, "high", Thinking(effort="none")),
        ({"type": "between_tools"}, None, Thinking(budget=-1)),
        (None, "medium", Thinking(effort="medium")),
        (None, None, None),
    ],
)
def test_every_way_to_ask_for_thought_is_read(asked: Any, effort: str | None, read: Thinking | None) -> None:
    assert _read(thinking=asked, output_config={"effort": effort}).thinking == read


def test_the_shape_of_the_answer_is_read_from_both_places() -> None:
    shape = {"type": "json_schema", "schema": {"type": "object"}}
    read = Format(kind="json_schema", schema={"type": "object"}, strict=True)
    assert _read(output_config={"format": shape}).format == read
    assert _read(output_format=shape).format == read


def test_members_without_a_neutral_name_are_kept_for_the_report() -> None:
    chat = _read(container="c", mcp_servers=[{"url": "x"}], betas=[], speed=None, output_config={"task_budget": 5})
    assert chat.extra == {"container": "c", "mcp_servers": [{"url": "x"}], "output_config.task_budget": 5}


def test_a_question_for_tokens_needs_no_limit() -> None:
    body = msgspec.json.encode({name: value for name, value in BASE.items() if name != "max_tokens"})
    assert read_request(body, counts=True).max_tokens is None
    with pytest.raises(BadRequest) as caught:
        read_request(body)
    assert caught.value.param == "max_tokens"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": 3}, "model"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 10**30}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": [BASE["messages"][0]] * 10_001}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
        ({"system": 4}, "system"),
        ({"system": [{"type": "image", "source": {"type": "url", "url": "x"}}]}, "system[0].type"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_k": -4}, "top_k"),
        ({"stop_sequences": [1]}, "stop_sequences[0]"),
        ({"tools": [{"name": "f", "input_schema": {}}] * 4_097}, "tools"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": -5}}, "thinking.budget_tokens"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"service_tier": "gold"}, "service_tier"),
        ({"cache_control": {"type": "eternal"}}, "cache_control.type"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id"),
    ],
)
def test_what_is_wrong_is_named(wrong: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _read(**wrong)
    assert caught.value.param == param
    assert caught.value.http_status == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b'{"model":', b"\xff\xfe", b"null", b'{"a":' * 5000, b'{"model":"m","x":"\xff"}', b'{"x":NaN}'],
)
def test_what_is_no_request_at_all_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_request(body)


def test_broken_text_where_no_type_looks_is_refused() -> None:
    body = msgspec.json.encode(BASE)[:-1] + b',"container":"\xff"}'
    with pytest.raises(BadRequest):
        read_request(body)


FULL: dict[str, Any] = BASE | {
    "system": [{"type": "text", "text": "s"}],
    "messages": [
        {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "u"}}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "tool_use", "id": "i", "name": "f", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "i", "content": [{"type": "text", "text": ""}]}],
        },
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low"},
    "metadata": {"user_id": "u"},
}
JUNK: list[Any] = [None, -1, 10**40, 1.5, "x", "", [], {}, [[]], {"type": "text"}, True, "😀", [None], -0.0]


def _mutated(value: Any, chance: random.Random) -> Any:
    if chance.random() < 0.012:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {name: _mutated(inner, chance) for name, inner in value.items() if chance.random() > 0.006}
    if isinstance(value, list):
        return [_mutated(inner, chance) for inner in value]
    return value


def test_mutated_requests_are_read_and_written_or_refused_and_nothing_else() -> None:
    """Four thousand of them, each with a few members that are wrong or gone."""
    chance = random.Random(5)
    aims = [
        Aim(model="m", capabilities=Capabilities(thinking="budget")),
        Aim(model="m", capabilities=Capabilities(thinking="adaptive", json_schema=False, json_by_tool=True)),
    ]
    refused = 0
    for turn in range(4000):
        body = msgspec.json.encode(_mutated(FULL, chance))
        try:
            write_request(read_request(body), aims[turn % 2], Losses())
        except BadRequest:
            refused += 1
    assert 1000 < refused < 3000
