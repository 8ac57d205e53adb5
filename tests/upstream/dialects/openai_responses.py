"""OpenAI's Responses API: platform.openai.com/docs/api-reference/responses, and its client's types."""

from __future__ import annotations

import json
from typing import Any

from tests.upstream.say import Asked, Part, Say, Tokens

CREATED = 1_700_000_000
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
Step = tuple[str, dict[str, Any]]


def usage(tokens: Tokens | None) -> dict[str, Any] | None:
    """Totals, with the classes among them."""
    if tokens is None:
        return None
    written = tokens.cache_write_5m + tokens.cache_write_1h
    return {
        "input_tokens": tokens.prompt,
        "input_tokens_details": {"cached_tokens": tokens.cached_read, "cache_write_tokens": written},
        "output_tokens": tokens.completion,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.prompt + tokens.completion,
    }


def _response(say: Say, asked: Asked, output: list[dict[str, Any]], *, done: bool) -> dict[str, Any]:
    reason = _INCOMPLETE.get(say.stop) if done else None
    return {
        "id": f"resp_{say.id}",
        "object": "response",
        "created_at": CREATED,
        "status": ("incomplete" if reason else "completed") if done else "in_progress",
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "metadata": {},
        "model": asked.model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage(say.usage) if done else None,
    }


def _content(part: Part) -> dict[str, Any]:
    if part.kind == "refusal":
        return {"type": "refusal", "refusal": part.whole}
    notes = [
        {"type": "url_citation", "url": one.url, "title": one.title, "start_index": one.start, "end_index": one.end}
        for one in part.sources
    ]
    return {"type": "output_text", "text": part.whole, "annotations": notes, "logprobs": []}


def _item(part: Part, at: int) -> dict[str, Any]:
    if part.kind in ("reasoning", "redacted"):
        summary = [{"type": "summary_text", "text": part.whole}] if part.kind == "reasoning" else []
        sealed = part.whole if part.kind == "redacted" else part.signature
        item: dict[str, Any] = {"id": f"rs_{at}", "type": "reasoning", "summary": summary}
        return item | ({"encrypted_content": sealed} if sealed else {})
    if part.kind == "call":
        names = {"call_id": part.id, "name": part.name, "arguments": part.whole}
        return {"id": f"fc_{at}", "type": "function_call", "status": "completed", **names}
    message = {"id": f"msg_{at}", "type": "message", "status": "completed", "role": "assistant"}
    return {**message, "content": [_content(part)]}


def whole(say: Say, asked: Asked) -> dict[str, Any]:
    """A ``response``."""
    return _response(say, asked, [_item(part, at) for at, part in enumerate(say.parts)], done=True)


def stream(say: Say, asked: Asked) -> list[bytes]:
    """Typed events; the last holds everything."""
    begun, done = _response(say, asked, [], done=False), whole(say, asked)
    steps: list[Step] = [("response.created", {"response": begun}), ("response.in_progress", {"response": begun})]
    for at, part in enumerate(say.parts):
        steps += _steps(part, at)
    steps.append((f"response.{done['status']}", {"response": done}))
    return [_event(name, number, fields) for number, (name, fields) in enumerate(steps)]


def _event(name: str, number: int, fields: dict[str, Any]) -> bytes:
    data = json.dumps({"type": name, "sequence_number": number, **fields}, ensure_ascii=False)
    return f"event: {name}\ndata: {data}".encode()


def _steps(part: Part, at: int) -> list[Step]:
    item = _item(part, at)
    begun = {**item} if item["type"] == "reasoning" else {**item, "status": "in_progress"}
    empty: dict[str, dict[str, Any]] = {
        "message": {"content": []},
        "reasoning": {"summary": []},
        "function_call": {"arguments": ""},
    }
    begun |= empty[item["type"]]
    begun.pop("encrypted_content", None)
    inner = {"message": _message, "reasoning": _reasoning, "function_call": _arguments}[item["type"]]
    return [
        ("response.output_item.added", {"output_index": at, "item": begun}),
        *inner(part, {"item_id": item["id"], "output_index": at}),
        ("response.output_item.done", {"output_index": at, "item": item}),
    ]


def _message(part: Part, where: dict[str, Any]) -> list[Step]:
    where = {**where, "content_index": 0}
    found = _content(part)
    kind, field = ("output_text", "text") if part.kind == "text" else ("refusal", "refusal")
    more: dict[str, Any] = {"logprobs": []} if part.kind == "text" else {}
    notes = [
        ("response.output_text.annotation.added", {**where, "annotation_index": at, "annotation": note})
        for at, note in enumerate(found.get("annotations", []))
    ]
    blank = {**found, field: ""} | ({"annotations": []} if part.kind == "text" else {})
    return [
        ("response.content_part.added", {**where, "part": blank}),
        *((f"response.{kind}.delta", {**where, "delta": piece, **more}) for piece in part.pieces),
        *notes,
        (f"response.{kind}.done", {**where, field: part.whole, **more}),
        ("response.content_part.done", {**where, "part": found}),
    ]


def _reasoning(part: Part, where: dict[str, Any]) -> list[Step]:
    if part.kind == "redacted":
        return []
    where = {**where, "summary_index": 0}
    name = "response.reasoning_summary"
    return [
        (f"{name}_part.added", {**where, "part": {"type": "summary_text", "text": ""}}),
        *((f"{name}_text.delta", {**where, "delta": piece}) for piece in part.pieces),
        (f"{name}_text.done", {**where, "text": part.whole}),
        (f"{name}_part.done", {**where, "part": {"type": "summary_text", "text": part.whole}}),
    ]


def _arguments(part: Part, where: dict[str, Any]) -> list[Step]:
    name = "response.function_call_arguments"
    return [
        *((f"{name}.delta", {**where, "delta": piece}) for piece in part.pieces),
        (f"{name}.done", {**where, "name": part.name, "arguments": part.whole}),
    ]
