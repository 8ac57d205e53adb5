"""Reads a streamed answer of ConverseStream."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from proxy.chat import (
    Begin,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Kind,
    Media,
    Open,
    Part,
    Reasoning,
    Text,
    ToolCall,
    Total,
)
from proxy.dialects.anthropic_messages.wire import ANSWER_TOOL
from proxy.dialects.bedrock.words import SIGNS, read_citation, read_stop, read_usage
from proxy.dialects.dialect import decode
from proxy.dialects.eventstream import error_in, read_message
from proxy.errors import BadAnswer
from proxy.providers.meaning import failure_in

MAX_COLLECTED = 32 << 20  # characters of the blocks of one answer that are told as a whole


class _ToolStart(msgspec.Struct):
    toolUseId: str
    name: str
    type: str | None = None


class _ImageStart(msgspec.Struct):
    format: str = "png"


class _Start(msgspec.Struct):
    toolUse: _ToolStart | None = None
    image: _ImageStart | None = None


class _ToolPiece(msgspec.Struct):
    input: str = ""


class _Thought(msgspec.Struct):
    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None


class _Bytes(msgspec.Struct):
    bytes: str | None = None


class _ImagePiece(msgspec.Struct):
    source: _Bytes | None = None


class _Delta(msgspec.Struct):
    text: str | None = None
    toolUse: _ToolPiece | None = None
    image: _ImagePiece | None = None
    reasoningContent: _Thought | None = None
    citation: dict[str, Any] | None = None


class _Wire(msgspec.Struct):
    """The members of all events that are read."""

    contentBlockIndex: int = 0
    start: _Start | None = None
    delta: _Delta | None = None
    stopReason: str | None = None
    usage: Any = None


class _Block:
    """An open block. Of a ``hidden`` thought or an ``image`` the blobs are collected: they are told as a whole.

    ``kind``: text, reasoning, call, answer, hidden, image, or server: a tool of Amazon's own, which is nobody's to run.
    """

    __slots__ = ("blobs", "format", "kind", "number")

    def __init__(self, kind: str, number: int, format: str = "") -> None:
        self.kind = kind
        self.number = number
        self.format = format
        self.blobs: list[str] = []


class StreamReader:
    """One streamed answer; see ``proxy.dialects.dialect.Reader``. Only the block of a tool is told to begin."""

    __slots__ = ("_begun", "_blocks", "_calls", "_closed", "_count", "_ended", "_over", "_size", "_usage")

    def __init__(self) -> None:
        self._begun = self._ended = self._over = False
        self._blocks: dict[int, _Block] = {}
        self._closed: set[int] = set()
        self._count = 0
        self._calls = False
        self._size = 0  # characters of what is collected
        self._usage: _Wire | None = None

    def feed(self, frame: bytes) -> list[Event]:
        """Events of one message of the event stream."""
        headers, payload = read_message(frame)
        kind = headers.get(":event-type", "")
        if (error := error_in(headers, payload)) is not None:
            raise failure_in(error)
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
                if self._begun:
                    raise BadAnswer("the provider's stream begins twice")
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
        index = event.contentBlockIndex
        if not self._begun or self._ended or index in self._blocks or index in self._closed:
            raise BadAnswer("the provider's stream opens a block where none may be")
        start = event.start
        use = start.toolUse if start is not None else None
        out: list[Event] = []
        if use is not None and use.type is not None:
            self._blocks[index] = _Block("server", -1)
        elif use is not None and use.name == ANSWER_TOOL:
            self._open(index, "answer", Text(""), out)
        elif use is not None:
            self._calls = True
            self._open(index, "call", ToolCall(id=use.toolUseId, name=use.name, arguments=""), out)
        elif start is not None and start.image is not None:
            self._blocks[index] = _Block("image", -1, start.image.format)
        return out

    def _delta(self, event: _Wire) -> list[Event]:
        delta, index = event.delta, event.contentBlockIndex
        out: list[Event] = []
        block = self._blocks.get(index)
        if index in self._closed:
            raise BadAnswer("the provider's stream adds to a block that has ended")
        if delta is None or (block is not None and block.kind == "server"):
            return out
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
            if block.kind != "text":
                raise BadAnswer("the provider's stream adds a source to a block of another kind")
            out.append(Cite(0, block.number, read_citation(delta.citation)))
        elif delta.image is not None and delta.image.source is not None:
            self._collect(block, index, "image", delta.image.source.bytes or "")
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
            self._collect(block, index, "hidden", thought.redactedContent)
            return
        if thought.text is not None:
            self._add(block, index, "reasoning", thought.text, out)
        if thought.signature is not None:
            self._add(self._blocks.get(index), index, "signature", thought.signature, out)

    def _collect(self, block: _Block | None, index: int, kind: str, blob: str) -> None:
        if not self._begun or self._ended:
            raise BadAnswer("the provider's stream opens a block where none may be")
        if block is None:
            block = self._blocks[index] = _Block(kind, -1, "png")
        elif block.kind != kind:
            raise BadAnswer(f"the provider's stream adds {kind} data to a block of another kind")
        self._size += len(blob)
        if self._size > MAX_COLLECTED:
            raise BadAnswer(f"the provider sent blocks of more than {MAX_COLLECTED} bytes")
        block.blobs.append(blob)

    def _stop(self, index: int) -> list[Event]:
        block = self._blocks.pop(index, None)
        if block is None:
            return []
        self._closed.add(index)
        if block.kind == "server":
            return []
        if block.kind in ("hidden", "image"):
            return self._whole(block)
        return [Close(0, block.number)]

    def _whole(self, block: _Block) -> list[Event]:
        data = _joined(block.blobs)
        if not data:
            return []
        part: Part = Reasoning(redacted=data, origin=SIGNS)
        if block.kind == "image":
            part = Media(kind="image", data=data, media_type=f"image/{block.format}")
        number = self._count
        self._count += 1
        return [Open(0, number, part), Close(0, number)]

    def _end(self, word: str | None) -> list[Event]:
        if not self._begun or self._ended:
            raise BadAnswer("the provider's stream ends twice, or before it begins")
        self._ended = True
        out: list[Event] = []
        for index in list(self._blocks):
            out += self._stop(index)
        out.append(read_stop(word, calls=self._calls))
        return out if self._usage is None else [*out, *self._complete()]

    def _metadata(self, event: _Wire) -> list[Event]:
        """The usage. It comes last, but nothing says that it must."""
        self._usage = event
        return self._complete() if self._ended else []

    def _complete(self) -> list[Event]:
        self._over = True
        usage = read_usage(self._usage.usage) if self._usage is not None else None
        return [End()] if usage is None else [Total(usage), End()]


def _joined(blobs: list[str]) -> str:
    """Base64 of all that came, in one."""
    if len(blobs) == 1:
        return blobs[0]
    try:
        return base64.b64encode(b"".join([base64.b64decode(blob, validate=True) for blob in blobs])).decode()
    except (binascii.Error, ValueError) as error:
        raise BadAnswer("the provider's stream holds data that are not base64") from error
