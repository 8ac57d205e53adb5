"""Items as they grow: every one has its beginning, its pieces and its end."""

from __future__ import annotations

import json
from typing import Any

from proxy.chat import Citation, Foreign, Media, Reasoning, Text, ToolCall
from proxy.dialects.openai_responses.pieces import Pieces
from tests.support.sse import read_events


def _told(pieces: Pieces) -> list[dict[str, Any]]:
    return [json.loads(event.data or "") for event in read_events(pieces.taken())]


def _names(pieces: Pieces) -> list[str]:
    return [event["type"].removeprefix("response.") for event in _told(pieces)]


def test_a_text_without_words_is_not_told() -> None:
    pieces = Pieces("sg_x")
    pieces.open(Text(""))
    pieces.close()
    pieces.open(Reasoning())
    pieces.close()
    assert _names(pieces) == []
    assert pieces.items == []


def test_two_texts_are_one_message_that_ends_with_the_next_item() -> None:
    pieces = Pieces("sg_x")
    for text in ("a", "b"):
        pieces.open(Text(text))
        pieces.close()
    around = ["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]
    assert _names(pieces) == ["output_item.added", *around, *around]
    pieces.open(ToolCall(id="c", name="f", arguments="{}"))
    pieces.close()
    assert _names(pieces) == [
        "output_item.done",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]


def test_a_custom_call_has_events_of_its_own() -> None:
    pieces = Pieces("sg_x")
    pieces.open(ToolCall(id="c", name="p", arguments="x", custom=True))
    pieces.close()
    assert _names(pieces)[1:3] == ["custom_tool_call_input.delta", "custom_tool_call_input.done"]


def test_numbers_rise_by_one_over_all_events() -> None:
    pieces = Pieces("sg_x")
    pieces.open(Text("a", citations=(Citation(url="https://a.example"),)))
    pieces.add("text", "b")
    pieces.close()
    first = _told(pieces)
    pieces.end_message()
    assert [event["sequence_number"] for event in first + _told(pieces)] == list(range(len(first) + 1))


def test_what_has_no_pieces_begins_and_ends_at_once() -> None:
    search = {"type": "web_search_call", "id": "ws_1"}
    pieces = Pieces("sg_x")
    for part in (
        Reasoning(redacted="R", origin="anthropic"),
        Media(kind="image", data="AAAA"),
        Foreign(origin="openai_responses", what="output.web_search_call", value=search),
        Foreign(origin="gemini", what="x", value={}),
    ):
        pieces.open(part)
        pieces.close()
    assert _names(pieces) == ["output_item.added", "output_item.done"] * 3
    assert [item["type"] for item in pieces.items] == ["reasoning", "image_generation_call", "web_search_call"]


def test_a_medium_that_an_answer_cannot_hold_is_named() -> None:
    pieces = Pieces("sg_x")
    pieces.open(Media(kind="audio", data="AAAA", media_type="audio/wav"))
    pieces.close()
    assert "audio/wav" in pieces.items[0]["content"][0]["text"]


def test_the_proof_of_a_text_or_a_call_follows_it() -> None:
    pieces = Pieces("sg_x")
    pieces.open(Text("a", origin="gemini"))
    pieces.add("signature", "S")
    pieces.close()
    pieces.open(Text("", signature="T", origin="gemini"))
    pieces.close()
    pieces.open(ToolCall(id="c", name="f", arguments="{}", signature="U", origin="gemini"))
    pieces.close()
    sealed = [item.get("encrypted_content") for item in pieces.items]
    assert sealed == [None, "sg.gemini@last.S", "sg.gemini@text.T", None, "sg.gemini@last.U"]


def test_an_odd_id_of_an_item_breaks_no_event() -> None:
    pieces = Pieces("sg_x")
    pieces.open(Reasoning(text="hm", origin="openai", id='rs_"1'))
    pieces.add("reasoning", "m")
    pieces.close()
    assert {event["item_id"] for event in _told(pieces) if "item_id" in event} == {'rs_"1'}
