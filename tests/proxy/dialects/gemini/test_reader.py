"""Streams of providers are read event by event; a stream without its end is a failure."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Begin, Cite, Close, Delta, End, Event, Finish, Logprobs, Open, Reasoning, Text, ToolCall, Total
from proxy.dialects.gemini import reader as module
from proxy.dialects.gemini.reader import StreamReader
from proxy.errors import BadAnswer, Overloaded
from proxy.gather import Gather


def _frame(*parts: dict[str, Any], index: int = 0, **more: Any) -> bytes:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": index}
    for name in ("finishReason", "groundingMetadata", "logprobsResult"):
        if name in more:
            candidate[name] = more.pop(name)
    return b"data: %b\r\n\r\n" % msgspec.json.encode({"candidates": [candidate], "responseId": "r"} | more)


def _read(*frames: bytes) -> list[Event]:
    reader = StreamReader()
    events = [event for frame in frames for event in reader.feed(frame)]
    return events + reader.finish()


def _gathered(*frames: bytes) -> Any:
    gather = Gather()
    gather.feed(_read(*frames))
    return gather.completion().choices[0]


def test_text_that_goes_on_is_one_block_and_another_kind_opens_another() -> None:
    events = _read(
        _frame({"text": "Hm", "thought": True}, modelVersion="g"),
        _frame({"text": "!", "thought": True}, {"text": "a"}),
        b": a comment\n\n",
        _frame({"text": "b"}),
        _frame({"text": ""}, finishReason="STOP", usageMetadata={"promptTokenCount": 5, "candidatesTokenCount": 2}),
    )
    assert events[0] == Begin(id="r", model="g")
    assert events[1:-2] == [
        Open(0, 0, Reasoning(origin="gemini")),
        Delta(0, "reasoning", "Hm", 0),
        Delta(0, "reasoning", "!", 0),
        Close(0, 0),
        Open(0, 1, Text("")),
        Delta(0, "text", "a", 1),
        Delta(0, "text", "b", 1),
        Close(0, 1),
        Finish(stop="stop"),
    ]
    assert isinstance(events[-2], Total)
    assert (events[-2].usage.input, events[-2].usage.output) == (5, 2)
    assert isinstance(events[-1], End)


def test_a_signature_belongs_to_the_part_that_it_ends() -> None:
    choice = _gathered(
        _frame({"text": "a", "thought": True}),
        _frame({"text": "b", "thought": True, "thoughtSignature": "UzE="}),
        _frame({"text": "c", "thought": True}),
        _frame({"text": "x"}),
        _frame({"text": "", "thoughtSignature": "UzI="}),
        _frame({"functionCall": {"name": "f", "args": {}, "id": "1"}, "thoughtSignature": "UzM="}, finishReason="STOP"),
    )
    assert choice.parts == [
        Reasoning(text="ab", signature="UzE=", origin="gemini"),
        Reasoning(text="c", origin="gemini"),
        Text("x", signature="UzI=", origin="gemini"),
        ToolCall(id="1", name="f", arguments="{}", signature="UzM=", origin="gemini"),
    ]
    assert choice.stop == "tool_calls"


def test_a_call_may_come_in_pieces() -> None:
    choice = _gathered(
        _frame({"functionCall": {"name": "f", "id": "1", "willContinue": True}, "thoughtSignature": "QQ=="}),
        _frame({"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x"}], "willContinue": True}}),
        _frame({"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "y"}], "willContinue": True}}),
        _frame({"functionCall": {}}),
        _frame({"functionCall": {"name": "g", "id": "2", "args": {"b": 1}}}, finishReason="STOP"),
    )
    assert choice.parts == [
        ToolCall(id="1", name="f", arguments='{"a":"xy"}', signature="QQ==", origin="gemini"),
        ToolCall(id="2", name="g", arguments='{"b":1}'),
    ]


def test_candidates_are_kept_apart() -> None:
    events = _read(
        _frame({"text": "a"}),
        _frame({"text": "b"}, index=1, finishReason="STOP"),
        _frame({"text": "c"}, finishReason="MAX_TOKENS"),
    )
    assert [(one.choice, one.text) for one in events if isinstance(one, Delta)] == [(0, "a"), (1, "b"), (0, "c")]
    assert [(one.choice, one.stop) for one in events if isinstance(one, Finish)] == [(0, "length"), (1, "stop")]


def test_older_models_tell_a_reason_in_every_event() -> None:
    choice = _gathered(_frame({"text": "a"}, finishReason="STOP"), _frame({"text": "b"}, finishReason="MAX_TOKENS"))
    assert (choice.parts, choice.stop) == ([Text("ab")], "length")


def test_sources_and_probabilities_come_with_the_text() -> None:
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.org"}}],
        "groundingSupports": [{"segment": {"endIndex": 2}, "groundingChunkIndices": [0]}],
    }
    logprobs = {"chosenCandidates": [{"token": "ä", "logProbability": -1}]}
    events = _read(
        _frame({"text": "ä"}, logprobsResult=logprobs), _frame(finishReason="STOP", groundingMetadata=grounding)
    )
    (cite,) = [one for one in events if isinstance(one, Cite)]
    assert (cite.block, cite.citation.url, cite.citation.end) == (0, "https://a.org", 1)
    assert [one.tokens[0]["token"] for one in events if isinstance(one, Logprobs)] == ["ä"]


def test_a_blocked_prompt_is_a_whole_stream() -> None:
    events = _read(b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n')
    assert events[1:] == [Finish(stop="content_filter", reason="SAFETY"), End()]


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [_frame({"text": "a"})],
        [_frame({"text": "a"}, finishReason="STOP"), _frame({"text": "b"}, index=1)],
        [b'data: {"usageMetadata":{}}\n\n'],
        [b"data: <html>\n\n"],
        [b'data: {"candidates":[{"finishReason":"STOP","content":{"parts":[{"te\n\n'],
    ],
)
def test_a_stream_that_breaks_off_is_a_failure(frames: list[bytes]) -> None:
    with pytest.raises(BadAnswer):
        _read(*frames)


def test_an_error_in_the_middle_has_its_meaning() -> None:
    reader = StreamReader()
    reader.feed(_frame({"text": "a"}))
    with pytest.raises(Overloaded):
        reader.feed(b'data: {"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}\n\n')


def test_data_over_several_lines_is_one_event() -> None:
    frame = b'data: {"candidates":[{"finishReason":\ndata: "STOP"}]}\n\n'
    assert isinstance(_read(frame)[-1], End)


def test_the_number_of_candidates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CANDIDATES", 2)
    with pytest.raises(BadAnswer):
        _read(*[_frame({"text": "a"}, index=at) for at in range(3)])


def test_nothing_comes_after_the_end() -> None:
    reader = StreamReader()
    reader.feed(_frame({"text": "a"}, finishReason="STOP"))
    assert isinstance(reader.finish()[-1], End)
    assert reader.finish() == []
    assert reader.feed(_frame({"text": "b"})) == []
