"""Writes a streamed answer for a client of generateContent."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.chat import (
    Begin,
    Chat,
    Citation,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Logprobs,
    Open,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.gemini.answer import new_id, write_call, write_part
from proxy.dialects.gemini.citation import Said, write_citations
from proxy.dialects.gemini.logprobs import write_logprobs
from proxy.dialects.gemini.signature import write_mark, write_thought_mark
from proxy.dialects.gemini.usage import write_stop, write_usage
from proxy.errors import BadAnswer

MAX_HELD = 8 << 20  # characters of arguments that wait for their end
_encode = msgspec.json.encode
_EVENT = b'data: {"candidates":[{"content":{"parts":[%b],"role":"model"},"index":%d}]%b}\n\n'
_LOGPROBS = (
    b'data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"logprobsResult":%b,"index":%d}]%b}\n\n'
)
_TEXT = b'{"text":%b}'
_THOUGHT = b'{"text":%b,"thought":true}'


class _Block:
    """An open block: its part as it was opened, and what came for it that cannot be written yet."""

    __slots__ = ("arguments", "part", "signature")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.arguments: list[str] = []
        self.signature: list[str] = []


class _Choice:
    """What a choice tells at its end."""

    __slots__ = ("citations", "end", "refused", "said")

    def __init__(self) -> None:
        self.citations: list[Citation] = []
        self.end: Finish | None = None
        self.refused = False
        self.said = Said()


class StreamWriter:
    """One streamed answer; see ``proxy.dialects.dialect.Writer``.

    Text and thoughts go out as they come. A call is written when its arguments are whole, as they are an object here.
    Reasons to stop and the usage stand in the last event.
    """

    __slots__ = ("_blocks", "_choices", "_held", "_id", "_model", "_tail", "_usage")

    def __init__(self, chat: Chat) -> None:
        self._model = chat.model
        self._id = ""
        self._tail = b""
        self._blocks: dict[tuple[int, int], _Block] = {}
        self._choices: dict[int, _Choice] = {}
        self._held = 0
        self._usage: Usage | None = None

    def feed(self, events: list[Event]) -> bytes:
        """The bytes of these events."""
        out: list[bytes] = []
        for event in events:
            kind = type(event)
            if kind is Delta:
                self._delta(event, out)  # type: ignore[arg-type]
            elif kind is Open:
                self._open(event, out)  # type: ignore[arg-type]
            elif kind is Close:
                self._close(event, out)  # type: ignore[arg-type]
            else:
                self._other(event, out)
        return out[0] if len(out) == 1 else b"".join(out)

    def _other(self, event: Event, out: list[bytes]) -> None:
        match event:
            case Begin():
                self._model, self._id = event.model or self._model, event.id or new_id()
                self._usage = event.usage or self._usage
                self._tail = b',"modelVersion":%b,"responseId":%b' % (_encode(self._model), _encode(self._id))
            case Finish():
                self._choice(event.choice).end = event
            case Total():
                self._usage = event.usage
            case Cite():
                self._choice(event.choice).citations.append(event.citation)
            case Logprobs():
                told = _encode(write_logprobs(event.tokens))
                out.append(_LOGPROBS % (told, event.choice, self._tail))
            case End():
                self._end(out)

    def _choice(self, index: int) -> _Choice:
        found = self._choices.get(index)
        if found is None:
            found = self._choices[index] = _Choice()
        return found

    def _write(self, choice: int, part: bytes, out: list[bytes]) -> None:
        out.append(_EVENT % (part, choice, self._tail))

    def _open(self, event: Open, out: list[bytes]) -> None:
        part = event.part
        self._blocks[event.choice, event.block] = _Block(part)
        choice = self._choice(event.choice)
        match part:
            case Text():
                choice.citations += part.citations
                self._say(event.choice, part.text, out)
            case Refusal():
                choice.refused = True
                self._say(event.choice, part.text, out)
            case Reasoning():
                if part.text:
                    self._write(event.choice, _THOUGHT % _encode(part.text), out)
            case ToolCall():
                self._hold(len(part.arguments))
            case _:
                value = write_part(part)
                if value is not None:
                    self._write(event.choice, _encode(value), out)

    def _say(self, choice: int, text: str, out: list[bytes]) -> None:
        if text:
            self._choice(choice).said.add(text)
            self._write(choice, _TEXT % _encode(text), out)

    def _delta(self, event: Delta, out: list[bytes]) -> None:
        text = event.text
        if not text:
            return
        block = self._blocks.get((event.choice, event.block))
        if block is None:
            raise BadAnswer("the provider's stream adds to a block that is not open")
        match event.kind:
            case "text" | "refusal":
                self._say(event.choice, text, out)
            case "reasoning":
                self._write(event.choice, _THOUGHT % _encode(text), out)
            case "arguments":
                self._hold(len(text))
                block.arguments.append(text)
            case "signature":
                block.signature.append(text)

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > MAX_HELD:
            raise BadAnswer(f"the provider's stream calls tools with more than {MAX_HELD} bytes of arguments")

    def _close(self, event: Close, out: list[bytes]) -> None:
        block = self._blocks.pop((event.choice, event.block), None)
        if block is None:
            return
        part = block.part
        later = "".join(block.signature)
        match part:
            case ToolCall():
                arguments = part.arguments + "".join(block.arguments)
                signature = (part.signature or "") + later
                self._held -= len(arguments)
                whole = replace(part, arguments=arguments, signature=signature or None)
                self._write(event.choice, _encode(write_call(whole)), out)
            case Text():
                signature = (part.signature or "") + later
                if signature:
                    value: dict[str, Any] = {"text": "", "thoughtSignature": write_mark(part.origin, signature)}
                    self._write(event.choice, _encode(value), out)
            case Reasoning():
                mark = write_thought_mark(part, ((part.signature or "") + later) or None)
                if mark is not None:
                    value = {"text": "", "thought": True, "thoughtSignature": mark}
                    self._write(event.choice, _encode(value), out)
            case _:
                pass

    def _end(self, out: list[bytes]) -> None:
        """The last event: why each choice ended, and what it cost."""
        for at, number in list(self._blocks):
            self._close(Close(at, number), out)
        candidates: list[dict[str, Any]] = []
        for index, choice in sorted(self._choices.items()):
            end = choice.end or Finish(choice=index, stop="other")
            candidate: dict[str, Any] = {
                "content": {"parts": [{"text": ""}], "role": "model"},
                "finishReason": write_stop(end, refused=choice.refused),
                "index": index,
            }
            if choice.citations:
                candidate["groundingMetadata"] = write_citations(choice.citations, choice.said.text())
            candidates.append(candidate)
        last: dict[str, Any] = {"candidates": candidates}
        if self._usage is not None:
            last["usageMetadata"] = write_usage(self._usage)
        last["modelVersion"], last["responseId"] = self._model, self._id or new_id()
        out.append(b"data: %b\n\n" % _encode(last))
