"""Reads a streamed answer of a provider that speaks the Messages API."""

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
    Foreign,
    Kind,
    Open,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
)
from proxy.dialects.anthropic_messages.citation import read_citation
from proxy.dialects.anthropic_messages.failure import failure_of
from proxy.dialects.anthropic_messages.usage import merge, read_stop, read_tier, read_usage
from proxy.dialects.anthropic_messages.wire import (
    ANSWER_TOOL,
    EVENT,
    NAME,
    SIGNS,
    AnswerBlock,
    Piece,
    UsageWire,
)
from proxy.dialects.anthropic_messages.wire import Event as Wire
from proxy.dialects.dialect import tells
from proxy.dialects.reading import Again
from proxy.errors import BadAnswer
from proxy.wire.sse import data_of

MAX_FOREIGN = 8 << 20  # characters of one block that only this dialect understands
_KNOWN = frozenset(
    {
        "content_block_delta",
        "content_block_start",
        "content_block_stop",
        "message_delta",
        "message_start",
        "message_stop",
    }
)
# What a delta adds to a block of a kind, and where it stands in the delta.
_ADDS: dict[tuple[str, str], tuple[Kind, str]] = {
    ("text", "text_delta"): ("text", "text"),
    ("tool_use", "input_json_delta"): ("arguments", "partial_json"),
    ("answer", "input_json_delta"): ("text", "partial_json"),
    ("thinking", "thinking_delta"): ("reasoning", "thinking"),
    ("thinking", "signature_delta"): ("signature", "signature"),
}
_DELTAS = frozenset({"text_delta", "input_json_delta", "thinking_delta", "signature_delta", "citations_delta"})


class _Block:
    """An open block. ``waiting``: its input as far as its start told it, used if nothing else comes."""

    __slots__ = ("kind", "number", "pieces", "size", "value", "waiting")

    def __init__(self, kind: str, number: int = -1, waiting: str = "", value: Any = None) -> None:
        self.kind = kind
        self.number = number
        self.waiting = waiting
        self.value = value
        self.pieces: list[str] = []
        self.size = 0


class StreamReader:
    """One streamed answer; see ``proxy.dialects.dialect.Reader``."""

    __slots__ = ("_begun", "_blocks", "_calls", "_count", "_ended", "_explanation", "_sequence", "_stop", "_usage")

    def __init__(self) -> None:
        self._begun = self._ended = False
        self._blocks: dict[int, _Block] = {}
        self._count = 0  # blocks that were told of
        self._calls = False
        self._usage: UsageWire | None = None
        self._stop: str | None = None
        self._sequence: str | None = None
        self._explanation: str | None = None

    def feed(self, frame: bytes) -> list[Event]:
        """Events of one SSE event."""
        data = data_of(frame)
        if data is None or self._ended:
            return []
        event = _decode(data)
        match event.type:
            case "content_block_delta":
                return self._delta(event, data)
            case "content_block_start":
                return self._start(event, data)
            case "content_block_stop":
                return self._close(event.index)
            case "message_start":
                return self._begin(event)
            case "message_delta":
                self._message(event)
            case "message_stop":
                return self._end()
            case "error":
                raise failure_of(data)
        return []

    def finish(self) -> list[Event]:
        """The connection is at its end."""
        if not self._ended:
            raise BadAnswer("the provider's stream stopped before its end")
        return []

    def _begin(self, event: Wire) -> list[Event]:
        if self._begun or event.message is None:
            raise BadAnswer("the provider's stream begins twice, or with nothing")
        self._begun = True
        head = event.message
        self._usage = tells(head.usage, UsageWire)
        self._stop, self._sequence = head.stop_reason, head.stop_sequence
        tier = read_tier(self._usage)
        return [Begin(id=head.id, model=head.model, usage=read_usage(self._usage), service_tier=tier)]

    def _start(self, event: Wire, data: bytes) -> list[Event]:
        block = event.content_block
        if not self._begun or block is None or event.index in self._blocks:
            raise BadAnswer("the provider's stream opens a block where none may be")
        match block.type:
            case "text":
                cited = tuple(read_citation(one) for one in block.citations or ())
                return self._open(event.index, "text", Text(block.text or "", citations=cited))
            case "thinking":
                signature = block.signature or None
                part = Reasoning(text=block.thinking or "", signature=signature, origin=SIGNS)
                return self._open(event.index, "thinking", part)
            case "redacted_thinking":
                return self._open(event.index, "redacted", Reasoning(redacted=block.data or "", origin=SIGNS))
            case "tool_use":
                return self._tool(event.index, block)
        self._blocks[event.index] = _Block("foreign", value=Again(data).at("content_block"))
        return []

    def _tool(self, index: int, block: AnswerBlock) -> list[Event]:
        waiting = input_text(block) or "{}"
        if block.name == ANSWER_TOOL:
            return self._open(index, "answer", Text(""), waiting)
        if not block.id or not block.name:
            raise BadAnswer("the provider calls a tool without saying which")
        self._calls = True
        return self._open(index, "tool_use", ToolCall(id=block.id, name=block.name, arguments=""), waiting)

    def _open(self, index: int, kind: str, part: Part, waiting: str = "") -> list[Event]:
        number = self._count
        self._count += 1
        self._blocks[index] = _Block(kind, number, waiting)
        return [Open(0, number, part)]

    def _delta(self, event: Wire, data: bytes) -> list[Event]:
        block, piece = self._blocks.get(event.index), event.delta
        if block is None or piece is None:
            raise BadAnswer("the provider's stream adds to a block that is not open")
        adds = _ADDS.get((block.kind, piece.type))
        if adds is not None:
            kind, where = adds
            text = getattr(piece, where)
            if not text:
                return []
            block.waiting = ""
            return [Delta(0, kind, text, block.number)]
        if block.kind == "foreign":
            self._collect(block, piece, data)
            return []
        if block.kind == "text" and piece.type == "citations_delta":
            return [Cite(0, block.number, read_citation(piece.citation))] if piece.citation else []
        if piece.type in _DELTAS:
            raise BadAnswer(f"the provider's stream adds a {piece.type} to a block of another kind")
        return []

    def _collect(self, block: _Block, piece: Piece, data: bytes) -> None:
        """Keep what comes for a block that is told as a whole."""
        block.size += len(data)
        if block.size > MAX_FOREIGN:
            raise BadAnswer(f"the provider sent a block of more than {MAX_FOREIGN} bytes")
        if piece.type == "input_json_delta":
            block.pieces.append(piece.partial_json)
        elif isinstance(block.value, dict):
            members = Again(data).at("delta")
            block.value |= {name: value for name, value in members.items() if name != "type"}

    def _close(self, index: int) -> list[Event]:
        block = self._blocks.pop(index, None)
        if block is None:
            raise BadAnswer("the provider's stream closes a block that is not open")
        if block.kind == "foreign":
            return self._whole(block)
        events: list[Event] = []
        if block.waiting:
            kind: Kind = "text" if block.kind == "answer" else "arguments"
            events.append(Delta(0, kind, block.waiting, block.number))
        events.append(Close(0, block.number))
        return events

    def _whole(self, block: _Block) -> list[Event]:
        if block.pieces:
            block.value["input"] = _parsed("".join(block.pieces))
        return self._part(Foreign(origin=NAME, what=f"content.{block.value.get('type')}", value=block.value))

    def _part(self, part: Part) -> list[Event]:
        number = self._count
        self._count += 1
        return [Open(0, number, part), Close(0, number)]

    def _message(self, event: Wire) -> None:
        if not self._begun:
            raise BadAnswer("the provider's stream ends before it begins")
        self._usage = merge(self._usage, tells(event.usage, UsageWire))
        if event.delta is not None and event.delta.stop_reason is not None:
            self._stop, self._sequence = event.delta.stop_reason, event.delta.stop_sequence
            details = event.delta.stop_details
            self._explanation = details.explanation if details is not None else None

    def _end(self) -> list[Event]:
        if not self._begun:
            raise BadAnswer("the provider's stream ends before it begins")
        self._ended = True
        events: list[Event] = []
        for index in list(self._blocks):
            events += self._close(index)
        if self._stop == "refusal" and self._explanation:
            events += self._part(Refusal(self._explanation))
        events.append(read_stop(self._stop, self._sequence, calls=self._calls))
        usage = read_usage(self._usage)
        if usage is not None:
            events.append(Total(usage))
        events.append(End())
        return events


def input_text(block: AnswerBlock) -> str:
    """The input of a call as JSON text; "" for none."""
    try:
        text = bytes(block.input).decode()
    except UnicodeDecodeError as error:
        raise BadAnswer("the provider's answer is not UTF-8") from error
    return "" if text == "null" else text


def _decode(data: bytes) -> Wire:
    try:
        return EVENT.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        kind = _kind(data)
        if kind is not None and kind not in _KNOWN:
            return Wire(kind)
        raise BadAnswer(f"the provider's stream cannot be read: {error}") from error


class _Typed(msgspec.Struct):
    type: str


def _kind(data: bytes) -> str | None:
    try:
        return msgspec.json.decode(data, type=_Typed).type
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswer("the provider's stream holds an input that is no JSON") from error
