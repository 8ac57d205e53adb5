"""Writes a streamed answer for a client of OpenAI's chat format."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from proxy.chat import (
    Begin,
    Chat,
    Cite,
    Delta,
    End,
    Event,
    Finish,
    Logprobs,
    Media,
    Open,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.openai_chat.answer import new_id, write_call, write_citations
from proxy.dialects.openai_chat.thought import head_of, of_text
from proxy.dialects.openai_chat.usage import write_stop, write_usage

_encode = msgspec.json.encode
_DONE = b"data: [DONE]\n\n"
_PLAIN = {"text": b'"content":', "refusal": b'"refusal":'}


class StreamWriter:
    """One streamed answer; see ``proxy.dialects.dialect.Writer``."""

    __slots__ = (
        "_calls",
        "_details",
        "_head",
        "_model",
        "_older",
        "_parts",
        "_refused",
        "_tail",
        "_thoughts",
        "_usage",
        "_wants",
    )

    def __init__(self, chat: Chat) -> None:
        self._model = chat.model
        self._older = chat.functions
        self._wants = chat.include_usage
        self._tail = b"]}\n\n"
        self._head = b""
        self._parts: dict[tuple[int, int], Any] = {}  # open blocks
        self._calls: dict[tuple[int, int], int] = {}  # their number among the calls of their choice
        self._thoughts: dict[tuple[int, int], int] = {}
        self._details: dict[int, int] = {}
        self._refused: set[int] = set()
        self._usage: Usage | None = None

    def feed(self, events: list[Event]) -> bytes:
        """The bytes of these events."""
        out: list[bytes] = []
        for event in events:
            if type(event) is Delta:
                self._delta(event, out)
            elif type(event) is Open:
                self._open(event, out)
            elif type(event) is Begin:
                self._begin(event)
            else:
                self._other(event, out)
        return b"".join(out)

    def _begin(self, begin: Begin) -> None:
        head: dict[str, Any] = {
            "id": begin.id or new_id(),
            "object": "chat.completion.chunk",
            "created": begin.created or int(time.time()),
            "model": begin.model or self._model,
        }
        if begin.service_tier is not None:
            head["service_tier"] = begin.service_tier
        if self._wants:
            head["usage"] = None
        self._head = b"data: " + _encode(head)[:-1] + b',"choices":['
        self._usage = begin.usage

    def _chunk(self, choice: int, delta: bytes, finish: bytes = b"null", logprobs: bytes = b"null") -> bytes:
        if choice not in self._details:  # the first of its choice tells whose words they are
            self._details[choice] = 0
            role = b'{"role":"assistant","content":null}' if delta == b"{}" else b'{"role":"assistant",' + delta[1:]
            delta = role
        return b'%b{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}%b' % (
            self._head,
            choice,
            delta,
            logprobs,
            finish,
            self._tail,
        )

    def _delta(self, event: Delta, out: list[bytes]) -> None:
        text, kind = event.text, event.kind
        if not text:
            return
        plain = _PLAIN.get(kind)
        if plain is not None:
            out.append(self._chunk(event.choice, b"{%b%b}" % (plain, _encode(text))))
            return
        key = (event.choice, event.block)
        if kind == "arguments":
            if delta := self._arguments(key, _encode(text)):
                out.append(self._chunk(event.choice, delta))
        elif key in self._thoughts:
            self._thought(event, self._thoughts[key], out)
        elif key in self._calls:  # a signature that came after its call
            google = {"index": self._calls[key], "extra_content": {"google": {"thought_signature": text}}}
            out.append(self._chunk(event.choice, _encode({"tool_calls": [google]})))
        elif kind == "signature":
            self._sign_text(event.choice, text, self._parts[key].origin, out)

    def _sign_text(self, choice: int, signature: str, origin: str, out: list[bytes]) -> None:
        number = sum(1 for other, _ in self._thoughts if other == choice)
        self._thoughts[choice, -1] = number
        detail = of_text(signature, origin, number)
        out.append(self._chunk(choice, _encode({"reasoning_details": [detail]})))

    def _arguments(self, key: tuple[int, int], text: bytes) -> bytes:
        """A piece of a call's arguments; nothing of a second call for a client that knows only one."""
        call, custom = self._calls[key], self._parts[key].custom
        if self._older:
            return b"" if call else b'{"function_call":{"arguments":%b}}' % text
        where, member = (b"custom", b"input") if custom else (b"function", b"arguments")
        return b'{"tool_calls":[{"index":%d,"%b":{"%b":%b}}]}' % (call, where, member, text)

    def _thought(self, event: Delta, index: int, out: list[bytes]) -> None:
        part = self._parts[event.choice, event.block]
        kind = "summary" if part.is_summary else "text"
        detail: dict[str, Any] = {"type": f"reasoning.{kind}", "index": index}
        detail["signature" if event.kind == "signature" else kind] = event.text
        delta: dict[str, Any] = {"reasoning_details": [detail]}
        if event.kind == "reasoning":
            delta = {"reasoning_content": event.text, **delta}
        out.append(self._chunk(event.choice, _encode(delta)))

    def _open(self, event: Open, out: list[bytes]) -> None:
        part, key = event.part, (event.choice, event.block)
        self._parts[key] = part
        if isinstance(part, Text | Refusal):
            if isinstance(part, Refusal):
                self._refused.add(event.choice)
            if part.text:
                self._delta(Delta(event.choice, "text" if isinstance(part, Text) else "refusal", part.text), out)
            if isinstance(part, Text) and part.signature:
                self._sign_text(event.choice, part.signature, part.origin, out)
            if isinstance(part, Text) and (notes := write_citations(part.citations)):
                out.append(self._chunk(event.choice, _encode({"annotations": notes})))
        elif isinstance(part, ToolCall):
            number = sum(1 for choice, _ in self._calls if choice == event.choice)
            self._calls[key] = number
            if not self._older:
                out.append(self._chunk(event.choice, _encode({"tool_calls": [{"index": number, **write_call(part)}]})))
            elif number == 0:
                called = {"name": part.name, "arguments": part.arguments}
                out.append(self._chunk(event.choice, _encode({"function_call": called})))
        elif isinstance(part, Reasoning):
            self._open_thought(event.choice, key, part, out)
        elif isinstance(part, Media) and part.kind == "audio":
            audio = {"id": "", "data": part.data, "transcript": part.name or ""}
            out.append(self._chunk(event.choice, _encode({"audio": audio})))

    def _open_thought(self, choice: int, key: tuple[int, int], part: Reasoning, out: list[bytes]) -> None:
        number = sum(1 for other, _ in self._thoughts if other == choice)
        self._thoughts[key] = number
        detail = head_of(part, number)
        if part.redacted is not None:
            detail["data"] = part.redacted
        elif part.text:
            detail["summary" if part.is_summary else "text"] = part.text
        if part.signature is not None:
            detail["signature"] = part.signature
        delta: dict[str, Any] = {"reasoning_details": [detail]}
        if part.text:
            delta = {"reasoning_content": part.text, **delta}
        out.append(self._chunk(choice, _encode(delta)))

    def _other(self, event: Event, out: list[bytes]) -> None:
        match event:
            case Cite():
                if notes := write_citations((event.citation,)):
                    out.append(self._chunk(event.choice, _encode({"annotations": notes})))
            case Logprobs():
                tokens = _encode({"content": event.tokens, "refusal": None})
                out.append(self._chunk(event.choice, b"{}", logprobs=tokens))
            case Finish():
                word = write_stop(event.stop, refused=event.choice in self._refused, older=self._older)
                out.append(self._chunk(event.choice, b"{}", b'"%b"' % word.encode()))
            case Total():
                self._usage = event.usage
            case End():
                if self._wants and self._usage is not None:
                    head = self._head.replace(b',"usage":null', b"", 1)
                    out.append(head + b'],"usage":%b}\n\n' % _encode(write_usage(self._usage)))
                out.append(_DONE)
            case _:
                pass
