"""Streams are written in the strict grammar of the API, whatever order the events come in."""

from __future__ import annotations

import pytest

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
    Media,
    Open,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
    seal,
)
from proxy.dialects.anthropic_messages.wire import NAME
from proxy.dialects.anthropic_messages.writer import StreamWriter
from proxy.errors import BadAnswer
from tests.proxy.dialects.anthropic_messages.official import check_stream

CHAT = Chat(model="asked", messages=[])
BEGIN = Begin(id="msg_1", model="m")


def _write(*events: Event, stop: Finish | None = None) -> bytes:
    writer = StreamWriter(CHAT)
    return writer.feed([BEGIN, *events, stop or Finish(), End()])


def _parts(*parts: Part) -> list[Event]:
    return [event for at, part in enumerate(parts) for event in (Open(0, at, part), Close(0, at))]


def test_text_is_written_piece_by_piece() -> None:
    writer = StreamWriter(CHAT)
    out = [writer.feed([BEGIN]), writer.feed([Open(0, 0, Text(""))])]
    assert out[1] == b""
    out += [writer.feed([Delta(0, "text", piece, 0)]) for piece in ("Grüße ", "\u2028", '"x"')]
    assert all(out[2:])
    out.append(writer.feed([Close(0, 0), Finish(), Total(Usage(input=3, output=4)), End()]))
    message = check_stream(b"".join(out))
    assert [block.text for block in message.content if block.type == "text"] == ['Grüße \u2028"x"']
    assert (message.id, message.model, message.stop_reason) == ("msg_1", "m", "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (3, 4)


def test_the_usage_of_the_begin_counts_until_a_later_one() -> None:
    writer = StreamWriter(CHAT)
    begin = Begin(id="", model="", usage=Usage(input=9, cached_read=2))
    message = check_stream(writer.feed([begin, Finish(), End()]))
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (9, 2)
    assert message.model == "asked"
    assert message.id.startswith("msg_")


def test_every_class_of_usage_is_told() -> None:
    usage = Usage(input=1, cached_read=2, cache_write_5m=3, cache_write_1h=4, input_audio=5, output=6, reasoning=7)
    told = check_stream(_write(Total(usage))).usage
    assert (told.input_tokens, told.cache_read_input_tokens, told.cache_creation_input_tokens) == (6, 2, 7)
    assert told.output_tokens == 13
    assert told.output_tokens_details is not None
    assert told.output_tokens_details.thinking_tokens == 7


def test_calls_that_come_mixed_are_written_one_after_the_other() -> None:
    message = check_stream(
        _write(
            Open(0, 0, ToolCall(id="a", name="f", arguments="")),
            Delta(0, "arguments", '{"x"', 0),
            Open(0, 1, ToolCall(id="b", name="g", arguments='{"y"')),
            Delta(0, "arguments", ":1}", 0),
            Open(0, 2, Text("late")),
            Delta(0, "arguments", ":2}", 1),
            Close(0, 2),
            Close(0, 0),
            Close(0, 1),
            stop=Finish(stop="tool_calls"),
        )
    )
    assert [(block.id, block.input) for block in message.content if block.type == "tool_use"] == [
        ("a", {"x": 1}),
        ("b", {"y": 2}),
    ]
    assert message.content[2].type == "text"
    assert message.stop_reason == "tool_use"


def test_blocks_that_wait_longest_go_first_and_none_is_forgotten() -> None:
    opened: list[Event] = [Open(0, at, ToolCall(id=f"c{at}", name="f", arguments="{}")) for at in range(2000)]
    closed: list[Event] = [Close(0, at) for at in range(1999, -1, -1)]
    message = check_stream(_write(*opened, *closed, stop=Finish(stop="tool_calls")))
    assert [block.id for block in message.content if block.type == "tool_use"] == [f"c{at}" for at in range(2000)]


def test_thoughts_are_signed_before_they_end() -> None:
    message = check_stream(
        _write(
            Open(0, 0, Reasoning(origin="anthropic")),
            Delta(0, "reasoning", "hm", 0),
            Delta(0, "signature", "SIG", 0),
            Close(0, 0),
            Open(0, 1, Reasoning(text="b", signature="G", origin="gemini")),
            Close(0, 1),
            Open(0, 2, Reasoning(text="c")),
            Close(0, 2),
            Open(0, 3, Reasoning(redacted="E", origin="openai")),
            Close(0, 3),
        )
    )
    found = [(block.thinking, block.signature) for block in message.content if block.type == "thinking"]
    assert found == [("hm", "SIG"), ("b", seal("gemini", "G")), ("c", "")]
    assert [block.data for block in message.content if block.type == "redacted_thinking"] == [seal("openai", "E")]


def test_there_are_no_empty_blocks() -> None:
    message = check_stream(_write(*_parts(Text(""), Reasoning(), Refusal(""), Foreign(origin="x", what="x", value={}))))
    assert message.content == []


def test_signatures_of_calls_and_texts_travel_beside_them() -> None:
    message = check_stream(
        _write(
            *_parts(ToolCall(id="a", name="f", arguments="{}", signature="1", origin="gemini")),
            Open(0, 1, Text("x", origin="gemini")),
            Delta(0, "signature", "2", 1),
            Close(0, 1),
            Open(0, 2, Text("", origin="gemini")),
            Delta(0, "signature", "3", 2),
            Close(0, 2),
        )
    )
    assert [block.type for block in message.content] == [
        "redacted_thinking", "tool_use", "text", "redacted_thinking", "redacted_thinking",
    ]  # fmt: skip
    assert [block.data for block in message.content if block.type == "redacted_thinking"] == [
        seal("gemini@next", "1"),
        seal("gemini@last", "2"),
        seal("gemini@text", "3"),
    ]


def test_citations_and_own_blocks_are_written() -> None:
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    message = check_stream(
        _write(
            *_parts(Foreign(origin=NAME, what="x", value=search)),
            Open(0, 1, Text("a", citations=(Citation(url="u", title="t"),))),
            Cite(0, 1, Citation(text="q", document=0, start=1, end=2)),
            Close(0, 1),
        )
    )
    server, text = message.content
    assert server.to_dict() == search
    assert text.type == "text"
    assert [one.type for one in text.citations or []] == ["web_search_result_location", "char_location"]


def test_a_refusal_is_text_and_a_reason() -> None:
    message = check_stream(_write(Open(0, 0, Refusal("")), Delta(0, "refusal", "No.", 0), Close(0, 0)))
    assert message.content[0].type == "text"
    assert message.stop_reason == "refusal"


def test_an_image_is_not_dropped_in_silence() -> None:
    message = check_stream(_write(*_parts(Media(kind="image", data="AA==", media_type="image/png"))))
    assert message.content[0].type == "text"
    assert "image/png" in message.content[0].text


def test_other_choices_are_not_written() -> None:
    message = check_stream(
        _write(Open(1, 0, Text("b")), Delta(1, "text", "c", 0), Close(1, 0), Finish(choice=1, stop="length"))
    )
    assert (message.content, message.stop_reason) == ([], "end_turn")


def test_a_block_left_open_is_closed_at_the_end() -> None:
    message = check_stream(_write(Open(0, 0, Text("a")), Open(0, 1, Text("b"))))
    assert len(message.content) == 2


def test_what_adds_to_no_block_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer):
        _write(Delta(0, "text", "a", 7))


def test_what_waits_is_bounded() -> None:
    writer = StreamWriter(CHAT)
    writer.feed([BEGIN, Open(0, 0, Text("")), Open(0, 1, Text(""))])
    with pytest.raises(BadAnswer):
        for _ in range(20):
            writer.feed([Delta(0, "text", "x" * (1 << 19), 1)])
