"""Blocks of a client's request become neutral parts; what is wrong is named by its place."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from proxy.chat import Cache, Foreign, Media, Part, Reasoning, Text, ToolCall, ToolResult, seal
from proxy.dialects.anthropic_messages.blocks import place, read_content
from proxy.dialects.anthropic_messages.wire import NAME, REQUEST
from proxy.dialects.reading import Again
from proxy.errors import BadRequest


def _read(*blocks: Any) -> list[Part]:
    body = msgspec.json.encode({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": blocks}]})
    content = REQUEST.decode(body).messages[0].content
    return read_content(content, ("messages", 0, "content"), Again(body))


def _plain(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_text_as_a_string_is_one_part() -> None:
    assert read_content("hi", ("messages", 0, "content"), Again(b"")) == [Text("hi")]


def test_markers_have_their_lifetime() -> None:
    found = _read(
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "c", "cache_control": None},
    )
    assert found == [Text("a", Cache("5m")), Text("b", Cache("1h")), Text("c")]


@pytest.mark.parametrize(
    ("source", "media"),
    [
        (
            {"type": "base64", "media_type": "image/png", "data": "AA=="},
            Media(kind="image", data="AA==", media_type="image/png"),
        ),
        ({"type": "url", "url": "https://a.example"}, Media(kind="image", url="https://a.example")),
        ({"type": "file", "file_id": "f"}, Media(kind="image", file_id="f")),
    ],
)
def test_images_of_every_source_are_read(source: dict[str, Any], media: Media) -> None:
    assert _read({"type": "image", "source": source}) == [media]


@pytest.mark.parametrize(
    ("source", "media"),
    [
        (
            {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
            Media(kind="file", data="AA==", media_type="application/pdf"),
        ),
        (
            {"type": "text", "media_type": "text/plain", "data": "é"},
            Media(kind="file", data=_plain("é"), media_type="text/plain"),
        ),
        (
            {"type": "url", "url": "https://a.example"},
            Media(kind="file", url="https://a.example", media_type="application/pdf"),
        ),
        ({"type": "file", "file_id": "f"}, Media(kind="file", file_id="f")),
        ({"type": "content", "content": "abc"}, Media(kind="file", data=_plain("abc"), media_type="text/plain")),
        (
            {"type": "content", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            Media(kind="file", data=_plain("a\n\nb"), media_type="text/plain"),
        ),
    ],
)
def test_documents_of_every_source_are_read(source: dict[str, Any], media: Media) -> None:
    media.name, media.context, media.cite = "T", "C", True
    block = {"type": "document", "source": source, "title": "T", "context": "C", "citations": {"enabled": True}}
    assert _read(block) == [media]


def test_a_document_with_images_is_for_this_dialect_alone() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://a.example"}}
    block = {"type": "document", "source": {"type": "content", "content": [image]}}
    assert _read(block) == [Foreign(origin=NAME, what="messages[0].document", value=block)]


def test_a_finding_of_a_search_is_a_document() -> None:
    block = {
        "type": "search_result",
        "source": "kb/7",
        "title": "T",
        "content": [{"type": "text", "text": "found"}],
        "citations": {"enabled": True},
    }
    media = Media(kind="file", data=_plain("found"), media_type="text/plain", name="T", context="kb/7", cite=True)
    assert _read(block) == [media]


def test_the_input_of_a_call_is_kept_as_it_was_written() -> None:
    body = (
        b'{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":['
        b'{"type":"tool_use","id":"t","name":"f","input":{"b" : 1.0, "a":[ ] , "b":2}}]}]}'
    )
    content = REQUEST.decode(body).messages[0].content
    found = read_content(content, ("messages", 0, "content"), Again(body))
    assert found == [ToolCall(id="t", name="f", arguments='{"b" : 1.0, "a":[ ] , "b":2}')]


def test_results_of_tools_hold_text_images_and_errors() -> None:
    found = _read(
        {"type": "tool_result", "tool_use_id": "a", "content": "plain", "is_error": True},
        {"type": "tool_result", "tool_use_id": "b"},
        {
            "type": "tool_result",
            "tool_use_id": "c",
            "content": [
                {"type": "text", "text": "x"},
                {"type": "image", "source": {"type": "url", "url": "https://a.example"}},
                {"type": "tool_reference", "tool_name": "f"},
            ],
            "cache_control": {"type": "ephemeral"},
        },
    )
    reference = {"type": "tool_reference", "tool_name": "f"}
    assert found == [
        ToolResult(call_id="a", parts=(Text("plain"),), is_error=True),
        ToolResult(call_id="b", parts=()),
        ToolResult(
            call_id="c",
            parts=(
                Text("x"),
                Media(kind="image", url="https://a.example"),
                Foreign(origin=NAME, what="messages[0].tool_reference", value=reference),
            ),
            cache=Cache("5m"),
        ),
    ]


def test_thoughts_come_back_to_whom_they_belong() -> None:
    found = _read(
        {"type": "thinking", "thinking": "a", "signature": "S"},
        {"type": "thinking", "thinking": "b", "signature": seal("openai", "O")},
        {"type": "thinking", "thinking": "c", "signature": ""},
        {"type": "redacted_thinking", "data": "R"},
        {"type": "redacted_thinking", "data": seal("openai", "E")},
    )
    assert found == [
        Reasoning(text="a", signature="S", origin="anthropic"),
        Reasoning(text="b", signature="O", origin="openai"),
        Reasoning(text="c"),
        Reasoning(redacted="R", origin="anthropic"),
        Reasoning(redacted="E", origin="openai"),
    ]


def test_blocks_of_the_providers_own_tools_are_foreign() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    assert _read(block) == [Foreign(origin=NAME, what="messages[0].server_tool_use", value=block)]


@pytest.mark.parametrize(
    ("block", "param"),
    [
        ({"type": "text"}, "text"),
        ({"type": "image"}, "source"),
        ({"type": "image", "source": "x"}, "source"),
        ({"type": "image", "source": {"type": "ftp"}}, "source.type"),
        ({"type": "image", "source": {"type": "base64", "data": "A"}}, "source.media_type"),
        ({"type": "document", "source": {"type": "content"}}, "source.content"),
        ({"type": "document", "source": {"type": "nope"}}, "source.type"),
        ({"type": "tool_use", "id": "a", "name": "b"}, "input"),
        ({"type": "tool_use", "id": "a", "name": "b", "input": [1]}, "input"),
        ({"type": "tool_use", "name": "b", "input": {}}, "id"),
        ({"type": "tool_result", "content": "x"}, "tool_use_id"),
        ({"type": "tool_result", "tool_use_id": "a", "content": {"type": "text"}}, "content"),
        ({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "tool_result", "tool_use_id": "b"}]},
         "content[0].type"),
        ({"type": "thinking", "thinking": "a"}, "signature"),
        ({"type": "redacted_thinking"}, "data"),
        ({"type": "search_result", "source": "a", "title": "b", "content": "x"}, "content"),
        ({"type": ""}, "type"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(block: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        _read({"type": "text", "text": "before"}, block)
    assert caught.value.param == f"messages[0].content[1].{param}"


def test_places_are_written_as_people_write_them() -> None:
    assert place(("messages", 0, "content", 12, "source")) == "messages[0].content[12].source"
