"""The Responses API: one message or function calls, whole or as typed events with sequence numbers."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.providers.simulation.made import CREATED, Events, Whole, named
from proxy.providers.simulation.request import Asked, pieces_of
from proxy.providers.simulation.words import Words


def response(asked: Asked, words: Words, model: str) -> tuple[Whole | Events, dict[str, Any]]:
    """What is sent, and the response as it is stored."""
    done = _response(asked, words, model, _items(words, "completed"))
    if asked.stream:
        return _stream(asked, words, model, done), done
    return Whole(msgspec.json.encode(done), words.completion_tokens), done


def _items(words: Words, status: str) -> list[dict[str, Any]]:
    """Output items: finished, or as they are announced."""
    is_open = status == "in_progress"
    if words.calls:
        return [
            {
                "type": "function_call",
                "id": f"fc_{call.id}",
                "call_id": call.id,
                "name": call.name,
                "arguments": "" if is_open else call.arguments,
                "status": status,
            }
            for call in words.calls
        ]
    content = [] if is_open else [_part(words.text)]
    if words.finish == "length" and not is_open:
        status = "incomplete"
    return [{"type": "message", "id": f"msg_{words.id}", "role": "assistant", "status": status, "content": content}]


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _response(asked: Asked, words: Words, model: str, output: list[dict[str, Any]] | None) -> dict[str, Any]:
    """The response object; without ``output`` as it is when it begins."""
    status = "in_progress" if output is None else "incomplete" if words.finish == "length" else "completed"
    usage = {
        "input_tokens": words.prompt_tokens,
        "input_tokens_details": {"cached_tokens": words.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": words.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": words.reasoning_tokens},
        "total_tokens": words.prompt_tokens + words.completion_tokens,
    }
    return {
        "id": f"resp_{words.id}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "metadata": asked.metadata or {},
        "model": model,
        "output": output or [],
        "parallel_tool_calls": asked.parallel_tool_calls is not False,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": asked.store is not False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": asked.tool_choice or "auto",
        "tools": asked.tools or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None if output is None else usage,
        "user": None,
    }


class _Numbered:
    """Renders typed events, each with the next sequence number."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, kind: str, **fields: Any) -> bytes:
        event = named(kind, {"sequence_number": self._number, **fields})
        self._number += 1
        return event


def _stream(asked: Asked, words: Words, model: str, done: dict[str, Any]) -> Events:
    event = _Numbered()
    begun = _response(asked, words, model, None)
    opening = event("response.created", response=begun) + event("response.in_progress", response=begun)
    if words.calls:
        tokens = [one for index in range(len(words.calls)) for one in _call(event, words, index)]
        closing = b""
    else:
        before, tokens, closing = _message(event, words, done["output"][0])
        opening += before
    closing += event(f"response.{done['status']}", response=done)
    return Events(opening, tokens, closing)


def _message(event: _Numbered, words: Words, item: dict[str, Any]) -> tuple[bytes, list[bytes], bytes]:
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    opening = event("response.output_item.added", output_index=0, item=_items(words, "in_progress")[0])
    opening += event("response.content_part.added", **at, part=_part(""))
    tokens = [event("response.output_text.delta", **at, delta=piece, logprobs=[]) for piece in words.pieces]
    closing = event("response.output_text.done", **at, text=words.text, logprobs=[])
    closing += event("response.content_part.done", **at, part=_part(words.text))
    closing += event("response.output_item.done", output_index=0, item=item)
    return opening, tokens, closing


def _call(event: _Numbered, words: Words, index: int) -> list[bytes]:
    call = words.calls[index]
    at = {"item_id": f"fc_{call.id}", "output_index": index}
    events = [event("response.output_item.added", output_index=index, item=_items(words, "in_progress")[index])]
    events += [event("response.function_call_arguments.delta", **at, delta=one) for one in pieces_of(call.arguments)]
    last = event("response.function_call_arguments.done", **at, name=call.name, arguments=call.arguments)
    last += event("response.output_item.done", output_index=index, item=_items(words, "completed")[index])
    return [*events, last]
