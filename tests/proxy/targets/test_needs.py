"""What a request needs, in every dialect, and about how large it is."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from proxy.choosing.capability import (
    AUDIO,
    FILES,
    JSON_OBJECT,
    JSON_SCHEMA,
    NOTHING_NEEDED,
    TOOLS,
    VIDEO,
    VISION,
    Needs,
)
from proxy.dialects.paths import endpoint_for
from proxy.exchange import Exchange
from proxy.targets.needs import _LARGE, conversation_of, estimate, needs_of

PIXEL = base64.b64encode(b"\x89PNG" * 20).decode()
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
GEMINI = "/v1beta/models/gemini-2.5-pro:generateContent"


def _request(path: str, body: Any) -> Exchange:
    x = Exchange("req_test", "POST", path, b"", [], 0.0, 0)
    x.endpoint = endpoint_for("POST", path)
    x.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    x.model = "m"
    return x


def _chat(*parts: Any, **more: Any) -> tuple[str, Any]:
    return CHAT, {"model": "m", "messages": [{"role": "user", "content": list(parts) or "Hello"}], **more}


def _responses(*parts: Any, **more: Any) -> tuple[str, Any]:
    return RESPONSES, {"model": "m", "input": [{"role": "user", "content": list(parts)}] if parts else "Hello", **more}


def _messages(*parts: Any, **more: Any) -> tuple[str, Any]:
    content = list(parts) or "Hello"
    return MESSAGES, {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": content}], **more}


def _gemini(*parts: Any, **more: Any) -> tuple[str, Any]:
    return GEMINI, {"contents": [{"role": "user", "parts": list(parts) or [{"text": "Hello"}]}], **more}


def _inline(media_type: str) -> Any:
    return {"inlineData": {"mimeType": media_type, "data": PIXEL}}


def _source(media_type: str) -> Any:
    return {"type": "base64", "media_type": media_type, "data": PIXEL}


FUNCTION = {"name": "f", "parameters": SCHEMA}
CASES = {
    "chat nothing": (_chat(), 0),
    "chat tools": (_chat(tools=[{"type": "function", "function": FUNCTION}]), TOOLS),
    "chat functions": (_chat(functions=[FUNCTION]), TOOLS),
    "chat image": (_chat({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}), VISION),
    "chat image url": (_chat({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}), VISION),
    "chat file": (
        _chat({"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"}}),
        FILES,
    ),
    "chat audio": (_chat({"type": "input_audio", "input_audio": {"data": PIXEL, "format": "wav"}}), AUDIO),
    "chat audio out": (_chat(modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}), AUDIO),
    "chat json": (_chat(response_format={"type": "json_object"}), JSON_OBJECT),
    "chat schema": (
        _chat(response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}),
        JSON_SCHEMA,
    ),
    "responses nothing": (_responses(), 0),
    "responses tools": (_responses(tools=[{"type": "function", **FUNCTION}]), TOOLS),
    "responses web search": (_responses(tools=[{"type": "web_search"}]), TOOLS),
    "responses image": (_responses({"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}), VISION),
    "responses file": (
        _responses({"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PIXEL}"}),
        FILES,
    ),
    "responses json": (_responses(text={"format": {"type": "json_object"}}), JSON_OBJECT),
    "responses schema": (
        _responses(text={"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}}),
        JSON_SCHEMA,
    ),
    "messages nothing": (_messages(), 0),
    "messages tools": (_messages(tools=[{"name": "f", "input_schema": SCHEMA}]), TOOLS),
    "messages image": (_messages({"type": "image", "source": _source("image/png")}), VISION),
    "messages file": (_messages({"type": "document", "source": _source("application/pdf")}), FILES),
    "messages image in a result": (
        _messages(
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": _source("image/png")}]}
        ),
        VISION,
    ),
    "gemini nothing": (_gemini(), 0),
    "gemini tools": (_gemini(tools=[{"functionDeclarations": [{"name": "f"}]}]), TOOLS),
    "gemini image": (_gemini(_inline("image/png")), VISION),
    "gemini file": (_gemini(_inline("application/pdf")), FILES),
    "gemini audio": (_gemini(_inline("audio/wav")), AUDIO),
    "gemini video": (_gemini(_inline("video/mp4")), VIDEO),
    "gemini json": (_gemini(generationConfig={"responseMimeType": "application/json"}), JSON_OBJECT),
    "gemini schema": (
        _gemini(
            generationConfig={
                "responseMimeType": "application/json",
                "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
            }
        ),
        JSON_SCHEMA,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_need_in_every_dialect(name: str) -> None:
    """Just that bit, and no other."""
    request, bits = CASES[name]
    assert needs_of(_request(*request)).bits == bits


@pytest.mark.parametrize("name", [name for name in CASES if "audio out" not in name and "gemini json" not in name])
def test_a_large_request_is_scanned_for_the_same(name: str) -> None:
    """Above 2 MiB the bytes are searched; what they need is found, and its text is about as long as it is."""
    (path, body), bits = CASES[name]
    filler = "word " * (_LARGE // 5)
    grown = json.loads(json.dumps(body))
    if path == CHAT:
        grown["messages"].insert(0, {"role": "user", "content": filler})
    elif path == RESPONSES:
        grown["instructions"] = filler
    elif path == MESSAGES:
        grown["system"] = filler
    else:
        grown["systemInstruction"] = {"parts": [{"text": filler}]}
    x = _request(path, grown)
    assert len(x.body) > _LARGE
    found = needs_of(x)
    assert found.bits & bits == bits
    assert 0.7 < found.input_tokens / (_LARGE / 5) < 1.4
    assert x.read is None
    assert conversation_of(x) is None


def test_data_is_no_text() -> None:
    """A picture of three megabytes has the tokens of a picture, read or scanned."""
    data = base64.b64encode(bytes(3 << 20)).decode()
    path, body = _chat({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}})
    assert needs_of(_request(path, body)).input_tokens < 2000
    path, body = _messages({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}})
    assert needs_of(_request(path, body)).input_tokens < 2000


def test_it_is_found_once() -> None:
    """And what the caller allows for the answer is in it."""
    x = _request(*_messages())
    assert needs_of(x) is needs_of(x)
    assert needs_of(x).output_tokens == 9


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", b'{"model":"m","input":"x","tools":[1]}'),
        (CHAT, b"{"),
        (CHAT, b'{"messages":3}'),
        ("/v1/models", b""),
    ],
)
def test_what_cannot_be_read_needs_nothing(path: str, body: bytes) -> None:
    """Where it must be read it is refused, with the reason."""
    x = _request(path, body)
    assert needs_of(x) == NOTHING_NEEDED == Needs()
    assert conversation_of(x) is None


# Text of several kinds with its count by o200k, made once with OpenAI's published ranks.
COUNTED = {
    "English": (
        "The city council met on Monday evening to discuss the proposed changes to the public transport network. "
        "Several members expressed concern that the reduced frequency of buses in the outer districts would hit older "
        "residents hardest, while others argued that the savings could pay for a new tram line.",
        52,
    ),
    "German": (
        "Der Gemeinderat kam am Montagabend zusammen, um über die vorgeschlagenen Änderungen am öffentlichen "
        "Verkehrsnetz zu beraten. Mehrere Mitglieder äußerten die Sorge, dass die geringere Häufigkeit der Busse in "
        "den Außenbezirken vor allem ältere Bewohnerinnen und Bewohner treffen würde.",
        58,
    ),
    "Chinese": (
        "市议会星期一晚上开会，讨论公共交通网络的改革方案。几位议员担心，外围地区的公交车班次减少会对老年居民造成最大的影响，"
        "另一些人则认为节省下来的资金可以用来修建一条新的电车线路。",
        63,
    ),
    "Russian": (
        "Городской совет собрался в понедельник вечером, чтобы обсудить предлагаемые изменения в сети общественного "
        "транспорта. Некоторые депутаты выразили обеспокоенность.",
        35,
    ),
    "code": (
        "def merge(left: list[int], right: list[int]) -> list[int]:\n    found, i, j = [], 0, 0\n"
        "    while i < len(left) and j < len(right):\n        if left[i] <= right[j]:\n            "
        "found.append(left[i])\n"
        "            i += 1\n        else:\n            found.append(right[j])\n            j += 1\n"
        "    return found + left[i:] + right[j:]\n",
        106,
    ),
    "JSON": (
        '{"orders": [{"id": 4711, "total": 99.5, "currency": "EUR", "items": [{"sku": "A-17", "count": 2}]}, '
        '{"id": 4712, "total": 12.25, "currency": "EUR", "items": [{"sku": "B-3", "count": 1}]}]}',
        82,
    ),
}


@pytest.mark.parametrize("kind", COUNTED)
def test_the_estimate_is_within_thirty_percent(kind: str) -> None:
    """Of what a tokeniser counts."""
    text, counted = COUNTED[kind]
    assert 0.7 <= estimate(text) / counted <= 1.3


def test_any_text_has_a_size() -> None:
    """Also half a character, as JSON may hold."""
    assert estimate("") == 0
    assert estimate("\ud83d") >= 1
