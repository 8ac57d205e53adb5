"""Requests made up by chance, from a seed: every kind of part, in every order that a client may send."""

from __future__ import annotations

import base64
import random
from typing import Any

import msgspec

from proxy.chat import (
    Cache,
    Chat,
    Format,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from tests.support.sayings import value, words

_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_KINDS: dict[str, tuple[str | None, ...]] = {
    "image": ("image/png", "image/jpg", "image/webp", "image/tiff", None),
    "file": ("application/pdf", "text/plain", "text/csv", "application/json", "application/zip", None),
    "audio": ("audio/wav", "audio/mp3", "audio/strange"),
    "video": ("video/mp4", "video/3gpp", "video/strange", None),
}
_NAMES = (None, "", "a.pdf", "Übersicht  2024_final (1).pdf", "x" * 300, "???", "a.csv", "notes.txt")
_URLS = ("https://a.example/x.png", "s3://bucket-1/a/b.png", "s3://bucket-1/clip.mov", "s3://x")


def _media(chance: random.Random) -> Media:
    kind: Any = chance.choice(["image", "image", "file", "file", "audio", "video"])
    more: dict[str, Any] = {"data": base64.b64encode(chance.randbytes(chance.randint(0, 30))).decode()}
    if chance.random() < 0.2:
        more = {"url": chance.choice(_URLS)}
    elif chance.random() < 0.1:
        more = {"file_id": "file-1"}
    return Media(
        kind=kind,
        media_type=chance.choice(_KINDS[kind]),
        name=chance.choice(_NAMES),
        context=chance.choice([None, "about it"]),
        cite=chance.random() < 0.2,
        cache=_cache(chance),
        **more,
    )


def _cache(chance: random.Random) -> Cache | None:
    return chance.choice([None, None, None, Cache("5m"), Cache("1h")])


def _text(chance: random.Random) -> Text:
    return Text(chance.choice([words(chance), words(chance), words(chance), "", " \n"]), cache=_cache(chance))


def _shown(chance: random.Random) -> Text | Media:
    return _media(chance) if chance.random() < 0.4 else _text(chance)


def _user(chance: random.Random, calls: list[ToolCall]) -> list[Part]:
    parts: list[Part] = [
        ToolResult(
            call_id=call.id,
            parts=tuple(_shown(chance) for _ in range(chance.randint(0, 3))),
            is_error=chance.random() < 0.3,
            cache=_cache(chance),
        )
        for call in calls
    ]
    return parts + [_shown(chance) for _ in range(chance.randint(0, 4))]


def _assistant(chance: random.Random) -> list[Part]:
    parts: list[Part] = []
    if chance.random() < 0.4:
        origin = chance.choice(["anthropic", "anthropic", "gemini", ""])
        parts.append(Reasoning(text=words(chance), signature="c2ln" if origin else None, origin=origin))
    if chance.random() < 0.2:
        parts.append(Reasoning(redacted=chance.choice(["aGlkZGVu", "no base64!"]), origin="anthropic"))
    if chance.random() < 0.7:
        parts.append(_text(chance))
    if chance.random() < 0.1:
        parts.append(Refusal(words(chance)))
    for _ in range(chance.choice([0, 0, 1, 3])):
        called = chance.choice(["call_", "toolu_", "call|", "ü" * 70]) + chance.randbytes(4).hex()
        arguments = chance.choice(["", "{}", "[1]", "no json", msgspec.json.encode({"a": value(chance)}).decode()])
        parts.append(ToolCall(id=called, name=chance.choice(["f", "g-1"]), arguments=arguments))
    return parts


def conversation(seed: int) -> Chat:
    """The request of this number. There is always something that the user says."""
    chance = random.Random(seed)
    messages: list[Message] = []
    if chance.random() < 0.5:
        messages.append(Message(chance.choice(["system", "developer"]), [_text(chance), _text(chance)]))
    if chance.random() < 0.1:
        messages.append(Message("assistant", [Text("How can I help?")]))
    messages.append(Message("user", [Text(words(chance))]))
    calls: list[ToolCall] = []
    for _ in range(chance.randint(0, 5)):
        said = _assistant(chance)
        calls = [part for part in said if isinstance(part, ToolCall)]
        messages += [Message("assistant", said), Message("user", _user(chance, calls))]
        if chance.random() < 0.1:
            messages.append(Message("system", [Text("Be brief from now on.")]))
    tools = [Tool(name=name, description=chance.choice([None, "", "d"]), parameters=_SCHEMA) for name in ("f", "g-1")]
    return Chat(
        model="asked",
        messages=messages,
        stream=chance.random() < 0.5,
        tools=[msgspec.structs.replace(tool, cache=_cache(chance)) for tool in tools] if chance.random() < 0.6 else [],
        **_wishes(chance),
    )


def _wishes(chance: random.Random) -> dict[str, Any]:
    """Parameters, each sometimes there."""
    all_of_them: dict[str, Any] = {
        "max_tokens": chance.choice([1, 500, 100_000]),
        "temperature": chance.choice([0.0, 0.7, 1.9]),
        "top_p": chance.choice([0.1, 0.99, 1.0]),
        "top_k": chance.choice([1, 40]),
        "stop": chance.choice([["END"], ["END", " ", ""], []]),
        "tool_choice": chance.choice([ToolChoice("auto"), ToolChoice("none"), ToolChoice("required")]),
        "parallel_tool_calls": chance.random() < 0.5,
        "thinking": chance.choice([Thinking(effort="high"), Thinking(budget=2000), Thinking(effort="none")]),
        "format": chance.choice([Format(kind="json_object"), Format(kind="json_schema", schema=_SCHEMA)]),
        "metadata": chance.choice([{}, {"a": "b"}, {"ü": "b", "a": "x" * 300}, {f"k{n}": "v" for n in range(30)}]),
        "service_tier": chance.choice(["auto", "default", "flex", "priority", "scale"]),
        "user": "ada",
    }
    return {name: wish for name, wish in all_of_them.items() if chance.random() < 0.3}
