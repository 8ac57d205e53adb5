"""Streams of providers, as they should be and as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Logprobs,
    Open,
    Reasoning,
    Text,
    ToolCall,
    Total,
)
from proxy.dialects.openai_responses.answer import read_answer
from proxy.dialects.openai_responses.reader import StreamReader
from proxy.errors import BadAnswer, Overloaded, RateLimited, Unavailable, UpstreamError
from proxy.gather import Gather
from tests.support.sayings import saying
from tests.upstream.dialects import openai_responses as official
from tests.upstream.say import Asked

_ASKED = Asked(model="m", stream=True)
_CREATED = {
    "type": "response.created",
    "response": {"id": "resp_1", "model": "m", "status": "in_progress", "output": []},
}
_DONE = {"type": "response.completed", "response": {"id": "resp_1", "model": "m", "status": "completed", "output": []}}


def _frame(event: Any) -> bytes:
    return b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n"


def _read(*events: Any) -> list[Event]:
    reader = StreamReader()
    found = [one for event in events for one in reader.feed(_frame(event))]
    return found + reader.finish()


def _added(item: dict[str, Any], at: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": at, "item": item}


def _ended(item: dict[str, Any], at: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": at, "item": item}


def _piece(kind: str, delta: str, at: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": at, "content_index": 0, "delta": delta, **more}


_MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
_PART = {
    "type": "response.content_part.added",
    "output_index": 0,
    "content_index": 0,
    "part": {"type": "output_text", "text": "", "annotations": []},
}
_CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": ""}


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=10**6))
def test_a_stream_and_the_whole_are_the_same_answer(seed: int) -> None:
    say = saying(seed)
    gather, reader = Gather(), StreamReader()
    for frame in official.stream(say, _ASKED):
        gather.feed(reader.feed(frame + b"\n\n"))
    assert reader.finish() == []
    whole = read_answer(json.dumps(official.whole(say, _ASKED)).encode())
    assert gather.completion() == whole


def test_a_plain_answer_is_a_block_of_text() -> None:
    found = _read(
        _CREATED,
        {"type": "response.in_progress", "response": _CREATED["response"]},
        _added(_MESSAGE),
        _PART,
        _piece("output_text", "He", logprobs=[{"token": "He"}], obfuscation="xyz"),
        _piece("output_text", "y"),
        {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hey"},
        {
            "type": "response.content_part.done",
            "output_index": 0,
            "content_index": 0,
            "part": {"type": "output_text", "text": "Hey"},
        },
        _ended(_MESSAGE),
        _DONE,
    )
    assert found == [
        Begin(id="resp_1", model="m"),
        Open(0, 0, Text("")),
        Delta(0, "text", "He", 0),
        Logprobs(0, [{"token": "He"}]),
        Delta(0, "text", "y", 0),
        Close(0, 0),
        Finish(stop="stop"),
        End(),
    ]


def test_what_was_not_announced_is_text_all_the_same() -> None:
    """Some servers leave out the events around the pieces."""
    found = _read(_CREATED, _added(_MESSAGE), _piece("output_text", "Hey"), _DONE)
    assert found[1:3] == [Open(0, 0, Text("Hey")), Close(0, 0)]


def test_what_comes_only_at_the_end_is_told() -> None:
    late = {"type": "response.output_text.done", "output_index": 0, "content_index": 0, "text": "Hey"}
    assert Delta(0, "text", "Hey", 0) in _read(_CREATED, _added(_MESSAGE), _PART, late, _DONE)
    part = {
        "type": "response.content_part.done",
        "output_index": 0,
        "content_index": 0,
        "part": {"type": "output_text", "text": "Hey"},
    }
    assert Delta(0, "text", "Hey", 0) in _read(_CREATED, _added(_MESSAGE), _PART, part, _DONE)
    whole = {**_MESSAGE, "content": [{"type": "output_text", "text": "Hey"}]}
    assert Open(0, 0, Text("Hey")) in _read(_CREATED, _ended(whole), _DONE)
    last = {**_DONE, "response": {**_DONE["response"], "output": [whole, {**_CALL, "arguments": "{}"}]}}  # type: ignore[dict-item]
    found = _read(_CREATED, last)
    assert Open(0, 0, Text("Hey")) in found
    assert Finish(stop="tool_calls") in found
    late_call = {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": "{}"}
    assert Delta(0, "arguments", "{}", 0) in _read(_CREATED, _added(_CALL), late_call, _DONE)
    assert Delta(0, "arguments", "{}", 0) in _read(_CREATED, _added(_CALL), _ended({**_CALL, "arguments": "{}"}), _DONE)


def test_calls_may_take_turns() -> None:
    other = {**_CALL, "call_id": "c2"}
    found = _read(
        _CREATED,
        _added(_CALL),
        _added(other, 1),
        _piece("function_call_arguments", '{"a"', 0),
        _piece("function_call_arguments", "{}", 1),
        _piece("function_call_arguments", ":1}", 0),
        _ended(_CALL),
        _ended(other, 1),
        _DONE,
    )
    gather = Gather()
    gather.feed(found)
    assert gather.completion().choices[0].parts == [
        ToolCall(id="c1", name="f", arguments='{"a":1}'),
        ToolCall(id="c2", name="f", arguments="{}"),
    ]


def test_a_custom_call_is_text() -> None:
    item = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "p", "input": ""}
    found = _read(_CREATED, _added(item), _piece("custom_tool_call_input", "x"), _ended({**item, "input": "x"}), _DONE)
    assert found[1:3] == [
        Open(0, 0, ToolCall(id="c", name="p", arguments="", custom=True)),
        Delta(0, "arguments", "x", 0),
    ]


def test_parts_of_a_summary_are_paragraphs_and_the_proof_comes_last() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": []}
    found = _read(
        _CREATED,
        _added(item),
        {**_piece("reasoning_summary_text", "a"), "summary_index": 0},
        {**_piece("reasoning_summary_text", "b"), "summary_index": 1},
        {**_piece("reasoning_summary_text", "c"), "summary_index": 1},
        _ended({**item, "encrypted_content": "E"}),
        _DONE,
    )
    assert found[1:6] == [
        Open(0, 0, Reasoning(text="a", origin="openai", id="rs_1", is_summary=True)),
        Delta(0, "reasoning", "\n\nb", 0),
        Delta(0, "reasoning", "c", 0),
        Delta(0, "signature", "rs_1:E", 0),
        Close(0, 0),
    ]


def test_open_thoughts_are_no_summary() -> None:
    found = _read(
        _CREATED, _added({"type": "reasoning", "id": "rs_1", "summary": []}), _piece("reasoning_text", "a"), _DONE
    )
    assert found[1] == Open(0, 0, Reasoning(text="a", origin="openai", id="rs_1"))


def test_citations_are_told_once() -> None:
    note = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 1}
    added = {"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0, "annotation": note}
    done = {
        "type": "response.content_part.done",
        "output_index": 0,
        "content_index": 0,
        "part": {"type": "output_text", "text": "x", "annotations": [note, {**note, "url": "https://b.example"}]},
    }
    found = _read(_CREATED, _added(_MESSAGE), _PART, added, done, _DONE)
    cited = [event.citation for event in found if isinstance(event, Cite)]
    assert [citation.url for citation in cited] == ["https://a.example", "https://b.example"]
    assert all(type(citation) is Citation for citation in cited)


def test_items_of_the_providers_own_tools_come_whole() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    found = _read(
        _CREATED,
        _added({**item, "status": "in_progress"}),
        {"type": "response.web_search_call.searching", "output_index": 0},
        _ended(item),
        _DONE,
    )
    assert found[1] == Open(0, 0, Foreign(origin="openai_responses", what="output.web_search_call", value=item))


def test_usage_and_a_short_end_are_told() -> None:
    last = {
        "type": "response.incomplete",
        "response": {
            "id": "resp_1",
            "incomplete_details": {"reason": "max_output_tokens"},
            "usage": {"input_tokens": 1, "output_tokens": 2},
        },
    }
    found = _read(_CREATED, last)
    assert Finish(stop="length") in found
    assert any(isinstance(event, Total) and event.usage.output == 2 for event in found)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.new_thing", "delta": {"a": 1}, "item": 5},
        {"type": "keepalive", "sequence_number": 3},
        {},
        {"type": "response.output_item.added", "output_index": 7},
    ],
)
def test_what_is_unknown_and_harmless_is_skipped(event: dict[str, Any]) -> None:
    assert _read(_CREATED, event, _DONE) == _read(_CREATED, _DONE)


def test_comments_and_other_marks_are_skipped() -> None:
    reader = StreamReader()
    assert reader.feed(b": keep-alive\n\n") == []
    assert reader.feed(b"data: [DONE]\n\n") == []
    assert reader.feed(b'data: {"type":"response.created",\r\ndata: "response":{"id":"resp_1"}}\r\n\r\n') == [
        Begin(id="resp_1", model="")
    ]


@pytest.mark.parametrize(
    "events",
    [
        ["text"],
        [[1]],
        [{"type": "response.output_text.delta", "delta": 5}],
        [_added(_MESSAGE)],
        [_CREATED, _added(_MESSAGE), _added(_MESSAGE)],
        [_CREATED, _piece("output_text", "x")],
        [_CREATED, _piece("function_call_arguments", "x")],
        [_CREATED, _added(_MESSAGE), _piece("function_call_arguments", "x")],
        [_CREATED, _added(_MESSAGE), _piece("reasoning_text", "x")],
        [_CREATED, _added(_CALL), _ended(_CALL), _piece("function_call_arguments", "x")],
        [_CREATED, _added(_CALL), _ended(_CALL), _ended(_CALL)],
        [_CREATED, _added({"type": "function_call", "id": ""})],
        [_ended(_MESSAGE)],
        [_CREATED, {"type": "response.completed"}],
        [_CREATED, _added(_MESSAGE), _PART, _piece("output_text", "x")],
        [],
    ],
)
def test_an_impossible_stream_is_a_bad_answer(events: list[Any]) -> None:
    with pytest.raises(BadAnswer):
        _read(*events)


def test_what_is_no_json_is_a_bad_answer() -> None:
    for data in (b"<html>", b'{"type":"resp', b"\xff", b"[" * 100_000):
        with pytest.raises(BadAnswer):
            StreamReader().feed(b"data: " + data + b"\n\n")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (
            {"type": "error", "code": "rate_limit_exceeded", "message": "x", "param": None, "sequence_number": 1},
            RateLimited,
        ),
        ({"type": "error", "error": {"type": "overloaded_error"}}, Overloaded),
        ({"error": {"code": "server_error", "message": "x"}, "type": ""}, Unavailable),
        ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error"}}}, Unavailable),
        ({"type": "response.failed"}, BadAnswer),
    ],
)
def test_an_error_in_the_stream_is_told_by_what_it_means(event: dict[str, Any], kind: type[UpstreamError]) -> None:
    with pytest.raises(UpstreamError) as caught:
        _read(_CREATED, event)
    assert type(caught.value) is kind


_KINDS = [
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.function_call_arguments.delta",
    "response.reasoning_summary_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
    "new",
]
_ITEMS = [_MESSAGE, _CALL, {"type": "reasoning", "id": "rs_1", "summary": []}, {"type": "new"}, None]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(_KINDS)},
            optional={
                "output_index": st.integers(0, 2),
                "content_index": st.integers(0, 1),
                "delta": st.text(max_size=3),
                "text": st.text(max_size=3),
                "item": st.sampled_from(_ITEMS),
                "part": st.sampled_from([{"type": "output_text", "text": "x"}, {"type": "refusal"}, {"type": "new"}]),
                "response": st.just(_CREATED["response"]),
            },
        ),
        max_size=12,
    )
)
def test_any_order_of_events_is_a_sound_stream_or_a_bad_answer(events: list[dict[str, Any]]) -> None:
    """Sound: every block is opened and closed once, and nothing comes in between."""
    found: list[Event] = []
    reader = StreamReader()
    try:
        for event in [_CREATED, *events]:
            found += reader.feed(_frame(event))
    except BadAnswer:
        return
    open_blocks: set[int] = set()
    for one in found:
        if isinstance(one, Open):
            open_blocks.add(one.block)
        elif isinstance(one, Close):
            open_blocks.remove(one.block)
        elif isinstance(one, Delta | Cite):
            assert one.block in open_blocks
