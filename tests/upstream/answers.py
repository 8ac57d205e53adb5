"""What the fake upstream says when a script does not say otherwise: OpenAI's answers, by hand from its reference.

Written apart from the gateway's simulated provider on purpose, so that neither can hide the other's mistakes.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from typing import Any, NamedTuple

import msgspec

from tests.upstream.dialects.table import RENDERERS, SSE, Place, asked_of, place_of
from tests.upstream.failures import FAILURES
from tests.upstream.say import Tokens, said
from tests.upstream.script import Script

CREATED = 1_700_000_000
_CATEGORIES = [
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm"),
    *("self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic"),
]


class Seen(NamedTuple):
    """A request as it came in. ``path`` begins with the operation: ``/chat/completions``."""

    method: str
    path: str
    body: bytes
    json: Any
    content_type: str


class Whole(NamedTuple):
    """An answer with its body at once."""

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str | list[str]] = {}


class Events(NamedTuple):
    """A stream of server-sent events; ``end`` is its end marker, if it has a separate one. ``framed``: these are whole
    messages of another framing."""

    events: list[bytes]
    end: bytes = b""
    content_type: str = SSE
    framed: bool = False


def answer(seen: Seen, script: Script) -> Whole | Events:
    """The answer to any path of OpenAI's API, and to the conversations of the other dialects."""
    place = place_of(seen.path) if seen.method == "POST" else None
    if place is not None and script.fails is not None:
        failure = FAILURES[place.dialect][script.fails]
        return Whole(failure.encoded(), status=failure.status, headers=failure.headers)
    if place is not None and (script.say is not None or place.counts or not place.dialect.startswith("openai")):
        return _conversation(place, seen, script)
    head = seen.path.strip("/").split("/")
    fields = seen.json if isinstance(seen.json, dict) else {}
    if seen.path == "/chat/completions" and seen.method == "POST":
        return chat(fields, script)
    if seen.path == "/completions":
        return completions(fields, script)
    if seen.path == "/responses":
        return responses(fields, script)
    if head[0] == "responses":
        return _json({"id": head[1], "object": "response", **_response(fields, script, "completed", "stored")})
    if head[0] == "chat":
        return _json({"object": "list", "data": [], "has_more": False})
    if seen.path == "/embeddings":
        return embeddings(fields)
    if head[0] in ("images", "audio"):
        return media(seen, fields, script)
    if seen.path == "/moderations":
        return moderations(fields)
    if seen.path == "/rerank":
        return rerank(fields)
    if head[0] == "files":
        return files(seen, head)
    if head[0] == "batches":
        return batches(fields, head)
    if head[0] == "models":
        return models(head)
    return _json({"error": {"message": "no such path", "type": "invalid_request_error", "code": None}}, 404)


def _conversation(place: Place, seen: Seen, script: Script) -> Whole | Events:
    say = script.say or said(_tokens(script))
    asked, renderer = asked_of(place, seen.json), RENDERERS[place.dialect]
    if place.counts:
        return _json(renderer.counted(say.usage or Tokens()))
    if not asked.stream:
        return Whole(renderer.body(say, asked))
    *events, end = renderer.stream(say, asked)
    return Events(events, end, renderer.content_type, framed=not renderer.separator)


def _json(value: Any, status: int = 200) -> Whole:
    return Whole(json.dumps(value, ensure_ascii=False).encode(), status=status)


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode()


def _tokens(script: Script) -> list[str]:
    if isinstance(script.tokens, list):
        return script.tokens
    if script.text is not None:
        return re.findall(r"\s*\S+\s*$|\s*\S+|\s+$", script.text)
    return [f"tok{number} " for number in range(5 if script.tokens is None else script.tokens)]


def _usage(fields: dict[str, Any], script: Script, count: int) -> Any:
    if script.usage is not msgspec.UNSET:
        return script.usage
    prompt = 7 + len(str(fields.get("messages") or fields.get("prompt") or fields.get("input") or "")) // 4
    return {"prompt_tokens": prompt, "completion_tokens": count, "total_tokens": prompt + count}


def _tool_calls(script: Script) -> list[dict[str, Any]]:
    return [
        {
            "id": call.get("id", f"call_{number}"),
            "type": "function",
            "function": {"name": call["name"], "arguments": _text(call.get("arguments", {}))},
        }
        for number, call in enumerate(script.tool_calls or [])
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def chat(fields: dict[str, Any], script: Script) -> Whole | Events:
    """A chat completion, whole or streamed."""
    tokens, calls = _tokens(script), _tool_calls(script)
    finish = script.finish or ("tool_calls" if calls else "stop")
    usage = _usage(fields, script, len(tokens))
    shared = {
        "id": "chatcmpl-fake",
        "created": CREATED,
        "model": fields.get("model", "none"),
        "system_fingerprint": "fp",
    }
    if not fields.get("stream"):
        message: dict[str, Any] = {"role": "assistant", "content": None if calls else "".join(tokens), "refusal": None}
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        whole = {**shared, "object": "chat.completion", "choices": [choice]}
        return _json(whole if usage is None else {**whole, "usage": usage})

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return _data({**shared, "object": "chat.completion.chunk", "choices": [choice]})

    events = [chunk({"role": "assistant", "content": None if calls else "", "refusal": None})]
    if calls:
        for number, call in enumerate(calls):
            function = call["function"]
            opening = {**call, "index": number, "function": {"name": function["name"], "arguments": ""}}
            events.append(chunk({"tool_calls": [opening]}))
            arguments = function["arguments"]
            events += [
                chunk({"tool_calls": [{"index": number, "function": {"arguments": arguments[at : at + 5]}}]})
                for at in range(0, len(arguments), 5)
            ]
    else:
        events += [chunk({"content": token}) for token in tokens]
    events.append(chunk({}, finish))
    if (fields.get("stream_options") or {}).get("include_usage") and usage is not None:
        events.append(_data({**shared, "object": "chat.completion.chunk", "choices": [], "usage": usage}))
    return Events(events, b"data: [DONE]")


def completions(fields: dict[str, Any], script: Script) -> Whole | Events:
    """A text completion."""
    tokens = _tokens(script)
    shared = {
        "id": "cmpl-fake",
        "object": "text_completion",
        "created": CREATED,
        "model": fields.get("model", "none"),
    }

    def choice(text: str, reason: str | None) -> list[dict[str, Any]]:
        return [{"index": 0, "text": text, "logprobs": None, "finish_reason": reason}]

    if fields.get("stream"):
        events = [_data({**shared, "choices": choice(token, None)}) for token in tokens]
        return Events([*events, _data({**shared, "choices": choice("", "stop")})], b"data: [DONE]")
    usage = _usage(fields, script, len(tokens))
    return _json({**shared, "choices": choice("".join(tokens), script.finish or "stop"), "usage": usage})


def _response(fields: dict[str, Any], script: Script, status: str, text: str) -> dict[str, Any]:
    usage = _usage(fields, script, len(_tokens(script))) or {}
    item = {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    return {
        "id": "resp_fake",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": fields.get("model", "none"),
        "output": [item] if text else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": usage.get("prompt_tokens", 0),
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": usage.get("completion_tokens", 0),
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.get("total_tokens", 0),
        }
        if status == "completed"
        else None,
    }


def responses(fields: dict[str, Any], script: Script) -> Whole | Events:
    """The Responses API: one message, whole or as its typed events."""
    tokens = _tokens(script)
    text = "".join(tokens)
    done = _response(fields, script, "completed", text)
    if not fields.get("stream"):
        return _json(done)
    started = _response(fields, script, "in_progress", "")
    part = {"item_id": "msg_fake", "output_index": 0, "content_index": 0}
    whole = {"type": "output_text", "text": text, "annotations": []}
    item = done["output"][0] if done["output"] else {}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": started}),
        ("response.in_progress", {"response": started}),
        ("response.output_item.added", {"output_index": 0, "item": {**item, "status": "in_progress", "content": []}}),
        ("response.content_part.added", {**part, "part": {**whole, "text": ""}}),
        *(("response.output_text.delta", {**part, "delta": token, "logprobs": []}) for token in tokens),
        ("response.output_text.done", {**part, "text": text, "logprobs": []}),
        ("response.content_part.done", {**part, "part": whole}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": done}),
    ]
    events = [
        b"event: " + kind.encode() + b"\n" + _data({"type": kind, "sequence_number": number, **value})
        for number, (kind, value) in enumerate(steps)
    ]
    return Events(events[:-1], events[-1])


def embeddings(fields: dict[str, Any]) -> Whole:
    """Three numbers per input, as floats or base64."""
    given = fields.get("input", "")
    inputs = given if isinstance(given, list) and not all(isinstance(one, int) for one in given) else [given]

    def vector(number: int) -> Any:
        floats = [0.5, -0.25, float(number)]
        if fields.get("encoding_format") == "base64":
            return base64.b64encode(struct.pack("<3f", *floats)).decode()
        return floats

    data = [{"object": "embedding", "index": at, "embedding": vector(at)} for at in range(len(inputs))]
    usage = {"prompt_tokens": 3 * len(inputs), "total_tokens": 3 * len(inputs)}
    return _json({"object": "list", "data": data, "model": fields.get("model", "none"), "usage": usage})


def _png() -> str:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\xff\x00\x00")
    png = b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", pixel) + part(b"IEND", b"")
    return base64.b64encode(png).decode()


def media(seen: Seen, fields: dict[str, Any], script: Script) -> Whole | Events:
    """Images, speech, transcriptions."""
    if seen.path == "/audio/speech":
        return Whole(b"RIFF\x00\x00\x00\x00WAVE" + bytes(range(256)), "audio/wav")
    if seen.path.startswith("/audio/"):
        if b'name="stream"\r\n\r\ntrue' in seen.body:
            deltas = [_data({"type": "transcript.text.delta", "delta": token}) for token in _tokens(script)]
            return Events(deltas, _data({"type": "transcript.text.done", "text": "".join(_tokens(script))}))
        if b'name="response_format"\r\n\r\ntext' in seen.body:
            return Whole(b"the words\n", "text/plain; charset=utf-8")
        return _json({"text": script.text or "the words", "usage": {"type": "duration", "seconds": 1}})
    image = {"b64_json": _png()}
    if fields.get("stream"):
        partial = {"type": "image_generation.partial_image", "partial_image_index": 0, **image}
        return Events([_data(partial)], _data({"type": "image_generation.completed", **image}))
    return _json({"created": CREATED, "data": [image] * int(fields.get("n") or 1)})


def moderations(fields: dict[str, Any]) -> Whole:
    """Nothing is ever flagged."""
    names = _CATEGORIES
    result = {
        "flagged": False,
        "categories": dict.fromkeys(names, False),
        "category_scores": dict.fromkeys(names, 0.01),
        "category_applied_input_types": {name: ["text"] for name in names},
    }
    given = fields.get("input", "")
    count = len(given) if isinstance(given, list) else 1
    return _json({"id": "modr-fake", "model": fields.get("model", "none"), "results": [result] * count})


def rerank(fields: dict[str, Any]) -> Whole:
    """The documents in reverse order."""
    count = len(fields.get("documents", []))
    results = [{"index": count - 1 - at, "relevance_score": 1 - at / 10} for at in range(count)]
    return _json({"id": "rerank-fake", "results": results[: fields.get("top_n") or count], "meta": {}})


def files(seen: Seen, head: list[str]) -> Whole:
    """Files, without memory: every id exists."""
    file = {
        "id": head[1] if len(head) > 1 else "file-fake",
        "object": "file",
        "bytes": len(seen.body),
        "created_at": CREATED,
        "filename": "fake.jsonl",
        "purpose": "batch",
        "status": "processed",
    }
    if head[-1] == "content":
        return Whole(b"\x00\x01fake file content\xff", "application/octet-stream")
    if seen.method == "DELETE":
        return _json({"id": file["id"], "object": "file", "deleted": True})
    if seen.method == "GET" and len(head) == 1:
        return _json({"object": "list", "data": [file], "has_more": False})
    return _json(file)


def batches(fields: dict[str, Any], head: list[str]) -> Whole:
    """Batches, without memory."""
    batch = {
        "id": head[1] if len(head) > 1 else "batch_fake",
        "object": "batch",
        "endpoint": fields.get("endpoint", "/v1/chat/completions"),
        "input_file_id": fields.get("input_file_id", "file-fake"),
        "completion_window": "24h",
        "status": "cancelling" if head[-1] == "cancel" else "validating",
        "created_at": CREATED,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
    }
    return _json(batch if fields or len(head) > 1 else {"object": "list", "data": [batch], "has_more": False})


def models(head: list[str]) -> Whole:
    """One model, or the list with it."""
    model = {"id": "fake-1", "object": "model", "created": CREATED, "owned_by": "fake"}
    return _json(model if len(head) > 1 else {"object": "list", "data": [model]})
