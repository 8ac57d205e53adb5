"""What is never kept: the fourteen kinds, by what is asked and by what is answered. CAC-02."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.caching.key import read_body
from proxy.caching.rules import Rules
from proxy.exchange import Exchange
from proxy.targets.needs import conversation_of
from proxy.translation.answers import completion_of
from tests.support.caching import STREAM, asked, event, said

SURE: dict[str, Any] = {"temperature": 0}
SEARCH = {"type": "web_search_20250305", "name": "s"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def refused(x: Exchange, rules: Rules | None = None) -> str | None:
    """Why."""
    return (rules or Rules()).of_request(x, read_body(x.body), conversation_of)


def content(part: dict[str, Any]) -> dict[str, Any]:
    """A message with this part."""
    return {**SURE, "messages": [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, part]}]}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "drawn by chance"),
        ({"temperature": 0.2}, "drawn by chance"),
        ({"temperature": 1}, "drawn by chance"),
        ({"temperature": False}, "drawn by chance"),
        (content({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}), "by address"),
        (content({"type": "file", "file": {"file_id": "file-1"}}), "by address"),
        ({**SURE, "web_search_options": {}}, "`web_search_options`"),
        ({**SURE, "store": True}, "stores"),
        ({**SURE, "path": "/v1/images/generations"}, "more than an answer"),
        ({"path": "/v1/completions"}, "drawn by chance"),
        ({**SURE, "path": "/v1/messages", "max_tokens": 9, "tools": [SEARCH]}, "runs a tool"),
        ({**SURE, "path": "/v1/responses", "input": "Hi"}, "stores"),
        ({**SURE, "path": "/v1/responses", "store": False, "previous_response_id": "resp_1"}, "`previous_response_id`"),
    ],
)
def test_requests_whose_answer_may_be_another(more: dict[str, Any], expected: str) -> None:
    assert expected in (refused(asked(**more)) or "")


@pytest.mark.parametrize(
    "more",
    [
        SURE,
        {"temperature": 0.0},
        {"temperature": 0.7, "seed": 3},
        content({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}),
        {**SURE, "tools": [{"type": "function", "function": {"name": "f"}}]},
        {"path": "/v1/embeddings", "input": "Hi"},
        {"path": "/v1/messages", "max_tokens": 5, **SURE},
    ],
)
def test_requests_whose_answer_is_the_same(more: dict[str, Any]) -> None:
    assert refused(asked(**more)) is None


def test_what_the_file_allows() -> None:
    assert refused(asked(), Rules(any_temperature=True)) is None
    body = b'{"contents": [], "generationConfig": {"temperature": 0}}'
    assert refused(asked(path="/v1beta/models/m:generateContent", body=body)) is None


def test_another_route_is_another_matter() -> None:
    x = asked(**SURE)
    x.detour = object()
    assert refused(x) == "another route answers"


ANSWERS: dict[str, tuple[bytes, str | None]] = {
    "good": (said(), None),
    "too long": (said(finish="length"), "finished by length"),
    "filtered": (said(finish="content_filter"), "finished by content_filter"),
    "calls": (said("", finish="tool_calls", tool_calls=[CALL]), "it calls tools"),
    "calls, says stop": (said("", tool_calls=[CALL]), "it calls tools"),
    "empty": (said(""), "empty"),
    "blank": (said(" \n\t "), "empty"),
    "refusal": (said("", refusal="No."), "finished by refusal"),
    "quotes": (said('He said "refusal": "no" and "tool_calls":[{"a":1}] "finish_reason":"length"'), None),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(name: str) -> None:
    """By the bytes, quickly, and by what they mean, alike."""
    body, expected = ANSWERS[name]
    assert Rules().of_chat(body) == expected
    completion = completion_of(asked(), body, is_sse=False)
    assert completion is not None
    assert Rules().of_answer(completion) == expected


def test_answers_that_call_tools_may_be_kept() -> None:
    body = said("", finish="tool_calls", tool_calls=[CALL])
    completion = completion_of(asked(), body, is_sse=False)
    assert completion is not None
    rules = Rules(tool_calls=True)
    assert rules.of_chat(body) is rules.of_answer(completion) is None


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (STREAM, None),
        (STREAM[:3], "incomplete"),
        ([event({"content": "Hi"}), event({}, "length")], "finished by length"),
        ([event({"role": "assistant", "content": ""}), event({}, "stop")], "empty"),
        ([event({"tool_calls": [{"index": 0, **CALL}]}), event({}, "tool_calls")], "it calls tools"),
        ([event({"refusal": "No."}), event({}, "stop")], "finished by refusal"),
    ],
)
def test_streams(events: list[bytes], expected: str | None) -> None:
    assert Rules().of_chat_stream(b"".join(events)) == expected


def test_nothing_is_no_answer() -> None:
    completion = completion_of(asked(), said(), is_sse=False)
    assert completion is not None
    completion.choices = []
    assert Rules().of_answer(completion) == "empty"
