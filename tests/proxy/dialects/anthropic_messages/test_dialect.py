"""The Messages API as a whole: the official client against a server, and properties over generated answers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from anthropic import AsyncAnthropic
from hypothesis import given
from hypothesis import strategies as st

from proxy.chat import (
    Chat,
    Choice,
    Completion,
    Delta,
    Event,
    Message,
    Open,
    Part,
    Reasoning,
    Stop,
    Text,
    ToolCall,
    Usage,
)
from proxy.dialects.anthropic_messages.dialect import AnthropicMessages
from proxy.dialects.dialect import Aim
from proxy.dialects.fit import REFUSABLE
from proxy.errors import BadAnswer, BadRequest
from proxy.gather import Gather, events_of
from tests.proxy.dialects.anthropic_messages.official import check_answer, check_stream
from tests.support.raw_upstream import Peer, RawUpstream

DIALECT = AnthropicMessages()
CHAT = Chat(model="m", messages=[Message("user", [Text("hi")])])
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
OBJECTS = st.dictionaries(TEXTS, st.none() | st.integers(-9, 9) | TEXTS | st.lists(TEXTS, max_size=3), max_size=3)
ORIGINS = st.sampled_from(["anthropic", "openai", "gemini"])


@st.composite
def _calls(draw: st.DrawFn) -> ToolCall:
    signature = draw(st.none() | TEXTS)
    return ToolCall(
        id=f"call_{draw(st.integers(0, 10**9))}",
        name=draw(st.sampled_from(["f", "g", "look_up"])),
        arguments=msgspec.json.encode(draw(OBJECTS)).decode(),
        signature=signature,
        origin="gemini" if signature else "",
    )


PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Reasoning, text=TEXTS, signature=TEXTS, origin=ORIGINS),
    st.builds(Reasoning, redacted=TEXTS, origin=ORIGINS),
    _calls(),
)
COUNTS = st.integers(0, 10**6)
USAGES = st.builds(
    Usage,
    **dict.fromkeys(("input", "cached_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"), COUNTS),
)


@st.composite
def _completions(draw: st.DrawFn) -> Completion:
    parts = draw(st.lists(PARTS, max_size=6))
    calls = any(isinstance(part, ToolCall) for part in parts)
    stop: Stop = "tool_calls" if calls else draw(st.sampled_from(["stop", "length", "pause", "refusal"]))
    choices = [Choice(parts=parts, stop=stop)]
    return Completion(id="msg_1", model="claude", choices=choices, usage=draw(USAGES))


def _in_pieces(completion: Completion, chance: random.Random) -> list[Event]:
    """The events of an answer, its texts and arguments in pieces of any size."""
    events: list[Event] = []
    for event in events_of(completion):
        part = event.part if isinstance(event, Open) else None
        if isinstance(event, Open) and isinstance(part, Text | Reasoning | ToolCall):
            member, kind = {
                Text: ("text", "text"),
                Reasoning: ("text", "reasoning"),
                ToolCall: ("arguments", "arguments"),
            }[type(part)]
            whole = getattr(part, member)
            events.append(Open(0, event.block, msgspec.structs.replace(part, **{member: ""})))
            while whole:
                size = chance.randint(1, 9)
                events.append(Delta(0, kind, whole[:size], event.block))  # type: ignore[arg-type]
                whole = whole[size:]
        else:
            events.append(event)
    return events


def _through_bytes(stream: bytes, chance: random.Random) -> Completion:
    """What our reader makes of a stream that arrives in pieces of any size."""
    frames, reader, gather = DIALECT.frames(), DIALECT.reader(), Gather()
    at = 0
    while at < len(stream):
        size = chance.randint(1, 200)
        for frame in frames.feed(stream[at : at + size]):
            gather.feed(reader.feed(frame))
        at += size
    for frame in frames.finish():
        gather.feed(reader.feed(frame))
    gather.feed(reader.finish())
    return gather.completion()


def _said(parts: list[Part]) -> list[Any]:
    """What must survive of parts that a client sends back."""
    return [
        msgspec.structs.replace(part, arguments=msgspec.json.decode(part.arguments))
        if isinstance(part, ToolCall)
        else part
        for part in parts
    ]


@given(_completions(), st.randoms(use_true_random=False))
def test_streams_are_what_was_meant(completion: Completion, chance: random.Random) -> None:
    """The official client gathers the same from a stream as from the whole answer, and a client that sends its blocks
    back gives every signature back to its maker."""
    stream = DIALECT.writer(CHAT).feed(_in_pieces(completion, chance))
    gathered, whole = check_stream(stream), check_answer(DIALECT.write_answer(completion, CHAT))
    blocks = [block.model_dump(exclude={"parsed_output"}) for block in gathered.content]
    assert blocks == [block.model_dump() for block in whole.content]
    assert gathered.stop_reason == whole.stop_reason
    assert gathered.usage.to_dict() == whole.usage.to_dict()
    turns = [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": blocks},
    ]
    body = msgspec.json.encode({"model": "m", "max_tokens": 1, "messages": turns})
    back = DIALECT.read_request(body).messages[1].parts
    assert _said(back) == _said(completion.choices[0].parts)


@given(_completions(), st.randoms(use_true_random=False))
def test_own_streams_are_read_as_they_were_written(completion: Completion, chance: random.Random) -> None:
    """Cut anywhere, with every class of usage; only signatures of others wait for the client's next request."""
    for part in completion.choices[0].parts:
        if isinstance(part, ToolCall):
            part.signature, part.origin = None, ""
        elif isinstance(part, Reasoning):
            part.origin = "anthropic"
    found = _through_bytes(DIALECT.writer(CHAT).feed(_in_pieces(completion, chance)), chance)
    assert found.choices == completion.choices
    assert found.usage == completion.usage


def test_a_stream_cut_short_is_a_bad_answer() -> None:
    completion = Completion(id="x", model="m", choices=[Choice(parts=[Text("hello")])])
    stream = DIALECT.writer(CHAT).feed(events_of(completion))
    for at in range(0, len(stream) - len(b'data: {"type":"message_stop"}\n\n'), 7):
        with pytest.raises(BadAnswer):
            _through_bytes(stream[:at], random.Random(at))


@pytest.fixture
def raw() -> RawUpstream:
    """A server that plays the gateway."""
    return RawUpstream()


@pytest.fixture
async def client(raw: RawUpstream) -> AsyncIterator[AsyncAnthropic]:
    """The official client."""
    made = AsyncAnthropic(base_url=raw.url.removesuffix("/v1"), api_key="sk-test", max_retries=0, timeout=10.0)
    yield made
    await made.close()


COMPLETION = Completion(
    id="msg_1",
    model="claude",
    choices=[
        Choice(
            parts=[
                Reasoning(text="thinking about it", signature="SIG", origin="anthropic"),
                Text("I look it up."),
                ToolCall(id="a", name="f", arguments='{"city": "Bern"}'),
                ToolCall(id="b", name="f", arguments='{"city": "Rome"}'),
            ],
            stop="tool_calls",
        )
    ],
    usage=Usage(input=3, cached_read=4, output=5, reasoning=6),
)


async def test_the_official_client_streams_what_we_write(raw: RawUpstream, client: AsyncAnthropic) -> None:
    """And what it sends is read as it was asked."""
    asked: list[Chat] = []

    async def script(peer: Peer) -> None:
        chat = DIALECT.read_request(await peer.request())
        asked.append(chat)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        await peer.send(DIALECT.writer(chat).feed(_in_pieces(COMPLETION, random.Random(1))))
        peer.end()

    async with (
        raw.running(script),
        client.messages.stream(
            model="claude",
            max_tokens=4096,
            system="be kind",
            messages=[{"role": "user", "content": "weather?"}],
            tools=[{"name": "f", "input_schema": {"type": "object"}}],
            thinking={"type": "enabled", "budget_tokens": 1024},
        ) as stream,
    ):
        pieces = [text async for text in stream.text_stream]
        message = await stream.get_final_message()
    assert "".join(pieces) == "I look it up."
    assert [block.input for block in message.content if block.type == "tool_use"] == [
        {"city": "Bern"},
        {"city": "Rome"},
    ]
    assert [block.signature for block in message.content if block.type == "thinking"] == ["SIG"]
    assert (message.stop_reason, message.usage.output_tokens) == ("tool_use", 11)
    assert asked[0].tools[0].name == "f"
    assert asked[0].thinking is not None


async def test_the_official_client_counts_tokens(raw: RawUpstream, client: AsyncAnthropic) -> None:
    async def script(peer: Peer) -> None:
        chat = DIALECT.read_count_request(await peer.request())
        body = DIALECT.write_count(len(chat.messages))
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        await peer.send(head + body)

    async with raw.running(script):
        counted = await client.messages.count_tokens(model="claude", messages=[{"role": "user", "content": "x"}])
    assert counted.input_tokens == 1


def test_counts_of_providers_are_read() -> None:
    assert DIALECT.read_count(b'{"input_tokens":17,"more":1}') == 17
    for body in (b"{}", b"<html>", b'{"input_tokens":"x"}'):
        with pytest.raises(BadAnswer):
            DIALECT.read_count(body)


def test_a_request_without_a_limit_is_refused_though_a_count_is_not() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
    assert DIALECT.read_count_request(body).max_tokens is None
    with pytest.raises(BadRequest):
        DIALECT.read_request(body)


def test_what_the_format_lacks_are_members_of_a_request() -> None:
    assert DIALECT.lacks <= REFUSABLE
    assert (DIALECT.name, DIALECT.signs) == ("anthropic_messages", "anthropic")
    assert (b"event", b"message_stop") in DIALECT.ends


def test_a_request_of_a_client_comes_through_the_neutral_form() -> None:
    """Read and written again it says the same, in the API's own words."""
    asked = {
        "model": "m",
        "max_tokens": 50,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "S"},
                    {"type": "tool_use", "id": "i", "name": "f", "input": {"x": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "i", "content": [{"type": "text", "text": "r"}]},
                    {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
                ],
            },
        ],
        "tools": [{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "stop_sequences": ["x"],
        "temperature": 0.5,
        "metadata": {"user_id": "u"},
    }
    losses = type("Nothing", (), {"add": lambda self, name: pytest.fail(name)})()
    written = DIALECT.write_request(DIALECT.read_request(msgspec.json.encode(asked)), Aim(model="m"), losses)
    assert msgspec.json.decode(written) == asked
