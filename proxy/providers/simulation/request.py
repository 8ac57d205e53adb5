"""Reads what a simulated model is asked: loosely, as a provider does that ignores what it does not know."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from proxy.errors import Rejected, render_openai

_PIECE = re.compile(r" ?[^\s]{1,5}|\s")
_SHORT = 80  # characters of a user's message that are repeated
_FIELD = rb'name="?%b"?[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{0,4096})\r\n'


class Options(msgspec.Struct):
    """``stream_options``."""

    include_usage: bool = False


class Asked(msgspec.Struct):
    """A request for text: chat completion, completion or response. Unknown members are ignored."""

    model: str = ""
    messages: list[Any] | None = None
    prompt: Any = None
    input: Any = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: Options | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    max_output_tokens: int | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    tools: list[Any] | None = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    response_format: Any = None
    text: Any = None
    store: bool | None = None
    metadata: Any = None


_decode = msgspec.json.Decoder(Asked).decode


def refused(status: int, message: str, *, param: str | None = None, code: str = "invalid_value") -> Rejected:
    """A refusal by the simulated provider, in OpenAI's shape."""
    raw = (status, ((b"content-type", b"application/json"),), render_openai(status, code, message, param))
    return Rejected(message, raw=raw, status=status)


def read_asked(body: bytes) -> Asked:
    """The request, or a refusal as OpenAI words it."""
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        raise refused(400, str(error), code="invalid_type") from None
    except msgspec.DecodeError as error:
        raise refused(400, f"The body is not valid JSON: {error}", code="invalid_json") from None


def read_fields(body: bytes) -> dict[str, Any]:
    """A JSON object of any shape."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise refused(400, f"The body cannot be used: {error}", code="invalid_json") from None


def form_field(body: bytes, name: bytes) -> str:
    """A short field of a multipart form, or the empty string."""
    found = re.search(_FIELD % re.escape(name), body)
    return found[1].decode("utf-8", "replace") if found else ""


def text_of(content: Any) -> str:
    """The text in a message's content: a string, or parts of which some are text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part.get("text") for part in content if isinstance(part, dict)]
    return " ".join(part for part in parts if isinstance(part, str))


def prompt_of(asked: Asked) -> tuple[str, int, bool]:
    """The last user message, the size of the whole prompt in tokens, and whether the last turn is a tool's result."""
    turns: list[Any] = asked.messages if asked.messages is not None else []
    if asked.input is not None:
        turns = asked.input if isinstance(asked.input, list) else [{"role": "user", "content": asked.input}]
    elif asked.prompt is not None:
        given = asked.prompt if isinstance(asked.prompt, str) else " ".join(str(one) for one in asked.prompt)
        turns = [{"role": "user", "content": given}]
    last, size, after_tool = "", len(asked.instructions or ""), False
    for turn in turns:
        if not isinstance(turn, dict):
            continue
        said = text_of(turn.get("content") or turn.get("output"))
        size += len(said) + 12  # about three tokens a turn
        role = turn.get("role")
        if role == "user":
            last = said
        after_tool = role == "tool" or turn.get("type") == "function_call_output"
    return last, size // 4 + 1, after_tool


def shorten(text: str) -> str:
    """One short line."""
    line = " ".join(text[: 4 * _SHORT].split())
    return line if len(line) <= _SHORT else line[: _SHORT - 1] + "…"


def pieces_of(text: str) -> list[str]:
    """The tokens of a simulated answer: about four characters each."""
    return _PIECE.findall(text)


def token_count(text: str) -> int:
    """Tokens of a prompt, about."""
    return len(text) // 4 + 1


def digest_of(body: bytes, seed: int) -> str:
    """What everything about an answer is derived from."""
    return hashlib.blake2b(body, digest_size=12, key=str(seed).encode()).hexdigest()
