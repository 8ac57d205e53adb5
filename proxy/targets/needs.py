"""What a request needs of a target, read from the request itself, in whatever dialect it came.

The size is an estimate for routing, no count: within 30 % of what OpenAI's tokenisers count for English, German,
Russian, Chinese, Japanese, program code and JSON. What a `previous_response_id` stands for is not in it until it is
looked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from proxy.chat import Chat, Foreign, Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
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
from proxy.errors import BadRequest
from proxy.exchange import Exchange
from proxy.translation.attempt import read

_BITS = {"image": VISION, "file": FILES, "audio": AUDIO, "video": VIDEO}
_LARGE = 2 << 20  # bytes; a larger request is not read for the choice alone
_MEDIA_TOKENS = 800  # about what providers count for a picture of usual size
_MESSAGE_TOKENS = 4  # around each message
# What a token holds, fitted to OpenAI's: letters of a word, signs and digits, letters of two bytes, signs of three.
_PER_LETTER, _PER_SIGN, _PER_TWO, _PER_THREE = 1 / 4.6, 0.8, 0.26, 0.78
_LETTERS = bytes([*range(ord("A"), ord("Z") + 1), *range(ord("a"), ord("z") + 1)])
_HIGH = bytes(range(0x80, 0x100))
_BELOW_THREE = bytes(range(0xE0))
_NOT_TWO = bytes([*range(0xC0), *range(0xE0, 0x100)])

# What a large request is searched for. In a text of the caller the quotes would be escaped.
_MARKS: tuple[tuple[int, tuple[bytes, ...]], ...] = (
    (TOOLS, (b'"tools"', b'"functions"', b'"toolConfig"')),
    (VISION, (b'"image_url"', b'"input_image"', b'"type":"image"', b'"type": "image"', b'"image/')),
    (FILES, (b'"input_file"', b'"application/pdf"')),
    (FILES, (b'"type":"document"', b'"type": "document"', b'"type":"file"', b'"type": "file"')),
    (AUDIO, (b'"input_audio"', b'"audio/')),
    (VIDEO, (b'"video/', b'"video_url"')),
    (JSON_OBJECT, (b'"json_object"',)),
    (JSON_SCHEMA, (b'"json_schema"', b'"responseSchema"', b'"responseJsonSchema"', b'"response_schema"')),
)  # fmt: skip
_EDGE = 128 << 10  # bytes at either end in which is searched
_SHORTEST_DATA = 1024  # bytes between two quotes, without a space
_MOST_QUOTES = 20_000  # looked at


def needs_of(x: Exchange) -> Needs:
    """What ``x`` needs, found out once. Nothing for what is no conversation or cannot be read."""
    if x.needs is None:
        x.needs = NOTHING_NEEDED
        if x.endpoint is not None and x.endpoint.dialect is not None:
            if x.chat is None and x.read is None and len(x.body) > _LARGE:
                x.needs = _scan(x.body)
            else:
                with suppress(BadRequest):  # where it must be read it is refused, with the reason
                    x.needs = _needs(x.chat or read(x))
    return x.needs


def conversation_of(x: Exchange) -> Chat | None:
    """What the caller said, read once; None for what is no conversation, cannot be read, or is too large."""
    if x.endpoint is None or x.endpoint.dialect is None or len(x.body) > _LARGE:
        return None
    with suppress(BadRequest):
        return x.chat or read(x)
    return None


def estimate(text: str) -> int:
    """About how many tokens a text has."""
    raw = text.encode("utf-8", "surrogatepass")
    words = raw.translate(None, _LETTERS)
    found = (len(raw) - len(words)) * _PER_LETTER
    signs = words.translate(None, b" ")
    if text.isascii():
        return int(found + len(signs) * _PER_SIGN + 0.99)
    found += len(signs.translate(None, _HIGH)) * _PER_SIGN
    found += len(raw.translate(None, _NOT_TWO)) * _PER_TWO
    return int(found + len(raw.translate(None, _BELOW_THREE)) * _PER_THREE + 0.99)


def _needs(chat: Chat) -> Needs:
    bits = TOOLS if chat.tools else 0
    if chat.format is not None:
        bits |= JSON_SCHEMA if chat.format.kind == "json_schema" else JSON_OBJECT
    if chat.modalities is not None and "audio" in chat.modalities:
        bits |= AUDIO
    texts: list[str] = []
    tokens = len(chat.messages) * _MESSAGE_TOKENS
    for part in _parts(chat):
        if isinstance(part, (Text, Reasoning, Refusal)):
            texts.append(part.text)
        elif isinstance(part, ToolCall):
            texts += (part.name, part.arguments)
        elif isinstance(part, Media):
            bits |= _BITS[part.kind]
            tokens += _media_tokens(part)
        elif isinstance(part, Foreign):
            texts.append(_json(part.value))
    for tool in chat.tools:
        texts += (tool.name, tool.description or "", _json(tool.parameters))
    if chat.format is not None and chat.format.schema is not None:
        texts.append(_json(chat.format.schema))
    return Needs(bits, tokens + estimate("\n".join(texts)), chat.max_tokens)


def _parts(chat: Chat) -> Iterator[Part]:
    """Those of all messages, and those within the results of tools."""
    for message in chat.messages:
        for part in message.parts:
            if isinstance(part, ToolResult):
                yield from part.parts
            else:
                yield part


def _media_tokens(part: Media) -> int:
    """A plain text has the tokens of a text; what a provider makes of anything else is its secret."""
    if part.data is not None and (part.media_type or "").startswith("text/"):
        return max(1, len(part.data) * 3 // 4 // 4)
    return _MEDIA_TOKENS


def _json(value: object) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()


def _scan(body: bytes) -> Needs:
    """The same from the bytes, for a large request: what stands at its ends, without its data."""
    rest, pieces = _without_data(body)
    seen = rest if len(rest) <= 2 * _EDGE else rest[:_EDGE] + rest[-_EDGE:]
    bits = 0
    for bit, marks in _MARKS:
        if any(mark in seen for mark in marks):
            bits |= bit
    return Needs(bits, len(rest) // 4 + pieces * _MEDIA_TOKENS)


def _without_data(body: bytes) -> tuple[bytes, int]:
    """The bytes without long pieces of data, and how many there were."""
    kept: list[bytes] = []
    data = at = start = 0
    for _ in range(_MOST_QUOTES):
        end = body.find(b'"', at)
        if end < 0:
            break
        if end - at > _SHORTEST_DATA and b" " not in body[at : at + _SHORTEST_DATA]:
            kept.append(body[start : at + 64])  # a data URL begins with its type
            start = end
            data += 1
        at = end + 1
    kept.append(body[start:])
    return b"".join(kept), data
