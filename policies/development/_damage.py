"""Answers that are damaged on their way: slow, cut off, or with calls of tools that nobody can read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from msgspec.structs import replace

from proxy.chat import Completion, Delta, End, Event, Finish, Open, Part, Pieces, ToolCall
from proxy.errors import HungUp
from proxy.kept import pause

CUT = "chaos_cut"  # the code of an answer that was cut
_CONTENT = frozenset({"text", "reasoning", "arguments", "refusal"})


def tokens_in(events: list[Event]) -> int:
    """Pieces of content. Providers send about one token in each."""
    return sum(isinstance(event, Delta) and event.kind in _CONTENT for event in events)


def is_end(events: list[Event]) -> bool:
    """Whether the answer is about to be complete."""
    return any(isinstance(event, (Finish, End)) for event in events)


async def half(body: bytes, hang_up: Callable[[], None]) -> AsyncIterator[bytes]:
    """The first half of a whole answer, and no more."""
    yield body[: len(body) // 2]
    hang_up()
    raise HungUp(CUT)


class Damaged:
    """A stream that is slowed down (``every``: seconds before each piece of content) or cut (``after`` so many of them,
    or before its end if that comes first). ``pieces`` None: it is no conversation's, and each chunk is a piece.

    ``on_slow`` is called once, with the first pause; ``hang_up`` before the connection breaks.
    """

    __slots__ = ("_after", "_chunks", "_every", "_hang_up", "_on_slow", "_pieces", "_ready", "_tokens")

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        pieces: Pieces | None,
        every: float | None,
        after: int | None,
        on_slow: Callable[[], None],
        hang_up: Callable[[], None],
    ) -> None:
        self._chunks = chunks
        self._pieces = pieces
        self._every = every
        self._after = after
        self._on_slow: Callable[[], None] | None = on_slow
        self._hang_up = hang_up
        self._ready: list[bytes] = []  # whole events that wait for their turn, the last first
        self._tokens = 0

    def __aiter__(self) -> Damaged:
        return self

    async def __anext__(self) -> bytes:
        while not self._ready:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                if self._after is not None:
                    self._cut()
                raise
            found = [chunk] if self._pieces is None else self._pieces.split(chunk)
            self._ready = found[::-1]
        piece = self._ready.pop()
        events = [] if self._pieces is None else self._pieces.read(piece)
        tokens = 1 if self._pieces is None else tokens_in(events)
        if self._after is not None and (self._tokens + tokens > self._after or is_end(events)):
            self._cut()
        self._tokens += tokens
        if tokens and self._every is not None:
            if self._on_slow is not None:
                self._on_slow()
                self._on_slow = None
            await pause(self._every * tokens)
        return piece

    def _cut(self) -> None:
        self._hang_up()
        raise HungUp(CUT)


class Garbled:
    """A stream whose calls of tools lose every closing brace of their arguments; the rest says what it said.

    ``on_call`` is called for each event that was changed.
    """

    __slots__ = ("_chunks", "_on_call", "_pieces")

    def __init__(self, chunks: AsyncIterator[bytes], pieces: Pieces, on_call: Callable[[], None]) -> None:
        self._chunks = chunks
        self._pieces = pieces
        self._on_call = on_call

    def __aiter__(self) -> Garbled:
        return self

    async def __anext__(self) -> bytes:
        while True:
            chunk = await anext(self._chunks)
            events = [event for piece in self._pieces.split(chunk) for event in self._pieces.read(piece)]
            out = self._pieces.write([self._changed(event) for event in events])
            if out:
                return out

    def _changed(self, event: Event) -> Event:
        if isinstance(event, Delta) and event.kind == "arguments" and "}" in event.text:
            self._on_call()
            return replace(event, text=_unclosed(event.text))
        if isinstance(event, Open) and isinstance(event.part, ToolCall) and "}" in event.part.arguments:
            self._on_call()
            return replace(event, part=_garbled(event.part))
        return event


def garble(completion: Completion) -> bool:
    """The same with a whole answer, in place; whether it called any tool."""
    calls = 0
    for choice in completion.choices:
        calls += sum(isinstance(part, ToolCall) for part in choice.parts)
        choice.parts = [_garbled(part) for part in choice.parts]
    return calls > 0


def _garbled(part: Part) -> Part:
    return replace(part, arguments=_unclosed(part.arguments)) if isinstance(part, ToolCall) else part


def _unclosed(text: str) -> str:
    """JSON that never ends."""
    return text.replace("}", "")
