"""Whether answers follow a schema, choice by choice, and at the end of a stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from policies.guardrails._judged import MAX_TEXT, AtEnd, judge, rewritten
from proxy.chat import Choice, Completion, Part, Reasoning, Refusal, Text, ToolCall
from proxy.dialects.paths import EXACT
from proxy.guarding.json_schema import Schema
from proxy.translation.answers import Taken
from tests.support.compiled import make_exchange

AGE = Schema({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]})


def _said(*choices: list[Part]) -> Completion:
    return Completion(id="1", model="m", choices=[Choice(parts=parts, index=at) for at, parts in enumerate(choices)])


def test_right_answers_and_what_is_none() -> None:
    completion = _said(
        [Reasoning(text="Hm."), Text('{"age":'), Text(" 7}")],
        [ToolCall(id="1", name="f", arguments="{}")],
        [Refusal("No.")],
    )
    found = judge(AGE, completion, True)
    assert (found.problems, found.texts) == ([], {})


@pytest.mark.parametrize(
    ("text", "place", "keyword"),
    [
        ('{"age": "7"}', "$.age", "type"),
        ("seven", "$", "json"),
        ('Sure: {"age": "7"}', "$.age", "type"),
        ("1" * (MAX_TEXT + 1), "$", "length"),
    ],
)
def test_the_first_wrong_choice_is_told(text: str, place: str, keyword: str) -> None:
    found = judge(AGE, _said([Text('{"age": 1}')], [Text(text)]), True)
    assert [(problem.place, problem.keyword) for problem in found.problems] == [(place, keyword)]
    assert found.text == text


def test_what_cannot_be_read_is_wrong() -> None:
    assert judge(AGE, None, True).problems


def test_repairs_are_said_instead() -> None:
    completion = _said([Text("So: "), Reasoning(text="Hm."), Text('{"age": 7,}')])
    found = judge(AGE, completion, True)
    assert found.texts == {'So: {"age": 7,}': '{"age": 7}'}
    assert completion.choices[0].parts == [Text('{"age": 7}'), Reasoning(text="Hm.")]
    assert judge(AGE, _said([Text('{"age": 7,}')]), False).problems


def test_other_bytes_of_an_answer_stay() -> None:
    body = b'{"id":"x", "choices":[{"message":{"content":"```\\n{}\\n```" }}], "own": [1.0]}'
    expected = b'{"id":"x", "choices":[{"message":{"content":"{}" }}], "own": [1.0]}'
    assert rewritten(body, {"```\n{}\n```": "{}"}) == expected
    assert rewritten(body, {"elsewhere": "{}"}) is None


async def _stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _event(**delta: object) -> bytes:
    finish = delta.pop("finish", None)
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "1", "model": "m", "choices": [choice]}).encode() + b"\n\n"


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_the_end_waits_for_the_check(size: int) -> None:
    """Whatever the chunks: not a byte is changed, and the check sees all before the end is given out."""
    x = make_exchange()
    x.endpoint = EXACT["POST", "/v1/chat/completions"]
    text, last = _event(content='{"age"') + _event(content=": 7}"), _event(finish="stop") + b"data: [DONE]\n\n"
    whole = text + last
    seen: list[tuple[bytes, Completion]] = []
    out: list[bytes] = []

    async def check(completion: Completion) -> None:
        seen.append((b"".join(out), completion))

    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    async for chunk in AtEnd(_stream(*chunks), Taken(x), check):
        out.append(chunk)
    assert b"".join(out) == whole
    ((before, completion),) = seen
    assert before == text
    assert completion.choices[0].parts == [Text('{"age": 7}')]
