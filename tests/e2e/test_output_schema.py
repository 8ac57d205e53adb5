"""`output_schema` on the wire: every dialect, streamed or not, and a ledger that knows each try."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
import openai
import pytest

from tests.support.gateway import Gateway
from tests.support.upstream import FakeUpstream
from tests.upstream.say import Part, Say

GOOD, FENCED, BAD = '{"age": 7}', 'Sure:\n```json\n{"age": 7,}\n```', '{"age": "seven"}'
SCHEMA = "{type: object, properties: {age: {type: integer}}, required: [age]}"
_NUMBERS = count()  # of what is told: one that was told before would go on where it was
ASKED: Any = [{"role": "user", "content": "How old?"}]
# By dialect: path, body, and where the text stands in an answer.
WAYS: dict[str, tuple[str, dict[str, Any], Callable[[Any], str]]] = {
    "chat": (
        "/v1/chat/completions",
        {"model": "strict", "messages": ASKED},
        lambda found: found["choices"][0]["message"]["content"],
    ),
    "responses": (
        "/v1/responses",
        {"model": "strict", "input": "How old?"},
        lambda found: found["output"][-1]["content"][0]["text"],
    ),
    "messages": (
        "/v1/messages",
        {"model": "strict", "max_tokens": 99, "messages": ASKED},
        lambda found: found["content"][0]["text"],
    ),
    "gemini": (
        "/v1beta/models/strict:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "How old?"}]}]},
        lambda found: found["candidates"][0]["content"]["parts"][0]["text"],
    ),
}


@pytest.fixture(scope="module")
def running(module_gateway: Callable[..., Gateway], upstream_process: FakeUpstream) -> Gateway:
    """One target, and policies that differ in what they do about streams."""
    return module_gateway(f"""
providers:
  up:
    kind: openai
    base_url: "{upstream_process.url}"
    api_key: sk-up
    models: {{"*": {{price: {{input: $1, output: $10}}}}}}
routes:
  strict: {{models: [strict], policies: [output_schema: {{schema: {SCHEMA}}}], target: up/m}}
  watched: {{models: [watched], policies: [output_schema: {{schema: {SCHEMA}, on_stream: check_at_end}}], target: up/m}}
  asked: {{models: [asked], policies: [output_schema], target: up/m}}
""")


def _say(*texts: str) -> list[dict[str, Any]]:
    return [{"say": msgspec.to_builtins(Say(parts=[Part(kind="text", pieces=[text[:9], text[9:]])]))} for text in texts]


def _tell(upstream: FakeUpstream, *texts: str) -> None:
    """One answer after the other; the last stays."""
    upstream.tell("m", id=f"schema {next(_NUMBERS)}", steps=_say(*texts))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("texts", "tries"), [((GOOD,), 1), ((FENCED,), 1), ((BAD, "seven", GOOD), 3)])
async def test_whole_answers(
    way: str, texts: tuple[str, ...], tries: int, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    path, body, text_of = WAYS[way]
    _tell(upstream, *texts)
    asked = await wire(running.port)
    await asked.request("POST", path, body)
    assert await asked.head() == 200
    assert json.loads(text_of(json.loads(await asked.whole()))) == {"age": 7}
    assert asked.header("x-sluicegate-attempts") == str(tries)


@pytest.mark.parametrize("way", WAYS)
async def test_what_never_follows_is_refused_in_the_callers_dialect(
    way: str, running: Gateway, upstream: FakeUpstream, wire: Any
) -> None:
    """Each try was paid for."""
    path, body, _ = WAYS[way]
    _tell(upstream, BAD)
    asked = await wire(running.port)
    await asked.request("POST", path, body)
    assert await asked.head() == 422
    assert "$.age: 'seven' is not of type 'integer'" in json.loads(await asked.whole())["error"]["message"]
    line = await running.logged("request", request_id=asked.header("x-request-id"))
    assert [outcome for _, outcome, _ in line["attempts"]] == ["ok"] * 3
    assert line["cost_usd"] > 0
    assert line["notes"]["output_schema"] == "refused after 3 answers: $.age type"


@pytest.mark.parametrize("texts", [(GOOD,), (FENCED,), (BAD, GOOD)])
async def test_streams_are_held_back_until_they_are_right(
    texts: tuple[str, ...], running: Gateway, upstream: FakeUpstream, client: Any
) -> None:
    _tell(upstream, *texts)
    stream = await client(running.url).chat.completions.create(model="strict", messages=ASKED, stream=True)
    told = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
    assert json.loads(told) == {"age": 7}


async def test_a_stream_that_is_never_right_is_an_error(running: Gateway, upstream: FakeUpstream, client: Any) -> None:
    _tell(upstream, BAD)
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        await client(running.url).chat.completions.create(model="strict", messages=ASKED, stream=True)
    assert refused.value.code == "output_schema_failed"


@pytest.mark.parametrize(("text", "right"), [(GOOD, True), (BAD, False), (FENCED, False)])
async def test_a_stream_that_flows_ends_with_an_error_if_it_is_wrong(
    text: str, right: bool, running: Gateway, upstream: FakeUpstream, client: Any
) -> None:
    _tell(upstream, text)
    stream = await client(running.url).chat.completions.create(model="watched", messages=ASKED, stream=True)
    told: list[str] = []
    failed = None
    try:
        async for chunk in stream:
            told += [choice.delta.content or "" for choice in chunk.choices]
            assert right or all(choice.finish_reason is None for choice in chunk.choices)
    except openai.APIError as error:
        failed = error
    assert "".join(told) == text
    assert (failed is None) == right
    assert failed is None or failed.code == "output_schema_failed"


async def test_the_requests_own_schema_and_calls_of_tools(
    running: Gateway, upstream: FakeUpstream, client: Any
) -> None:
    chat = client(running.url).chat.completions
    form = {"type": "json_schema", "json_schema": {"name": "age", "schema": {"type": "object", "required": ["age"]}}}
    _tell(upstream, "seven", GOOD)
    found = await chat.create(model="asked", messages=ASKED, response_format=form)
    assert found.choices[0].message.content == GOOD
    _tell(upstream, "seven")
    assert (await chat.create(model="asked", messages=ASKED)).choices[0].message.content == "seven"
    call = Say(parts=[Part(kind="call", pieces=['{"a":', "1}"], name="f")], stop="tool_calls")
    upstream.tell("m", say=msgspec.to_builtins(call))
    found = await chat.create(model="strict", messages=ASKED)
    assert found.choices[0].message.tool_calls[0].function.arguments == '{"a":1}'
