"""Chat streams under filters: what is left alone passes as it came, what is held back comes out before the end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Delta
from proxy.dialects.openai_stream import ChatFilters
from proxy.errors import BadAnswer
from proxy.sse import Splitter, read_data

DONE = b"data: [DONE]\n\n"
LAST = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"id":"c","choices":[],"usage":{"total_tokens":3}}\n\n'


class Keep:
    """Passes everything and notes it."""

    def __init__(self) -> None:
        self.seen: list[Delta] = []

    def feed(self, delta: Delta) -> list[Delta]:
        self.seen.append(delta)
        return [delta]

    def finish(self) -> list[Delta]:
        return []


class Hold(Keep):
    """Holds the last piece of each kind back until the next one comes."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[int, str, int], Delta] = {}

    def feed(self, delta: Delta) -> list[Delta]:
        key = (delta.choice, delta.kind, delta.block)
        before = self.held.get(key)
        self.held[key] = delta
        return [before] if before is not None else []

    def finish(self) -> list[Delta]:
        return list(self.held.values())


class Shout(Keep):
    def feed(self, delta: Delta) -> list[Delta]:
        return [msgspec.structs.replace(delta, text=delta.text.upper())]


def said(text: str, index: int = 0, **more: Any) -> bytes:
    choice = {"index": index, "delta": {"content": text, **more}, "finish_reason": None}
    return b"data: " + msgspec.json.encode({"id": "c", "model": "m", "choices": [choice]}) + b"\n\n"


def run(stream: bytes, *filters: Keep, size: int = 10_000) -> bytes:
    through = ChatFilters(list(filters))
    return b"".join([through.feed(stream[at : at + size]) for at in range(0, len(stream), size)]) + through.finish()


def texts(stream: bytes) -> list[Any]:
    splitter = Splitter()
    found: list[Any] = []
    for event in splitter.feed(stream) + splitter.finish():
        data = read_data(event)
        if data and data != b"[DONE]":
            found += [
                (choice["index"], choice["delta"].get("content"), choice.get("finish_reason"))
                for choice in msgspec.json.decode(data)["choices"]
            ]
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_what_filters_leave_alone_passes_byte_for_byte(size: int) -> None:
    stream = (
        b": hi\n\n" + said("a\u2028b", role="assistant") + b'data:  {"choices" :[ ] }\r\n\r\n' + LAST + USAGE + DONE
    )
    keep = Keep()
    assert run(stream, keep, size=size) == stream
    assert keep.seen == [Delta(0, "text", "a\u2028b")]


def test_all_kinds_of_text_are_seen() -> None:
    calls = [{"index": 2, "id": "x", "function": {"name": "f", "arguments": '{"a"'}}]
    keep = Keep()
    run(said("t", 1, reasoning_content="r", tool_calls=calls) + said("", reasoning="q"), keep)
    assert keep.seen == [
        Delta(1, "text", "t"),
        Delta(1, "reasoning", "r"),
        Delta(1, "arguments", '{"a"', 2),
        Delta(0, "reasoning", "q"),
    ]


def test_changed_text_keeps_all_other_members() -> None:
    out = run(said("a", role="assistant", refusal=None), Shout())
    assert msgspec.json.decode(read_data(out) or b"") == {
        "id": "c",
        "model": "m",
        "choices": [
            {"index": 0, "delta": {"content": "A", "role": "assistant", "refusal": None}, "finish_reason": None}
        ],
    }


def test_what_is_held_back_comes_out_before_the_end_of_its_choice() -> None:
    out = run(said("a") + said("b") + said("c") + LAST + USAGE + DONE, Hold(), Shout())
    assert texts(out) == [(0, "", None), (0, "A", None), (0, "B", None), (0, "C", None), (0, None, "stop")]
    assert out.endswith(LAST + USAGE + DONE)
    assert b'"id":"c"' in out[: -len(LAST + USAGE + DONE)]


def test_what_is_held_back_comes_out_when_the_stream_has_no_marker() -> None:
    assert texts(run(said("a"), Hold())) == [(0, "", None), (0, "a", None)]


def test_choices_that_go_on_are_not_kept_waiting_by_one_that_ended() -> None:
    out = run(LAST + said("b", 1) + DONE, Keep())
    assert texts(out) == [(1, "b", None), (0, None, "stop")]


def test_held_tool_arguments_come_out_as_tool_arguments() -> None:
    calls = [{"index": 1, "function": {"arguments": "{}"}}]
    out = run(said("", tool_calls=calls) + DONE, Hold())
    events = [msgspec.json.decode(read_data(event) or b"") for event in Splitter().feed(out)[:-1]]
    assert events[-1]["choices"][0]["delta"] == {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}


def test_an_error_object_passes() -> None:
    event = b'data: {"error":{"message":"x"}}\n\n'
    assert run(event, Shout()) == event


@pytest.mark.parametrize("data", [b"{", b"[]", b"1", b'{"choices":[1]}'])
def test_an_event_that_is_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        run(b"data: " + data + b"\n\n", Keep())


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"index": 0},
        {"index": 0, "delta": None},
        {"index": True, "delta": {"content": "a"}},
        {"index": 0, "delta": {"content": 1}},
        {"index": 0, "delta": {"tool_calls": 1}},
        {"index": 0, "delta": {"tool_calls": [1, {"function": 1}, {"function": {"arguments": 1}}]}},
    ],
)
def test_odd_choices_pass_unseen(choice: Any) -> None:
    event = b"data: " + msgspec.json.encode({"choices": [choice]}) + b"\n\n"
    assert run(event, Shout()) == event


def test_a_stream_that_goes_on_after_its_end_is_bounded() -> None:
    through = ChatFilters([Keep()])
    big = b'data: {"choices":[{"index":0,"finish_reason":"stop"}],"x":"' + b"x" * 600_000 + b'"}\n\n'
    through.feed(big)
    with pytest.raises(BadAnswer, match="goes on"):
        through.feed(big)
