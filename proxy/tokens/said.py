"""The text in a piece of a stream, by the bytes that the provider sent: strings as they stand in JSON, unread.

A regular expression finds them where only the model's own words stand under these names. Gemini's names are common ones
(what it quotes is ``text`` too, and arguments are JSON of any form), so its events are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from proxy.wire.sse import Splitter, read_data

_STRING = rb'\s*:\s*"((?:[^"\\]|\\.)*)"'
_CHAT = re.compile(rb'"(content|reasoning_content|reasoning|refusal|arguments)"' + _STRING)
_RESPONSES = re.compile(rb'"delta"' + _STRING)
_MESSAGES = re.compile(rb'"(?:text|partial_json|thinking)"' + _STRING)
_PARTIAL = re.compile(rb'"stringValue"' + _STRING)
_THOUGHTS = {b"reasoning": b"reasoning_content", b"reasoning_content": b"reasoning"}
_ANY_SIZE = 1 << 62  # what is too large has been refused already


class _Call(msgspec.Struct):
    args: msgspec.Raw = msgspec.Raw()
    partial: msgspec.Raw = msgspec.field(name="partialArgs", default=msgspec.Raw())


class _Code(msgspec.Struct):
    code: str = ""


class _Part(msgspec.Struct):
    text: msgspec.Raw = msgspec.Raw()
    call: _Call | None = msgspec.field(name="functionCall", default=None)
    code: _Code | None = msgspec.field(name="executableCode", default=None)


class _Content(msgspec.Struct):
    parts: list[_Part] | None = None


class _Candidate(msgspec.Struct):
    content: _Content | None = None


class _Answer(msgspec.Struct):
    candidates: list[_Candidate] | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


def texts_of(dialect: str, events: bytes) -> list[bytes]:
    """What is said in whole events of a stream: text, thoughts, refusals, and the arguments of calls."""
    return _READ[dialect](events)


def _chat(events: bytes) -> list[bytes]:
    """Some providers send a thought by both of its names: it is one."""
    found = []
    before = (b"", b"")
    for name, text in _CHAT.findall(events):
        if not text:
            continue
        if (_THOUGHTS.get(name), text) == before:
            before = (b"", b"")
            continue
        before = (name, text)
        found.append(text)
    return found


def _gemini(events: bytes) -> list[bytes]:
    splitter = Splitter(_ANY_SIZE)
    found: list[bytes] = []
    for event in splitter.feed(events) + splitter.finish():
        data = read_data(event)
        if data is not None:
            for part in _parts(data):
                found += _part(part)
    return found


def _parts(data: bytes) -> list[_Part]:
    try:
        answer = _ANSWER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []  # it passes as it is, and says nothing that could be counted
    contents = [one.content for one in answer.candidates or [] if one.content is not None]
    return [part for content in contents for part in content.parts or []]


def _part(part: _Part) -> list[bytes]:
    found = []
    text = bytes(part.text)
    if text.startswith(b'"'):
        found.append(text[1:-1])
    if part.code is not None:
        found.append(_quoted(part.code.code))
    if part.call is not None:
        found.append(_quoted(bytes(part.call.args).decode(errors="replace")))
        found += _PARTIAL.findall(bytes(part.call.partial))
    return found


def _quoted(text: str) -> bytes:
    """As it would stand in a string of JSON."""
    return msgspec.json.encode(text)[1:-1]


_READ: dict[str, Callable[[bytes], list[bytes]]] = {
    "openai_chat": _chat,
    "openai_responses": _RESPONSES.findall,
    "anthropic_messages": _MESSAGES.findall,
    "gemini": _gemini,
}
