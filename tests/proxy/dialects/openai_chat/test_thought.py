"""Thoughts keep their signatures through a format that has no word for them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Reasoning
from proxy.dialects.openai_chat.thought import (
    head_of,
    of_text,
    read_chunk,
    read_detail,
    read_thoughts,
    signature_of_text,
    write_detail,
)
from proxy.dialects.openai_chat.wire import Detail


@pytest.mark.parametrize(
    "thought",
    [
        Reasoning(text="hm"),
        Reasoning(text="hm", signature="S", origin="anthropic", id="i"),
        Reasoning(redacted="D", origin="gemini"),
        Reasoning(text="s", origin="openai", is_summary=True),
        Reasoning(text="x", origin="somebody"),
    ],
)
def test_a_thought_comes_back_as_it_went(thought: Reasoning) -> None:
    written = write_detail(thought, 3)
    found = read_detail(msgspec.convert(written, Detail))
    if not thought.origin:
        assert written["format"] == "unknown"
        found.origin = ""
    assert found == thought
    assert written["index"] == 3


def test_pieces_of_one_index_are_one_thought() -> None:
    pieces = [
        Detail(type="reasoning.text", text="h", index=0),
        Detail(type="reasoning.text", text="m", index=0),
        Detail(type="reasoning.text", signature="S", index=0),
        Detail(type="reasoning.text", text="other", index=1),
        Detail(type="reasoning.summary", summary="a", index=0),
        Detail(type="reasoning.summary", summary="b", index=0),
    ]
    found: list[Any] = read_thoughts(pieces, "ignored")
    assert [(one.text, one.signature) for one in found] == [("hm", "S"), ("other", None), ("ab", None)]


def test_text_alone_is_a_thought_that_nobody_signed() -> None:
    assert read_thoughts(None, "hm") == [Reasoning(text="hm")]
    assert read_thoughts([], None) == []


def test_the_signature_of_a_text_stands_among_the_thoughts() -> None:
    detail = msgspec.convert(of_text("S", "gemini", 0), Detail)
    assert signature_of_text([detail]) == ("S", "gemini")
    assert read_thoughts([detail], None) == []
    assert signature_of_text(None) is None


def test_the_head_of_a_thought_says_what_it_is() -> None:
    assert head_of(Reasoning(origin="anthropic", is_summary=True), 0) == {
        "type": "reasoning.summary",
        "id": None,
        "format": "anthropic-claude-v1",
        "index": 0,
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("hm", "hm"),
        ([{"type": "text", "text": "h"}, {"text": "m"}, {"x": 1}, 7, {"text": None}], "hm"),
        (None, ""),
        (7, ""),
    ],
)
def test_a_chunk_of_mistrals_is_read_as_far_as_it_is_text(given: Any, expected: str) -> None:
    assert read_chunk(given) == expected
