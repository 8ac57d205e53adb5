"""Writes a streamed answer for a client of the Responses API."""

from __future__ import annotations

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
    Logprobs,
    Open,
    Total,
    Usage,
)
from proxy.dialects.openai_responses.echo import Frame
from proxy.dialects.openai_responses.ids import item_token, response_id
from proxy.dialects.openai_responses.pieces import Pieces
from proxy.dialects.openai_responses.usage import write_stop, write_usage
from proxy.errors import BadAnswer

MAX_HELD = 8 << 20  # characters of blocks that wait for another one's end
_EACH = 64  # for an event that waits
_encode = msgspec.json.encode


class StreamWriter:
    """One streamed answer; see ``proxy.dialects.dialect.Writer``.

    Items come one after the other here: what is told of a block while another is open waits.
    """

    __slots__ = ("_chat", "_current", "_end", "_frame", "_held", "_held_size", "_pieces", "_tier", "_usage")

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._frame: Frame | None = None
        self._pieces = Pieces("")
        self._current = -1  # number of the open block, -1: none
        self._held: dict[int, list[Event]] = {}
        self._held_size = 0
        self._end = Finish(stop="other")
        self._usage: Usage | None = None
        self._tier: str | None = None

    def feed(self, events: list[Event]) -> bytes:
        """The bytes of these events."""
        pieces = self._pieces
        for at, event in enumerate(events):
            if type(event) is Delta:
                if event.choice:
                    continue
                if event.block != self._current:
                    self._hold(event.block, event, len(event.text))
                    continue
                follows = events[at + 1] if at + 1 < len(events) else None
                if type(follows) is Logprobs and follows.choice == 0:
                    pieces.add(event.kind, event.text, follows.tokens)
                else:
                    pieces.add(event.kind, event.text)
            else:
                self._event(event, events[at - 1] if at else None)
                pieces = self._pieces
        return pieces.taken()

    def _event(self, event: Event, before: Event | None) -> None:
        match event:
            case Open(choice=0) | Cite(choice=0) | Close(choice=0):
                self._block(event)
            case Logprobs(choice=0):
                if type(before) is not Delta or before.block != self._current:
                    self._pieces.note(event.tokens)
            case Begin():
                self._begin(event)
            case Finish(choice=0):
                self._end = event
            case Total():
                self._usage = event.usage
            case End():
                self._finish()

    def _begin(self, begin: Begin) -> None:
        if self._frame is not None:
            return
        response = response_id(begin.id)
        self._frame = Frame(self._chat, response, begin.model, begin.created)
        self._pieces = Pieces(item_token(response))
        self._usage, self._tier = begin.usage, begin.service_tier
        head = _encode(self._frame.respond("in_progress", [], tier=self._tier))
        for name in (b"response.created", b"response.in_progress"):
            self._pieces.tell(name, b'"response":%b' % head)

    def _finish(self) -> None:
        if self._frame is None:
            raise BadAnswer("the provider's stream ends before it begins")
        pieces = self._pieces
        while self._current >= 0:
            self._close()
        status, incomplete = write_stop(self._end, refused=pieces.refused)
        pieces.end_message("incomplete" if status == "incomplete" else "completed")
        response = self._frame.respond(
            status, pieces.items, usage=write_usage(self._usage), tier=self._tier, incomplete=incomplete
        )
        pieces.tell(b"response." + status.encode(), b'"response":%b' % _encode(response))

    def _block(self, event: Open | Cite | Close) -> None:
        if isinstance(event, Open) and self._current < 0:
            self._current = event.block
            self._pieces.open(event.part)
        elif event.block != self._current:
            self._hold(event.block, event, 0)
        elif isinstance(event, Close):
            self._close()
        elif isinstance(event, Cite):
            self._pieces.cite(event.citation)

    def _hold(self, block: int, event: Event, size: int) -> None:
        """Keep an event until the open block is complete."""
        if not isinstance(event, Open) and block not in self._held:
            raise BadAnswer("the provider's stream adds to a block that is not open")
        self._held.setdefault(block, []).append(event)
        self._held_size += size + _EACH
        if self._held_size > MAX_HELD:
            raise BadAnswer(f"the provider's stream mixes blocks of more than {MAX_HELD} bytes")

    def _close(self) -> None:
        """Complete the open block, and go on with the next that waits."""
        self._pieces.close()
        self._current = -1
        while self._held and self._current < 0:
            block = next(iter(self._held))
            for event in self._held.pop(block):
                self._held_size -= _EACH
                if isinstance(event, Delta):
                    self._held_size -= len(event.text)
                    self._pieces.add(event.kind, event.text)
                elif isinstance(event, Open):
                    self._current = block
                    self._pieces.open(event.part)
                elif isinstance(event, Cite):
                    self._pieces.cite(event.citation)
                else:
                    self._pieces.close()
                    self._current = -1
