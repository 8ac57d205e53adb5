"""Reads a streamed answer of a provider that speaks generateContent."""

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
    Part,
    Reasoning,
    Text,
    ToolCall,
    Total,
    Usage,
)
from proxy.dialects.gemini.answer import blocked, call_name, new_call_id, read_part
from proxy.dialects.gemini.citation import Said, read_citations
from proxy.dialects.gemini.failure import read_body
from proxy.dialects.gemini.logprobs import read_logprobs
from proxy.dialects.gemini.partial import Arguments
from proxy.dialects.gemini.usage import read_stop, read_tier, read_usage
from proxy.dialects.gemini.wire import SIGNS, Answer, Candidate, FunctionCall, PartWire
from proxy.errors import BadAnswer
from proxy.wire.sse import data_of

MAX_CANDIDATES = 128


class _Choice:
    """One candidate as it grows. ``kind`` of the open block: text, reasoning, call, or none of them."""

    __slots__ = ("arguments", "block", "calls", "index", "kind", "part", "reason", "said", "signed")

    def __init__(self, index: int) -> None:
        self.index = index
        self.block = -1  # number of the last block
        self.kind = ""
        self.part: Part = Text("")
        self.signed = False  # the open block has its signature: more of its kind is another one
        self.calls = False
        self.arguments: Arguments | None = None
        self.reason: str | None = None
        self.said = Said()

    def open(self, kind: str, part: Part, events: list[Event]) -> None:
        """Begin a block; the one before it is complete."""
        self.close(events)
        self.block += 1
        self.kind = kind
        self.part = part
        self.signed = False
        events.append(Open(self.index, self.block, part))

    def sign(self) -> None:
        """A signature comes for the open block. Only now is it known that its text has one, and whose."""
        self.signed = True
        if isinstance(self.part, Text):
            self.part.origin = SIGNS

    def close(self, events: list[Event]) -> None:
        """The open block is complete."""
        if self.arguments is not None:
            events.append(Delta(self.index, "arguments", self.arguments.text(), self.block))
            self.arguments = None
        if self.kind:
            events.append(Close(self.index, self.block))
            self.kind = ""


class StreamReader:
    """One streamed answer; see ``proxy.dialects.dialect.Reader``.

    The format has no mark for its end, and a candidate may go on after it told a reason to stop: what is open is closed
    when the stream is over.
    """

    __slots__ = ("_begun", "_blocked", "_choices", "_ended", "_usage")

    def __init__(self) -> None:
        self._begun = self._ended = False
        self._blocked: str | None = None
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None

    def feed(self, frame: bytes) -> list[Event]:
        """Events of one SSE event."""
        data = data_of(frame)
        if data is None or self._ended or data == b"[DONE]":
            return []
        answer = read_body(data)
        events: list[Event] = []
        if not self._begun:
            self._begun = True
            events.append(_begin(answer))
        if answer.usage_metadata is not None:
            self._usage = read_usage(answer.usage_metadata)
        if answer.candidates:
            for candidate in answer.candidates:
                self._candidate(candidate, events)
        elif answer.prompt_feedback is not None and not self._choices:
            self._blocked = answer.prompt_feedback.block_reason
        return events

    def finish(self) -> list[Event]:
        """Close what is open, and say why it ended."""
        if self._ended:
            return []
        events: list[Event] = []
        if not self._choices:
            reason = self._blocked or blocked(Answer())
            events.append(Finish(stop="content_filter", reason=reason))
        for choice in self._choices.values():
            if choice.reason is None:
                raise BadAnswer("the provider's stream ended before the answer did")
            choice.close(events)
            events.append(read_stop(choice.reason, calls=choice.calls, choice=choice.index))
        if self._usage is not None:
            events.append(Total(self._usage))
        events.append(End())
        self._ended = True
        return events

    def _candidate(self, candidate: Candidate, events: list[Event]) -> None:
        choice = self._choices.get(candidate.index)
        if choice is None:
            if len(self._choices) >= MAX_CANDIDATES:
                raise BadAnswer(f"the provider's stream has more than {MAX_CANDIDATES} candidates")
            choice = self._choices[candidate.index] = _Choice(candidate.index)
        if candidate.content is not None and candidate.content.parts:
            for part in candidate.content.parts:
                self._part(choice, part, events)
        if candidate.finish_reason is not None:
            choice.reason = candidate.finish_reason
        if candidate.citation_metadata is not None or candidate.grounding_metadata is not None:
            self._cite(choice, candidate, events)
        if candidate.logprobs_result is not None:
            tokens = read_logprobs(candidate.logprobs_result)
            if tokens:
                events.append(Logprobs(choice.index, tokens))

    def _part(self, choice: _Choice, part: PartWire, events: list[Event]) -> None:
        text = part.text
        if text is not None:
            if part.thought:
                self._piece(choice, "reasoning", text, part.thought_signature, events)
            else:
                self._piece(choice, "text", text, part.thought_signature, events)
                choice.said.add(text)
        elif part.function_call is not None:
            self._call(choice, part, part.function_call, events)
        elif (whole := read_part(part)) is not None:
            choice.open("whole", whole, events)
            choice.close(events)

    def _piece(self, choice: _Choice, kind: str, text: str, signature: str | None, events: list[Event]) -> None:
        """A piece of text or of a thought. A signature stands on the last piece of what it signs."""
        if not text and not signature:
            return
        is_text = kind == "text"
        if choice.kind != kind or choice.signed:
            choice.open(kind, Text("") if is_text else Reasoning(origin=SIGNS), events)
        if text:
            events.append(Delta(choice.index, "text" if is_text else "reasoning", text, choice.block))
        if signature:
            choice.sign()
            events.append(Delta(choice.index, "signature", signature, choice.block))

    def _call(self, choice: _Choice, part: PartWire, call: FunctionCall, events: list[Event]) -> None:
        """A call, whole or in pieces."""
        if choice.arguments is not None and not call.name:
            choice.arguments.add(call.partial_args or [])
            if not call.will_continue:
                choice.close(events)
            return
        choice.calls = True
        if not call.will_continue:
            whole = read_part(part)
            assert whole is not None
            choice.open("call", whole, events)
            choice.close(events)
            return
        signature = part.thought_signature or None
        opened = ToolCall(
            id=call.id or new_call_id(),
            name=call_name(call),
            arguments="",
            signature=signature,
            origin=SIGNS if signature else "",
        )
        choice.open("call", opened, events)
        choice.arguments = Arguments()
        choice.arguments.add(call.partial_args or [])

    def _cite(self, choice: _Choice, candidate: Candidate, events: list[Event]) -> None:
        citations = read_citations(candidate, choice.said)
        if not citations:
            return
        if choice.kind != "text":
            choice.open("text", Text(""), events)
        events += [Cite(choice.index, choice.block, citation) for citation in citations]


def _begin(answer: Answer) -> Begin:
    """The first event tells what was read, and all tell what it costs so far."""
    told = answer.usage_metadata
    return Begin(
        id=answer.response_id or "",
        model=answer.model_version or "",
        usage=read_usage(told),
        service_tier=read_tier(told),
    )
