"""What a client asks, and what it may not ask."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.chat import Chat, Message, Text, Thinking
from proxy.dialects.openai_responses.request import read_request
from proxy.errors import BadRequest


def _read(**members: Any) -> Chat:
    return read_request(json.dumps({"model": "m", "input": "Hi", **members}).encode())


def test_a_plain_question_is_a_message() -> None:
    assert _read() == Chat(model="m", messages=[Message("user", [Text("Hi")])])


def test_instructions_stand_first_and_are_marked() -> None:
    chat = _read(instructions="Be brief.", input=[{"role": "user", "content": "Hi"}])
    assert chat.instructed
    assert chat.messages == [Message("system", [Text("Be brief.")]), Message("user", [Text("Hi")])]


def test_every_parameter_has_its_neutral_name() -> None:
    chat = _read(
        stream=True,
        stream_options={"include_obfuscation": False},
        max_output_tokens=99,
        temperature=0.5,
        top_p=0.9,
        top_logprobs=3,
        parallel_tool_calls=False,
        text={"format": {"type": "json_object"}, "verbosity": "low"},
        reasoning={"effort": "high", "summary": "detailed"},
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
        metadata={"a": "b"},
        safety_identifier="u",
        user="old",
        service_tier="flex",
        store=False,
        previous_response_id="resp_1",
        prompt_cache_key="k",
        truncation="disabled",
    )
    assert (chat.stream, chat.max_tokens, chat.temperature, chat.top_p) == (True, 99, 0.5, 0.9)
    assert (chat.logprobs, chat.top_logprobs, chat.parallel_tool_calls) == (True, 3, False)
    assert chat.format is not None
    assert (chat.format.kind, chat.verbosity) == ("json_object", "low")
    assert chat.thinking == Thinking(effort="high", visible=True, summary="detailed")
    assert (chat.metadata, chat.user, chat.service_tier, chat.store) == ({"a": "b"}, "u", "flex", False)
    assert (chat.previous, chat.prompt_cache_key, chat.extra) == ("resp_1", "k", {})


def test_to_store_is_what_happens_anyway() -> None:
    assert _read(store=True).store is None


def test_null_means_that_nothing_was_said() -> None:
    names = ("instructions", "stream", "temperature", "tools", "tool_choice", "text", "reasoning", "metadata", "store")
    assert _read(**dict.fromkeys(names)) == _read()


def test_what_has_no_neutral_name_is_kept_to_be_reported() -> None:
    chat = _read(
        background=True,
        conversation={"id": "conv_1"},
        max_tool_calls=3,
        moderation=None,
        truncation="auto",
        include=["web_search_call.action.sources"],
        reasoning={"context": "all_turns"},
        stop=["x"],
    )
    assert chat.extra == {
        "background": True,
        "conversation": {"id": "conv_1"},
        "max_tool_calls": 3,
        "truncation": "auto",
        "include": ["web_search_call.action.sources"],
        "reasoning.context": "all_turns",
        "stop": ["x"],
    }


def test_a_question_for_tokens_needs_no_model_of_its_own() -> None:
    assert read_request(b'{"input":"Hi"}', "from the route").model == "from the route"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": [5]}, "input[0]"),
        ({"input": [{"role": "user", "content": [{"type": 5}]}]}, "input[0].content[0].type"),
        ({"model": 5}, "model"),
        ({"model": ""}, "model"),
        ({"max_output_tokens": -1}, "max_output_tokens"),
        ({"max_output_tokens": 10**30}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": "1"}, "top_p"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"name": "f"}]}, "tools[0].type"),
        ({"tools": [{"type": "function", "name": "f", "parameters": []}]}, "tools[0].parameters"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"reasoning": {"effort": "some"}}, "reasoning.effort"),
        ({"reasoning": {"summary": "long"}}, "reasoning.summary"),
        ({"metadata": {"a": 5}}, "metadata[...]"),
        ({"truncation": "some"}, "truncation"),
        ({"include": "all"}, "include"),
    ],
)
def test_what_is_wrong_has_a_place(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _read(**members)
    assert caught.value.param == param
    assert caught.value.http_status == 400


def test_there_are_bounds() -> None:
    with pytest.raises(BadRequest, match="at most 10000"):
        _read(input=[{"role": "user", "content": "x"}] * 10_001)
    with pytest.raises(BadRequest, match="at most 4096"):
        _read(tools=[{"type": "web_search"}] * 4_097)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"model":"m","input":"\xff"}',
        b'{"model":"m","input":"x","new":"\xff"}',
        b'{"model":"m","input":"x","new":' + b"[" * 100_000,
        b'{"model":"m","input":"x","metadata":' + b'{"a":' * 100_000,
        b'{"model":"m","input":"x","temperature":NaN}',
        b'{"model":"m","input":"x","tools":[{"type":"new","x":' + b"[" * 5000 + b"]" * 5000 + b"}]}",
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_request(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_ITEM = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            [
                "message",
                "function_call",
                "function_call_output",
                "custom_tool_call",
                "reasoning",
                "item_reference",
                "x_call",
            ]
        )
        | _JSON,
        "role": st.sampled_from(["user", "assistant", "system", "tool"]) | _JSON,
        "content": st.text(max_size=5)
        | st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["input_text", "input_image", "x"])},
                optional={"text": _JSON, "image_url": _JSON},
            ),
            max_size=2,
        )
        | _JSON,
        "call_id": st.text(max_size=5) | _JSON,
        "name": st.text(max_size=5) | _JSON,
        "arguments": st.text(max_size=5) | _JSON,
        "output": _JSON,
        "summary": _JSON,
        "encrypted_content": st.sampled_from(["E", "sg.gemini@last.E", "sg.", "sg.@text.E"]) | _JSON,
        "id": _JSON,
    },
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_ITEM, max_size=4),
    st.dictionaries(st.sampled_from(["tools", "tool_choice", "text", "reasoning", "new"]), _JSON, max_size=3),
)
def test_anything_is_read_or_refused_with_a_place(items: list[Any], members: dict[str, Any]) -> None:
    body = json.dumps({"model": "m", "input": items, **members}).encode()
    assert _place_of_what_is_wrong(body) != ""


def _place_of_what_is_wrong(body: bytes) -> str | None:
    try:
        read_request(body)
    except BadRequest as error:
        return error.param or ""
    return None
