"""Reads a streamed answer of a provider that speaks the Responses API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from proxy.chat import (
    Begin,
    Citation,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Kind,
    Logprobs,
    Open,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
)
from proxy.dialects.openai_responses.annotation import read_annotation
from proxy.dialects.openai_responses.answer import read_call, read_item, read_output
from proxy.dialects.openai_responses.failure import failure_of
from proxy.dialects.openai_responses.signature import bind
from proxy.dialects.openai_responses.usage import read_stop, read_usage
from proxy.dialects.openai_responses.wire import EVENT, SIGNS, Answer, Item
from proxy.dialects.openai_responses.wire import Event as Wire
from proxy.dialects.reading import Again
from proxy.errors import BadAnswer
from proxy.wire.sse import data_of

# What items of a kind are told piece by piece; all others are told when they are whole.
_CALLS = ("function_call", "custom_tool_call")


class _Block:
    """A block that was opened. ``text``: whether a piece of it has come; ``cited``: citations so far."""

    __slots__ = ("cited", "closed", "number", "text")

    def __init__(self, number: int, *, text: bool) -> None:
        self.number = number
        self.text = text
        self.cited = 0
        self.closed = False


class _Item:
    """An item of the output. ``blocks``: by the index of the content; a call and a thought have one, at 0."""

    __slots__ = ("blocks", "done", "kind", "source", "summary")

    def __init__(self, kind: str, source: Item) -> None:
        self.kind = kind
        self.source = source
        self.blocks: dict[int, _Block] = {}
        self.done = False
        self.summary: int | None = None  # the part of the summary that came last


class StreamReader:
    """One streamed answer; see ``proxy.dialects.dialect.Reader``."""

    __slots__ = ("_begun", "_calls", "_count", "_data", "_ended", "_items")

    def __init__(self) -> None:
        self._begun = self._ended = False
        self._items: dict[int, _Item] = {}
        self._count = 0  # blocks that were told of
        self._calls = False
        self._data = b""

    def feed(self, frame: bytes) -> list[Event]:
        """Events of one SSE event."""
        data = data_of(frame)
        if data is None or self._ended or data == b"[DONE]":
            return []
        self._data = data
        event = _decode(data)
        if event is None:
            return []
        step = _STEPS.get(event.type)
        if step is None:
            # Without a type it may be an error, as other formats tell it.
            return [] if event.type else self._untyped()
        return step(self, event)

    def finish(self) -> list[Event]:
        """The connection is at its end."""
        if not self._ended:
            raise BadAnswer("the provider's stream stopped before its end")
        return []

    def _untyped(self) -> list[Event]:
        typed = _typed(self._data)
        if typed is not None and typed.error:
            raise failure_of(typed.error)
        return []

    def _begin(self, event: Wire) -> list[Event]:
        head = event.response
        if self._begun or head is None:
            return []
        self._begun = True
        begin = Begin(id=head.id, model=head.model, created=int(head.created_at or 0), service_tier=head.service_tier)
        return [begin]

    def _added(self, event: Wire) -> list[Event]:
        item, at = event.item, event.output_index
        if item is None:
            return []
        if not self._begun or at in self._items:
            raise BadAnswer("the provider's stream begins an item where none may be")
        found = self._items[at] = _Item(item.type or "", item)
        if found.kind not in _CALLS:
            return []
        call = read_call(item)
        self._calls = True
        return self._open(found, 0, call, text=bool(call.arguments))

    def _open(self, item: _Item, index: int, part: Part, *, text: bool) -> list[Event]:
        item.blocks[index] = _Block(self._count, text=text)
        self._count += 1
        return [Open(0, self._count - 1, part)]

    def _whole(self, part: Part) -> list[Event]:
        self._count += 1
        return [Open(0, self._count - 1, part), Close(0, self._count - 1)]

    def _item(self, event: Wire) -> _Item:
        item = self._items.get(event.output_index)
        if item is None or item.done:
            raise BadAnswer("the provider's stream adds to an item that is not open")
        return item

    def _part_added(self, event: Wire) -> list[Event]:
        item, part, at = self._item(event), event.part, event.content_index
        if part is None or at in item.blocks or item.kind != "message":
            return []
        if part.type == "refusal":
            return self._open(item, at, Refusal(part.refusal or ""), text=bool(part.refusal))
        if part.type == "output_text":
            return self._open(item, at, Text(part.text or ""), text=bool(part.text))
        return []

    def _text(self, event: Wire) -> list[Event]:
        return self._piece(event, "text", event.delta, event.logprobs)

    def _refusal(self, event: Wire) -> list[Event]:
        return self._piece(event, "refusal", event.delta)

    def _arguments(self, event: Wire) -> list[Event]:
        return self._piece(event, "arguments", event.delta)

    def _piece(self, event: Wire, kind: Kind, text: str, logprobs: list[Any] | None = None) -> list[Event]:
        item = self._items.get(event.output_index)
        block = None if item is None else item.blocks.get(event.content_index)
        if block is None or block.closed:
            return self._unannounced(event, kind, text)
        block.text = True
        if logprobs:
            return [Delta(0, kind, text, block.number), Logprobs(0, logprobs)]
        return [Delta(0, kind, text, block.number)] if text else []

    def _unannounced(self, event: Wire, kind: Kind, text: str) -> list[Event]:
        """A piece of content that was not announced, which some servers leave out."""
        item = self._item(event)
        if event.content_index in item.blocks or item.kind != "message" or kind not in ("text", "refusal"):
            raise BadAnswer("the provider's stream adds to a block that is not open")
        part = Text(text) if kind == "text" else Refusal(text)
        return self._open(item, event.content_index, part, text=True)

    def _text_done(self, event: Wire) -> list[Event]:
        return self._late(event, "text", event.text)

    def _refusal_done(self, event: Wire) -> list[Event]:
        return self._late(event, "refusal", event.refusal)

    def _arguments_done(self, event: Wire) -> list[Event]:
        return self._late(event, "arguments", event.arguments if event.arguments is not None else event.input)

    def _late(self, event: Wire, kind: Kind, text: str | None) -> list[Event]:
        """The whole of a block, news only if nothing of it has come before."""
        item = self._items.get(event.output_index)
        block = None if item is None else item.blocks.get(event.content_index)
        if not text or (block is not None and (block.text or block.closed)):
            return []
        return self._piece(event, kind, text)

    def _annotation(self, event: Wire) -> list[Event]:
        block = self._item(event).blocks.get(event.content_index)
        if block is None or block.closed or not event.annotation:
            return []
        return self._cite(block, read_annotation(event.annotation))

    def _cite(self, block: _Block, citation: Citation) -> list[Event]:
        block.cited += 1
        return [Cite(0, block.number, citation)]

    def _part_done(self, event: Wire) -> list[Event]:
        item = self._item(event)
        block, part = item.blocks.get(event.content_index), event.part
        if block is None or block.closed or item.kind != "message":
            return []
        events: list[Event] = []
        if part is not None:
            text, kind = (part.refusal, "refusal") if part.type == "refusal" else (part.text, "text")
            if text and not block.text:
                events.append(Delta(0, "refusal" if kind == "refusal" else "text", text, block.number))
            for note in (part.annotations or ())[block.cited :]:
                events += self._cite(block, read_annotation(note))
        return events + self._close(block)

    def _close(self, block: _Block) -> list[Event]:
        block.closed = True
        return [Close(0, block.number)]

    def _summary(self, event: Wire) -> list[Event]:
        """A piece of the summary; its parts are paragraphs."""
        item = self._item(event)
        text = event.delta
        if item.summary is not None and item.summary != event.summary_index and text:
            text = "\n\n" + text
        item.summary = event.summary_index
        return self._thought(item, text, is_summary=True)

    def _raw_thought(self, event: Wire) -> list[Event]:
        return self._thought(self._item(event), event.delta, is_summary=False)

    def _thought(self, item: _Item, text: str, *, is_summary: bool) -> list[Event]:
        if item.kind != "reasoning":
            raise BadAnswer("the provider's stream adds thoughts to an item of another kind")
        block = item.blocks.get(0)
        if not text:
            return []
        if block is None:
            part = Reasoning(text=text, origin=SIGNS, id=item.source.id, is_summary=is_summary)
            return self._open(item, 0, part, text=True)
        return [Delta(0, "reasoning", text, block.number)]

    def _done(self, event: Wire) -> list[Event]:
        item, whole = self._items.get(event.output_index), event.item
        if whole is None or (item is not None and item.done):
            raise BadAnswer("the provider's stream completes an item that is not open")
        events: list[Event] = []
        if item is None:
            if not self._begun:
                raise BadAnswer("the provider's stream completes an item before it begins")
            item = self._items[event.output_index] = _Item(whole.type or "", whole)
        if item.kind == "reasoning" and item.blocks:
            events += self._end_thought(item, whole)
        elif not item.blocks:
            events += self._tell(whole)
        elif item.kind in _CALLS and not item.blocks[0].text:
            text = read_call(whole).arguments
            events += [Delta(0, "arguments", text, item.blocks[0].number)] if text else []
        item.done = True
        for block in item.blocks.values():
            if not block.closed:
                events += self._close(block)
        return events

    def _tell(self, whole: Item) -> list[Event]:
        """An item of which nothing has come in pieces."""
        parts: list[Part] = []
        tokens: list[Any] = []
        read_item(whole, parts, tokens, Again(self._data), "item")
        events: list[Event] = []
        for part in parts:
            self._calls = self._calls or isinstance(part, ToolCall)
            events += self._whole(part)
        return [*events, Logprobs(0, tokens)] if tokens else events

    def _end_thought(self, item: _Item, whole: Item) -> list[Event]:
        """Its proof comes last."""
        if not whole.encrypted_content:
            return []
        proof = bind(item.source.id, whole.encrypted_content)
        return [Delta(0, "signature", proof, item.blocks[0].number)]

    def _end(self, event: Wire) -> list[Event]:
        head = event.response
        if head is None:
            raise BadAnswer("the provider's stream ends with nothing")
        events = self._begin(event)
        if not self._items and head.output:
            events += self._tell_all(head)
        for item in self._items.values():
            if not item.done:
                for block in item.blocks.values():
                    events += [] if block.closed else self._close(block)
        self._ended = True
        if head.status is None:
            head.status = event.type.removeprefix("response.")
        events.append(read_stop(head, calls=self._calls))
        usage = read_usage(head.usage)
        if usage is not None:
            events.append(Total(usage))
        events.append(End())
        return events

    def _tell_all(self, head: Answer) -> list[Event]:
        """An answer that came whole, in the last event."""
        parts, tokens = read_output(head.output, Again(self._data), "response", "output")
        events: list[Event] = []
        for part in parts:
            self._calls = self._calls or isinstance(part, ToolCall)
            events += self._whole(part)
        return [*events, Logprobs(0, tokens)] if tokens else events

    def _fail(self, event: Wire) -> list[Event]:
        raise failure_of(event.response.error if event.response is not None else None)

    def _error(self, event: Wire) -> list[Event]:
        raise failure_of(msgspec.json.decode(self._data))


_STEPS: dict[str, Callable[[StreamReader, Wire], list[Event]]] = {
    "response.output_text.delta": StreamReader._text,
    "response.function_call_arguments.delta": StreamReader._arguments,
    "response.reasoning_summary_text.delta": StreamReader._summary,
    "response.reasoning_text.delta": StreamReader._raw_thought,
    "response.custom_tool_call_input.delta": StreamReader._arguments,
    "response.refusal.delta": StreamReader._refusal,
    "response.created": StreamReader._begin,
    "response.in_progress": StreamReader._begin,
    "response.queued": StreamReader._begin,
    "response.output_item.added": StreamReader._added,
    "response.content_part.added": StreamReader._part_added,
    "response.output_text.done": StreamReader._text_done,
    "response.refusal.done": StreamReader._refusal_done,
    "response.function_call_arguments.done": StreamReader._arguments_done,
    "response.custom_tool_call_input.done": StreamReader._arguments_done,
    "response.output_text.annotation.added": StreamReader._annotation,
    "response.content_part.done": StreamReader._part_done,
    "response.output_item.done": StreamReader._done,
    "response.completed": StreamReader._end,
    "response.incomplete": StreamReader._end,
    "response.cancelled": StreamReader._end,
    "response.failed": StreamReader._fail,
    "error": StreamReader._error,
}


class _Typed(msgspec.Struct):
    type: str = ""
    error: Any = None


def _decode(data: bytes) -> Wire | None:
    """The event; None for one of an unknown kind, which may look like anything."""
    try:
        return EVENT.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        typed = _typed(data)
        if typed is not None and typed.type and typed.type not in _STEPS:
            return None
        raise BadAnswer(f"the provider's stream cannot be read: {error}") from error


def _typed(data: bytes) -> _Typed | None:
    try:
        return msgspec.json.decode(data, type=_Typed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
