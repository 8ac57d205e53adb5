"""Streams for clients, read by the official client's own types and gathered by its own state."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.chat import (
    Begin,
    Chat,
    Citation,
    Cite,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Logprobs,
    Message,
    Open,
    Reasoning,
    Refusal,
    Stop,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.openai_responses.answer import read_answer, write_answer
from proxy.dialects.openai_responses.reader import StreamReader
from proxy.dialects.openai_responses.writer import MAX_HELD, StreamWriter
from proxy.errors import BadAnswer
from proxy.gather import Gather, events_of
from tests.support.heard.answer import Heard
from tests.support.heard.openai_responses import of_stream
from tests.support.sayings import saying
from tests.support.sse import read_events
from tests.upstream.dialects import openai_responses as official
from tests.upstream.say import Asked

_CHAT = Chat(model="fast", messages=[Message("user", [Text("Hi")])], stream=True)
_BEGIN = Begin(id="resp_sg_" + "a" * 32, model="m", created=1000)
_FIRST, _SECOND = ToolCall(id="c1", name="f", arguments=""), ToolCall(id="c2", name="g", arguments="")


def _write(*events: Event) -> bytes:
    writer = StreamWriter(_CHAT)
    return b"".join(writer.feed([event]) for event in events)


def _hear(*events: Event, stop: Stop = "stop") -> Heard:
    return of_stream(_write(_BEGIN, *events, Finish(stop=stop), End()))


def _last(body: bytes) -> Any:
    return json.loads(read_events(body)[-1].data or "")


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=10**6))
def test_a_stream_and_the_whole_tell_the_same(seed: int) -> None:
    """And the official client finds nothing wrong with either. Ids of items are equal too."""
    chance = random.Random(seed)
    reader, gather, writer = StreamReader(), Gather(), StreamWriter(_CHAT)
    out = []
    for frame in official.stream(saying(seed), Asked(model="m", stream=True)):
        events = reader.feed(frame + b"\n\n")
        gather.feed(events)
        out += [writer.feed([event]) for event in events] if chance.random() < 0.5 else [writer.feed(events)]
    streamed = b"".join(out)
    of_stream(streamed)
    whole = json.loads(write_answer(gather.completion(), _CHAT))
    last = _last(streamed)["response"]
    assert {**last, "completed_at": 0} == {**whole, "completed_at": 0}
    assert read_answer(json.dumps(last).encode()).choices[0].stop == gather.completion().choices[0].stop


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=10**6))
def test_an_answer_told_in_one_go_is_a_stream_too(seed: int) -> None:
    whole = read_answer(json.dumps(official.whole(saying(seed), Asked(model="m"))).encode())
    heard = of_stream(StreamWriter(_CHAT).feed(events_of(whole)))
    assert heard.usage is not None
    assert (
        json.loads(write_answer(whole, _CHAT))["output"]
        == _last(StreamWriter(_CHAT).feed(events_of(whole)))["response"]["output"]
    )


def test_calls_that_take_turns_come_one_after_the_other() -> None:
    heard = _hear(
        Open(0, 0, _FIRST),
        Open(0, 1, _SECOND),
        Delta(0, "arguments", '{"a"', 0),
        Delta(0, "arguments", "{}", 1),
        Delta(0, "arguments", ":1}", 0),
        Close(0, 1),
        Close(0, 0),
        stop="tool_calls",
    )
    assert [(call.id, call.arguments) for call in heard.calls] == [("c1", '{"a":1}'), ("c2", "{}")]


def test_what_waits_may_still_be_open_when_its_turn_comes() -> None:
    heard = _hear(
        Open(0, 0, _FIRST),
        Open(0, 1, _SECOND),
        Delta(0, "arguments", "{", 1),
        Close(0, 0),
        Delta(0, "arguments", "}", 1),
        Close(0, 1),
        stop="tool_calls",
    )
    assert [call.arguments for call in heard.calls] == ["", "{}"]


def test_blocks_that_are_left_open_are_closed_at_the_end() -> None:
    heard = _hear(Open(0, 0, Text("Hi")), Open(0, 1, _FIRST), stop="tool_calls")
    assert (heard.text, len(heard.calls)) == ("Hi", 1)


def test_thoughts_text_citation_and_refusal_are_told() -> None:
    heard = _hear(
        Open(0, 0, Reasoning(text="", origin="anthropic")),
        Delta(0, "reasoning", "hm", 0),
        Delta(0, "signature", "S", 0),
        Close(0, 0),
        Open(0, 1, Text("")),
        Delta(0, "text", "Yes", 1),
        Cite(0, 1, Citation(url="https://a.example", title="A")),
        Close(0, 1),
        Open(0, 2, Refusal("but ")),
        Delta(0, "refusal", "no", 2),
        Close(0, 2),
    )
    assert (heard.reasoning, heard.proofs) == ("hm", ["sg.anthropic.S"])
    assert (heard.text, heard.refusal, heard.sources) == ("Yes", "but no", [("https://a.example", "A")])


def test_token_objects_go_with_their_piece_or_with_the_whole() -> None:
    token = {"token": "a", "logprob": -0.5}
    writer = StreamWriter(_CHAT)
    body = writer.feed([_BEGIN, Open(0, 0, Text("")), Delta(0, "text", "a", 0), Logprobs(0, [token])])
    body += writer.feed([Logprobs(0, [token])])
    body += writer.feed([Close(0, 0), Logprobs(0, [token]), Finish(stop="stop"), End()])
    of_stream(body)
    deltas = [json.loads(event.data or "") for event in read_events(body) if event.name.endswith("text.delta")]
    assert [len(delta["logprobs"]) for delta in deltas] == [1]
    assert len(_last(body)["response"]["output"][0]["content"][0]["logprobs"]) == 3


def test_other_choices_are_not_told() -> None:
    heard = _hear(
        Open(1, 0, Text("other")), Delta(1, "text", "x", 0), Close(1, 0), Open(0, 0, Text("own")), Close(0, 0)
    )
    assert heard.text == "own"


def test_the_last_usage_counts() -> None:
    usage = Usage(input=5, cached_read=2, output=3, reasoning=1)
    heard = of_stream(
        _write(Begin(id="1", model="m", usage=Usage(input=9)), Total(usage), Finish(stop="length"), End())
    )
    assert heard.usage is not None
    assert (heard.usage.input, heard.usage.cached_read, heard.usage.output, heard.usage.reasoning) == (5, 2, 3, 1)
    assert heard.stop == "length"


def test_ids_are_the_gateways_or_say_that_they_are_not() -> None:
    assert _last(_write(_BEGIN, End()))["response"]["id"] == _BEGIN.id
    assert _last(_write(Begin(id="msg_1", model="m"), End()))["response"]["id"] == "resp_msg_1"


def test_a_second_beginning_is_none() -> None:
    assert len(read_events(_write(_BEGIN, _BEGIN))) == 2


def test_nothing_waits_without_bounds() -> None:
    writer = StreamWriter(_CHAT)
    writer.feed([_BEGIN, Open(0, 0, _FIRST), Open(0, 1, _SECOND)])
    piece = "x" * (1 << 20)
    with pytest.raises(BadAnswer):
        for _ in range((MAX_HELD >> 20) + 1):
            writer.feed([Delta(0, "arguments", piece, 1)])


def test_what_was_never_opened_is_a_bad_answer() -> None:
    impossible: list[list[Event]] = [[_BEGIN, Delta(0, "text", "x", 0)], [End()]]
    for events in impossible:
        with pytest.raises(BadAnswer):
            StreamWriter(_CHAT).feed(events)


def test_a_completion_of_nothing_is_a_stream() -> None:
    assert of_stream(StreamWriter(_CHAT).feed(events_of(Completion(id="1", model="m", choices=[])))).text == ""
