"""The simulated provider as a whole: what the official client reads, that nothing changes between two asks, timing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from openai.types import CompletionUsage, CreateEmbeddingResponse, ImagesResponse, ModerationCreateResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response

from proxy.errors import (
    BadAnswer,
    BadCredential,
    Overloaded,
    RateLimited,
    Rejected,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from proxy.policy import Timeouts
from tests.support.sse import read_events

Make = Callable[..., Any]
CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "What is the capital of France?"}]}
STREAM = CHAT | {"stream": True, "stream_options": {"include_usage": True}}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
    },
}


def chunks_of(body: bytes) -> list[ChatCompletionChunk]:
    """A stream's chunks as the official client types them, strictly; its end marker checked."""
    events = read_events(body)
    assert events[-1].data == "[DONE]"
    return [ChatCompletionChunk.model_validate_json(event.data or "", strict=True) for event in events[:-1]]


async def test_the_default_answer_names_model_and_message(account: Make, ask: Make) -> None:
    """As the official client reads it."""
    answer = await ask(account("simulated"), CHAT)
    chat = ChatCompletion.model_validate_json(answer.body, strict=True)
    assert chat.choices[0].message.content == "This is m, simulated. You said: What is the capital of France?"
    assert (chat.model, chat.choices[0].finish_reason) == ("m", "stop")


async def test_equal_requests_get_equal_bytes(account: Make, ask: Make) -> None:
    """Also from another account with the same seed; with another seed it is another answer."""
    bodies = [(await ask(account("simulated"), CHAT)).body for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert (await ask(account("simulated", seed=1), CHAT)).body != bodies[0]
    assert (await ask(account("simulated"), CHAT | {"temperature": 0})).body != bodies[0]


async def test_a_stream_says_what_the_whole_says_at_the_same_price(account: Make, ask: Make) -> None:
    """Text, finish reason and usage are equal; chunks come in OpenAI's order."""
    provider = account("simulated")
    whole = ChatCompletion.model_validate_json((await ask(provider, CHAT)).body)
    chunks = chunks_of((await ask(provider, STREAM)).body)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks[-3:-1]] == [None, "stop"]
    assert (chunks[-1].choices, chunks[-1].usage) == ([], whole.usage)
    assert whole.usage is not None
    assert whole.usage.completion_tokens == len(chunks) - 3


async def test_usage_comes_only_when_asked_for(account: Make, ask: Make) -> None:
    """Without stream_options no chunk has it."""
    chunks = chunks_of((await ask(account("simulated"), CHAT | {"stream": True})).body)
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_a_limit_of_tokens_cuts_the_answer(account: Make, ask: Make, limit: str) -> None:
    """With the finish reason that says so."""
    chat = ChatCompletion.model_validate_json((await ask(account("simulated"), CHAT | {limit: 3})).body)
    assert chat.choices[0].finish_reason == "length"
    assert chat.usage is not None
    assert chat.usage.completion_tokens == 3


async def test_settings_decide_text_length_and_usage(account: Make, ask: Make) -> None:
    """Templates, echo, tokens, usage; by model where one is named, by glob, else the account's."""
    provider = account(
        "simulated",
        text="I am {model}.",
        models={
            "echo": {"text": "echo"},
            "long-*": {"tokens": 50, "text": "ab"},
            "dear": {"usage": {"prompt_tokens": 0, "completion_tokens": 9, "cached_tokens": 2}},
        },
    )

    async def chat(model: str) -> tuple[str | None, CompletionUsage | None]:
        found = ChatCompletion.model_validate_json((await ask(provider, CHAT, model=model)).body)
        return found.choices[0].message.content, found.usage

    assert (await chat("x"))[0] == "I am x."
    assert (await chat("echo"))[0] == "What is the capital of France?"
    text, usage = await chat("long-1")
    assert text == "ab" * 50
    assert usage is not None
    assert usage.completion_tokens == 50
    _, usage = await chat("dear")
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (0, 9, 9)


async def test_tools_are_called_in_pieces(account: Make, ask: Make) -> None:
    """Parallel calls with valid arguments, equal streamed and whole; after a result there is text."""
    provider = account("simulated", tool_calls={"count": 2})
    whole = ChatCompletion.model_validate_json((await ask(provider, CHAT | {"tools": [TOOL]})).body, strict=True)
    calls = whole.choices[0].message.tool_calls or []
    assert (whole.choices[0].finish_reason, len(calls)) == ("tool_calls", 2)
    chunks = chunks_of((await ask(provider, STREAM | {"tools": [TOOL]})).body)
    arguments = {0: "", 1: ""}
    for chunk in chunks[:-1]:
        for delta in chunk.choices[0].delta.tool_calls or []:
            assert delta.function is not None
            arguments[delta.index] += delta.function.arguments or ""
    assert [arguments[0], arguments[1]] == [call.function.arguments for call in calls if call.type == "function"]
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage == whole.usage
    turns = [*CHAT["messages"], {"role": "tool", "tool_call_id": "c", "content": "sunny"}]
    after = ChatCompletion.model_validate_json((await ask(provider, CHAT | {"tools": [TOOL], "messages": turns})).body)
    assert after.choices[0].finish_reason == "stop"


async def test_every_other_operation_answers_in_its_shape(account: Make, ask: Make) -> None:
    """Responses, embeddings, images, moderations, as the official client types them."""
    provider = account("simulated")
    body = (await ask(provider, {"model": "m", "input": "hi"}, "/v1/responses")).body
    assert Response.model_validate_json(body, strict=True).output_text == "This is m, simulated. You said: hi"
    body = (await ask(provider, {"model": "m", "input": ["a", "b"]}, "/v1/embeddings")).body
    assert len(CreateEmbeddingResponse.model_validate_json(body, strict=True).data[1].embedding) == 1536
    body = (await ask(provider, {"model": "m", "prompt": "p", "n": 2}, "/v1/images/generations")).body
    assert len(ImagesResponse.model_validate_json(body, strict=True).data or []) == 2
    body = (await ask(provider, {"model": "m", "input": "hi"}, "/v1/moderations")).body
    assert ModerationCreateResponse.model_validate_json(body, strict=True).results[0].flagged is False


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, RateLimited), (500, Unavailable), (503, Overloaded), (401, BadCredential), (400, Rejected)],
)
async def test_errors_mean_what_they_mean_anywhere(account: Make, ask: Make, status: int, kind: type) -> None:
    """By their status, with the configured wait."""
    provider = account("simulated", error_rate=1.0, errors=[status], retry_after="3s")
    with pytest.raises(kind) as failed:
        await ask(provider, CHAT)
    assert isinstance(failed.value, UpstreamError)
    assert failed.value.retry_after in ((3.0,) if status == 429 else (3.0, None))


async def test_a_rate_is_a_rate_even_for_equal_requests(account: Make, ask: Make) -> None:
    """Drawn by seed and number; the same sequence again in a fresh account."""

    async def outcomes(name: str) -> list[bool]:
        provider = account("simulated", error_rate=0.3, seed=len(name))
        results = []
        for _ in range(300):
            try:
                await ask(provider, CHAT)
                results.append(True)
            except Unavailable:
                results.append(False)
        return results

    first = await outcomes("a")
    assert 60 <= first.count(False) <= 120
    assert first != await outcomes("a")  # the count goes on


async def test_a_cut_stream_ends_without_its_end(account: Make, exchange: Make) -> None:
    """After so many tokens, with an error."""
    provider = account("simulated", cut_rate=1.0, cut_after=2)
    answer = await provider.send(exchange(STREAM), None, Timeouts())
    seen = b""
    with pytest.raises(BadAnswer):
        async for chunk in answer.chunks:
            seen += chunk
    assert len(read_events(seen)) == 3
    assert b"[DONE]" not in seen


async def test_times_are_kept(account: Make, exchange: Make, ask: Make) -> None:
    """First token before the answer is there, gaps after; never less than configured."""
    provider = account("simulated", first_token="30ms", gap="5ms", tokens=4)
    started = time.monotonic()
    answer = await provider.send(exchange(STREAM), None, Timeouts())
    assert time.monotonic() - started >= 0.03
    times = [time.monotonic() async for _ in answer.chunks]
    assert len(times) == 4
    assert times[-1] - times[0] >= 0.014
    started = time.monotonic()
    await ask(provider, CHAT)
    assert time.monotonic() - started >= 0.044


async def test_timeouts_hold_here_too(account: Make, exchange: Make, ask: Make) -> None:
    """For the first token and for gaps."""
    with pytest.raises(UpstreamTimeout):
        await ask(account("simulated", first_token="10s"), CHAT, timeouts=Timeouts(first_token=0.02))
    answer = await account("simulated", gap="10s").send(exchange(STREAM), None, Timeouts(gap=0.02))
    with pytest.raises(UpstreamTimeout):
        _ = [chunk async for chunk in answer.chunks]


async def test_a_closed_stream_gives_nothing_more(account: Make, exchange: Make) -> None:
    """Close may be called at any time, twice as well."""
    answer = await account("simulated", gap="1ms").send(exchange(STREAM), None, Timeouts())
    await anext(answer.chunks)
    answer.close()
    answer.close()
    assert [chunk async for chunk in answer.chunks] == []


async def test_there_are_no_realtime_sessions(account: Make, exchange: Make) -> None:
    """Refused, in OpenAI's shape."""
    x = exchange(path="/v1/realtime?model=m", method="WEBSOCKET")
    with pytest.raises(Rejected) as refused:
        await account("simulated").send(x, None, Timeouts())
    assert refused.value.http_status == 404


@pytest.mark.parametrize(
    ("config", "at"),
    [
        ({"tokens": -1}, "tokens"),
        ({"tokens": 10**9}, "tokens"),
        ({"error_rate": 1.5}, "error_rate"),
        ({"models": {"m": {"cut_rate": -0.1}}}, "models.m.cut_rate"),
        ({"errors": [500, 200]}, "errors[1]"),
        ({"errors": []}, "errors"),
    ],
)
async def test_a_bad_setting_is_a_problem(account: Make, context: Any, config: dict[str, Any], at: str) -> None:
    """Told with its place."""
    account("simulated", **config)
    assert [place for place, _ in context.problems] == [at]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_account_remembers_prompts_if_told_to(stream: bool, account: Make, ask: Make) -> None:
    """Its usage tells the tokens that it has read before."""
    long = {"role": "system", "content": "A long beginning. " * 400}
    body = (STREAM if stream else CHAT) | {"messages": [long, *CHAT["messages"]]}

    async def cached(who: Any) -> int:
        answer = await ask(who, body)
        if not stream:
            usage = ChatCompletion.model_validate_json(answer.body, strict=True).usage
        else:
            usage = chunks_of(answer.body)[-1].usage
        assert usage is not None
        assert usage.prompt_tokens_details is not None
        return usage.prompt_tokens_details.cached_tokens or 0

    forgetful, mindful = account("simulated"), account("simulated", prompt_cache="1m")
    assert [await cached(forgetful) for _ in range(2)] == [0, 0]
    assert await cached(mindful) == 0
    assert await cached(mindful) > 1500
