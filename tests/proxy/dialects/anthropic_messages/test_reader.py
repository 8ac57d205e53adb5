"""Streams of providers are read event by event, and lies in them are errors of a known kind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import (
    Begin,
    Citation,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Foreign,
    Open,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.anthropic_messages.reader import StreamReader
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL, NAME
from proxy.errors import BadAnswer, Overloaded

START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude",
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1, "service_tier": "standard"},
    },
}
STOP: dict[str, Any] = {"type": "message_stop"}


def _frame(event: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))


def _open(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind} | more}


def _close(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def _end(reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason} | more, "usage": {"output_tokens": 20}}


def _read(*events: dict[str, Any]) -> list[Event]:
    reader = StreamReader()
    found = [one for event in events for one in reader.feed(_frame(event))]
    return found + reader.finish()


def _body(*events: dict[str, Any], end: dict[str, Any] | None = None) -> list[Event]:
    """The events between the begin and the usage."""
    found = _read(START, *events, end or _end(), STOP)
    assert isinstance(found[0], Begin)
    assert isinstance(found[-1], End)
    return found[1:-2]


def test_a_stream_begins_with_what_is_known_and_ends_with_all() -> None:
    assert _read(START, {"type": "ping"}, _end(), STOP) == [
        Begin(id="msg_1", model="claude", usage=Usage(input=5, cached_read=7, output=1), service_tier="default"),
        Finish(stop="stop"),
        Total(Usage(input=5, cached_read=7, output=20)),
        End(),
    ]


def test_a_later_zero_is_a_value() -> None:
    end = _end() | {"usage": {"output_tokens": 0, "input_tokens": 0}}
    assert Total(Usage(cached_read=7)) in _read(START, end, STOP)


def test_text_and_its_citations_arrive_as_they_come() -> None:
    cited = {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c", "encrypted_index": "e"}
    assert _body(
        _open(0, type="text", text=""),
        _delta(0, "text_delta", text="a"),
        _delta(0, "citations_delta", citation=cited),
        _delta(0, "text_delta", text="b"),
        _close(0),
    ) == [
        Open(0, 0, Text("")),
        Delta(0, "text", "a", 0),
        Cite(0, 0, Citation(text="c", url="u", title="t", value=cited, origin=NAME)),
        Delta(0, "text", "b", 0),
        Close(0, 0),
        Finish(stop="stop"),
    ]


def test_thoughts_and_their_signature_arrive() -> None:
    assert _body(
        _open(0, type="thinking", thinking="", signature=""),
        _delta(0, "thinking_delta", thinking="hm"),
        _delta(0, "signature_delta", signature="SIG"),
        _close(0),
        _open(1, type="redacted_thinking", data="R"),
        _close(1),
    )[:-1] == [
        Open(0, 0, Reasoning(origin="anthropic")),
        Delta(0, "reasoning", "hm", 0),
        Delta(0, "signature", "SIG", 0),
        Close(0, 0),
        Open(0, 1, Reasoning(redacted="R", origin="anthropic")),
        Close(0, 1),
    ]


def test_arguments_of_parallel_calls_stay_apart() -> None:
    found = _body(
        _open(0, type="tool_use", id="a", name="f", input={}),
        _delta(0, "input_json_delta", partial_json=""),
        _delta(0, "input_json_delta", partial_json='{"x":'),
        _delta(0, "input_json_delta", partial_json="1}"),
        _close(0),
        _open(1, type="tool_use", id="b", name="g", input={}),
        _close(1),
        _open(2, type="tool_use", id="c", name="g", input={"y": 2}),
        _close(2),
        end=_end("tool_use"),
    )
    assert found == [
        Open(0, 0, ToolCall(id="a", name="f", arguments="")),
        Delta(0, "arguments", '{"x":', 0),
        Delta(0, "arguments", "1}", 0),
        Close(0, 0),
        Open(0, 1, ToolCall(id="b", name="g", arguments="")),
        Delta(0, "arguments", "{}", 1),
        Close(0, 1),
        Open(0, 2, ToolCall(id="c", name="g", arguments="")),
        Delta(0, "arguments", '{"y":2}', 2),
        Close(0, 2),
        Finish(stop="tool_calls"),
    ]


def test_an_answer_by_tool_is_text() -> None:
    found = _body(
        _open(0, type="tool_use", id="a", name=ANSWER_TOOL, input={}),
        _delta(0, "input_json_delta", partial_json='{"x":1}'),
        _close(0),
        end=_end("tool_use"),
    )
    assert found == [Open(0, 0, Text("")), Delta(0, "text", '{"x":1}', 0), Close(0, 0), Finish(stop="stop")]


def test_blocks_of_unknown_kinds_are_told_whole() -> None:
    found = _body(
        _open(0, type="server_tool_use", id="s", name="web_search", input={}),
        _delta(0, "input_json_delta", partial_json='{"query":'),
        _delta(0, "input_json_delta", partial_json='"x"}'),
        _close(0),
        _open(1, type="news", list=[1]),
        _delta(1, "news_delta", more="m"),
        _close(1),
        _open(2, type="text", text="t"),
        _delta(2, "news_delta"),
        _close(2),
    )
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    news = {"type": "news", "list": [1], "more": "m"}
    assert found[:-1] == [
        Open(0, 0, Foreign(origin=NAME, what="content.server_tool_use", value=search)),
        Close(0, 0),
        Open(0, 1, Foreign(origin=NAME, what="content.news", value=news)),
        Close(0, 1),
        Open(0, 2, Text("t")),
        Close(0, 2),
    ]


def test_a_refusal_keeps_its_explanation() -> None:
    end = _end("refusal", stop_details={"type": "refusal", "category": "bio", "explanation": "I cannot."})
    assert _body(end=end) == [Open(0, 0, Refusal("I cannot.")), Close(0, 0), Finish(stop="refusal")]


def test_the_stop_sequence_and_unknown_reasons_are_told() -> None:
    assert _body(end=_end("stop_sequence", stop_sequence="END")) == [Finish(stop="stop_sequence", sequence="END")]
    assert _body(end=_end("tired")) == [Finish(stop="other", reason="tired")]


def test_blocks_that_nobody_closed_are_closed_at_the_end() -> None:
    assert _body(_open(0, type="text", text=""))[-2:] == [Close(0, 0), Finish(stop="stop")]


def test_a_provider_without_usage_tells_none() -> None:
    start = {"type": "message_start", "message": {"id": "a", "model": "b"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    assert _read(start, end, STOP) == [Begin(id="a", model="b"), Finish(stop="stop"), End()]


def test_unknown_events_comments_and_what_follows_the_end_are_passed_over() -> None:
    reader = StreamReader()
    assert reader.feed(b": hello\n\n") == []
    assert reader.feed(b'data: {"type":"news","index":"x"}\n\n') == []
    for event in (START, STOP):
        reader.feed(_frame(event))
    assert reader.feed(b"data: [DONE]\n\n") == []
    assert reader.finish() == []


def test_data_over_several_lines_and_with_other_line_ends_is_read() -> None:
    reader = StreamReader()
    data = msgspec.json.encode(START)
    cut = data.index(b',"message"')
    assert reader.feed(b"event: message_start\r\ndata: %b\r\ndata:%b\r\n\r\n" % (data[:cut], data[cut:]))


def test_an_error_in_the_middle_has_its_meaning() -> None:
    with pytest.raises(Overloaded):
        _read(START, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


@pytest.mark.parametrize(
    "events",
    [
        [_open(0, type="text", text="")],
        [STOP],
        [_end()],
        [START, START],
        [{"type": "message_start"}],
        [START, _delta(0, "text_delta", text="a")],
        [START, _close(0)],
        [START, _open(0, type="text", text=""), _open(0, type="text", text="")],
        [START, _open(0, type="text", text=""), _close(0), _delta(0, "text_delta", text="a")],
        [START, _open(0, type="text", text=""), _delta(0, "input_json_delta", partial_json="{")],
        [START, _open(0, type="tool_use", name="f")],
        [START, {"type": "content_block_start", "index": 0}],
        [START, {"type": "content_block_delta", "index": 0, "delta": 4}],
        [START, _open(0, type="server_tool_use"), _delta(0, "input_json_delta", partial_json="{x"), _close(0)],
        [START, _end()],
    ],
)
def test_an_impossible_order_is_a_bad_answer(events: list[dict[str, Any]]) -> None:
    with pytest.raises(BadAnswer):
        _read(*events)


@pytest.mark.parametrize("frame", [b"data: <html>\n\n", b"data: {\n\n", b'data: "x"\n\n', b"data: \xff\n\n"])
def test_what_is_no_event_is_a_bad_answer(frame: bytes) -> None:
    with pytest.raises(BadAnswer):
        StreamReader().feed(frame)


def test_a_block_that_is_kept_is_bounded() -> None:
    reader = StreamReader()
    for event in (START, _open(0, type="server_tool_use", id="s", name="n", input={})):
        reader.feed(_frame(event))
    piece = _frame(_delta(0, "input_json_delta", partial_json="x" * (1 << 19)))
    with pytest.raises(BadAnswer):
        for _ in range(20):
            reader.feed(piece)
