"""Streams of every service are read as blocks that begin, grow and end."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from proxy.chat import (
    Begin,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Open,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from proxy.dialects.openai_chat.reader import StreamReader
from proxy.errors import BadAnswer, Overloaded, UpstreamError
from proxy.gather import Gather
from proxy.wire.sse import Splitter

ROLE = {"role": "assistant", "content": ""}


def _frame(value: Any) -> bytes:
    return b"data: %b\n\n" % (value if isinstance(value, bytes) else msgspec.json.encode(value))


def _chunk(*deltas: Any, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    choices = [{"index": index, "delta": delta, "finish_reason": finish} for delta in deltas]
    return _frame({"id": "1", "model": "m", "created": 5, "choices": choices} | more)


def _call(index: int | None = None, arguments: str | None = None, **more: Any) -> dict[str, Any]:
    name = more.pop("name", None)
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    return {"tool_calls": [{"index": index, "function": function} | more]}


DONE = _frame(b"[DONE]")
STOP = _chunk({}, finish="stop")


def _events(*frames: bytes) -> list[Event]:
    reader = StreamReader()
    return [event for frame in frames for event in reader.feed(frame)] + reader.finish()


def _read(*frames: bytes) -> Completion:
    """The whole of it. That blocks are opened and closed as they should be is checked on the way."""
    events = _events(*frames)
    opened: dict[int, int] = {}
    live: set[tuple[int, int]] = set()
    for event in events:
        if isinstance(event, Open):
            assert event.block == opened.get(event.choice, 0)
            opened[event.choice] = event.block + 1
            live.add((event.choice, event.block))
        elif isinstance(event, Delta):
            assert (event.choice, event.block) in live
        elif isinstance(event, Close):
            live.remove((event.choice, event.block))
        elif isinstance(event, Finish):
            assert not [block for block in live if block[0] == event.choice]
    assert isinstance(events[0], Begin)
    assert isinstance(events[-1], End)
    gather = Gather()
    gather.feed(events)
    return gather.completion()


def _parts(*frames: bytes) -> list[Any]:
    return _read(*frames, STOP, DONE).choices[0].parts


def test_a_stream_of_text() -> None:
    usage = _frame({"id": "1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
    found = _read(_chunk(ROLE), _chunk({"content": "Hel"}), _chunk({"content": "lo"}), STOP, usage, DONE)
    assert (found.id, found.model, found.created) == ("1", "m", 5)
    assert found.choices[0].parts == [Text("Hello")]
    assert (found.choices[0].stop, found.usage) == ("stop", Usage(input=3, output=2))


def test_several_choices_at_once() -> None:
    found = _read(
        _chunk({"content": "a"}),
        _chunk({"content": "b"}, index=1),
        _chunk({"content": "c"}),
        _chunk({}, finish="length", index=1),
        STOP,
        DONE,
    )
    assert [(choice.parts, choice.stop) for choice in found.choices] == [
        ([Text("ac")], "stop"),
        ([Text("b")], "length"),
    ]


def test_parallel_calls_with_streamed_arguments() -> None:
    found = _read(
        _chunk(_call(0, "", id="c1", name="f")),
        _chunk(_call(0, '{"a"')),
        _chunk(_call(0, ":1}")),
        _chunk(_call(1, "", id="c2", name="g")),
        _chunk(_call(1, "{}")),
        _chunk({}, finish="tool_calls"),
        DONE,
    )
    assert found.choices[0].parts == [
        ToolCall(id="c1", name="f", arguments='{"a":1}'),
        ToolCall(id="c2", name="g", arguments="{}"),
    ]
    assert found.choices[0].stop == "tool_calls"


def test_pieces_of_calls_may_come_in_turns() -> None:
    both = {"tool_calls": [_call(1, "}")["tool_calls"][0], _call(0, "}")["tool_calls"][0]]}
    frames = [_chunk(_call(0, "{", id="a", name="f")), _chunk(_call(1, "{", id="b", name="g")), _chunk(both)]
    assert [(call.id, call.arguments) for call in _parts(*frames)] == [("a", "{}"), ("b", "{}")]


@pytest.mark.parametrize("indexes", [(0, 1), (None, None), (0, None)])
def test_a_chunk_may_hold_several_whole_calls(indexes: tuple[int | None, int | None]) -> None:
    calls = [_call(at, "{}", id=f"c{at}{n}", name=f"f{n}")["tool_calls"][0] for n, at in enumerate(indexes)]
    assert [call.name for call in _parts(_chunk(ROLE | {"tool_calls": calls}))] == ["f0", "f1"]


def test_arguments_may_be_an_object_and_ids_may_be_missing() -> None:
    delta = {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}
    (call,) = _parts(_chunk(delta))
    assert call.arguments == '{"a":1}'
    assert call.id


def test_older_functions_and_free_text_are_calls() -> None:
    older = [_chunk({"function_call": {"name": "f", "arguments": "{"}}), _chunk({"function_call": {"arguments": "}"}})]
    assert [(call.name, call.arguments) for call in _parts(*older)] == [("f", "{}")]
    custom = {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "g", "input": "x"}}]}
    assert _parts(_chunk(custom)) == [ToolCall(id="c", name="g", arguments="x", custom=True)]


def test_thoughts_by_every_name() -> None:
    for name in ("reasoning_content", "reasoning"):
        frames = [_chunk({name: "h"}), _chunk({name: "m", "content": None}), _chunk({"content": "a"})]
        assert _parts(*frames) == [Reasoning(text="hm"), Text("a")]
    chunks = [{"type": "thinking", "thinking": [{"type": "text", "text": "h"}]}, {"type": "text", "text": "a"}]
    assert _parts(_chunk({"content": chunks[:1]}), _chunk({"content": chunks})) == [Reasoning(text="hh"), Text("a")]


def test_thoughts_with_signatures() -> None:
    def detail(**more: Any) -> bytes:
        return _chunk({"reasoning": "ignored", "reasoning_details": [{"type": "reasoning.text", "index": 0} | more]})

    frames = [
        detail(text="h", format="anthropic-claude-v1"),
        detail(text="m"),
        detail(signature="S"),
        detail(type="reasoning.encrypted", data="D", index=1, format="anthropic-claude-v1"),
    ]
    assert _parts(*frames, _chunk({"content": "a"})) == [
        Reasoning(text="hm", signature="S", origin="anthropic"),
        Reasoning(redacted="D", origin="anthropic"),
        Text("a"),
    ]


def test_a_refusal_is_no_text() -> None:
    found = _read(_chunk({"refusal": "n"}), _chunk({"refusal": "o"}), STOP, DONE).choices[0]
    assert (found.parts, found.stop) == ([Refusal("no")], "refusal")


def test_citations_and_probabilities_come_along() -> None:
    note = {"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}
    token = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
    frame = _frame({"id": "1", "choices": [{"delta": {"content": "a"}, "logprobs": {"content": [token]}}]})
    found = _read(frame, _chunk({"annotations": [note]}), STOP, DONE).choices[0]
    assert isinstance(found.parts[0], Text)
    assert found.parts[0].citations[0].url == "u"
    assert found.logprobs == [token]


def test_audio_is_collected() -> None:
    frames = [_chunk({"audio": {"id": "x", "data": "QU"}}), _chunk({"audio": {"data": "JD", "transcript": "hi"}})]
    (part,) = _parts(*frames)
    assert (part.data, part.name) == ("QUJD", "hi")


def test_azure_tells_first_how_it_has_filtered() -> None:
    first = _frame({"choices": [], "id": "", "model": "", "prompt_filter_results": []})
    assert _read(first, _chunk({"content": "a"}), STOP, DONE).id == "1"


def test_comments_and_empty_frames_are_nothing() -> None:
    reader = StreamReader()
    assert reader.feed(b": OPENROUTER PROCESSING\n\n") == []
    assert reader.feed(b"\n") == []
    assert reader.feed(b"event: ping\n\n") == []


def test_carriage_returns_and_missing_spaces_are_read() -> None:
    reader = StreamReader()
    body = b'{"id":"1","choices":[{"delta":{"content":"a"}}]}'
    assert [type(event) for event in reader.feed(b"data:" + body + b"\r\n\r\n")] == [Begin, Open, Delta]


def test_a_stream_without_a_reason_ends_all_the_same() -> None:
    assert _read(_chunk({"content": "a"}), DONE).choices[0].stop == "stop"


@pytest.mark.parametrize(
    ("frames", "meaning"),
    [
        ([b"data: <html>\n\n"], BadAnswer),
        ([b'data: {"choices":\n\n'], BadAnswer),
        ([b"data: [1]\n\n"], BadAnswer),
        ([DONE], BadAnswer),
        ([_chunk({"content": "a"})], BadAnswer),
        ([STOP, _chunk({"content": "late"})], BadAnswer),
        ([_chunk({"content": "a"}, index=5000)], BadAnswer),
        ([_chunk({"content": "a"}, index=-1)], BadAnswer),
        ([_chunk(_call(0, "{}"))], BadAnswer),
        (
            [_chunk(_call(0, "{}", id="a", name="f")), _chunk(_call(1, "{}", id="b", name="g")), _chunk(_call(0, "x"))],
            BadAnswer,
        ),
        ([_chunk({"content": "a"}), _frame({"error": {"message": "busy", "code": 503}})], Overloaded),
        ([_frame({"error": "boom", "choices": [{"delta": {"content": ""}}]})], UpstreamError),
    ],
)
def test_what_is_no_stream_has_its_meaning(frames: list[bytes], meaning: type[UpstreamError]) -> None:
    with pytest.raises(meaning):
        _events(*frames)


def test_what_is_seen_does_not_depend_on_how_it_is_cut() -> None:
    stream = b"".join(
        [_chunk(ROLE), _chunk({"content": "naïve 🙂"}), _chunk(_call(0, '{"ü":1}', id="c", name="f")), STOP, DONE]
    )
    expected = [Text("naïve 🙂"), ToolCall(id="c", name="f", arguments='{"ü":1}')]
    chance = random.Random(1)
    for _ in range(50):
        splitter, frames = Splitter(), list[bytes]()
        at = 0
        while at < len(stream):
            size = chance.randint(1, 40)
            frames += splitter.feed(stream[at : at + size])
            at += size
        assert _read(*frames, *splitter.finish()).choices[0].parts == expected
