"""OpenAI's chat completions: platform.openai.com/docs/api-reference/chat, as its client's types tell it.

Thoughts as the services do that show them in this format: ``reasoning_content``, or OpenRouter's ``reasoning`` with
``reasoning_details`` where there is a signature; Google's signature of a call in ``extra_content``.
"""

from __future__ import annotations

import json
from typing import Any

from tests.upstream.say import Asked, Part, Say, Tokens

CREATED = 1_700_000_000
_FINISH = {"stop_sequence": "stop", "refusal": "stop"}
_FORMAT = "anthropic-claude-v1"


def usage(tokens: Tokens | None) -> dict[str, Any]:
    """Totals, with the classes among them."""
    if tokens is None:
        return {}
    written = tokens.cache_write_5m + tokens.cache_write_1h
    read: dict[str, int] = {"cached_tokens": tokens.cached_read, "audio_tokens": tokens.input_audio}
    if written:
        read["cache_write_tokens"] = written
    return {
        "usage": {
            "prompt_tokens": tokens.prompt,
            "completion_tokens": tokens.completion,
            "total_tokens": tokens.prompt + tokens.completion,
            "prompt_tokens_details": read,
            "completion_tokens_details": {
                "reasoning_tokens": tokens.reasoning,
                "audio_tokens": tokens.output_audio,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }
    }


def citations(part: Part) -> list[dict[str, Any]]:
    """Citations of the web."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": source.start,
                "end_index": source.end,
                "url": source.url,
                "title": source.title,
            },
        }
        for source in part.sources
    ]


def _thought(part: Part, text: str, at: int, *, last: bool) -> dict[str, Any]:
    if part.kind == "redacted":
        data = {"type": "reasoning.encrypted", "data": part.whole, "id": None, "format": _FORMAT, "index": at}
        return {"reasoning_details": [data]}
    if not part.signature:
        return {"reasoning_content": text}
    detail = {"type": "reasoning.text", "text": text, "id": None, "format": _FORMAT, "index": at}
    return {"reasoning": text, "reasoning_details": [detail | ({"signature": part.signature} if last else {})]}


def _call(part: Part, arguments: str) -> dict[str, Any]:
    call: dict[str, Any] = {
        "id": part.id,
        "type": "function",
        "function": {"name": part.name, "arguments": arguments},
    }
    if part.signature:
        call["extra_content"] = {"google": {"thought_signature": part.signature}}
    return call


def whole(say: Say, asked: Asked) -> dict[str, Any]:
    """A ``chat.completion``."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": say.text("text") if say.of("text") else None,
        "refusal": say.text("refusal") or None,
        "annotations": [note for part in say.of("text") for note in citations(part)],
    }
    for at, part in enumerate(say.of("reasoning", "redacted")):
        for name, value in _thought(part, part.whole, at, last=True).items():
            message[name] = message[name] + value if name in message else value
    if calls := say.of("call"):
        message["tool_calls"] = [_call(part, part.whole) for part in calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _FINISH.get(say.stop, say.stop)}
    head = {"id": f"chatcmpl-{say.id}", "object": "chat.completion", "created": CREATED, "model": asked.model}
    return {**head, "choices": [choice], "system_fingerprint": "fp", **usage(say.usage)}


def stream(say: Say, asked: Asked) -> list[bytes]:
    """Chunks, and ``[DONE]``."""
    head = {"id": f"chatcmpl-{say.id}", "object": "chat.completion.chunk", "created": CREATED, "model": asked.model}
    counted = asked.include_usage and say.usage is not None
    tail: dict[str, Any] = {"usage": None} if counted else {}

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _data({**head, "choices": [choice], **tail})

    chunks = [chunk({"role": "assistant", "content": "" if say.of("text") else None, "refusal": None})]
    chunks += [chunk(delta) for delta in _deltas(say)]
    chunks.append(chunk({}, _FINISH.get(say.stop, say.stop)))
    if counted:
        chunks.append(_data({**head, "choices": [], **usage(say.usage)}))
    return [*chunks, b"data: [DONE]"]


def _deltas(say: Say) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = []
    thought, called = 0, 0
    rows: list[list[dict[str, Any]]] = []
    for part in say.parts:
        if part.kind in ("reasoning", "redacted"):
            pieces = part.pieces if part.kind == "reasoning" else [part.whole]
            deltas += [
                _thought(part, text, thought, last=at == len(pieces) - 1) for at, text in enumerate(pieces or [""])
            ]
            thought += 1
        elif part.kind == "call":
            first = {"index": called, **_call(part, "")}
            row = [{"tool_calls": [first]}]
            row += [{"tool_calls": [{"index": called, "function": {"arguments": piece}}]} for piece in part.pieces]
            rows.append(row)
            called += 1
        else:
            name = "content" if part.kind == "text" else "refusal"
            deltas += [{name: piece} for piece in part.pieces]
            if notes := citations(part):
                deltas.append({"annotations": notes})
    return deltas + _in_turns(rows, tangled=say.tangled)


def _in_turns(rows: list[list[dict[str, Any]]], *, tangled: bool) -> list[dict[str, Any]]:
    if not tangled:
        return [delta for row in rows for delta in row]
    longest = max(map(len, rows), default=0)
    return [row[at] for at in range(longest) for row in rows if at < len(row)]


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode()
