"""The calls of tools in an answer: each is judged when it is whole, and told or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

from msgspec.structs import replace

from proxy.chat import (
    Choice,
    Cite,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Open,
    Pieces,
    Refusal,
    ToolCall,
    Total,
)
from proxy.errors import UpstreamError
from proxy.exchange import Exchange, Reply
from proxy.policy import Answer

Key = tuple[int, int]  # choice and block
MAX_HELD = 4 << 20  # characters of the calls that are held back at once


Ruling = Literal["pass", "remove", "block"]


class Judge:
    """``rules`` tells what becomes of a call, and notes it; ``message`` is for who is told that it was blocked."""

    __slots__ = ("message", "rules")

    def __init__(self, rules: Callable[[ToolCall], Awaitable[Ruling]], message: str) -> None:
        self.rules = rules
        self.message = message


async def gather_whole(x: Exchange, answer: Answer) -> Reply | None:
    """Let a body that flows be there as a whole. The refusal, if it breaks off."""
    if answer.body is None and answer.chunks is not None:
        try:
            answer.body, answer.chunks = b"".join([chunk async for chunk in answer.chunks]), None
        except UpstreamError as error:
            answer.discard()
            return x.refuse(error.http_status, error.error_code, error.message)
    return None


def is_stream(answer: Answer) -> bool:
    """Whether it is one of events, whoever has made it: what was kept of an earlier one says so in its head alone."""
    kind = next((value for name, value in answer.headers if name == b"content-type"), b"")
    return answer.is_sse or kind.lower().startswith(b"text/event-stream")


async def guarded(completion: Completion, judge: Judge) -> bool:
    """Take out of a whole answer what may not be told, in place; whether anything was."""
    changed = False
    for choice in completion.choices:
        rulings = [await judge.rules(part) if isinstance(part, ToolCall) else "pass" for part in choice.parts]
        if all(ruling == "pass" for ruling in rulings):
            continue
        changed = True
        if "block" in rulings:
            choice.parts, choice.stop, choice.logprobs = [Refusal(judge.message)], "content_filter", None
        else:
            choice.parts = [part for part, ruling in zip(choice.parts, rulings, strict=True) if ruling == "pass"]
            _settle(choice)
    return changed


def _settle(choice: Choice) -> None:
    """Without calls an answer does not stop for them."""
    if choice.stop == "tool_calls" and not any(isinstance(part, ToolCall) for part in choice.parts):
        choice.stop = "stop"


class Watched:
    """A stream, event by event; of a call nothing is told before it is whole. An async iterator over bytes.

    Blocks are numbered anew, in the order in which they are told: what is left out leaves no gap.
    """

    __slots__ = ("_answer", "_called", "_chunks", "_finished", "_held", "_judge", "_next", "_numbers", "_over",
                 "_pieces", "_size", "_total")  # fmt: skip

    def __init__(self, answer: Answer, pieces: Pieces, judge: Judge) -> None:
        assert answer.chunks is not None
        self._answer = answer
        self._chunks: AsyncIterator[bytes] = answer.chunks
        self._pieces = pieces
        self._judge = judge
        self._held: dict[Key, list[Event]] = {}  # a call as far as it has come
        self._size = 0
        self._numbers: dict[Key, int] = {}  # of blocks that were told and are not closed
        self._next: dict[int, int] = {0: 0}  # by choice: the number of a block that would be new
        self._called: set[int] = set()  # choices that have told a call
        self._finished: set[int] = set()
        self._total: Total | None = None
        self._over = False

    def __aiter__(self) -> Watched:
        return self

    async def __anext__(self) -> bytes:
        while not self._over:
            chunk = await anext(self._chunks)
            out: list[Event] = []
            for piece in self._pieces.split(chunk):
                for event in self._pieces.read(piece):
                    if not self._over:
                        await self._event(event, out)
            if out:
                return self._pieces.write(out)
        raise StopAsyncIteration

    async def _event(self, event: Event, out: list[Event]) -> None:
        if isinstance(event, Open | Delta | Close | Cite):
            key = event.choice, event.block
            if isinstance(event, Open) and isinstance(event.part, ToolCall):
                self._held[key] = []
            if key in self._held:
                await self._hold(key, event, out)
            else:
                out.append(self._numbered(event))
            return
        if isinstance(event, Finish):
            self._finished.add(event.choice)
            if event.stop == "tool_calls" and event.choice not in self._called:
                event = replace(event, stop="stop")
        elif isinstance(event, Total):
            self._total = event
        out.append(event)

    async def _hold(self, key: Key, event: Open | Delta | Close | Cite, out: list[Event]) -> None:
        """One more event of a call; the last one decides about all of them."""
        self._held[key].append(event)
        self._size += len(_arguments(event))
        if self._size > MAX_HELD:
            self._stop(out)
        elif isinstance(event, Close):
            held = self._held.pop(key)
            first = held[0]
            assert isinstance(first, Open)
            assert isinstance(first.part, ToolCall)
            arguments = "".join(map(_arguments, held))
            self._size -= len(arguments)
            ruling = await self._judge.rules(replace(first.part, arguments=arguments))
            if ruling == "pass":
                self._called.add(key[0])
                out += map(self._numbered, held)
            elif ruling == "block":
                self._stop(out)

    def _numbered(self, event: Event) -> Event:
        """An event of a block as it is told."""
        assert isinstance(event, Open | Delta | Close | Cite)
        key = event.choice, event.block
        if isinstance(event, Open):
            self._numbers[key] = self._next.get(event.choice, 0)
            self._next[event.choice] = self._numbers[key] + 1
        block = self._numbers.get(key, event.block)
        if isinstance(event, Close):
            self._numbers.pop(key, None)
        return event if block == event.block else replace(event, block=block)

    def _stop(self, out: list[Event]) -> None:
        """The answer ends as its dialect says that somebody has stepped in."""
        self._over = True
        self._answer.discard()
        out += (Close(choice, block) for (choice, _), block in self._numbers.items())
        for choice in sorted({*self._next} - self._finished):
            block = self._next[choice]
            out += (Open(choice, block, Refusal("")), Delta(choice, "refusal", self._judge.message, block))
            out += (Close(choice, block), Finish(choice=choice, stop="content_filter"))
        out += [] if self._total is None else [self._total]
        out.append(End())


def _arguments(event: Event) -> str:
    """The piece of a call's arguments that is in an event."""
    if isinstance(event, Delta):
        return event.text if event.kind == "arguments" else ""
    return event.part.arguments if isinstance(event, Open) and isinstance(event.part, ToolCall) else ""
