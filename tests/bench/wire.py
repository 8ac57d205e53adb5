"""What goes over the wire in the bench: one request and one answer per model name, rendered once.

The model name picks the script, so that a request that has passed any gateway still says which answer it wants.
"""

from __future__ import annotations

import json
from typing import NamedTuple

EVENTS = 100
SIZE = 4_000  # bytes of a question that is translated, and of its answer
CREDENTIAL = "sk-bench-upstream"
_EXTRA = b"x-request-id: req_0123456789abcdef\r\nopenai-processing-ms: 1\r\n"
_LAST = b"0\r\n\r\n"
_GAP = 0.004  # seconds between events that are paced
_CALL = {"name": "look_up_0", "arguments": json.dumps({"place": "Ulm " * 60})}


class Script(NamedTuple):
    """An answer: ``writes`` go out one by one, each its own write. ``ends`` says what comes after the last."""

    writes: tuple[bytes, ...]
    body: bytes  # what a client must have received in the end, without framing
    ends: str = "keep"  # keep | close | reset | stall
    gap: float = 0.0  # seconds between writes; 0: one per turn of the loop


def _padded(model: str, size: int) -> bytes:
    """A chat completion of exactly ``size`` bytes."""
    message = {"role": "assistant", "content": ""}
    answer = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
    }
    message["content"] = "x" * (size - len(_json(answer)))
    return _json(answer)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _whole(body: bytes, status: str = "200 OK", declared: int | None = None, ends: str = "keep") -> Script:
    length = len(body) if declared is None else declared
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n".encode()
    return Script((head + _EXTRA + b"\r\n" + body,), body, ends)


def _error(status: str, code: str, extra: bytes = b"") -> Script:
    body = _json({"error": {"message": "bench", "type": code, "param": None, "code": code}})
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n".encode()
    return Script((head + extra + b"\r\n" + body,), body)


def _events(count: int, model: str) -> list[bytes]:
    common = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1700000000, "model": model}
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": f" word{at}"} for at in range(count - 3)]
    events = [{**common, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**common, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [b"data: " + _json(event) + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]


def _stream(count: int, model: str, *, keep: int | None = None, ends: str = "keep", gap: float = 0.0) -> Script:
    """``count`` events in chunked framing; with ``keep`` only the first so many, and no end of the framing."""
    events = _events(count, model)[:keep]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n" + _EXTRA + b"\r\n"
    writes = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    tail = [_LAST] if keep is None else []
    return Script((head, *writes, *tail), b"".join(events), ends, gap)


def _talk(model: str) -> Script:
    """An answer of ``SIZE`` bytes in many words, with two calls of a tool, in OpenAI's form."""
    calls = [{"id": f"call_{at}", "type": "function", "function": _CALL} for at in range(2)]
    message = {"role": "assistant", "content": _words(), "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    usage = {"prompt_tokens": 900, "completion_tokens": 700, "total_tokens": 1600}
    head = {"id": "chatcmpl-bench", "object": "chat.completion", "created": 1700000000, "model": model}
    return _whole(_json({**head, "choices": [choice], "usage": usage}))


def _words() -> str:
    text = " ".join(f"word{at}" for at in range(EVENTS))
    return text + " and so on" * ((SIZE - len(text) - 800) // 10)  # the rest are the calls


def _claude(model: str) -> Script:
    """The same in Anthropic's."""
    usage = {"input_tokens": 900, "output_tokens": 700}
    head = {"id": "msg_bench", "type": "message", "role": "assistant", "model": model, "stop_sequence": None}
    content: list[dict[str, object]] = [{"type": "text", "text": _words()}]
    call = {"type": "tool_use", "name": _CALL["name"], "input": json.loads(_CALL["arguments"])}
    content += [{**call, "id": f"toolu_{at}"} for at in range(2)]
    return _whole(_json({**head, "content": content, "stop_reason": "tool_use", "usage": usage}))


def _together(script: Script) -> Script:
    """The same at once."""
    return script._replace(writes=(b"".join(script.writes),))


def _claude_stream(model: str, *, count: int = EVENTS, gap: float = 0.0) -> Script:
    """A stream of ``count`` pieces of text."""
    usage = {"input_tokens": 900, "output_tokens": 1}
    head = {"id": "msg_bench", "type": "message", "role": "assistant", "model": model, "content": []}
    start = {**head, "stop_reason": None, "stop_sequence": None, "usage": usage}
    values: list[dict[str, object]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    values += [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f" word{at}"}}
        for at in range(count)
    ]
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    values.append({"type": "content_block_stop", "index": 0})
    values.append({"type": "message_delta", "delta": end, "usage": {"output_tokens": 700}})
    values.append({"type": "message_stop"})
    events = [f"event: {value['type']}\ndata: ".encode() + _json(value) + b"\n\n" for value in values]
    return _chunked(events, gap)


def _chunked(events: list[bytes], gap: float) -> Script:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n" + _EXTRA + b"\r\n"
    writes = (b"%x\r\n%b\r\n" % (len(one), one) for one in events)
    return Script((head, *writes, _LAST), b"".join(events), gap=gap)


SCRIPTS: dict[str, Script] = {
    "bench-1k": _whole(_padded("bench-1k", 1_000)),
    "bench-100k": _whole(_padded("bench-100k", 100_000)),
    "bench-stream": _stream(EVENTS, "bench-stream"),
    "bench-paced": _stream(EVENTS, "bench-paced", gap=_GAP),
    # What translation is measured with.
    "bench-talk": _talk("bench-talk"),
    "bench-talk-stream": _stream(EVENTS + 3, "bench-talk-stream"),
    "bench-talk-paced": _stream(EVENTS + 3, "bench-talk-paced", gap=_GAP),
    "bench-claude": _claude("bench-claude"),
    "bench-claude-stream": _claude_stream("bench-claude-stream"),
    "bench-claude-paced": _claude_stream("bench-claude-paced", gap=_GAP),
    # Much work for a gateway that translates it, little for whoever sends it: one write.
    "bench-burst": _together(_claude_stream("bench-burst", count=3 * EVENTS)),
    # Only the soak asks for these.
    "bench-cut": _stream(EVENTS, "bench-cut", keep=20, ends="close"),
    "bench-reset": _stream(EVENTS, "bench-reset", keep=5, ends="reset"),
    "bench-stall": _stream(EVENTS, "bench-stall", keep=5, ends="stall"),
    "bench-short": _whole(_padded("bench-short", 1_000), declared=2_000, ends="close"),
    "bench-html": Script(
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",), b"<html>"
    ),
    "bench-500": _error("500 Internal Server Error", "server_error"),
    "bench-429": _error("429 Too Many Requests", "rate_limited", b"retry-after: 1\r\n"),
    "bench-garbage": Script((b"\x00\xff\x00 this is not HTTP\r\n\r\n",), b"", "close"),
}


def question(model: str, size: int = 1_000) -> bytes:
    """The JSON body of a chat request of exactly ``size`` bytes. The model comes first, as the clients send it."""
    message = {"role": "user", "content": ""}
    value: dict[str, object] = {"model": model, "messages": [message]}
    if SCRIPTS[model].writes[0].find(b"text/event-stream") >= 0:
        value["stream"] = True
    message["content"] = "y" * (size - len(_json(value)))
    return _json(value)


def request(host: str, key: str, body: bytes, path: str = "/v1/chat/completions", headers: str = "") -> bytes:
    """A whole HTTP request as the official client would send it, give or take its statistics headers."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\n"
        f"content-type: application/json\r\nuser-agent: OpenAI/Python 3.0.0\r\n"
        f"authorization: Bearer {key}\r\n{headers}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def unchunk(data: bytes) -> bytes:
    """The payload of a complete chunked body; raises ``ValueError`` if it is not one."""
    parts: list[bytes] = []
    at = 0
    while True:
        line = data.index(b"\r\n", at)
        size = int(data[at:line].split(b";")[0], 16)
        at = line + 2
        if size == 0:
            if data[at:] != b"\r\n":
                raise ValueError("bytes after the last chunk")
            return b"".join(parts)
        parts.append(data[at : at + size])
        if data[at + size : at + size + 2] != b"\r\n":
            raise ValueError("a chunk is longer than it says")
        at += size + 2
