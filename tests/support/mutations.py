"""Spoils JSON at random places, from a seed: what no schema allows, and what no decoder expects."""

from __future__ import annotations

import copy
import random
from typing import Any

import msgspec

_WEIRD: list[Any] = [
    *(None, True, False, 0, -1, 1, 10**9, -(10**18), 2**63, 2**64, 1e308, -0.5, 0.1, "", "x", "user", "\u0000"),
    *([], {}, [None], [[]], [{}], {"": None}, {"type": "text"}, {"type": None}, ["x"], "data:image/png;base64,"),
    *(
        "null",
        "\u2028",
        "a" * 3000,
        "file:///etc/passwd",
        {"$ref": "#"},
        {"text": 1},
        {"type": ["a"]},
        "🙂",
        "{}",
        "[1]",
    ),
    {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    {"type": "object", "properties": {"x": {"$ref": "#/properties/x"}}},
]
# What JSON text can hold and a Python value cannot: put in place of a marker afterwards.
_RAW: list[bytes] = [
    *(b"NaN", b"Infinity", b"-Infinity", b"1" * 500, b"-1e999", b'"\\ud800"', b'"\\udc00\\ud800"', b"1e400", b"0x1"),
    *(b'"\xff"', b"{", b"]", b"", b"01", b"nul", b"'x'", b'"\x01"', b"[" * 300 + b"]" * 300),
]
_DEEP = [b"[" * 5000 + b"]" * 5000, b'{"a":' * 5000 + b"1" + b"}" * 5000]
_WORDS = [
    *("user", "assistant", "system", "developer", "tool", "model", "function", "text", "image", "image_url", "input"),
    *("input_text", "output_text", "reasoning", "thinking", "tool_use", "tool_result", "function_call", "nothing"),
    *("redacted_thinking", "json_schema", "any", "auto", "none", "required", "custom", "input_audio", "document"),
]
_MARK, _TWIN = "@raw@", "@twin@"
_TAGS = ("type", "role", "kind", "mode", "finish_reason", "stop_reason", "stopReason", "finishReason", "object")


class Spoiler:
    """Spoils one JSON text after the other. ``large``: one in so many is made huge."""

    def __init__(self, seed: int, *, large: int = 800) -> None:
        self.chance = random.Random(seed)
        self._large = large

    def spoil(self, text: bytes) -> bytes:
        """``text`` with one to three things wrong."""
        chance = self.chance
        value = msgspec.json.decode(text)
        raw = b""
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            places = [*_places(value)]
            if not places:
                break
            holder, key = chance.choice(places)
            raw = self._at(holder, key) or raw
        if chance.random() < 1 / self._large:
            self._grow(value)
        found = msgspec.json.encode(value).replace(b'"' + _MARK.encode() + b'"', raw)
        found = found.replace(_TWIN.encode() + b'"', b'"')
        if chance.random() < 0.02:
            return self._bytes(found)
        return found

    def _at(self, holder: Any, key: Any) -> bytes:
        """Spoil one place; what the marker stands for, if it was set."""
        chance = self.chance
        roll = chance.random()
        if roll < 0.15:
            del holder[key]
        elif roll < 0.3 and isinstance(holder, dict) and (tags := [tag for tag in _TAGS if tag in holder]):
            holder[chance.choice(tags)] = chance.choice(_WORDS)
        elif roll < 0.4:
            holder[key] = _MARK
            return chance.choice(_DEEP if chance.random() < 0.02 else _RAW)
        elif roll < 0.48 and isinstance(holder, dict) and isinstance(key, str):
            holder[key + _TWIN] = self._weird()
        elif roll < 0.55:
            holder[key] = chance.choice([[holder[key]], {"x": holder[key]}, {key: holder[key]}, str(holder[key])])
        elif roll < 0.6 and isinstance(holder, list):
            holder.insert(key, self._weird())
        elif roll < 0.65 and isinstance(holder, dict):
            holder[chance.choice(_WORDS)] = self._weird()
        elif roll < 0.7 and isinstance(holder[key], list) and len(holder[key]) > 1:
            chance.shuffle(holder[key])
        else:
            holder[key] = self._weird()
        return b""

    def _weird(self) -> Any:
        """One of its own: it may be spoiled itself."""
        return copy.deepcopy(self.chance.choice(_WEIRD))

    def _grow(self, value: Any) -> None:
        """Repeat something ten thousand times."""
        lists = [holder[key] for holder, key in _places(value) if isinstance(holder[key], list) and holder[key]]
        if lists:
            chosen = self.chance.choice(lists)
            size = len(msgspec.json.encode(chosen))
            chosen *= max(1, min(10_000 // len(chosen), 20_000_000 // size))

    def _bytes(self, text: bytes) -> bytes:
        """Half of it, more than it, or not UTF-8."""
        chance = self.chance
        at = chance.randrange(len(text) + 1)
        torn = text[:at] + b"\xff\xfe" + text[at:]
        return chance.choice([text[:at], text + text[at:], torn, b"", b"\xef\xbb\xbf" + text])


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder and key in a JSON value."""
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        holder = pending.pop()
        keys = holder if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            pending.append(holder[key])
    return found
