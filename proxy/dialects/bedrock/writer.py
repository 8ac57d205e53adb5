"""Writes an answer as ConverseStream does."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import (
    Begin,
    Chat,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Open,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.bedrock.words import write_citation, write_hidden, write_stop, write_usage
from proxy.dialects.eventstream import write_message


def _event(kind: str, value: dict[str, Any]) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return write_message(headers, msgspec.json.encode(value))


class StreamWriter:
    """One streamed answer; see ``proxy.dialects.dialect.Writer``. Blocks may be open beside each other."""

    __slots__ = ("_finish", "_usage")

    def __init__(self, chat: Chat) -> None:
        self._finish = Finish(stop="other")
        self._usage: Usage | None = None

    def feed(self, events: list[Event]) -> bytes:
        """The bytes of these events."""
        return b"".join([self._write(event) for event in events])

    def _write(self, event: Event) -> bytes:
        match event:
            case Begin():
                self._usage = event.usage
                return _event("messageStart", {"role": "assistant"})
            case Open(choice=0):
                return self._open(event.block, event.part)
            case Delta(choice=0):
                return self._delta(event)
            case Cite(choice=0):
                return self._piece(event.block, {"citation": write_citation(event.citation)})
            case Close(choice=0):
                return _event("contentBlockStop", {"contentBlockIndex": event.block})
            case Finish(choice=0):
                self._finish = event
            case Total():
                self._usage = event.usage
            case End():
                stop = _event("messageStop", {"stopReason": write_stop(self._finish.stop, self._finish.reason)})
                metadata = {"usage": write_usage(self._usage), "metrics": {"latencyMs": 0}}
                return stop + _event("metadata", metadata)
        return b""

    def _piece(self, block: int, delta: dict[str, Any]) -> bytes:
        return _event("contentBlockDelta", {"delta": delta, "contentBlockIndex": block})

    def _open(self, block: int, part: Part) -> bytes:
        match part:
            case ToolCall():
                use = {"toolUse": {"toolUseId": part.id, "name": part.name}}
                start = _event("contentBlockStart", {"start": use, "contentBlockIndex": block})
                return start + (self._piece(block, {"toolUse": {"input": part.arguments}}) if part.arguments else b"")
            case Text():
                cited = [self._piece(block, {"citation": write_citation(one)}) for one in part.citations]
                return b"".join([self._piece(block, {"text": part.text}) if part.text else b"", *cited])
            case Refusal():
                return self._piece(block, {"text": part.text}) if part.text else b""
            case Reasoning():
                return self._thought(block, part)
        return b""

    def _thought(self, block: int, part: Reasoning) -> bytes:
        pieces: list[dict[str, str]] = []
        if part.redacted is not None:
            pieces.append({"redactedContent": write_hidden(part.redacted)})
        if part.text:
            pieces.append({"text": part.text})
        if part.signature:
            pieces.append({"signature": part.signature})
        return b"".join([self._piece(block, {"reasoningContent": piece}) for piece in pieces])

    def _delta(self, event: Delta) -> bytes:
        match event.kind:
            case "arguments":
                return self._piece(event.block, {"toolUse": {"input": event.text}})
            case "reasoning":
                return self._piece(event.block, {"reasoningContent": {"text": event.text}})
            case "signature":
                return self._piece(event.block, {"reasoningContent": {"signature": event.text}})
        return self._piece(event.block, {"text": event.text})
