"""Reasons to stop, classes of tokens, sources and hidden thoughts in Converse's words."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from proxy.chat import Citation, Usage
from proxy.dialects.bedrock.words import (
    CacheDetail,
    UsageWire,
    read_citation,
    read_stop,
    read_usage,
    write_citation,
    write_hidden,
    write_stop,
    write_usage,
)
from tests.support.heard.bedrock import model


def test_every_reason_that_botocore_knows_is_understood_and_finds_back() -> None:
    """Two of them have no neutral word, and keep their own."""
    known = model().shape_for("StopReason").enum
    ends = {word: read_stop(word, calls=word == "tool_use") for word in known}
    assert {word for word, end in ends.items() if end.stop == "other"} == {
        "malformed_model_output",
        "malformed_tool_use",
    }
    for word, end in ends.items():
        if end.stop != "other":
            assert write_stop(end.stop, end.reason) == word
        else:
            assert end.reason == word
            assert write_stop(end.stop, end.reason) in known


def test_what_nobody_knows_is_kept_as_a_word() -> None:
    end = read_stop("moonlight", calls=False)
    assert (end.stop, end.reason) == ("other", "moonlight")
    assert read_stop(None, calls=False).stop == "stop"


def test_calls_decide_between_stopping_and_calling() -> None:
    """The answer that came by a tool of ours is no call."""
    assert read_stop("end_turn", calls=True).stop == "tool_calls"
    assert read_stop("tool_use", calls=False).stop == "stop"
    assert read_stop("max_tokens", calls=True).stop == "length"


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (UsageWire(inputTokens=3, outputTokens=4), Usage(input=3, output=4)),
        (
            UsageWire(
                inputTokens=3,
                outputTokens=4,
                cacheReadInputTokens=5,
                cacheWriteInputTokens=9,
                cacheDetails=[CacheDetail("1h", 2), CacheDetail("5m", 7)],
            ),
            Usage(input=3, output=4, cached_read=5, cache_write_5m=7, cache_write_1h=2),
        ),
        (UsageWire(cacheWriteInputTokens=6), Usage(cache_write_5m=6)),
        (UsageWire(cacheWriteInputTokens=1, cacheDetails=[CacheDetail("1h", 50)]), Usage(cache_write_1h=1)),
        (UsageWire(inputTokens=-5, outputTokens=10**30), Usage(output=10**12)),
    ],
)
def test_tokens_are_told_by_class(told: UsageWire, meant: Usage) -> None:
    assert read_usage(told) == meant
    assert read_usage(msgspec.convert(write_usage(meant), UsageWire)) == meant


def test_no_usage_is_none_and_is_told_as_zeros() -> None:
    assert read_usage(None) is None
    assert write_usage(None)["totalTokens"] == 0


@pytest.mark.parametrize(
    "value",
    [
        {"title": "T", "sourceContent": [{"text": "a"}, {"text": "b"}], "location": {"web": {"url": "http://x/"}}},
        {"title": "T", "location": {"documentPage": {"documentIndex": 1, "start": 2, "end": 3}}},
        {"location": {"documentChunk": {"documentIndex": 0, "start": 2, "end": 3}}},
        {"source": "s", "location": {"searchResultLocation": {"searchResultIndex": 1, "start": 0, "end": 1}}},
    ],
)
def test_sources_find_back_as_they_came(value: dict[str, Any]) -> None:
    assert write_citation(read_citation(value)) == value


def test_sources_tell_what_and_where() -> None:
    found = read_citation(
        {"title": "T", "sourceContent": [{"text": "a"}, {}], "location": {"documentPage": {"documentIndex": 1}}}
    )
    assert (found.text, found.title, found.document, found.unit, found.start) == ("a", "T", 1, "page", None)
    found = read_citation({"location": {"web": {"url": "http://x/", "domain": "x"}}})
    assert (found.url, found.document) == ("http://x/", None)


@pytest.mark.parametrize(
    "value", [{}, {"location": 5}, {"location": {"web": None}}, {"sourceContent": [5, {"text": 1}]}]
)
def test_sources_that_make_no_sense_do_no_harm(value: dict[str, Any]) -> None:
    assert isinstance(read_citation(value), Citation)


def test_sources_of_other_formats_are_written_anew() -> None:
    web = Citation(text="q", url="http://x/", title="T", value={"type": "url_citation"}, origin="openai_chat")
    assert write_citation(web)["location"] == {"web": {"url": "http://x/"}}
    page = Citation(text="q", document=2, start=1, end=4, unit="page")
    assert write_citation(page)["location"] == {"documentPage": {"documentIndex": 2, "start": 1, "end": 4}}


def test_hidden_thoughts_go_back_as_they_came() -> None:
    """They are base64 on the wire; what is none is made so."""
    for raw in (b"abc", b"\xff\x00\xfe", b"x" * 100):
        blob = base64.b64encode(raw).decode()
        assert write_hidden(blob) == blob
    assert base64.b64decode(write_hidden("no base64!"), validate=True) == b"no base64!"
