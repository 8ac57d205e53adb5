"""Requests to providers, judged by the official client's types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.chat import Chat, Format, Losses, Message, Text, Thinking, Tool, ToolCall, ToolChoice, ToolResult
from proxy.choosing.capability import Capabilities
from proxy.dialects.dialect import Aim
from proxy.dialects.openai_responses.body import write_count_request, write_request
from proxy.dialects.openai_responses.request import read_request
from proxy.errors import BadRequest
from tests.support.judged.openai_responses import judge

_THINKER = Aim(model="gpt-5.1", capabilities=Capabilities(thinking="effort"))
_PLAIN = Aim(model="gpt-4o")
_HI = [Message("user", [Text("Hi")])]


def _write(chat: Chat, aim: Aim = _PLAIN) -> tuple[dict[str, Any], list[str]]:
    losses = Losses()
    body = write_request(chat, aim, losses)
    judge(body, "/v1/responses")
    found: dict[str, Any] = json.loads(body)
    return found, list(losses.names)


def test_a_plain_question_is_small() -> None:
    body, losses = _write(Chat(model="fast", messages=_HI))
    assert body == {"model": "gpt-4o", "input": [{"role": "user", "content": "Hi"}], "store": False}
    assert losses == []


def test_everything_has_its_word() -> None:
    chat = Chat(
        model="fast",
        messages=[Message("system", [Text("Be.")]), *_HI],
        instructed=True,
        stream=True,
        max_tokens=99,
        temperature=0.5,
        top_p=0.9,
        logprobs=True,
        top_logprobs=2,
        tools=[Tool(name="f", parameters={"type": "object"})],
        tool_choice=ToolChoice("tool", "f"),
        parallel_tool_calls=False,
        format=Format(kind="json_object"),
        verbosity="low",
        thinking=Thinking(effort="high", summary="detailed"),
        service_tier="flex",
        user="u",
        metadata={"a": "b"},
        prompt_cache_key="k",
        store=True,
    )
    body, losses = _write(chat, _THINKER)
    assert losses == []
    assert body == {
        "model": "gpt-5.1",
        "instructions": "Be.",
        "input": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "reasoning": {"effort": "high", "summary": "detailed"},
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
        "top_logprobs": 2,
        "max_output_tokens": 99,
        "temperature": 0.5,
        "top_p": 0.9,
        "metadata": {"a": "b"},
        "prompt_cache_key": "k",
        "service_tier": "flex",
        "safety_identifier": "u",
        "store": True,
        "stream": True,
    }


def test_a_request_that_is_read_is_written_the_same() -> None:
    asked = {
        "model": "m",
        "instructions": "Be.",
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "ok"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}],
        "tool_choice": "required",
        "text": {"verbosity": "high"},
        "store": False,
    }
    losses = Losses()
    written = write_request(read_request(json.dumps(asked).encode()), Aim(model="m"), losses)
    assert json.loads(written) == asked
    assert not losses


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (Thinking(effort="low"), {"effort": "low"}),
        (Thinking(effort="low", visible=True), {"effort": "low", "summary": "auto"}),
        (Thinking(budget=8192), {"effort": "medium", "summary": "auto"}),
        (Thinking(budget=8192, visible=False), {"effort": "medium"}),
        (Thinking(budget=0), {"effort": "none"}),
        (Thinking(budget=-1), {"summary": "auto"}),
        (Thinking(), None),
    ],
)
def test_a_wish_to_think_is_an_effort(wish: Thinking, told: object) -> None:
    body, _ = _write(Chat(model="m", messages=_HI, thinking=wish), _THINKER)
    assert body.get("reasoning") == told


def test_too_few_tokens_are_the_fewest_that_the_api_takes() -> None:
    body, losses = _write(Chat(model="m", messages=_HI, max_tokens=1))
    assert (body["max_output_tokens"], losses) == (16, ["max_tokens"])


def test_a_long_name_of_a_user_stays_one() -> None:
    first, _ = _write(Chat(model="m", messages=_HI, user="x" * 100))
    second, _ = _write(Chat(model="m", messages=_HI, user="x" * 100))
    other, _ = _write(Chat(model="m", messages=_HI, user="x" * 101))
    assert first["safety_identifier"] == second["safety_identifier"] != other["safety_identifier"]
    assert len(first["safety_identifier"]) == 64


def test_a_choice_without_tools_is_none() -> None:
    body, _ = _write(Chat(model="m", messages=_HI, tool_choice=ToolChoice("auto"), parallel_tool_calls=True))
    assert "tool_choice" not in body
    assert "parallel_tool_calls" not in body


def test_what_a_provider_stores_may_be_gone_on_from() -> None:
    """Then a call may stand in what it stores."""
    result = ToolResult(call_id="c9", parts=(Text("ok"),))
    body, _ = _write(Chat(model="m", messages=[Message("user", [result])], previous="resp_1"))
    assert (body["previous_response_id"], body["input"][0]["call_id"]) == ("resp_1", "c9")


def test_nothing_to_say_is_refused() -> None:
    with pytest.raises(BadRequest):
        _write(Chat(model="m", messages=[Message("system", [Text("Be.")])], instructed=True))
    with pytest.raises(BadRequest):
        _write(Chat(model="m", messages=[Message("user", [Text("")])]))


def test_the_question_for_tokens_has_what_counts() -> None:
    call = ToolCall(id="c", name="f", arguments="{}")
    chat = Chat(
        model="m", messages=[*_HI, Message("assistant", [call])], max_tokens=5, temperature=1, stream=True, store=True
    )
    found = json.loads(write_count_request(chat, _PLAIN, Losses()))
    assert found.keys() == {"model", "input"}
