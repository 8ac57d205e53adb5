"""Chat completions and completions, whole and streamed, in OpenAI's exact shapes."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.providers.simulation.made import CREATED, Events, Whole, data
from proxy.providers.simulation.request import Asked, pieces_of
from proxy.providers.simulation.words import Words

_DONE = b"data: [DONE]\n\n"
_MAX_CHOICES = 16
_encode = msgspec.json.encode


def _usage(words: Words, choices: int) -> dict[str, Any]:
    completion = words.completion_tokens * choices
    return {
        "prompt_tokens": words.prompt_tokens,
        "completion_tokens": completion,
        "total_tokens": words.prompt_tokens + completion,
        "prompt_tokens_details": {"cached_tokens": words.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": words.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _count(asked: Asked) -> int:
    return min(max(asked.n or 1, 1), _MAX_CHOICES)


def chat(asked: Asked, words: Words, model: str) -> Whole | Events:
    """A chat completion."""
    return _chat_stream(asked, words, model) if asked.stream else _chat_whole(asked, words, model)


def _chat_whole(asked: Asked, words: Words, model: str) -> Whole:
    message: dict[str, Any] = {"role": "assistant", "content": words.text, "refusal": None, "annotations": []}
    if words.calls:
        message["content"] = None
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in words.calls
        ]
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": words.finish}
        for index in range(_count(asked))
    ]
    whole = {
        "id": f"chatcmpl-{words.id}",
        "object": "chat.completion",
        "created": CREATED,
        "model": model,
        "choices": choices,
        "usage": _usage(words, len(choices)),
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    }
    return Whole(_encode(whole), words.completion_tokens)


def _chat_stream(asked: Asked, words: Words, model: str) -> Events:
    """Chunks differ in a few bytes only, so what they share is rendered once."""
    include_usage = asked.stream_options is not None and asked.stream_options.include_usage
    shared = b'data: {"id":"chatcmpl-%b","object":"chat.completion.chunk","created":%d,"model":%b,' % (
        words.id.encode(),
        CREATED,
        _encode(model),
    )
    shared += b'"service_tier":"default","system_fingerprint":"fp_simulated",'
    null_usage = b',"usage":null' if include_usage else b""
    opening = b""
    tokens: list[bytes] = []
    closing = b""
    for index in range(_count(asked)):
        before = shared + b'"choices":[{"index":%d,"delta":' % index
        after = b',"logprobs":null,"finish_reason":null}]' + null_usage + b"}\n\n"
        role = b'{"role":"assistant","content":%b,"refusal":null}' % (b"null" if words.calls else b'""')
        opening += before + role + after
        tokens += [before + b'{"content":' + _encode(piece) + b"}" + after for piece in words.pieces]
        tokens += [before + delta + after for delta in _call_deltas(words)]
        last = b'{},"logprobs":null,"finish_reason":%b}]%b}\n\n' % (_encode(words.finish), null_usage)
        closing += before + last
    if include_usage:
        usage = _encode(_usage(words, _count(asked)))
        closing += shared + b'"choices":[],"usage":' + usage + b"}\n\n"
    return Events(opening, tokens, closing + _DONE)


def _call_deltas(words: Words) -> list[bytes]:
    deltas: list[bytes] = []
    for index, call in enumerate(words.calls):
        opening = {
            "index": index,
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        deltas.append(_encode({"tool_calls": [opening]}))
        deltas += [
            _encode({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
            for piece in pieces_of(call.arguments)
        ]
    return deltas


def completion(asked: Asked, words: Words, model: str) -> Whole | Events:
    """A text completion."""
    shared: dict[str, Any] = {
        "id": f"cmpl-{words.id}",
        "object": "text_completion",
        "created": CREATED,
        "model": model,
        "system_fingerprint": "fp_simulated",
    }

    def choice(index: int, text: str, finish: str | None) -> dict[str, Any]:
        return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}

    indexes = range(_count(asked))
    if not asked.stream:
        choices = [choice(index, words.text, words.finish) for index in indexes]
        return Whole(_encode({**shared, "choices": choices, "usage": _usage(words, len(choices))}), len(words.pieces))
    tokens = [data({**shared, "choices": [choice(at, piece, None)]}) for at in indexes for piece in words.pieces]
    closing = b"".join(data({**shared, "choices": [choice(at, "", words.finish)]}) for at in indexes)
    if asked.stream_options is not None and asked.stream_options.include_usage:
        closing += data({**shared, "choices": [], "usage": _usage(words, len(indexes))})
    return Events(b"", tokens, closing + _DONE)
