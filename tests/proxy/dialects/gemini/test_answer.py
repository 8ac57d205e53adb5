"""Whole answers: what a provider may say, and what a client is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from google.genai import types

from proxy.chat import Chat, Choice, Completion, Foreign, Media, Reasoning, Refusal, Text, ToolCall
from proxy.dialects.gemini.answer import read_answer, write_answer
from proxy.errors import BadAnswer

CHAT = Chat(model="asked", messages=[])


def _read(*parts: dict[str, Any], **candidate: Any) -> Choice:
    body = {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "finishReason": "STOP"} | candidate]}
    return read_answer(msgspec.json.encode(body)).choices[0]


def test_every_kind_of_part_is_read() -> None:
    choice = _read(
        {"text": "hm", "thought": True, "thoughtSignature": "QQ=="},
        {"text": "a"},
        {"text": ""},
        {"inlineData": {"mimeType": "image/png", "data": "QQ=="}},
        {"fileData": {"fileUri": "gs://a", "mimeType": "video/mp4"}},
        {"executableCode": {"code": "1"}, "thoughtSignature": "QQ=="},
        {"somethingNew": {}},
        {"thoughtSignature": "QUJD"},
        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "x"}, "thoughtSignature": "QQ=="},
    )
    code = {"executableCode": {"code": "1"}, "thoughtSignature": "QQ=="}
    assert choice.parts == [
        Reasoning(text="hm", signature="QQ==", origin="gemini"),
        Text("a"),
        Media(kind="image", data="QQ==", media_type="image/png"),
        Media(kind="video", url="gs://a", media_type="video/mp4"),
        Foreign(origin="gemini", what="content.executableCode", value=code),
        Text("", signature="QUJD", origin="gemini"),
        ToolCall(id="x", name="f", arguments='{"a":1}', signature="QQ==", origin="gemini"),
    ]
    assert choice.stop == "tool_calls"


def test_calls_without_ids_get_some_that_differ() -> None:
    calls = [part for part in _read(*[{"functionCall": {"name": "f"}}] * 3).parts if isinstance(part, ToolCall)]
    assert len({call.id for call in calls}) == 3
    assert [call.arguments for call in calls] == ["{}"] * 3


def test_a_prompt_that_was_blocked_is_an_answer_without_words() -> None:
    body = b'{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":5}}'
    completion = read_answer(body)
    assert completion.choices == [Choice(parts=[], stop="content_filter", reason="PROHIBITED_CONTENT")]
    assert completion.usage is not None
    again: Any = types.GenerateContentResponse.model_validate_json(write_answer(completion, CHAT))
    assert again.candidates[0].finish_reason == types.FinishReason.PROHIBITED_CONTENT


def test_several_candidates_are_several_choices() -> None:
    body = {
        "candidates": [
            {"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "MAX_TOKENS"},
            {"content": {"parts": [{"text": "a"}]}, "finishReason": "BRAND_NEW"},
        ]
    }
    choices = read_answer(msgspec.json.encode(body)).choices
    assert [(one.index, one.stop, one.reason) for one in choices] == [(1, "length", None), (0, "other", "BRAND_NEW")]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"candidates":[]}',
        b'{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}',
        b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":[]}}]}}]}',
        b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"\xff":1}}}]}}]}',
    ],
)
def test_what_makes_no_sense_is_a_bad_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answer(body)


def test_what_is_not_known_is_filled_in_for_the_client() -> None:
    completion = Completion(id="", model="", choices=[Choice(parts=[Refusal("no"), Reasoning(), Text("")])])
    answer: Any = types.GenerateContentResponse.model_validate_json(write_answer(completion, CHAT))
    assert answer.model_version == "asked"
    assert answer.response_id
    assert [part.text for part in answer.candidates[0].content.parts] == ["no"]
    assert answer.usage_metadata is None


def test_free_text_of_a_custom_tool_is_an_argument() -> None:
    parts: list[Any] = [ToolCall(id="1", name="f", arguments="free", custom=True)]
    written = write_answer(Completion(id="i", model="m", choices=[Choice(parts=parts)]), CHAT)
    assert _read(*msgspec.json.decode(written)["candidates"][0]["content"]["parts"]).parts == [
        ToolCall(id="1", name="f", arguments='{"input":"free"}')
    ]
