"""The events of one answer through filters: every text of them, block by block, and an end where a filter says so."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from proxy.chat import (
    Begin,
    Citation,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
    Foreign,
    Kind,
    Logprobs,
    Media,
    Open,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
)
from proxy.guarding.carriers import carriers, splice
from proxy.guarding.spelled import SPELLED, spelled
from proxy.policy import Filter, Halt

MAX_SPELLED = 50_000  # tokens of one choice whose probabilities are kept until its end
_KINDS: dict[type, tuple[str, Kind]] = {
    Text: ("text", "text"),
    Reasoning: ("text", "reasoning"),
    Refusal: ("text", "refusal"),
    ToolCall: ("arguments", "arguments"),
}


class Stopped(Exception):
    """A filter has stopped the answer; ``told`` is what it has let through before."""

    def __init__(self, halt: Halt, told: list[Delta]) -> None:
        super().__init__(halt.message)
        self.halt = halt
        self.told = told


async def through(filters: Sequence[Filter], piece: Delta | tuple[int, int]) -> list[Delta]:
    """What the filters, in their order, make of a piece, or of the end of a block (choice, block).

    Raises:
        Stopped: one of them has stopped the answer.
    """
    deltas: list[Delta] = [piece] if isinstance(piece, Delta) else []
    halt: Halt | None = None
    for filter_ in filters:
        told: list[Delta | Halt] = []
        for delta in deltas:
            out = filter_.feed(delta)
            told += out if isinstance(out, list) else await out
        if not isinstance(piece, Delta) and halt is None:
            out = filter_.close(*piece)
            told += out if isinstance(out, list) else await out
        at = next((at for at, one in enumerate(told) if isinstance(one, Halt)), None)
        if at is not None:
            halt = cast(Halt, told[at])
            told = told[:at]
        deltas = cast("list[Delta]", told)
    if halt is not None:
        raise Stopped(halt, deltas)
    return deltas


class _Spelled:
    """How probable the tokens of a choice's text were. They repeat the text: they are told at its end, and only if no
    filter has changed it."""

    __slots__ = ("_said", "_told", "tokens")

    def __init__(self) -> None:
        self.tokens: list[Any] = []
        self._said = blake2b(digest_size=16)
        self._told = blake2b(digest_size=16)

    def note(self, piece: Delta | tuple[int, int], told: list[Delta]) -> None:
        """What came of a piece of the text."""
        if isinstance(piece, Delta) and piece.kind == "text":
            self._said.update(piece.text.encode("utf-8", "replace"))
        for delta in told:
            if delta.kind == "text":
                self._told.update(delta.text.encode("utf-8", "replace"))

    def rows(self) -> list[str] | None:
        """The texts that they spell; None if they are not to be told: the text has changed, or they are too many."""
        if not self.tokens or self._said.digest() != self._told.digest() or len(self.tokens) >= MAX_SPELLED:
            return None
        return spelled(carriers(msgspec.json.encode({"logprobs": self.tokens})), SPELLED)


class Sieve:
    """The events of one answer."""

    __slots__ = ("_aside", "_blocks", "_finished", "_next", "_spelled", "_total", "ended", "filters", "halted")

    def __init__(self, filter_: Filter) -> None:
        self.filters = [filter_]
        self._spelled: dict[int, _Spelled] = {}  # by choice
        self.ended = False
        self.halted = False
        self._aside = -1  # the number of the next block that is none of the answer's
        self._blocks: dict[tuple[int, int], None] = {}  # that are open
        self._next: dict[int, int] = {}  # by choice: the number of a block that would be new
        self._finished: set[int] = set()
        self._total: Total | None = None

    async def feed(self, events: list[Event]) -> list[Event]:
        """What may be told of these."""
        out: list[Event] = []
        try:
            for event in events:
                if self.halted:
                    break
                await self._event(event, out)
        except Stopped as stopped:
            out += stopped.told
            self._halt(stopped.halt, out)
        return out

    async def _event(self, event: Event, out: list[Event]) -> None:
        if isinstance(event, Delta):
            if event.kind == "signature":
                out.append(event)
            else:
                await self._pass(event, out)
        elif isinstance(event, Open):
            await self._open(event, out)
        elif isinstance(event, Close):
            await self._pass((event.choice, event.block), out)
            self._blocks.pop((event.choice, event.block), None)
            out.append(event)
        elif isinstance(event, Cite):
            out.append(replace(event, citation=await self._citation(event.citation)))
        elif isinstance(event, Finish):
            self._finished.add(event.choice)
            await self._spell(event.choice, out)
            reason, sequence = await self._maybe(event.reason), await self._maybe(event.sequence)
            out.append(replace(event, reason=reason, sequence=sequence))
        elif isinstance(event, Begin):
            out.append(
                replace(event, id=await self._whole(event.id), service_tier=await self._maybe(event.service_tier))
            )
        elif isinstance(event, Logprobs):
            spelled = self._spelling(event.choice)
            spelled.tokens += event.tokens[: MAX_SPELLED - len(spelled.tokens)]
        else:
            if isinstance(event, Total):
                self._total = event
            self.ended = self.ended or isinstance(event, End)
            out.append(event)

    async def _spell(self, choice: int, out: list[Event]) -> None:
        """The tokens of a choice, if they say nothing that a filter would not tell."""
        spelling = self._spelling(choice)
        rows = spelling.rows()
        if rows is not None and [await self._whole(row) for row in rows] == rows:
            out.append(Logprobs(choice, spelling.tokens))

    async def _open(self, event: Open, out: list[Event]) -> None:
        """A block begins; what it holds already comes after it, through the filters."""
        part = event.part
        self._next[event.choice] = max(self._next.get(event.choice, 0), event.block + 1)
        first = ""
        if (found := _KINDS.get(type(part))) is not None:
            field, _ = found
            first = getattr(part, field)
            part = replace(part, **{field: ""})
        if isinstance(part, ToolCall):
            part = replace(part, name=await self._whole(part.name), id=await self._whole(part.id))
        elif isinstance(part, Text) and part.citations:
            part = replace(part, citations=tuple([await self._citation(one) for one in part.citations]))
        elif isinstance(part, Foreign):
            part = replace(part, value=await self._value(part.value))
        elif isinstance(part, Media):
            part = await self._media(part)
        self._blocks[event.choice, event.block] = None  # a filter may have stopped the answer before that
        out.append(Open(event.choice, event.block, part))
        if first and found is not None:
            await self._pass(Delta(event.choice, found[1], first, event.block), out)

    async def _pass(self, piece: Delta | tuple[int, int], out: list[Event]) -> None:
        """A piece of the answer, or the end of a block, through the filters."""
        told = await through(self.filters, piece)
        out += told
        choice = piece.choice if isinstance(piece, Delta) else piece[0]
        self._spelling(choice).note(piece, told)

    def _spelling(self, choice: int) -> _Spelled:
        found = self._spelled.get(choice)
        if found is None:
            found = self._spelled[choice] = _Spelled()
        return found

    async def _whole(self, text: str) -> str:
        """A text that comes at once."""
        if not text:
            return text
        block, self._aside = self._aside, self._aside - 1
        told = await through(self.filters, Delta(0, "text", text, block))
        told += await through(self.filters, (0, block))
        return "".join(delta.text for delta in told)

    async def _maybe(self, text: str | None) -> str | None:
        return None if text is None else await self._whole(text)

    async def _citation(self, citation: Citation) -> Citation:
        changed = replace(
            citation,
            text=await self._whole(citation.text),
            title=await self._maybe(citation.title),
            url=await self._maybe(citation.url),
            value=await self._value(citation.value),
        )
        return changed if changed == citation else replace(changed, value=None)

    async def _media(self, part: Media) -> Part:
        """Sound of which something may not be told is told as what is left of its words."""
        said = msgspec.to_builtins(part)
        changed = await self._value(said)
        if changed is said:
            return part
        told = msgspec.convert(changed, Media)
        return Text(told.name or "") if part.kind == "audio" and told.name != part.name else told

    async def _value(self, value: object) -> object:
        """Something of one dialect's own."""
        body = msgspec.json.encode(value)
        changes = [(carrier, await self._whole(carrier.text)) for carrier in carriers(body)]
        changes = [(carrier, text) for carrier, text in changes if text != carrier.text]
        return msgspec.json.decode(splice(body, changes)) if changes else value

    def _halt(self, halt: Halt, out: list[Event]) -> None:
        """The answer ends as its dialect says that somebody has stepped in."""
        self.halted = self.ended = True
        out += (Close(choice, block) for choice, block in self._blocks)
        choices = sorted({0, *self._next} - self._finished)
        for choice in choices:
            block = self._next.get(choice, 0)
            out += (Open(choice, block, Refusal("")), Delta(choice, "refusal", halt.message, block))
            out += (Close(choice, block), Finish(choice=choice, stop="content_filter"))
        if self._total is not None:
            out.append(self._total)
        out.append(End())
