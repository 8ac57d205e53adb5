"""Blocks of a request as neutral parts: markers, sources, what has no place."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from proxy.chat import Cache, Foreign, Media, Text
from proxy.dialects.bedrock.content import read_cache, read_content
from proxy.dialects.bedrock.wire import Block, CachePoint
from proxy.errors import BadRequest


def read(*blocks: dict[str, Any]) -> list[Any]:
    """The parts of these blocks."""
    return read_content([msgspec.convert(block, Block) for block in blocks], "here")


def test_a_marker_marks_what_stands_before_it() -> None:
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert read({"text": "a"}, point, {"text": "b"}) == [Text("a", Cache("1h")), Text("b")]
    assert read(point, {"text": "b"}) == [Text("b")]
    assert [read_cache(CachePoint()), read_cache(CachePoint("5m"))] == [Cache("5m"), Cache("5m")]


def test_what_nobody_else_has_a_word_for_keeps_its_own() -> None:
    for name in ("guardContent", "searchResult", "toolAddition", "toolRemoval"):
        (part,) = read({name: {"a": 1}})
        assert part == Foreign(origin="bedrock", what=f"here[0].{name}", value={name: {"a": 1}})


def test_a_format_that_nobody_knows_is_told_as_it_is() -> None:
    (part,) = read({"video": {"format": "holo", "source": {"bytes": "AA=="}}})
    assert part == Media(kind="video", data="AA==", media_type="video/holo")


@pytest.mark.parametrize("block", [{}, {"image": {"source": {}}}, {"reasoningContent": {}}, {"unknown": 1}])
def test_what_makes_no_sense_is_refused_with_its_place(block: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        read({"text": "a"}, block)
    assert caught.value.param is not None
    assert caught.value.param.startswith("here[1]")
