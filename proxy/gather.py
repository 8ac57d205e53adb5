"""From the pieces of an answer to the whole of it, and from the whole to pieces."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import (
    Begin,
    Choice,
    Cite,
    Close,
    Completion,
    Delta,
    End,
    Event,
    Finish,
    Logprobs,
    Open,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Total,
    Usage,
)


class _Block:
    """One part as it grows: its pieces by kind."""

    __slots__ = ("citations", "part", "pieces")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.pieces: dict[str, list[str]] = {}
        self.citations: list[Any] = []

    def whole(self) -> Part:
        """The part with everything that came for it."""
        joined = {kind: "".join(pieces) for kind, pieces in self.pieces.items()}
        part = self.part
        changed: dict[str, Any] = {}
        if isinstance(part, (Text, Refusal, Reasoning)):
            key = {Text: "text", Refusal: "refusal", Reasoning: "reasoning"}[type(part)]
            if key in joined:
                changed["text"] = part.text + joined[key]
        if isinstance(part, ToolCall) and "arguments" in joined:
            changed["arguments"] = part.arguments + joined["arguments"]
        if isinstance(part, (Text, Reasoning, ToolCall)) and "signature" in joined:
            changed["signature"] = (part.signature or "") + joined["signature"]
        if isinstance(part, Text) and self.citations:
            changed["citations"] = (*part.citations, *self.citations)
        return msgspec.structs.replace(part, **changed) if changed else part


class Gather:
    """Collects the events of one answer. ``completion`` may be asked at any time, and is whole after the last event."""

    __slots__ = ("_begin", "_blocks", "_finished", "_logprobs", "_usage")

    def __init__(self) -> None:
        self._begin = Begin(id="", model="")
        self._blocks: dict[tuple[int, int], _Block] = {}
        self._finished: dict[int, Finish] = {}
        self._logprobs: dict[int, list[Any]] = {}
        self._usage: Usage | None = None

    def feed(self, events: list[Event]) -> None:
        """Take in what came."""
        for event in events:
            if isinstance(event, Delta):
                self._blocks[event.choice, event.block].pieces.setdefault(event.kind, []).append(event.text)
            elif isinstance(event, Open):
                self._blocks[event.choice, event.block] = _Block(event.part)
            elif isinstance(event, Cite):
                self._blocks[event.choice, event.block].citations.append(event.citation)
            elif isinstance(event, Logprobs):
                self._logprobs.setdefault(event.choice, []).extend(event.tokens)
            elif isinstance(event, Finish):
                self._finished[event.choice] = event
            elif isinstance(event, Total):
                self._usage = event.usage
            elif isinstance(event, Begin):
                self._begin = event

    def completion(self) -> Completion:
        """Everything so far as one answer."""
        begin = self._begin
        parts: dict[int, list[Part]] = {index: [] for index in self._finished}
        for (choice, _), block in sorted(self._blocks.items(), key=lambda item: item[0]):
            parts.setdefault(choice, []).append(block.whole())
        return Completion(
            id=begin.id,
            model=begin.model,
            created=begin.created,
            choices=[self._choice(index, found) for index, found in sorted(parts.items())],
            usage=self._usage or begin.usage,
            service_tier=begin.service_tier,
        )

    def _choice(self, index: int, parts: list[Part]) -> Choice:
        end = self._finished.get(index, Finish(choice=index, stop="other"))
        return Choice(
            parts=parts,
            stop=end.stop,
            index=index,
            reason=end.reason,
            sequence=end.sequence,
            logprobs=self._logprobs.get(index),
        )


def events_of(completion: Completion) -> list[Event]:
    """A whole answer as the events of a stream that brings it in one go."""
    events: list[Event] = [
        Begin(
            id=completion.id,
            model=completion.model,
            created=completion.created,
            usage=completion.usage,
            service_tier=completion.service_tier,
        )
    ]
    for choice in completion.choices:
        for block, part in enumerate(choice.parts):
            events += (Open(choice.index, block, part), Close(choice.index, block))
        if choice.logprobs:
            events.append(Logprobs(choice.index, choice.logprobs))
        events.append(Finish(choice=choice.index, stop=choice.stop, reason=choice.reason, sequence=choice.sequence))
    if completion.usage is not None:
        events.append(Total(completion.usage))
    events.append(End())
    return events
