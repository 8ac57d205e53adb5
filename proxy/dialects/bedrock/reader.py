"""Reads a streamed answer of ConverseStream."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import (
    Begin,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Kind,
    Open,
    Part,
    Reasoning,
    Text,
    ToolCall,
    Total,
)
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL
from proxy.dialects.bedrock.words import SIGNS, UsageWire, read_citation, read_hidden, read_stop, read_usage
from proxy.dialects.dialect import decode
from proxy.dialects.eventstream import error_in, read_message
from proxy.errors import BadAnswer
from proxy.providers.meaning import failure_in


class _ToolStart(msgspec.Struct):
    toolUseId: str
    name: str


class _Start(msgspec.Struct):
    toolUse: _ToolStart | None = None


class _ToolPiece(msgspec.Struct):
    input: str = ""


class _Thought(msgspec.Struct):
    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None


class _Delta(msgspec.Struct):
    text: str | None = None
    toolUse: _ToolPiece | None = None
    reasoningContent: _Thought | None = None
    citation: dict[str, Any] | None = None


class _Wire(msgspec.Struct):
    """The members of all events that are read."""

    contentBlockIndex: int = 0
    start: _Start | None = None
    delta: _Delta | None = None
    stopReason: str | None = None
    usage: UsageWire | None = None


class _Block:
    __slots__ = ("kind", "number")

    def __init__(self, kind: str, number: int) -> None:
        self.kind = kind  # text | reasoning | call | answer
        self.number = number


class StreamReader:
    """One streamed answer; see ``proxy.dialects.dialect.Reader``. Only the block of a tool is told to begin."""

    __slots__ = ("_begun", "_blocks", "_calls", "_count", "_ended", "_finish", "_over")

    def __init__(self) -> None:
        self._begun = self._ended = self._over = False
        self._blocks: dict[int, _Block] = {}
        self._count = 0
        self._calls = self._finish = False

    def feed(self, frame: bytes) -> list[Event]:
        """Events of one message of the event stream."""
        headers, payload = read_message(frame)
        kind = headers.get(":event-type", "")
        if (error := error_in(headers, payload)) is not None:
            raise failure_in(error, "the provider")
        if self._over:
            return []
        match kind:
            case "contentBlockDelta":
                return self._delta(decode(payload, _Wire))
            case "contentBlockStart":
                return self._start(decode(payload, _Wire))
            case "contentBlockStop":
                return self._stop(decode(payload, _Wire).contentBlockIndex)
            case "messageStart":
                self._begun = True
                return [Begin(id="", model="")]
            case "messageStop":
                return self._end(decode(payload, _Wire).stopReason)
            case "metadata":
                return self._metadata(decode(payload, _Wire))
        return []

    def finish(self) -> list[Event]:
        """The connection is at its end. The usage comes last: without it nobody knows what the answer has cost."""
        if not self._over:
            raise BadAnswer("the provider's stream stopped before its end")
        return []

    def _open(self, index: int, kind: str, part: Part, out: list[Event]) -> _Block:
        if not self._begun or self._ended:
            raise BadAnswer("the provider's stream opens a block where none may be")
        block = self._blocks[index] = _Block(kind, self._count)
        self._count += 1
        out.append(Open(0, block.number, part))
        return block

    def _start(self, event: _Wire) -> list[Event]:
        if event.contentBlockIndex in self._blocks:
            raise BadAnswer("the provider's stream opens a block that is open")
        use = event.start.toolUse if event.start is not None else None
        out: list[Event] = []
        if use is None:
            return out
        if use.name == ANSWER_TOOL:
            self._open(event.contentBlockIndex, "answer", Text(""), out)
        else:
            self._calls = True
            part = ToolCall(id=use.toolUseId, name=use.name, arguments="")
            self._open(event.contentBlockIndex, "call", part, out)
        return out

    def _delta(self, event: _Wire) -> list[Event]:
        delta, index = event.delta, event.contentBlockIndex
        out: list[Event] = []
        if delta is None:
            return out
        block = self._blocks.get(index)
        if delta.text is not None:
            self._add(block, index, "text", delta.text, out)
        elif delta.toolUse is not None:
            if block is None or block.kind not in ("call", "answer"):
                raise BadAnswer("the provider's stream adds to a tool call that is not open")
            if delta.toolUse.input:
                kind: Kind = "text" if block.kind == "answer" else "arguments"
                out.append(Delta(0, kind, delta.toolUse.input, block.number))
        elif delta.reasoningContent is not None:
            self._think(block, index, delta.reasoningContent, out)
        elif delta.citation is not None:
            block = block or self._open(index, "text", Text(""), out)
            out.append(Cite(0, block.number, read_citation(delta.citation)))
        return out

    def _add(self, block: _Block | None, index: int, kind: Kind, text: str, out: list[Event]) -> None:
        if block is None:
            part: Part = Text("") if kind == "text" else Reasoning(origin=SIGNS)
            block = self._open(index, "text" if kind == "text" else "reasoning", part, out)
        elif block.kind != ("text" if kind == "text" else "reasoning"):
            raise BadAnswer(f"the provider's stream adds {kind} to a block of another kind")
        if text:
            out.append(Delta(0, kind, text, block.number))

    def _think(self, block: _Block | None, index: int, thought: _Thought, out: list[Event]) -> None:
        if thought.redactedContent is not None:
            hidden = Reasoning(redacted=read_hidden(thought.redactedContent), origin=SIGNS)
            if block is not None:
                raise BadAnswer("the provider's stream adds a hidden thought to a block of another kind")
            self._open(index, "reasoning", hidden, out)
        if thought.text is not None:
            self._add(block, index, "reasoning", thought.text, out)
        if thought.signature is not None:
            self._add(self._blocks.get(index), index, "signature", thought.signature, out)

    def _stop(self, index: int) -> list[Event]:
        block = self._blocks.pop(index, None)
        return [] if block is None else [Close(0, block.number)]

    def _end(self, word: str | None) -> list[Event]:
        if not self._begun or self._ended:
            raise BadAnswer("the provider's stream ends twice, or before it begins")
        self._ended = True
        out: list[Event] = []
        for index in list(self._blocks):
            out += self._stop(index)
        end = read_stop(word, calls=self._calls)
        if end.stop == "tool_calls" and not self._calls:
            end = Finish(stop="stop")  # the answer came by a tool
        out.append(end)
        return out

    def _metadata(self, event: _Wire) -> list[Event]:
        if not self._ended:
            return []
        self._over = True
        usage = read_usage(event.usage)
        return [End()] if usage is None else [Total(usage), End()]
