"""Streams for clients: words at once, calls when they are whole, everything else at the end."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from proxy.chat import (
    Begin,
    Chat,
    Citation,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Foreign,
    Logprobs,
    Media,
    Open,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.gemini import writer as module
from proxy.dialects.gemini.writer import StreamWriter
from proxy.errors import BadAnswer

CHAT = Chat(model="asked", messages=[])


def _chunks(out: bytes) -> list[Any]:
    assert out.endswith(b"\n\n") or not out
    frames = out.split(b"\n\n")[:-1]
    assert all(frame.startswith(b"data: ") and b"\n" not in frame for frame in frames)
    return [types.GenerateContentResponse.model_validate_json(frame[6:]) for frame in frames]


def _written(*events: Event) -> list[Any]:
    writer = StreamWriter(CHAT)
    return _chunks(b"".join(writer.feed([event]) for event in (Begin(id="r", model="g"), *events)))


def test_words_go_out_as_they_come() -> None:
    writer = StreamWriter(CHAT)
    writer.feed([Begin(id="r", model="g"), Open(0, 0, Text(""))])
    (chunk,) = _chunks(writer.feed([Delta(0, "text", "a\nb\u2028", 0)]))
    assert (chunk.text, chunk.response_id, chunk.model_version) == ("a\nb\u2028", "r", "g")
    assert chunk.candidates[0].finish_reason is None


def test_a_call_goes_out_when_it_is_whole() -> None:
    writer = StreamWriter(CHAT)
    events: list[Event] = [Open(0, 0, ToolCall(id="1", name="f", arguments="")), Delta(0, "arguments", '{"a":', 0)]
    assert writer.feed([Begin(id="r", model="g"), *events]) == b""
    writer.feed([Delta(0, "arguments", "1}", 0)])
    (chunk,) = _chunks(writer.feed([Close(0, 0)]))
    assert chunk.candidates[0].content.parts[0].function_call.args == {"a": 1}


def test_the_last_event_tells_why_each_choice_ended_and_what_it_cost() -> None:
    chunks = _written(
        Open(0, 0, Text("a")),
        Open(1, 0, Refusal("no")),
        Close(1, 0),
        Finish(choice=1, stop="stop"),
        Close(0, 0),
        Finish(choice=0, stop="length"),
        Total(Usage(input=3, output=4)),
        End(),
    )
    last = chunks[-1]
    assert [(one.index, one.finish_reason.value) for one in last.candidates] == [(0, "MAX_TOKENS"), (1, "SAFETY")]
    assert last.usage_metadata.total_token_count == 7
    assert all(chunk.usage_metadata is None for chunk in chunks[:-1])


def test_sources_probabilities_and_whole_parts_are_told() -> None:
    cited = Citation(url="https://a.org", start=0, end=1, unit="answer")
    code = {"executableCode": {"code": "1", "language": "PYTHON"}}
    chunks = _written(
        Open(0, 0, Text("ä")),
        Cite(0, 0, cited),
        Logprobs(0, [{"token": "ä", "logprob": -1.0}]),
        Close(0, 0),
        Open(0, 1, Foreign(origin="gemini", what="x", value=code)),
        Open(0, 2, Foreign(origin="openai_chat", what="y", value={})),
        Open(0, 3, Media(kind="image", data="QQ==", media_type="image/png")),
        Finish(),
        End(),
    )
    candidates = [chunk.candidates[0] for chunk in chunks]
    assert candidates[1].logprobs_result.chosen_candidates[0].token == "ä"
    assert candidates[2].content.parts[0].executable_code.code == "1"
    assert candidates[3].content.parts[0].inline_data.data == b"A"
    support = candidates[-1].grounding_metadata.grounding_supports[0]
    assert (support.segment.end_index, support.segment.text) == (2, "ä")


def test_what_was_left_open_is_closed_at_the_end() -> None:
    chunks = _written(Open(0, 0, ToolCall(id="1", name="f", arguments="{}")), Finish(stop="tool_calls"), End())
    assert chunks[0].candidates[0].content.parts[0].function_call.name == "f"


def test_a_block_that_is_not_open_takes_nothing() -> None:
    with pytest.raises(BadAnswer):
        _written(Delta(0, "text", "a", 0))


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HELD", 10)
    call = Open(0, 0, ToolCall(id="1", name="f", arguments=""))
    with pytest.raises(BadAnswer):
        _written(call, Delta(0, "arguments", "x" * 11, 0))
    assert _written(
        call,
        Delta(0, "arguments", "{}      ", 0),
        Close(0, 0),
        Open(0, 1, call.part),
        Delta(0, "arguments", "{}      ", 1),
    )
