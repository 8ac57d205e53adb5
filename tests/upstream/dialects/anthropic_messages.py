"""Anthropic's Messages API: docs.claude.com/en/api/messages and …/messages-streaming, and its client's types."""

from __future__ import annotations

import json
from typing import Any

from tests.upstream.say import Asked, Part, Say, Source, Tokens

_STOP = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
}


def usage(tokens: Tokens | None) -> dict[str, Any]:
    """Classes apart but for the output, which is one number."""
    tokens = tokens or Tokens(input=0, output=0)
    return {
        "input_tokens": tokens.input + tokens.input_audio,
        "cache_read_input_tokens": tokens.cached_read,
        "cache_creation_input_tokens": tokens.cache_write_5m + tokens.cache_write_1h,
        "cache_creation": {
            "ephemeral_5m_input_tokens": tokens.cache_write_5m,
            "ephemeral_1h_input_tokens": tokens.cache_write_1h,
        },
        "output_tokens": tokens.completion,
        "service_tier": "standard",
        **({"output_tokens_details": {"thinking_tokens": tokens.reasoning}} if tokens.reasoning else {}),
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "type": "web_search_result_location",
        "url": source.url,
        "title": source.title,
        "encrypted_index": "index",
        "cited_text": source.quoted,
    }


def _block(part: Part) -> dict[str, Any]:
    if part.kind == "reasoning":
        return {"type": "thinking", "thinking": part.whole, "signature": part.signature}
    if part.kind == "redacted":
        return {"type": "redacted_thinking", "data": part.whole}
    if part.kind == "call":
        return {"type": "tool_use", "id": part.id, "name": part.name, "input": json.loads(part.whole or "{}")}
    sources = [_source(one) for one in part.sources]
    return {"type": "text", "text": part.whole, "citations": sources or None}


def _message(say: Say, asked: Asked, content: list[dict[str, Any]], stop: str | None, used: Any) -> dict[str, Any]:
    head = {"id": f"msg_{say.id}", "type": "message", "role": "assistant", "model": asked.model, "content": content}
    return {**head, "stop_reason": stop, "stop_sequence": say.sequence if stop else None, "usage": used}


def whole(say: Say, asked: Asked) -> dict[str, Any]:
    """A ``message``."""
    return _message(say, asked, [_block(part) for part in say.parts], _STOP[say.stop], usage(say.usage))


def stream(say: Say, asked: Asked) -> list[bytes]:
    """Blocks one after the other, between ``message_start`` and ``message_stop``."""
    used = usage(say.usage)
    used.pop("output_tokens_details", None)
    events = [_event("message_start", message=_message(say, asked, [], None, used | {"output_tokens": 1}))]
    for at, part in enumerate(say.parts):
        events += _streamed(part, at)
        if at == 0:
            events.insert(2, _event("ping"))
    delta = {"stop_reason": _STOP[say.stop], "stop_sequence": say.sequence}
    last = usage(say.usage)
    final = {name: last[name] for name in last if name not in ("cache_creation", "service_tier")}
    return [*events, _event("message_delta", delta=delta, usage=final), _event("message_stop")]


def _streamed(part: Part, at: int) -> list[bytes]:
    block = _block(part)
    blank: dict[str, dict[str, Any]] = {
        "thinking": {"thinking": "", "signature": ""},
        "redacted_thinking": {},
        "tool_use": {"input": {}},
        "text": {"text": ""},
    }
    begun = block | blank[block["type"]]
    if begun["type"] == "text":
        begun["citations"] = [] if part.sources else None
    kind, field = {
        "thinking": ("thinking_delta", "thinking"),
        "tool_use": ("input_json_delta", "partial_json"),
        "text": ("text_delta", "text"),
        "redacted_thinking": ("", ""),
    }[block["type"]]
    deltas = [{"type": kind, field: piece} for piece in part.pieces] if kind else []
    if kind == "thinking_delta":
        deltas.append({"type": "signature_delta", "signature": part.signature})
    cited = [{"type": "citations_delta", "citation": _source(one)} for one in part.sources]
    return [
        _event("content_block_start", index=at, content_block=begun),
        *(_event("content_block_delta", index=at, delta=delta) for delta in [*deltas, *cited]),
        _event("content_block_stop", index=at),
    ]


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}".encode()


def counted(tokens: Tokens) -> dict[str, Any]:
    """The answer of ``count_tokens``."""
    return {"input_tokens": tokens.prompt}
