"""What a request needs of a target, read from the request itself, in whatever dialect it came."""

from __future__ import annotations

from contextlib import suppress

from proxy.capability import AUDIO, FILES, JSON_OBJECT, JSON_SCHEMA, NOTHING_NEEDED, TOOLS, VIDEO, VISION, Needs
from proxy.chat import Chat, Media, Reasoning, Text, ToolCall, ToolResult
from proxy.errors import BadRequest
from proxy.exchange import Exchange
from proxy.translation import read

_BITS = {"image": VISION, "file": FILES, "audio": AUDIO, "video": VIDEO}
_BYTES_PER_TOKEN = 4  # of English text; an estimate for routing, no count
_LARGE = 2 << 20  # bytes; a larger request is not read for the choice alone
_MEDIA_TOKENS = 800  # about what providers count for a picture of usual size


def needs_of(x: Exchange) -> Needs:
    """What ``x`` needs, found out once. Nothing for what is no conversation or cannot be read."""
    if x.needs is None:
        x.needs = NOTHING_NEEDED
        if x.endpoint is not None and x.endpoint.dialect is not None:
            with suppress(BadRequest):  # where it must be read it is refused, with the reason
                x.needs = _needs(x.chat or read(x))
    return x.needs


def _needs(chat: Chat) -> Needs:
    bits = TOOLS if chat.tools else 0
    if chat.format is not None:
        bits |= JSON_SCHEMA if chat.format.kind == "json_schema" else JSON_OBJECT
    size = media = 0
    parts = [part for message in chat.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    for part in parts:
        if isinstance(part, (Text, Reasoning)):
            size += len(part.text.encode())
        elif isinstance(part, ToolCall):
            size += len(part.arguments.encode())
        elif isinstance(part, Media):
            bits |= _BITS[part.kind]
            media += 1
    for tool in chat.tools:
        size += len(repr(tool.parameters)) + len(tool.description or "")
    return Needs(bits, -(-size // _BYTES_PER_TOKEN) + media * _MEDIA_TOKENS, chat.max_tokens)


def conversation_of(x: Exchange) -> Chat | None:
    """What the caller said, read once; None for what is no conversation, cannot be read, or is too large."""
    if x.endpoint is None or x.endpoint.dialect is None or len(x.body) > _LARGE:
        return None
    with suppress(BadRequest):
        return x.chat or read(x)
    return None
