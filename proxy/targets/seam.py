"""Where a streamed answer broke off and another goes on: what had been told, and how the rest is joined to it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

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
    """What a client has been told of one answer, as far as another model must know it to go on.

    ``usage`` is that of whoever speaks now, as far as it was told; ``spent`` that of those before. ``settle`` adds the
    one to the other.
    """

    __slots__ = ("_hindrance", "_pieces", "_size", "_texts", "_written", "next", "open", "spent", "thought", "usage")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._written: list[str] = []  # by whoever speaks now, thoughts as well
        self._size = 0
        self._texts: set[int] = set()  # blocks of text
        self._hindrance: str | None = None
        self.open: set[int] = set()  # blocks that have not been closed
        self.thought: int | None = None  # one of them that is a thought
        self.next = 0  # the number of the next block
        self.usage: Usage | None = None
        self.spent: Usage | None = None

    def feed(self, events: list[Event]) -> None:
        """Take in what the client is told."""
        for event in events:
            if isinstance(event, Delta):
                if event.kind != "signature":
                    self._add(event.text, is_text=event.kind == "text")
            elif isinstance(event, Open):
                self._open(event)
            elif isinstance(event, Close):
                self.open.discard(event.block)
                self.thought = None if self.thought == event.block else self.thought
            elif isinstance(event, Begin):
                self.usage = event.usage
            elif isinstance(event, (Cite, Finish, Logprobs)):
                self._hindrance = self._hindrance or _HINDRANCES[type(event)]

    def _open(self, event: Open) -> None:
        part = event.part
        if isinstance(part, Text):
            self._texts.add(event.block)
            self._add(part.text, is_text=True)
        elif isinstance(part, Reasoning):
            self.thought = event.block
            self._add(part.text, is_text=False)
        else:
            self._hindrance = self._hindrance or "more than text had begun"
        if event.choice:
            self._hindrance = "there is more than one answer"
        self.open.add(event.block)
        self.next = max(self.next, event.block + 1)

    def _add(self, text: str, *, is_text: bool) -> None:
        self._size += len(text)
        if self._size > MAX_TEXT:
            self._hindrance = f"it is longer than {MAX_TEXT} characters"
            self._pieces, self._written = [], []
            return
        self._written.append(text)
        if is_text:
            self._pieces.append(text)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    def hindrance(self, *, proves: bool) -> str | None:
        """Why nobody else can go on with it, None if somebody can: it is plain text whose end has not come.

        ``proves``: in the caller's format a thought has a proof, which only who thought it can give.
        """
        if self._hindrance is None and self.open - self._texts and (proves or self.thought is None):
            return "a thought had begun"
        return self._hindrance

    def settle(self, read: int, estimate: Callable[[str], int]) -> None:
        """Whoever was speaking has broken off. What it did not tell of its usage is estimated; ``read``: its input."""
        usage = self.usage or Usage(input=read)
        usage = replace(usage, output=max(usage.output, estimate("".join(self._written))))
        self.spent = usage if self.spent is None else sum_of(self.spent, usage)
        self.usage, self._written = None, []


_HINDRANCES: dict[type, str] = {
    Cite: "it cites",
    Finish: "it was complete, but for its end mark",
    Logprobs: "it tells how probable its words are",
}


class Seam:
    """Makes the events of a second answer the rest of a first.

    Its text goes on in the block of text that is open. What it thought before it went on is left out: the thought was
    about how to go on, and its proof belongs to a request that the caller does not know. So would that of half a text.
    """

    __slots__ = ("_blocks", "_left_out", "_next", "_text", "_thought", "_told", "_used")

    def __init__(self, told: Told) -> None:
        self._told = told
        self._thought = told.thought  # nobody completes it
        self._text = max(told.open - {told.thought}, default=None)  # the block that goes on
        self._next = told.next
        self._blocks: dict[int, int] = {}  # theirs → ours
        self._left_out: set[int] = set()
        self._used = False  # whether something of theirs goes on in `_text`

    def join(self, events: list[Event]) -> list[Event]:
        """What the client is to be told."""
        out: list[Event] = []
        if self._thought is not None and events:
            out.append(Close(0, self._thought))
            self._thought = None
        for event in events:
            if isinstance(event, Open):
                out += self._open(event)
            elif isinstance(event, (Delta, Cite, Close)):
                if event.block not in self._left_out and not self._proves_half(event):
                    out.append(self._renumbered(event))
            elif isinstance(event, Total):
                spent = self._told.spent
                out.append(Total(event.usage if spent is None else sum_of(spent, event.usage)))
            elif isinstance(event, (Finish, End)):
                out += [*self._closed(), event]
            elif isinstance(event, Begin):
                self._told.usage = event.usage
            else:
                out.append(event)
        return out

    def _proves_half(self, event: Delta | Cite | Close) -> bool:
        kind = event.kind if isinstance(event, Delta) else ""
        return kind == "signature" and self._used and self._blocks.get(event.block) == self._text

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
