"""Streams of ConverseStream: blocks without a beginning, errors inside, and ends that do not come."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from proxy.chat import Choice, Media, Reasoning, Text, ToolCall, Usage
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL
from proxy.dialects.bedrock.reader import StreamReader
from proxy.errors import BadAnswer, ContextTooLong, Overloaded, RateLimited, Unavailable, UpstreamError
from proxy.gather import Gather
from tests.upstream.dialects.bedrock import event, exception, frame

START = event("messageStart", {"role": "assistant"})
USAGE = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}
METADATA = event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})


def delta(at: int, **delta: Any) -> bytes:
    """A piece of a block."""
    return event("contentBlockDelta", {"delta": delta, "contentBlockIndex": at})


def tool(at: int, name: str = "f", **more: Any) -> bytes:
    """A call begins."""
    use = {"toolUseId": f"t{at}", "name": name, **more}
    return event("contentBlockStart", {"start": {"toolUse": use}, "contentBlockIndex": at})


def close(at: int) -> bytes:
    """A block ends."""
    return event("contentBlockStop", {"contentBlockIndex": at})


def stop(word: str = "end_turn") -> bytes:
    """The answer ends."""
    return event("messageStop", {"stopReason": word})


def choice_of(*frames: bytes) -> Choice:
    """The answer that these frames are, after the beginning."""
    reader, gather = StreamReader(), Gather()
    for one in (START, *frames):
        gather.feed(reader.feed(one))
    gather.feed(reader.finish())
    return gather.completion().choices[0]


def test_blocks_of_text_and_thought_begin_with_their_first_piece() -> None:
    found = choice_of(
        delta(0, reasoningContent={"text": "h"}),
        delta(0, reasoningContent={"text": "m"}),
        delta(0, reasoningContent={"signature": "sig"}),
        close(0),
        delta(1, text="a"),
        delta(1, text="b"),
        delta(1, citation={"title": "T", "location": {"web": {"url": "u"}}}),
        close(1),
        stop(),
        METADATA,
    )
    thought, text = found.parts
    assert thought == Reasoning(text="hm", signature="sig", origin="anthropic")
    assert isinstance(text, Text)
    assert (text.text, text.citations[0].url) == ("ab", "u")
    assert found.stop == "stop"


def test_calls_that_come_in_turns_stay_apart() -> None:
    pieces = [delta(at % 2, toolUse={"input": text}) for at, text in enumerate(['{"a', '{"b', '":1}', '":2}'])]
    found = choice_of(tool(0), tool(1), *pieces, close(0), close(1), stop("tool_use"), METADATA)
    assert found.parts == [
        ToolCall(id="t0", name="f", arguments='{"a":1}'),
        ToolCall(id="t1", name="f", arguments='{"b":2}'),
    ]
    assert found.stop == "tool_calls"


def test_hidden_thoughts_and_images_are_told_whole() -> None:
    """Also when their data come in pieces."""
    one, two = base64.b64encode(b"ab").decode(), base64.b64encode(b"c").decode()
    start = event("contentBlockStart", {"start": {"image": {"format": "webp"}}, "contentBlockIndex": 2})
    found = choice_of(
        delta(0, reasoningContent={"redactedContent": one}),
        close(0),
        delta(1, reasoningContent={"redactedContent": one}),
        delta(1, reasoningContent={"redactedContent": two}),
        close(1),
        start,
        delta(2, image={"source": {"bytes": one}}),
        close(2),
        stop(),
        METADATA,
    )
    whole = base64.b64encode(b"abc").decode()
    assert found.parts == [
        Reasoning(redacted=one, origin="anthropic"),
        Reasoning(redacted=whole, origin="anthropic"),
        Media(kind="image", data=one, media_type="image/webp"),
    ]


def test_tools_of_amazon_are_passed_over() -> None:
    result = event("contentBlockStart", {"start": {"toolResult": {"toolUseId": "t0"}}, "contentBlockIndex": 1})
    found = choice_of(
        tool(0, type="server_tool_use"),
        delta(0, toolUse={"input": "{}"}),
        close(0),
        result,
        delta(1, toolResult=[{"text": "x"}]),
        close(1),
        event("somethingNew", {"a": 1}),
        delta(2, text="so"),
        stop(),
        METADATA,
    )
    assert found.parts == [Text("so")]
    assert found.stop == "stop"


def test_an_answer_that_comes_by_our_tool_is_text() -> None:
    found = choice_of(
        tool(0, ANSWER_TOOL), delta(0, toolUse={"input": '{"a":1}'}), close(0), stop("tool_use"), METADATA
    )
    assert found.parts == [Text('{"a":1}')]
    assert found.stop == "stop"


def test_the_usage_may_come_before_the_end() -> None:
    reader, gather = StreamReader(), Gather()
    for one in (START, delta(0, text="a"), METADATA, stop()):
        gather.feed(reader.feed(one))
    assert reader.finish() == []
    assert gather.completion().usage == Usage(input=3, output=4)


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [START],
        [START, delta(0, text="a")],
        [START, delta(0, text="a"), stop()],
        [delta(0, text="a")],
        [stop()],
        [START, START],
        [START, tool(0), tool(0)],
        [START, delta(0, toolUse={"input": "{}"})],
        [START, delta(0, text="a"), delta(0, toolUse={"input": "{}"})],
        [START, delta(0, text="a"), delta(0, reasoningContent={"text": "a"})],
        [START, delta(0, reasoningContent={"text": "a"}), delta(0, reasoningContent={"redactedContent": "YQ=="})],
        [START, tool(0), delta(0, text="a")],
        [START, tool(0), delta(0, citation={})],
        [START, stop(), delta(0, text="a")],
        [START, stop(), stop()],
        [START, delta(0, text=5)],
        [START, frame({":event-type": "contentBlockDelta", ":message-type": "event"}, b"<html>")],
    ],
    ids=range(18),
)
def test_what_cannot_be_is_a_bad_answer(frames: list[bytes]) -> None:
    reader = StreamReader()
    with pytest.raises(BadAnswer):
        for one in frames:
            reader.feed(one)
        reader.finish()


@pytest.mark.parametrize(
    ("name", "message", "meaning"),
    [
        ("throttlingException", "Too many requests", RateLimited),
        ("serviceUnavailableException", "Try again", Overloaded),
        ("internalServerException", "It broke", Unavailable),
        ("modelStreamErrorException", "The model broke", Unavailable),
        ("validationException", "Input is too long for requested model.", ContextTooLong),
        ("validationException", "messages.1 is wrong", UpstreamError),
        ("somethingNewException", "What?", UpstreamError),
    ],
)
def test_errors_in_a_stream_have_their_meaning(name: str, message: str, meaning: type[Exception]) -> None:
    reader = StreamReader()
    reader.feed(START)
    with pytest.raises(meaning):
        reader.feed(exception(name, message))
