"""Requests to Converse, read; and what is wrong with them, said with its place."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from proxy.chat import (
    Cache,
    Chat,
    Foreign,
    Format,
    Losses,
    Media,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from proxy.choosing.capability import Capabilities
from proxy.dialects.bedrock.body import write_request
from proxy.dialects.bedrock.request import read_count_request, read_request
from proxy.dialects.dialect import Aim
from proxy.errors import BadRequest
from tests.proxy.dialects.bedrock.client import accepted
from tests.support.mutations import Spoiler

DATA = base64.b64encode(b"some data").decode()
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
EVERYTHING: dict[str, Any] = {
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "Look"},
                {"image": {"format": "png", "source": {"bytes": DATA}}},
                {"document": {"format": "pdf", "name": "a", "source": {"bytes": DATA}, "citations": {"enabled": True}}},
                {"document": {"format": "txt", "name": "b", "source": {"text": "words"}, "context": "about"}},
                {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}},
                {"audio": {"format": "wav", "source": {"bytes": DATA}}},
                {"cachePoint": {"type": "default"}},
                {"guardContent": {"text": {"text": "guarded"}}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}},
                {"reasoningContent": {"redactedContent": DATA}},
                {"citationsContent": {"content": [{"text": "so"}], "citations": [{"title": "T"}]}},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": "1"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"text": "there"},
                {"toolResult": {"toolUseId": "t1", "status": "error", "content": [{"json": {"a": 1}}, {"text": "b"}]}},
            ],
        },
    ],
    "inferenceConfig": {"maxTokens": 50, "temperature": 0.5, "topP": 0.9, "stopSequences": ["x"]},
    "toolConfig": {
        "tools": [
            {"toolSpec": {"name": "f", "description": "does", "inputSchema": {"json": SCHEMA}, "strict": True}},
            {"cachePoint": {"type": "default"}},
            {"systemTool": {"name": "nova_grounding"}},
        ],
        "toolChoice": {"any": {}},
    },
    "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 5, "odd": 1},
    "requestMetadata": {"team": "search"},
    "serviceTier": {"type": "priority"},
    "outputConfig": {
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type":"object"}'}}}
    },
    "performanceConfig": {"latency": "optimized"},
}
TEXT = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}


def read(value: Any) -> Chat:
    """As of a request to a stream."""
    return read_request(json.dumps(value).encode(), "m", True)


def test_everything_is_understood() -> None:
    chat = read(EVERYTHING)
    system, asked, said, came = chat.messages
    assert system.parts == [Text("Be brief.", Cache("1h"))]
    assert asked.parts == [
        Text("Look"),
        Media(kind="image", data=DATA, media_type="image/png"),
        Media(kind="file", data=DATA, media_type="application/pdf", name="a", cite=True),
        Media(
            kind="file",
            data=base64.b64encode(b"words").decode(),
            media_type="text/plain",
            name="b",
            context="about",
        ),
        Media(kind="video", url="s3://bucket/a.mp4", media_type="video/mp4"),
        Media(kind="audio", data=DATA, media_type="audio/wav", cache=Cache("5m")),
        Foreign(
            origin="bedrock",
            what="messages[0].content[7].guardContent",
            value={"guardContent": {"text": {"text": "guarded"}}},
        ),
    ]
    assert said.parts[:2] == [
        Reasoning(text="hm", signature="sig", origin="anthropic"),
        Reasoning(redacted=DATA, origin="anthropic"),
    ]
    assert isinstance(said.parts[2], Text)
    assert said.parts[2].citations[0].title == "T"
    assert said.parts[3] == ToolCall(id="t1", name="f", arguments='{"a": "1"}')
    assert came.parts == [ToolResult(call_id="t1", parts=(Text('{"a": 1}'), Text("b")), is_error=True), Text("there")]
    assert (chat.max_tokens, chat.temperature, chat.top_p, chat.top_k, chat.stop) == (50, 0.5, 0.9, 5, ["x"])
    assert chat.tools[0] == Tool(name="f", description="does", parameters=SCHEMA, strict=True, cache=Cache("5m"))
    assert chat.tools[1].foreign == "bedrock"
    assert chat.tool_choice == ToolChoice("required")
    assert chat.thinking == Thinking(budget=2000)
    assert chat.format == Format(kind="json_schema", schema={"type": "object"})
    assert (chat.metadata, chat.service_tier, chat.guardrail["guardrailVersion"]) == (
        {"team": "search"},
        "priority",
        "1",
    )
    assert (chat.model, chat.stream) == ("m", True)
    assert {*chat.extra} == {"additionalModelRequestFields.odd", "performanceConfig"}


def test_the_question_for_tokens_holds_a_request() -> None:
    chat = read_count_request(json.dumps({"input": {"converse": TEXT}}).encode(), "m")
    assert chat.messages[0].parts == [Text("hi")]
    with pytest.raises(BadRequest):
        read_count_request(json.dumps({"input": {"invokeModel": {"body": ""}}}).encode(), "m")


@pytest.mark.parametrize(
    ("wish", "meant"),
    [
        ({"thinking": {"type": "disabled"}}, Thinking(effort="none")),
        ({"thinking": {"type": "adaptive"}}, Thinking(budget=-1)),
        ({"reasoning_effort": "high"}, Thinking(effort="high")),
    ],
)
def test_wishes_to_think_are_understood(wish: Any, meant: Thinking) -> None:
    assert read(TEXT | {"additionalModelRequestFields": wish}).thinking == meant
    assert read(TEXT | {"outputConfig": {"effort": "low"}}).thinking == Thinking(effort="low")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": []}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"nothing": 1}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"text": 5}]}]}, "messages[0].content[0].text"),
        (
            {"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {}}}]}]},
            "messages[0].content[0].image.source",
        ),
        (
            {
                "messages": [
                    {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "f", "input": 5}}]}
                ]
            },
            "messages[0].content[0].toolUse.input",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"reasoningContent": {}}]}]},
            "messages[0].content[0].reasoningContent",
        ),
        ({"inferenceConfig": {"maxTokens": 0}}, "inferenceConfig.maxTokens"),
        ({"toolConfig": {"tools": [{}]}}, "toolConfig.tools[0]"),
        ({"outputConfig": {"effort": "huge"}}, "outputConfig.effort"),
        (
            {"outputConfig": {"textFormat": {"structure": {"jsonSchema": {"schema": "{"}}}}},
            "outputConfig.textFormat.structure.jsonSchema.schema",
        ),
        (
            {"additionalModelRequestFields": {"thinking": {"type": "enabled"}}},
            "additionalModelRequestFields.thinking.budget_tokens",
        ),
    ],
)
def test_what_is_wrong_is_named(change: Any, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(TEXT | change)
    assert caught.value.param == param


def test_whatever_comes_is_read_or_refused() -> None:
    """2,000 spoiled requests: a chat or a refusal, never a crash."""
    spoiler, seen = Spoiler(11, large=200), set[bool]()
    body = json.dumps(EVERYTHING).encode()
    for _ in range(2000):
        spoiled = spoiler.spoil(body)
        try:
            read_request(spoiled, "m", False)
            seen.add(True)
        except BadRequest:
            seen.add(False)
    assert seen == {True, False}


def test_what_is_read_is_written_again() -> None:
    """But for what only the caller's own words say."""
    aim = Aim(
        model="anthropic.claude-sonnet-4-5-v1:0", capabilities=Capabilities(json_schema=True, prompt_cache="marks")
    )
    chat = read(EVERYTHING)
    chat.extra, chat.thinking, chat.top_k = {}, None, None
    found = accepted(write_request(chat, aim, Losses()), "ConverseStream")
    assert found["system"] == EVERYTHING["system"]
    assert found["inferenceConfig"] == EVERYTHING["inferenceConfig"]
    assert found["requestMetadata"] == EVERYTHING["requestMetadata"]
    assert found["guardrailConfig"] == EVERYTHING["guardrailConfig"]
    assert found["toolConfig"]["tools"][:2] == EVERYTHING["toolConfig"]["tools"][:2]
    assert found["messages"][1]["content"][:2] == EVERYTHING["messages"][1]["content"][:2]
    assert found["messages"][0]["content"][:2] == EVERYTHING["messages"][0]["content"][:2]
    assert found["messages"][0]["content"][4] == EVERYTHING["messages"][0]["content"][4]
