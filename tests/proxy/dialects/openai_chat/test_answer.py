"""Whole answers are read from every service and written so that the official client reads them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import (
    Chat,
    Choice,
    Citation,
    Completion,
    Media,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from proxy.dialects.openai_chat.answer import decode, read_answer, read_piece, write_answer
from proxy.errors import BadAnswer, Overloaded, RateLimited, UpstreamError
from tests.proxy.dialects.openai_chat.official import check_answer

CHAT = Chat(model="asked", messages=[])
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def _read(message: Any, **more: Any) -> Completion:
    choice = {"index": 0, "message": message, "finish_reason": "stop"} | more.pop("choice", {})
    return read_answer(msgspec.json.encode({"id": "1", "model": "m", "created": 5, "choices": [choice]} | more))


def _parts(message: Any) -> list[Any]:
    return _read(message).choices[0].parts


def _again(completion: Completion, chat: Chat = CHAT) -> Completion:
    body = write_answer(completion, chat)
    check_answer(body)
    return read_answer(body)


def test_an_answer_is_read() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert _read({"role": "assistant", "content": "hi"}, usage=usage, service_tier="flex") == Completion(
        id="1",
        model="m",
        created=5,
        choices=[Choice(parts=[Text("hi")])],
        usage=Usage(input=3, output=4),
        service_tier="flex",
    )


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"content": None, "refusal": "no"}, [Refusal("no")]),
        ({"content": "a", "reasoning_content": "hm"}, [Reasoning(text="hm"), Text("a")]),
        ({"content": "a", "reasoning": "hm"}, [Reasoning(text="hm"), Text("a")]),
        (
            {
                "content": "a",
                "reasoning": "hm",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "hm", "signature": "S", "format": "anthropic-claude-v1"}
                ],
            },
            [Reasoning(text="hm", signature="S", origin="anthropic"), Text("a")],
        ),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "h"}]},
                    {"type": "text", "text": "a"},
                ]
            },
            [Reasoning(text="h"), Text("a")],
        ),
        ({"content": "", "tool_calls": [CALL]}, [ToolCall(id="c1", name="f", arguments='{"a":1}')]),
        (
            {"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "g", "input": "x"}}]},
            [ToolCall(id="c", name="g", arguments="x", custom=True)],
        ),
        (
            {"tool_calls": [CALL | {"extra_content": {"google": {"thought_signature": "G"}}}]},
            [ToolCall(id="c1", name="f", arguments='{"a":1}', signature="G", origin="gemini")],
        ),
        (
            {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": [1]}}}]},
            [ToolCall(id="c", name="f", arguments='{"a":[1]}')],
        ),
        (
            {"content": None, "audio": {"id": "x", "data": "QUJD", "transcript": "hi", "expires_at": 1}},
            [Media(kind="audio", data="QUJD", media_type="audio/wav", name="hi")],
        ),
        (
            {
                "content": "a",
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {"url": "u", "title": "t", "start_index": 1, "end_index": 2},
                    },
                    {"type": "file_citation"},
                ],
            },
            [Text("a", citations=(Citation(url="u", title="t", start=1, end=2, unit="answer"),))],
        ),
    ],
)
def test_what_services_say_is_read(message: Any, parts: list[Any]) -> None:
    assert _parts(message) == parts


def test_a_call_without_an_id_is_given_one_of_its_own() -> None:
    calls = _parts({"tool_calls": [{"function": {"name": "f"}}] * 2 + [CALL], "function_call": None})
    assert len({call.id for call in calls}) == 3
    assert _parts({"function_call": {"name": "f", "arguments": "{}"}})[0].name == "f"


def test_reasons_and_probabilities_are_read() -> None:
    found = _read({"content": "", "tool_calls": [CALL]}).choices[0]
    assert found.stop == "tool_calls"
    assert _read({"content": "a"}, choice={"finish_reason": "gave_up"}).choices[0].reason == "gave_up"
    tokens = [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]
    assert _read({"content": "a"}, choice={"logprobs": {"content": tokens}}).choices[0].logprobs == tokens


@pytest.mark.parametrize(
    ("body", "meaning"),
    [
        (b"<html>", BadAnswer),
        (b'{"choices"', BadAnswer),
        (b"{}", BadAnswer),
        (b"[]", BadAnswer),
        (b'{"choices":[{"index":0}]}', BadAnswer),
        (b'{"choices":[{"message":{"tool_calls":[{"id":"x"}]}}]}', BadAnswer),
        (b'{"choices":[{"message":{"content":"\xff"}}]}', BadAnswer),
        (b'{"choices":' + b"[" * 100_000, BadAnswer),
        (b'{"error":{"message":"slow down","type":"rate_limit_error"}}', RateLimited),
        (b'{"error":{"message":"busy","code":503}}', Overloaded),
    ],
)
def test_what_is_no_answer_has_its_meaning(body: bytes, meaning: type[UpstreamError]) -> None:
    with pytest.raises(meaning):
        read_answer(body)


def test_members_that_nobody_knows_are_ignored() -> None:
    assert decode(b'{"x_groq":{"id":1},"choices":[],"error":null}').choices == []
    assert read_piece({"type": "reference", "reference_ids": [1]}) == []
    assert read_piece("text") == []


WHOLE = Completion(
    id="chatcmpl-1",
    model="m",
    created=7,
    choices=[
        Choice(
            parts=[
                Reasoning(text="hm", signature="S", origin="anthropic"),
                Reasoning(redacted="D", origin="anthropic"),
                Text("a", citations=(Citation(url="https://x", title="t", start=0, end=1, unit="answer"),)),
                ToolCall(id="c1", name="f", arguments='{"a":1}', signature="G", origin="gemini"),
                ToolCall(id="c2", name="g", arguments="x", custom=True),
            ],
            stop="tool_calls",
        ),
        Choice(parts=[Refusal("no")], stop="refusal", index=1),
    ],
    usage=Usage(input=5, cached_read=2, output=3, reasoning=1),
    service_tier="default",
)


def test_an_answer_comes_back_as_it_went() -> None:
    """Thoughts, signatures, citations, calls and usage; the official client takes it."""
    assert _again(WHOLE) == WHOLE


def test_the_official_client_sees_what_was_said() -> None:
    answer = check_answer(write_answer(WHOLE, CHAT))
    first, second = answer.choices
    assert first.message.content == "a"
    assert first.message.tool_calls is not None
    assert [call.id for call in first.message.tool_calls] == ["c1", "c2"]
    assert first.message.annotations is not None
    assert first.message.annotations[0].url_citation.url == "https://x"
    assert (first.finish_reason, second.finish_reason) == ("tool_calls", "stop")
    assert second.message.refusal == "no"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (7, 4, 11)


def test_what_a_provider_left_out_is_made_up() -> None:
    answer = check_answer(write_answer(Completion(id="", model="", choices=[Choice(parts=[Text("a")])]), CHAT))
    assert answer.id.startswith("chatcmpl-")
    assert (answer.model, answer.usage) == ("asked", None)
    assert answer.created > 1_700_000_000


def test_a_client_of_older_functions_is_answered_in_its_words() -> None:
    chat = Chat(model="m", messages=[], functions=True)
    calls: Any = [ToolCall(id="a", name="f", arguments="{}"), ToolCall(id="b", name="g", arguments="{}")]
    choice = check_answer(
        write_answer(Completion(id="1", model="m", choices=[Choice(parts=calls, stop="tool_calls")]), chat)
    ).choices[0]
    assert choice.message.function_call is not None
    assert (choice.message.function_call.name, choice.finish_reason) == ("f", "function_call")
    assert choice.message.tool_calls is None


def test_an_answer_in_audio_is_one() -> None:
    audio = Media(kind="audio", data="QUJD", media_type="audio/wav", name="hi")
    again = _again(Completion(id="1", model="m", choices=[Choice(parts=[audio])]))
    assert again.choices[0].parts == [audio]
