"""Pieces of content are parts, and what is wrong with one is said with its place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Cache, Foreign, Media, Part, Refusal, Text
from proxy.dialects.openai_responses.content import Unknown, read_cache, read_content, read_piece, split_data
from proxy.dialects.openai_responses.wire import CONTENTS, Breakpoint, Content
from proxy.errors import BadRequest


def _piece(**members: Any) -> Content:
    return msgspec.convert(members, Content)


@pytest.mark.parametrize(
    ("piece", "part"),
    [
        ({"type": "input_text", "text": "Hi"}, Text("Hi")),
        ({"type": "refusal", "refusal": "No"}, Refusal("No")),
        (
            {"type": "input_text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}},
            Text("Hi", Cache("1h")),
        ),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            Media(kind="image", data="AAAA", media_type="image/png"),
        ),
        (
            {"type": "input_file", "filename": "a.csv", "file_data": "AAAA"},
            Media(kind="file", data="AAAA", media_type="text/csv", name="a.csv"),
        ),
        (
            {"type": "input_file", "file_data": "data:text/plain;base64,AAAA"},
            Media(kind="file", data="AAAA", media_type="text/plain"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            Media(kind="audio", data="AAAA", media_type="audio/mp3"),
        ),
    ],
)
def test_a_piece_is_a_part(piece: dict[str, Any], part: Part) -> None:
    assert read_piece(_piece(**piece), "x") == part


@pytest.mark.parametrize(
    ("piece", "param"),
    [
        ({"type": "input_text"}, "x.text"),
        ({"type": "output_text", "text": None}, "x.text"),
        ({"type": "refusal"}, "x.refusal"),
        ({"type": "input_image"}, "x.image_url"),
        ({"type": "input_image", "image_url": "file:///etc/passwd"}, "x.image_url"),
        ({"type": "input_image", "image_url": "data:image/png,AAAA"}, "x.image_url"),
        ({"type": "input_image", "image_url": "https://a.example", "file_id": "f"}, "x"),
        ({"type": "input_file"}, "x.file_data"),
        ({"type": "input_file", "file_id": "f", "file_url": "https://a.example"}, "x"),
        ({"type": "input_audio"}, "x.input_audio"),
    ],
)
def test_what_is_wrong_has_a_place(piece: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_piece(_piece(**piece), "x")
    assert caught.value.param == param


def test_a_kind_that_is_unknown_stays_as_it_came() -> None:
    value = {"type": "input_video", "frames": [1, 2]}
    parts = read_content(msgspec.convert([value], CONTENTS), "input[0].content", [value].__getitem__, "messages[0]")
    assert parts == [Foreign(origin="openai_responses", what="messages[0].input_video", value=value)]
    with pytest.raises(Unknown):
        read_piece(_piece(type="input_video"), "x")


def test_a_marker_without_a_lifetime_is_the_shorter_one() -> None:
    assert read_cache(None) is None
    assert read_cache(Breakpoint("explicit")) == Cache("5m")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("data:image/png;base64,AA", ("image/png", "AA")),
        ("DATA:Text/Plain;charset=utf-8;base64,AA", ("text/plain", "AA")),
        ("data:;base64,AA", (None, "AA")),
        ("data:image/png,AA", None),
        ("data:image/png;base64", None),
        ("https://a.example", None),
        ("AAAA", None),
    ],
)
def test_a_data_url_is_type_and_data(url: str, found: tuple[str | None, str] | None) -> None:
    assert split_data(url) == found
