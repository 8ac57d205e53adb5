"""Writes a streamed answer for a client of the Messages API."""

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
    Foreign,
    Media,
    Open,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.anthropic_messages.answer import left_out, new_id, redacted, write_signature
from proxy.dialects.anthropic_messages.citation import write_citation
from proxy.dialects.anthropic_messages.hidden import ALONE, LAST, NEXT, hide
from proxy.dialects.anthropic_messages.usage import write_stop, write_tier, write_usage
from proxy.dialects.anthropic_messages.wire import NAME
from proxy.errors import BadAnswer

MAX_HELD = 8 << 20  # characters of blocks that wait for another one's end
_encode = msgspec.json.encode

_START = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_DELTA = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%%d,"delta":%b}\n\n'
_TEXT = _DELTA % b'{"type":"text_delta","text":%b}'
_CITATION = _DELTA % b'{"type":"citations_delta","citation":%b}'
_THOUGHT = _DELTA % b'{"type":"thinking_delta","thinking":%b}'
_SIGNATURE = _DELTA % b'{"type":"signature_delta","signature":%b}'
_INPUT = _DELTA % b'{"type":"input_json_delta","partial_json":%b}'
_MESSAGE_START = b"event: message_start\ndata: %b\n\n"
_MESSAGE_DELTA = b"event: message_delta\ndata: %b\n\n"
_MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_TEXT_BLOCK = b'{"type":"text","text":"","citations":null}'
_THINKING_BLOCK = b'{"type":"thinking","thinking":"","signature":""}'
_BY_KIND = {"text": _TEXT, "refusal": _TEXT, "reasoning": _THOUGHT, "arguments": _INPUT}


class StreamWriter:
    """One streamed answer; see ``proxy.dialects.dialect.Writer``.

    Blocks come one after the other here: what is told of a block while another is open waits. A block of text or
    thoughts begins with its first piece, so that there are no empty ones, which the API would refuse in the next turn.
    """

    __slots__ = (
        "_begin",
        "_current",
        "_end",
        "_held",
        "_held_size",
        "_index",
        "_model",
        "_part",
        "_refused",
        "_signature",
        "_started",
        "_usage",
    )

    def __init__(self, chat: Chat) -> None:
        self._model = chat.model
        self._begin = False
        self._index = -1  # of the block written last
        self._current = -1  # number of the open block, -1: none
        self._started = False  # whether it has been written of
        self._part: Any = None
        self._signature: list[str] = []
        self._held: dict[int, list[Event]] = {}
        self._held_size = 0
        self._refused = False
        self._end = Finish(stop="other")
        self._usage: Usage | None = None

    def feed(self, events: list[Event]) -> bytes:
        """The bytes of these events."""
        out: list[bytes] = []
        for event in events:
            if type(event) is Delta:
                if event.choice == 0:
                    if event.block == self._current:
                        self._delta(event, out)
                    else:
                        self._hold(event.block, event, len(event.text))
            elif isinstance(event, Open | Cite | Close):
                if event.choice == 0:
                    self._block(event, out)
            else:
                self._message(event, out)
        return b"".join(out)

    def _message(self, event: Event, out: list[bytes]) -> None:
        match event:
            case Begin():
                self._start_message(event, out)
            case Finish(choice=0):
                self._end = event
            case Total():
                self._usage = event.usage
            case End():
                self._end_message(out)

    def _start_message(self, begin: Begin, out: list[bytes]) -> None:
        if self._begin:
            return
        self._begin = True
        self._usage = begin.usage
        usage = write_usage(begin.usage)
        tier = write_tier(begin.service_tier)
        if tier is not None:
            usage["service_tier"] = tier
        message: dict[str, Any] = {
            "id": begin.id or new_id(),
            "type": "message",
            "role": "assistant",
            "model": begin.model or self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        out.append(_MESSAGE_START % _encode({"type": "message_start", "message": message}))

    def _end_message(self, out: list[bytes]) -> None:
        while self._current >= 0:
            self._close(out)
            self._release(out)
        reason, sequence = write_stop(self._end, refused=self._refused)
        delta = {"stop_reason": reason, "stop_sequence": sequence}
        usage = write_usage(self._usage)
        out.append(_MESSAGE_DELTA % _encode({"type": "message_delta", "delta": delta, "usage": usage}))
        out.append(_MESSAGE_STOP)

    def _block(self, event: Open | Cite | Close, out: list[bytes]) -> None:
        if isinstance(event, Open) and self._current < 0:
            self._open(event, out)
        elif event.block != self._current:
            self._hold(event.block, event, 0)
        elif isinstance(event, Close):
            self._close(out)
            self._release(out)
        elif isinstance(event, Cite):
            self._begin_block(_TEXT_BLOCK, out)
            out.append(_CITATION % (self._index, _encode(write_citation(event.citation))))

    def _hold(self, block: int, event: Event, size: int) -> None:
        """Keep an event until the open block is complete."""
        if not isinstance(event, Open) and block not in self._held:
            raise BadAnswer("the provider's stream adds to a block that is not open")
        self._held.setdefault(block, []).append(event)
        self._held_size += size + 64
        if self._held_size > MAX_HELD:
            raise BadAnswer(f"the provider's stream mixes blocks of more than {MAX_HELD} bytes")

    def _open(self, event: Open, out: list[bytes]) -> None:
        self._current, self._part, self._started = event.block, event.part, False
        self._signature = []
        part = event.part
        if isinstance(part, Text):
            if part.signature and part.text:
                self._whole(redacted(hide(part.origin, part.signature, NEXT)), out)
            self._piece(_TEXT, _TEXT_BLOCK, part.text, out)
            for citation in part.citations:
                self._block(Cite(0, event.block, citation), out)
        elif isinstance(part, ToolCall):
            if part.signature:
                self._whole(redacted(hide(part.origin, part.signature, NEXT)), out)
            block = _encode({"type": "tool_use", "id": part.id, "name": part.name, "input": {}})
            self._begin_block(block, out)
            self._piece(_INPUT, block, part.arguments, out)
        elif isinstance(part, Reasoning):
            self._piece(_THOUGHT, _THINKING_BLOCK, part.text, out)
        elif isinstance(part, Refusal):
            self._refused = True
            self._piece(_TEXT, _TEXT_BLOCK, part.text, out)
        elif isinstance(part, Media):
            self._piece(_TEXT, _TEXT_BLOCK, left_out(part), out)
        elif isinstance(part, Foreign) and part.origin == NAME:
            self._begin_block(_encode(part.value), out)

    def _piece(self, template: bytes, block: bytes, text: str, out: list[bytes]) -> None:
        if text:
            self._begin_block(block, out)
            out.append(template % (self._index, _encode(text)))

    def _delta(self, event: Delta, out: list[bytes]) -> None:
        if not event.text:
            return
        if event.kind == "signature":
            self._signature.append(event.text)
            return
        if not self._started:
            self._begin_block(_THINKING_BLOCK if event.kind == "reasoning" else _TEXT_BLOCK, out)
        out.append(_BY_KIND[event.kind] % (self._index, _encode(event.text)))

    def _begin_block(self, block: bytes, out: list[bytes]) -> None:
        if not self._started:
            self._started = True
            self._index += 1
            out.append(_START % (self._index, block))

    def _whole(self, block: dict[str, Any], out: list[bytes]) -> None:
        """A block that has no pieces."""
        self._index += 1
        out.append(_START % (self._index, _encode(block)))
        out.append(_STOP % self._index)

    def _close(self, out: list[bytes]) -> None:
        """Complete the open block."""
        part = self._part
        later = "".join(self._signature)
        if isinstance(part, Reasoning):
            signature = (part.signature or "") + later
            if signature:
                self._begin_block(_THINKING_BLOCK, out)
                out.append(_SIGNATURE % (self._index, _encode(write_signature(part.origin, signature))))
        if self._started:
            out.append(_STOP % self._index)
        if isinstance(part, Reasoning):
            if part.redacted is not None:
                self._whole(redacted(write_signature(part.origin, part.redacted)), out)
        elif isinstance(part, Text) and not self._started:
            if part.signature or later:
                self._whole(redacted(hide(part.origin, (part.signature or "") + later, ALONE)), out)
        elif later and isinstance(part, Text | ToolCall):
            self._whole(redacted(hide(part.origin, later, LAST)), out)
        self._current = -1

    def _release(self, out: list[bytes]) -> None:
        """Write of the blocks that have waited, the longest first, up to one that is not complete yet."""
        while self._held and self._current < 0:
            for event in self._held.pop(next(iter(self._held))):
                if isinstance(event, Delta):
                    self._delta(event, out)
                elif isinstance(event, Close):
                    self._close(out)
                elif isinstance(event, Open | Cite):
                    self._block(event, out)
            if not self._held:
                self._held_size = 0
