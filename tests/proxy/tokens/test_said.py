"""The text in the bytes of a stream: the model's own words, each once. (``test_emitted`` compares with the readers.)"""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.tokens.said import texts_of


def data(*events: Any) -> bytes:
    """Events with this JSON."""
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def said(dialect: str, *events: Any) -> list[str]:
    """The texts, read."""
    return [json.loads(b'"' + text + b'"') for text in texts_of(dialect, data(*events)) if text]


def chunk(**delta: Any) -> dict[str, Any]:
    """A chunk of a chat."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def test_a_thought_by_both_of_its_names_is_one() -> None:
    """Some services tell it as ``reasoning`` and as ``reasoning_content``."""
    pieces = ["ha ", "ha ", "", "ho"]
    first = [chunk(reasoning=text, content="", reasoning_content=text) for text in pieces]
    second = [chunk(reasoning_content=text, reasoning=text) for text in pieces]
    for both in (first, second):
        assert said("openai_chat", *both, chunk(content="ho")) == ["ha ", "ha ", "ho", "ho"]
    assert said("openai_chat", *(chunk(reasoning=text) for text in pieces)) == ["ha ", "ha ", "ho"]
    assert said("openai_chat", chunk(reasoning="a", reasoning_content="b")) == ["a", "b"]


def test_calls_and_refusals_of_a_chat() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"content":"x"}'}}
    assert said("openai_chat", chunk(tool_calls=[call]), chunk(refusal="No.")) == ['{"content":"x"}', "No."]


def test_what_a_gemini_says() -> None:
    """Arguments are counted once, whatever they hold; what a source says is not the model's."""
    arguments = {"text": 'a "b"', "n": [1, {"text": "c", "é": "\\"}]}
    call = {"functionCall": {"name": "f", "args": arguments}}
    code = {"executableCode": {"language": "PYTHON", "code": "print('\"')"}}
    partial = {"functionCall": {"partialArgs": [{"jsonPath": "$.city", "stringValue": "Ulm"}], "willContinue": True}}
    content = {"parts": [{"text": "Hi", "thought": True}, call, code, partial, {"inlineData": {"data": "AAAA"}}]}
    quoted = {"groundingSupports": [{"segment": {"text": "quoted"}}]}
    found = said("gemini", {"candidates": [{"content": content, "groundingMetadata": quoted}]})
    assert found == ["Hi", json.dumps(arguments), "print('\"')", "Ulm"]


@pytest.mark.parametrize(
    "odd",
    [
        *(
            {"candidates": None},
            {"candidates": [{"content": {"parts": None}}]},
            {"candidates": [{}]},
            [1],
            {"text": "x"},
        ),
        {"candidates": [{"content": {"parts": [{"text": 7}, {"functionCall": {}}, {"functionCall": None}]}}]},
    ],
)
def test_what_a_gemini_does_not_say(odd: Any) -> None:
    assert said("gemini", odd, {"candidates": [{"content": {"parts": [{"text": "on"}]}}]}) == ["on"]


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
def test_what_is_no_json_says_nothing(dialect: str) -> None:
    assert texts_of(dialect, b'data: {"text": \n\ndata: \xff\n\n: text\n\ndata: [DONE]\n\n' + b"[" * 5000) == []
