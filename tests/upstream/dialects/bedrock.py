"""AWS' Converse and ConverseStream: docs.aws.amazon.com/bedrock/latest/APIReference, and botocore's model of it.

The event stream is written from its specification (Amazon Transcribe's guide describes the encoding byte by byte):
total length, length of the headers, CRC of these, headers, payload, CRC of everything before.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import Any

from tests.upstream.say import Asked, Part, Say, Source, Tokens

_STOP = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
    "refusal": "guardrail_intervened",
}
STRING = 7  # type of a header's value


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message of an event stream."""
    head = b"".join(
        bytes([len(name)]) + name.encode() + bytes([STRING]) + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(kind: str, fields: dict[str, Any]) -> bytes:
    """A frame of a stream, with the padding that AWS puts in against those who count bytes."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps({**fields, "p": "abcdefgh"}, ensure_ascii=False).encode())


def exception(kind: str, message: str) -> bytes:
    """What ends a stream that fails."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def usage(tokens: Tokens | None) -> dict[str, Any]:
    """What was cached stands apart from the input."""
    tokens = tokens or Tokens(input=0, output=0)
    written = tokens.cache_write_5m + tokens.cache_write_1h
    found: dict[str, Any] = {
        "inputTokens": tokens.input + tokens.input_audio,
        "outputTokens": tokens.completion,
        "totalTokens": tokens.prompt + tokens.completion,
    }
    if tokens.cached_read or written:
        found |= {"cacheReadInputTokens": tokens.cached_read, "cacheWriteInputTokens": written}
    if written:
        found["cacheDetails"] = [
            {"ttl": ttl, "inputTokens": count}
            for ttl, count in (("5m", tokens.cache_write_5m), ("1h", tokens.cache_write_1h))
            if count
        ]
    return found


def _source(source: Source) -> dict[str, Any]:
    return {
        "title": source.title,
        "sourceContent": [{"text": source.quoted}],
        "location": {"web": {"url": source.url}},
    }


def _block(part: Part) -> dict[str, Any]:
    if part.kind == "reasoning":
        signed = {"signature": part.signature} if part.signature else {}
        return {"reasoningContent": {"reasoningText": {"text": part.whole, **signed}}}
    if part.kind == "redacted":
        return {"reasoningContent": {"redactedContent": base64.b64encode(part.whole.encode()).decode()}}
    if part.kind == "call":
        return {"toolUse": {"toolUseId": part.id, "name": part.name, "input": json.loads(part.whole or "{}")}}
    if part.sources:
        cited = [_source(one) for one in part.sources]
        return {"citationsContent": {"content": [{"text": part.whole}], "citations": cited}}
    return {"text": part.whole}


def whole(say: Say, asked: Asked) -> dict[str, Any]:
    """A ``ConverseResponse``."""
    message = {"role": "assistant", "content": [_block(part) for part in say.parts]}
    return {
        "output": {"message": message},
        "stopReason": _STOP[say.stop],
        "usage": usage(say.usage),
        "metrics": {"latencyMs": 551},
    }


def stream(say: Say, asked: Asked) -> list[bytes]:
    """Frames. Only a tool's block has a start; the reason to stop comes before the usage."""
    frames = [event("messageStart", {"role": "assistant"})]
    for at, part in enumerate(say.parts):
        if part.kind == "call":
            start = {"toolUse": {"toolUseId": part.id, "name": part.name}}
            frames.append(event("contentBlockStart", {"start": start, "contentBlockIndex": at}))
        frames += [event("contentBlockDelta", {"delta": delta, "contentBlockIndex": at}) for delta in _deltas(part)]
        frames.append(event("contentBlockStop", {"contentBlockIndex": at}))
    frames.append(event("messageStop", {"stopReason": _STOP[say.stop]}))
    frames.append(event("metadata", {"usage": usage(say.usage), "metrics": {"latencyMs": 551}}))
    return frames


def _deltas(part: Part) -> list[dict[str, Any]]:
    if part.kind == "reasoning":
        deltas: list[dict[str, Any]] = [{"reasoningContent": {"text": piece}} for piece in part.pieces]
        return deltas + ([{"reasoningContent": {"signature": part.signature}}] if part.signature else [])
    if part.kind == "redacted":
        return [{"reasoningContent": {"redactedContent": base64.b64encode(part.whole.encode()).decode()}}]
    if part.kind == "call":
        return [{"toolUse": {"input": piece}} for piece in part.pieces]
    return [*({"text": piece} for piece in part.pieces), *({"citation": _source(one)} for one in part.sources)]


def counted(tokens: Tokens) -> dict[str, Any]:
    """The answer of ``CountTokens``."""
    return {"inputTokens": tokens.prompt}
