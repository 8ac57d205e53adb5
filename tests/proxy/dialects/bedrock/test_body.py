"""Requests to Converse are written as AWS describes them; the description is the judge."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import (
    Cache,
    Chat,
    Format,
    Losses,
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
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL
from proxy.dialects.bedrock.body import write_count_request, write_request
from proxy.dialects.dialect import Aim
from proxy.errors import BadRequest
from tests.proxy.dialects.bedrock.conversations import conversation
from tests.proxy.dialects.bedrock.official import check_conversation, check_request

USER = Message("user", [Text("hi")])
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = Tool(name="f", description="d", parameters=SCHEMA)
BUDGET = Capabilities(thinking="budget", max_output=64_000)
CLAUDE = Aim(model="us.anthropic.claude-sonnet-4-5-20250929-v1:0", capabilities=BUDGET)
ADAPTIVE = Aim(model="us.anthropic.claude-opus-4-6-v1", capabilities=Capabilities(thinking="adaptive"))
PLAIN = Capabilities(json_object=False, json_schema=False, json_by_tool=True)
NOVA = Aim(model="us.amazon.nova-2-lite-v1:0", capabilities=msgspec.structs.replace(PLAIN, thinking="effort"))
GPT_OSS = Aim(model="openai.gpt-oss-120b-1:0", capabilities=msgspec.structs.replace(PLAIN, thinking="effort"))
LLAMA = Aim(model="meta.llama4-scout-17b-instruct-v1:0", capabilities=PLAIN)
PROFILE = Aim(
    model="arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
    capabilities=Capabilities(thinking="adaptive"),
)
AIMS = (CLAUDE, ADAPTIVE, NOVA, GPT_OSS, LLAMA, PROFILE)


def _write(*messages: Message, aim: Aim = CLAUDE, **more: Any) -> tuple[dict[str, Any], list[str]]:
    losses = Losses()
    chat = Chat(model="asked", messages=list(messages) or [USER], **more)
    body = check_request(write_request(chat, aim, losses))
    check_conversation(body["messages"])
    return body, list(losses.names)


@pytest.mark.parametrize("aim", AIMS, ids=[aim.model for aim in AIMS])
def test_whatever_is_asked_is_written_as_the_service_takes_it(aim: Aim) -> None:
    """300 conversations, and the question for the tokens of each."""
    for seed in range(300):
        chat = conversation(seed)
        try:
            body = check_request(write_request(chat, aim, Losses()), "ConverseStream" if chat.stream else "Converse")
            check_conversation(body["messages"])
            check_request(write_count_request(chat, aim, Losses()), "CountTokens")
        except Exception as error:
            error.add_note(f"seed {seed}\n{chat}")
            raise


def test_a_plain_request_holds_nothing_more_than_asked() -> None:
    for aim in AIMS:
        body, lost = _write(aim=aim)
        assert body == {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
        assert not lost


def test_parameters_have_their_names() -> None:
    body, lost = _write(
        max_tokens=9, temperature=0.5, top_p=0.9, top_k=3, stop=["END"], metadata={"team": "a b"}, service_tier="flex"
    )
    assert body["inferenceConfig"] == {"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]}
    assert body["additionalModelRequestFields"] == {"top_k": 3}
    assert body["requestMetadata"] == {"team": "a b"}
    assert body["serviceTier"] == {"type": "flex"}
    assert not lost


def test_what_converse_has_no_word_for_is_named() -> None:
    assert _write(user="ada")[1] == ["user"]
    assert _write(service_tier="scale")[1] == ["service_tier"]
    assert _write(temperature=1.5)[1] == ["temperature"]
    assert _write(aim=LLAMA, top_k=5)[1] == ["top_k"]
    assert _write(tools=[Tool(name="", foreign="openai_responses", value={})])[1] == ["tools[0]"]


def test_metadata_that_would_be_refused_are_left_out() -> None:
    body, lost = _write(metadata={"a": "b", "ü": "b", "c": "x" * 257, "": "x"})
    assert (body["requestMetadata"], lost) == ({"a": "b"}, ["metadata"])
    body, lost = _write(metadata={f"k{n}": "v" for n in range(17)})
    assert (len(body["requestMetadata"]), lost) == (16, ["metadata"])
    assert _write(metadata={"ü": ""}) == (_write()[0], ["metadata"])


def test_families_of_models_have_their_own_words_for_top_k() -> None:
    for model, fields in (
        ("anthropic.claude-x", {"top_k": 3}),
        ("mistral.mistral-large", {"top_k": 3}),
        ("cohere.command-r-v1:0", {"k": 3}),
        ("amazon.nova-lite-v1:0", {"inferenceConfig": {"topK": 3}}),
    ):
        assert _write(aim=Aim(model=model), top_k=3)[0]["additionalModelRequestFields"] == fields


def test_a_budget_to_think_is_anthropics_own_field() -> None:
    body, lost = _write(thinking=Thinking(budget=2048), max_tokens=4000)
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2048}}
    assert body["inferenceConfig"] == {"maxTokens": 4000}
    assert not lost
    body, lost = _write(thinking=Thinking(budget=2048), max_tokens=4000, temperature=0.2, top_k=5)
    assert body["inferenceConfig"] == {"maxTokens": 4000}
    assert set(lost) == {"temperature", "top_k"}


def test_a_budget_is_below_the_limit_even_where_none_was_asked() -> None:
    body, _ = _write(thinking=Thinking(effort="max"))
    budget = body["additionalModelRequestFields"]["thinking"]["budget_tokens"]
    assert budget < body["inferenceConfig"]["maxTokens"]


@pytest.mark.parametrize("aim", [ADAPTIVE, PROFILE], ids=["by its name", "by its capabilities"])
def test_models_that_decide_themselves_are_told_an_effort(aim: Aim) -> None:
    body, _ = _write(aim=aim, thinking=Thinking(effort="medium"))
    assert body["additionalModelRequestFields"] == {"thinking": {"type": "adaptive"}}
    assert body["outputConfig"] == {"effort": "medium"}


@pytest.mark.parametrize(
    ("aim", "effort", "fields"),
    [
        (NOVA, "minimal", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        (NOVA, "medium", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}),
        (NOVA, "max", {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        (GPT_OSS, "low", {"reasoning_effort": "low"}),
        (GPT_OSS, "xhigh", {"reasoning_effort": "high"}),
    ],
)
def test_other_families_have_their_own_words_for_thinking(aim: Aim, effort: Any, fields: Any) -> None:
    body, lost = _write(aim=aim, thinking=Thinking(effort=effort))
    assert body["additionalModelRequestFields"] == fields
    assert not lost


def test_tools_are_described_and_chosen() -> None:
    tools = [TOOL, Tool(name="g", parameters=None, description="")]
    body, lost = _write(tools=tools)
    first, second = (one["toolSpec"] for one in body["toolConfig"]["tools"])
    assert first == {"name": "f", "description": "d", "inputSchema": {"json": SCHEMA}}
    assert second == {"name": "g", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    assert "toolChoice" not in body["toolConfig"]
    for choice, said in (
        (ToolChoice("auto"), {"auto": {}}),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("tool", "g"), {"tool": {"name": "g"}}),
    ):
        body, lost = _write(tools=tools, tool_choice=choice)
        assert body["toolConfig"]["toolChoice"] == said
        assert not lost


def test_no_tool_is_chosen_by_telling_of_none_unless_one_was_called() -> None:
    """There is no word for it."""
    body, lost = _write(tools=[TOOL], tool_choice=ToolChoice("none"))
    assert "toolConfig" not in body
    assert not lost
    called = Message("assistant", [ToolCall(id="c", name="f", arguments="{}")])
    came = Message("user", [ToolResult(call_id="c", parts=(Text("x"),))])
    body, lost = _write(USER, called, came, tools=[TOOL], tool_choice=ToolChoice("none"))
    assert body["toolConfig"]["tools"]
    assert lost == ["tool_choice"]


def test_calls_one_at_a_time_are_asked_in_anthropics_word_or_named_as_lost() -> None:
    body, lost = _write(tools=[TOOL], parallel_tool_calls=False)
    assert body["additionalModelRequestFields"] == {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}
    assert "toolChoice" not in body["toolConfig"]
    assert not lost
    body, lost = _write(tools=[TOOL], parallel_tool_calls=False, tool_choice=ToolChoice("required"))
    assert body["toolConfig"]["toolChoice"] == {"any": {}}
    assert lost == ["parallel_tool_calls"]
    assert _write(aim=LLAMA, tools=[TOOL], parallel_tool_calls=False)[1] == ["parallel_tool_calls"]


def test_schemas_stand_in_one_piece_and_what_is_refused_is_named() -> None:
    place = {"type": "object", "properties": {"x": {"type": "number"}}}
    schema = {
        "$defs": {"place": place},
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/place"}},
        "additionalProperties": False,
    }
    for aim in (CLAUDE, NOVA):
        body, lost = _write(aim=aim, tools=[Tool(name="f", parameters=schema)])
        written = body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"]
        assert written["properties"] == {"at": place}
        assert "$defs" not in written
    assert set(written) <= {"type", "properties", "required"}
    assert lost == ["tools[0].parameters.additionalProperties"]


def test_a_shape_is_asked_for_by_a_schema_or_by_a_tool() -> None:
    wanted = Format(kind="json_schema", name="place", schema=SCHEMA, description="a place")
    body, _ = _write(format=wanted)
    described = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert (described["name"], described["description"]) == ("place", "a place")
    assert msgspec.json.decode(described["schema"])["properties"] == SCHEMA["properties"]
    body, _ = _write(aim=LLAMA, format=wanted)
    spec = body["toolConfig"]["tools"][0]["toolSpec"]
    assert (spec["name"], spec["inputSchema"]["json"]) == (ANSWER_TOOL, SCHEMA)
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": ANSWER_TOOL}}


def test_a_shape_and_an_effort_stand_beside_each_other() -> None:
    wanted = Format(kind="json_schema", name="place", schema=SCHEMA)
    body, _ = _write(aim=ADAPTIVE, format=wanted, thinking=Thinking(effort="low"))
    assert body["outputConfig"]["effort"] == "low"
    assert body["outputConfig"]["textFormat"]["type"] == "json_schema"


def test_markers_are_blocks_behind_what_they_mark() -> None:
    marked = Message("user", [Text("a", cache=Cache()), Text("b", cache=Cache("1h")), Text("c")])
    head = Message("system", [Text("s", cache=Cache())])
    body, lost = _write(head, marked, tools=[msgspec.structs.replace(TOOL, cache=Cache("1h"))])
    short, long = {"cachePoint": {"type": "default"}}, {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert body["system"] == [{"text": "s"}, short]
    assert body["messages"][0]["content"] == [{"text": "a"}, short, {"text": "b"}, long, {"text": "c"}]
    assert body["toolConfig"]["tools"][1] == long
    assert not lost


def test_the_guardrail_of_the_request_gives_way_to_that_of_the_account() -> None:
    asked = {"guardrailIdentifier": "asked", "guardrailVersion": "1"}
    assert _write(guardrail=asked)[0]["guardrailConfig"] == asked
    own = {"guardrailIdentifier": "own", "guardrailVersion": "DRAFT", "streamProcessingMode": "async"}
    aim = Aim(model=CLAUDE.model, adds={"guardrailConfig": own})
    assert _write(aim=aim, guardrail=asked)[0]["guardrailConfig"] == {
        "guardrailIdentifier": "own",
        "guardrailVersion": "DRAFT",
    }
    chat = Chat(model="m", messages=[USER], stream=True, guardrail=asked)
    assert check_request(write_request(chat, aim, Losses()), "ConverseStream")["guardrailConfig"] == own
    assert own["streamProcessingMode"] == "async"


def test_thoughts_go_back_to_whom_they_came_from() -> None:
    said = Message(
        "assistant",
        [
            Reasoning(text="hm", signature="c2ln", origin="anthropic"),
            Reasoning(redacted="aGlkZGVu", origin="anthropic"),
            Reasoning(text="theirs", signature="x", origin="gemini"),
            Text("So."),
        ],
    )
    body, lost = _write(USER, said, USER)
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "aGlkZGVu"}},
        {"text": "So."},
    ]
    assert lost == ["messages.reasoning"]


def test_tokens_are_asked_for_with_everything_that_is_read() -> None:
    chat = Chat(
        model="m",
        messages=[Message("system", [Text("s")]), USER],
        tools=[TOOL],
        max_tokens=5000,
        thinking=Thinking(budget=2048),
        metadata={"a": "b"},
        guardrail={"guardrailIdentifier": "g"},
    )
    found = check_request(write_count_request(chat, CLAUDE, Losses()), "CountTokens")["input"]["converse"]
    assert set(found) == {"messages", "system", "toolConfig", "additionalModelRequestFields"}


def test_a_result_without_its_call_is_the_callers_mistake() -> None:
    with pytest.raises(BadRequest):
        _write(Message("user", [ToolResult(call_id="c", parts=(Text("x"),))]))
    with pytest.raises(BadRequest):
        _write(Message("system", [Text("s")]))
