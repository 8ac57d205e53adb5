"""What clients of chat completions ask is read completely, and anything wrong is refused by name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import (
    Cache,
    Chat,
    Foreign,
    Format,
    Media,
    Message,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from proxy.dialects.openai_chat.request import read_request
from proxy.dialects.openai_chat.wire import NAME
from proxy.errors import BadRequest

HI: dict[str, Any] = {"role": "user", "content": "hi"}
BASE: dict[str, Any] = {"model": "m", "messages": [HI]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FUNCTION = {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def _read(**more: Any) -> Chat:
    return read_request(msgspec.json.encode(BASE | more))


def _content(*parts: Any) -> list[Any]:
    return _read(messages=[{"role": "user", "content": list(parts)}]).messages[0].parts


def test_the_smallest_request_says_nothing_that_was_not_said() -> None:
    assert _read() == Chat(model="m", messages=[Message("user", [Text("hi")])])


def test_plain_parameters_are_read() -> None:
    given: dict[str, Any] = {
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 7,
        "stop": ["a", "b"],
        "n": 2,
        "seed": -3,
        "presence_penalty": 1,
        "frequency_penalty": -2,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "top_logprobs": 5,
        "parallel_tool_calls": False,
        "reasoning_effort": "xhigh",
        "verbosity": "low",
        "service_tier": "flex",
        "metadata": {"k": "v"},
        "user": "ada",
        "store": True,
        "prediction": {"type": "content", "content": "x"},
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "wav"},
        "prompt_cache_key": "key",
    }
    chat = _read(**given)
    same = given.keys() - {"stream_options", "reasoning_effort"}
    assert {name: getattr(chat, name) for name in same} == {name: given[name] for name in same}
    assert (chat.include_usage, chat.thinking, chat.extra) == (True, Thinking(effort="xhigh"), {})


def test_older_and_newer_words_for_the_same_are_read() -> None:
    assert _read(max_tokens=5).max_tokens == 5
    assert _read(max_tokens=5, max_completion_tokens=6).max_tokens == 6
    assert _read(stop="x").stop == ["x"]
    assert _read(safety_identifier="ada").user == "ada"
    assert _read(random_seed=4).seed == 4


def test_null_is_the_same_as_nothing() -> None:
    names = (
        "stop",
        "tools",
        "tool_choice",
        "response_format",
        "temperature",
        "stream",
        "metadata",
        "web_search_options",
    )
    assert _read(**dict.fromkeys(names)) == _read()


def test_what_is_not_known_is_kept_by_its_name() -> None:
    assert list(_read(web_search_options={}, moderation={"model": "m"}, zz=None).extra) == [
        "web_search_options",
        "moderation",
    ]


def test_roles_are_kept_in_place() -> None:
    given = [
        {"role": role, "content": "a", "name": "n"} for role in ("system", "developer", "user", "assistant", "system")
    ]
    assert _read(messages=given).messages == [Message(one["role"], [Text("a")], "n") for one in given]  # type: ignore[arg-type]


def test_content_of_every_kind_is_read() -> None:
    data = "data:image/PNG;base64,QUJD"
    assert _content({"type": "text", "text": "a"}, {"type": "text", "text": "b"}) == [Text("a"), Text("b")]
    assert _content({"type": "image_url", "image_url": {"url": data, "detail": "low"}}) == [
        Media(kind="image", data="QUJD", media_type="image/png", detail="low")
    ]
    assert _content({"type": "image_url", "image_url": {"url": "https://x/a.png"}}) == [
        Media(kind="image", url="https://x/a.png")
    ]
    assert _content({"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}}) == [
        Media(kind="audio", data="QUJD", media_type="audio/mpeg")
    ]
    assert _content({"type": "file", "file": {"file_id": "file-1"}}) == [Media(kind="file", file_id="file-1")]
    pdf = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}
    assert _content({"type": "file", "file": pdf}) == [
        Media(kind="file", data="QUJD", media_type="application/pdf", name="a.pdf")
    ]
    assert _content({"type": "video_url", "video_url": {"url": "https://x/a.mp4"}}) == [
        Media(kind="video", url="https://x/a.mp4")
    ]


def test_content_in_mistrals_words_is_read() -> None:
    assert _content({"type": "image_url", "image_url": "https://x/a.png"}) == [
        Media(kind="image", url="https://x/a.png")
    ]
    assert _content({"type": "input_audio", "input_audio": "QUJD"}) == [
        Media(kind="audio", data="QUJD", media_type="audio/wav")
    ]
    assert _content({"type": "input_audio", "input_audio": "https://x/a.mp3"}) == [
        Media(kind="audio", url="https://x/a.mp3")
    ]
    document = {"type": "document_url", "document_url": "https://x/a.pdf", "document_name": "a"}
    assert _content(document) == [Media(kind="file", url="https://x/a.pdf", name="a")]
    assert _read(tool_choice="any").tool_choice == ToolChoice("required")


def test_markers_of_caches_are_read_and_unknown_ones_ignored() -> None:
    def text(**more: Any) -> Any:
        return _content({"type": "text", "text": "a"} | more)[0].cache

    assert text(cache_control={"type": "ephemeral"}) == Cache("5m")
    assert text(cache_control={"type": "ephemeral", "ttl": "1h"}) == Cache("1h")
    assert text(cache_control={"type": "persistent"}) is None
    assert text(prompt_cache_breakpoint={"mode": "explicit"}) == Cache("1h")
    tools = [{"type": "function", "function": {"name": "f"}, "cache_control": {"type": "ephemeral"}}]
    assert _read(tools=tools).tools[0].cache == Cache("5m")


def test_what_the_model_said_is_read_in_its_order() -> None:
    said = {
        "role": "assistant",
        "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}],
        "refusal": "never",
        "reasoning_content": "hm",
        "tool_calls": [CALL, {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "free"}}],
        "audio": {"id": "audio_1"},
    }
    assert _read(messages=[HI, said]).messages[1].parts == [
        Reasoning(text="hm"),
        Text("a"),
        Refusal("no"),
        Refusal("never"),
        ToolCall(id="c1", name="f", arguments='{"a":1}'),
        ToolCall(id="c2", name="g", arguments="free", custom=True),
        Foreign(origin=NAME, what="audio", value={"id": "audio_1"}),
    ]


def test_thoughts_keep_their_signatures() -> None:
    details = [
        {"type": "reasoning.text", "text": "h", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.text", "text": "m", "signature": "S", "index": 0},
        {"type": "reasoning.encrypted", "data": "D", "format": "google-gemini-v1", "id": "i", "index": 1},
        {"type": "reasoning.summary", "summary": "s", "format": "openai-responses-v1", "index": 2},
    ]
    said = {"role": "assistant", "content": "a", "reasoning_content": "hm", "reasoning_details": details}
    assert _read(messages=[HI, said]).messages[1].parts[:3] == [
        Reasoning(text="hm", signature="S", origin="anthropic"),
        Reasoning(redacted="D", origin="gemini", id="i"),
        Reasoning(text="s", origin="openai", is_summary=True),
    ]
    call = CALL | {"extra_content": {"google": {"thought_signature": "G"}}}
    found = _read(messages=[HI, {"role": "assistant", "tool_calls": [call]}]).messages[1].parts[0]
    assert isinstance(found, ToolCall)
    assert (found.signature, found.origin) == ("G", "gemini")


def test_a_thought_in_mistrals_form_is_read() -> None:
    chunk = {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]}
    said = {"role": "assistant", "content": [chunk, {"type": "text", "text": "a"}]}
    assert _read(messages=[HI, said]).messages[1].parts == [Reasoning(text="hm"), Text("a")]


def test_results_of_tools_in_a_row_are_one_turn_of_the_user() -> None:
    results = [
        {"role": "tool", "tool_call_id": "c1", "content": "7"},
        {
            "role": "tool",
            "tool_call_id": "c2",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
    ]
    messages = _read(messages=[HI, {"role": "assistant", "tool_calls": [CALL]}, *results, HI, *results[:1]]).messages
    assert messages[2:] == [
        Message(
            "user",
            [ToolResult(call_id="c1", parts=(Text("7"),)), ToolResult(call_id="c2", parts=(Text("a"), Text("b")))],
        ),
        Message("user", [Text("hi")]),
        Message("user", [ToolResult(call_id="c1", parts=(Text("7"),))]),
    ]


def test_older_functions_are_tools_whose_calls_have_ids_of_their_own() -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    result = {"role": "function", "name": "f", "content": "7"}
    chat = _read(functions=[FUNCTION], function_call={"name": "f"}, messages=[HI, called, result, called, result])
    assert chat.tools == [Tool(name="f", description="d", parameters=SCHEMA, strict=True)]
    assert (chat.tool_choice, chat.functions, chat.parallel_tool_calls) == (ToolChoice("tool", "f"), True, False)
    calls = [part.id for message in chat.messages for part in message.parts if isinstance(part, ToolCall)]
    answers = [part.call_id for message in chat.messages for part in message.parts if isinstance(part, ToolResult)]
    assert calls == answers
    assert len(set(calls)) == 2


def test_tools_of_every_kind_are_read() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}
    given: list[Any] = [
        {"type": "function", "function": FUNCTION},
        {"type": "custom", "custom": {"name": "g", "description": "d", "format": grammar}},
        {"type": "web_search", "filters": {"a": [1]}},
    ]
    assert _read(tools=given).tools == [
        Tool(name="f", description="d", parameters=SCHEMA, strict=True),
        Tool(name="g", description="d", custom=True, format=grammar),
        Tool(name="web_search", foreign=NAME, value=given[2]),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("tool", "f")),
        ({"type": "custom", "custom": {"name": "g"}}, ToolChoice("tool", "g")),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [
                        {"type": "function", "function": {"name": "f"}},
                        {"type": "custom", "custom": {"name": "g"}},
                    ],
                },
            },
            ToolChoice("required", allowed=("f", "g")),
        ),
    ],
)
def test_choices_of_tools_are_read(given: Any, expected: ToolChoice) -> None:
    assert _read(tool_choice=given).tool_choice == expected


def test_formats_of_answers_are_read() -> None:
    assert _read(response_format={"type": "text"}).format is None
    assert _read(response_format={"type": "json_object"}).format == Format(kind="json_object")
    schema = {"name": "n", "schema": SCHEMA, "description": "d", "strict": True}
    assert _read(response_format={"type": "json_schema", "json_schema": schema}).format == Format(
        kind="json_schema", name="n", schema=SCHEMA, description="d", strict=True
    )


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [HI] * 10_001}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        ({"messages": [HI, {"role": "user", "content": [{"type": "hologram"}]}]}, "messages[1].content[0].type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}]},
            "messages[0].content[0].image_url.url",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "messages[0].content[0].file"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]}, "messages[0].tool_calls[0].function"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_completion_tokens": 10**12}, "max_completion_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"n": 0}, "n"),
        ({"reasoning_effort": "much"}, "reasoning_effort"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}] * 4_097}, "tools"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice.allowed_tools"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"stop": [1]}, "stop"),
        ({"metadata": {"a": 1}}, "metadata[...]"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(more: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        _read(**more)
    assert refused.value.param is not None
    assert refused.value.param.startswith(param)
    assert refused.value.http_status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model":"\xff"}', b"[" * 100_000, b'{"a":NaN}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_request(body)
