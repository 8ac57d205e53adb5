"""Where a streamed answer broke off and another goes on: what had been told, and how the rest is joined to it."""

from __future__ import annotations

from proxy.chat import (
    Begin,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Logprobs,
    Open,
    Reasoning,
    Text,
    Total,
    Usage,
)

MAX_TEXT = 1 << 20  # characters of an answer that another may go on from


class Told:
    """What a client has been told of one answer, as far as another model must know it to go on."""

    __slots__ = ("_is_plain", "_pieces", "_size", "_texts", "next", "open", "usage")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._texts: set[int] = set()  # blocks of text
        self._is_plain = True
        self.open: set[int] = set()  # blocks that have not been closed
        self.next = 0  # the number of the next block
        self.usage: Usage | None = None

    def feed(self, events: list[Event]) -> None:
        """Take in what the client is told."""
        for event in events:
            if isinstance(event, Delta):
                if event.kind == "text":
                    self._add(event.text)
            elif isinstance(event, Open):
                self._open(event)
            elif isinstance(event, Close):
                self.open.discard(event.block)
            elif isinstance(event, (Begin, Total)):
                self.usage = event.usage or self.usage
            elif isinstance(event, (Cite, Finish, Logprobs)):
                self._is_plain = False

    def _open(self, event: Open) -> None:
        part = event.part
        if isinstance(part, Text):
            self._texts.add(event.block)
            self._add(part.text)
        self._is_plain &= event.choice == 0 and isinstance(part, (Text, Reasoning))
        self.open.add(event.block)
        self.next = max(self.next, event.block + 1)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._size += len(text)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    @property
    def can_go_on(self) -> bool:
        """Whether it is plain text, whose end has not come: nobody can finish another's tool call or thought."""
        return self._is_plain and self._size <= MAX_TEXT and self.open <= self._texts


class Seam:
    """Makes the events of a second answer the rest of a first.

    Its text goes on in the block of text that is open. What it thought before it went on is left out: the thought was
    about how to go on, and its proof belongs to a request that the caller does not know.
    """

    __slots__ = ("_before", "_blocks", "_left_out", "_next", "_text", "_used")

    def __init__(self, told: Told) -> None:
        self._before = told.usage
        self._text = max(told.open) if told.open else None  # the block that goes on
        self._next = told.next
        self._blocks: dict[int, int] = {}  # theirs → ours
        self._left_out: set[int] = set()
        self._used = False  # whether something of theirs goes on in `_text`

    def join(self, events: list[Event]) -> list[Event]:
        """What the client is to be told."""
        out: list[Event] = []
        for event in events:
            if isinstance(event, Open):
                out += self._open(event)
            elif isinstance(event, (Delta, Cite, Close)):
                if event.block not in self._left_out:
                    out.append(self._renumbered(event))
            elif isinstance(event, Total):
                out.append(Total(event.usage if self._before is None else sum_of(self._before, event.usage)))
            elif isinstance(event, (Finish, End)):
                out += [*self._closed(), event]
            elif not isinstance(event, Begin):
                out.append(event)
        return out

    def _open(self, event: Open) -> list[Event]:
        part = event.part
        if isinstance(part, Reasoning):
            self._left_out.add(event.block)
            return []
        if isinstance(part, Text) and self._text is not None and not self._used:
            self._used = True
            self._blocks[event.block] = self._text
            found: list[Event] = [Delta(0, "text", part.text, self._text)] if part.text else []
            return found + [Cite(0, self._text, citation) for citation in part.citations]
        out = self._closed()
        self._blocks[event.block] = self._next
        out.append(Open(event.choice, self._next, part))
        self._next += 1
        return out

    def _renumbered(self, event: Delta | Cite | Close) -> Event:
        ours = self._blocks.get(event.block, event.block)
        if isinstance(event, Delta):
            return Delta(event.choice, event.kind, event.text, ours)
        if isinstance(event, Cite):
            return Cite(event.choice, ours, event.citation)
        return Close(event.choice, ours)

    def _closed(self) -> list[Event]:
        """The first answer's open block ends here if nothing goes on in it."""
        if self._text is None or self._used:
            return []
        block, self._text = self._text, None
        return [Close(0, block)]


def sum_of(one: Usage, other: Usage) -> Usage:
    """What both took."""
    return Usage(**{name: getattr(one, name) + getattr(other, name) for name in Usage.__struct_fields__})
