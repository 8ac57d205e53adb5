"""Reads a streamed answer of a provider that speaks OpenAI's chat format."""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import (
    Begin,
    Cite,
    Close,
    Delta,
    End,
    Event,
    Finish,
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
    Usage,
)
from proxy.dialects.openai_chat.answer import decode, new_call, read_citations, read_piece, text_of
from proxy.dialects.openai_chat.request import thought_signature
from proxy.dialects.openai_chat.thought import read_detail
from proxy.dialects.openai_chat.usage import read_stop, read_usage
from proxy.dialects.openai_chat.wire import Answer, CallPiece, ChoicePiece, Detail, Said
from proxy.errors import BadAnswer
from proxy.wire.sse import data_of

_DONE = b"[DONE]"
_MAX_CHOICES = 128
_MAX_CALLS = 1024
_ANY = msgspec.json.Decoder()
_MAX_AUDIO = 32 << 20  # characters of base64 that are collected
_EMPTY = Said()


class _Call:
    """A call as it grows: the number of its block, and its arguments so far."""

    __slots__ = ("is_open", "number", "pieces")

    def __init__(self, number: int) -> None:
        self.number = number
        self.pieces: list[str] = []
        self.is_open = True

    def is_whole(self) -> bool:
        """Whether the arguments are complete JSON: then no more of them will come."""
        try:
            _ANY.decode("".join(self.pieces))
        except (msgspec.DecodeError, RecursionError):
            return False
        return True


class _Choice:
    """One choice as it grows. ``key`` names the open block that is no call: what kind, and which one of that kind."""

    __slots__ = ("audio", "calls", "count", "finish", "index", "key", "number", "refused", "transcript")

    def __init__(self, index: int) -> None:
        self.index = index
        self.count = 0
        self.number = 0  # of the open block
        self.key: tuple[str, int] | None = None
        self.calls: dict[int, _Call] = {}  # by their index
        self.audio: list[str] = []
        self.transcript = ""
        self.refused = False
        self.finish: Finish | None = None

    def close(self, out: list[Event]) -> None:
        """End the open block."""
        if self.key is not None:
            self.key = None
            out.append(Close(self.index, self.number))

    def close_calls(self, out: list[Event], *, all_: bool) -> None:
        """End the calls whose arguments are whole, or all of them. Most providers tell one call after the other, and a
        client need not wait for the last to have the first; but some go back and forth."""
        for call in self.calls.values():
            if call.is_open and (all_ or call.is_whole()):
                call.is_open = False
                out.append(Close(self.index, call.number))

    def open(self, key: tuple[str, int] | None, part: Part, out: list[Event]) -> None:
        """Begin another block; ``key`` None for a call."""
        self.close(out)
        self.key = key
        self.number = self.count
        self.count += 1
        out.append(Open(self.index, self.number, part))

    def add(self, kind: Kind, text: str, out: list[Event]) -> None:
        """Add to the open block."""
        out.append(Delta(self.index, kind, text, self.number))


class StreamReader:
    """One streamed answer; see ``proxy.dialects.dialect.Reader``."""

    __slots__ = ("_begun", "_choices", "_ended", "_usage")

    def __init__(self) -> None:
        self._begun = self._ended = False
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None

    def feed(self, frame: bytes) -> list[Event]:
        """Events of one SSE event."""
        data = data_of(frame)
        if data is None or self._ended:
            return []
        if data == _DONE:
            return self._end()
        chunk = decode(data)
        out: list[Event] = []
        if not self._begun:
            self._begin(chunk, out)
        for piece in chunk.choices or ():
            self._piece(piece, out)
        if chunk.usage is not None:
            self._usage = read_usage(chunk.usage)
        return out

    def finish(self) -> list[Event]:
        """The connection is at its end."""
        if not self._ended:
            raise BadAnswer("the provider's stream stopped before its end")
        return []

    def _begin(self, chunk: Answer, out: list[Event]) -> None:
        if not chunk.choices and not chunk.id:
            return  # Azure tells first how it has filtered the prompt
        self._begun = True
        created = int(chunk.created or 0)
        out.append(Begin(id=chunk.id or "", model=chunk.model or "", created=created, service_tier=chunk.service_tier))

    def _piece(self, piece: ChoicePiece, out: list[Event]) -> None:
        choice = self._choices.get(piece.index)
        if choice is None:
            if not 0 <= piece.index < _MAX_CHOICES:
                raise BadAnswer(f"the provider's stream tells of a choice {piece.index}")
            choice = self._choices[piece.index] = _Choice(piece.index)
        said = piece.delta or piece.message or _EMPTY
        if choice.finish is not None:
            if said != _EMPTY and (said.content or said.tool_calls):
                raise BadAnswer("the provider's stream goes on with a choice that had ended")
            return
        content = said.content
        if isinstance(content, str) and content:
            _say(choice, "text", content, out)
        if said != _EMPTY:
            self._rest(choice, said, out)
        if piece.logprobs is not None and piece.logprobs.content:
            out.append(Logprobs(choice.index, piece.logprobs.content))
        if piece.finish_reason is not None:
            _finish(choice, piece.finish_reason, out)

    def _rest(self, choice: _Choice, said: Said, out: list[Event]) -> None:
        """Everything but plain text."""
        if said.reasoning_details:
            for detail in said.reasoning_details:
                _think(choice, detail, out)
        elif thought := said.reasoning_content or said.reasoning:
            if choice.key is None or choice.key[0] != "thought":
                choice.open(("thought", -1), Reasoning(), out)
            choice.add("reasoning", thought, out)
        if said.content.__class__ is list:
            for piece in said.content or ():
                for part in read_piece(piece):
                    _say_part(choice, part, out)
        if said.refusal:
            choice.refused = True
            _say(choice, "refusal", said.refusal, out)
        if said.annotations:
            self._cite(choice, said, out)
        for call in said.tool_calls or ():
            _call(choice, call, out)
        if said.function_call is not None:
            _call(choice, CallPiece(index=0, function=said.function_call), out)
        if said.audio is not None:
            choice.audio.append(said.audio.data or "")
            choice.transcript += said.audio.transcript or ""
            if sum(map(len, choice.audio)) + len(choice.transcript) > _MAX_AUDIO:
                raise BadAnswer(f"the provider sent more than {_MAX_AUDIO} characters of audio")

    @staticmethod
    def _cite(choice: _Choice, said: Said, out: list[Event]) -> None:
        citations = read_citations(said.annotations)
        if citations and (choice.key is None or choice.key[0] != "text"):
            choice.open(("text", 0), Text(""), out)
        out += [Cite(choice.index, choice.number, citation) for citation in citations]

    def _end(self) -> list[Event]:
        self._ended = True
        out: list[Event] = []
        if not self._begun:
            raise BadAnswer("the provider's stream ends before it begins")
        for choice in self._choices.values():
            if choice.finish is None:
                _finish(choice, "", out)
        if self._usage is not None:
            out.append(Total(self._usage))
        out.append(End())
        return out


def _say(choice: _Choice, kind: Kind, text: str, out: list[Event]) -> None:
    key = (kind, 0)
    if choice.key != key:
        choice.open(key, Text("") if kind == "text" else Refusal(""), out)
    choice.add(kind, text, out)


def _say_part(choice: _Choice, part: Part, out: list[Event]) -> None:
    """A piece in Mistral's form."""
    if isinstance(part, Text):
        _say(choice, "text", part.text, out)
    elif isinstance(part, Reasoning):
        if choice.key != ("thought", -1):
            choice.open(("thought", -1), Reasoning(), out)
        choice.add("reasoning", part.text, out)


def _think(choice: _Choice, detail: Detail, out: list[Event]) -> None:
    """A piece of thought. Its index tells which one; without an index it adds to the open one of its kind."""
    thought = read_detail(detail)
    if thought.redacted is not None:
        choice.open(("encrypted", detail.index or 0), thought, out)
        choice.close(out)
        return
    at = detail.index if detail.index is not None else -2
    key = ("thought", at)
    if choice.key != key:
        head = Reasoning(origin=thought.origin, id=thought.id, is_summary=thought.is_summary)
        choice.open(key, head, out)
    if thought.text:
        choice.add("reasoning", thought.text, out)
    if thought.signature:
        choice.add("signature", thought.signature, out)


def _call(choice: _Choice, piece: CallPiece, out: list[Event]) -> None:
    """A piece of a call."""
    index = piece.index if piece.index is not None else _index_of(choice, piece)
    call = choice.calls.get(index)
    if call is None:
        call = _begin_call(choice, piece, out)
        choice.calls[index] = call
    function, custom = piece.function, piece.custom
    text = text_of(function.arguments) if function is not None else (custom.input or "") if custom is not None else ""
    if not text:
        return
    if not call.is_open:
        if text.isspace():
            return
        raise BadAnswer("the provider's stream goes back to a tool call that had ended")
    call.pieces.append(text)
    out.append(Delta(choice.index, "arguments", text, call.number))


def _begin_call(choice: _Choice, piece: CallPiece, out: list[Event]) -> _Call:
    function, custom = piece.function, piece.custom
    name = function.name if function is not None else custom.name if custom is not None else None
    if not name:
        raise BadAnswer("the provider calls a tool without saying which")
    if len(choice.calls) >= _MAX_CALLS:
        raise BadAnswer(f"the provider calls more than {_MAX_CALLS} tools at once")
    signature = thought_signature(piece.extra_content)
    choice.close_calls(out, all_=False)
    part = ToolCall(
        id=piece.id or new_call(),
        name=name,
        arguments="",
        custom=custom is not None,
        signature=signature,
        origin="" if signature is None else "gemini",
    )
    choice.open(None, part, out)
    return _Call(choice.number)


def _index_of(choice: _Choice, call: CallPiece) -> int:
    """Services that number no calls send each whole, with an id of its own."""
    if call.id is None and choice.calls:
        return len(choice.calls) - 1
    return len(choice.calls)


def _finish(choice: _Choice, word: str, out: list[Event]) -> None:
    choice.close(out)
    choice.close_calls(out, all_=True)
    if any(choice.audio):
        data: dict[str, Any] = {"data": "".join(choice.audio), "name": choice.transcript or None}
        choice.open(("audio", 0), Media(kind="audio", media_type="audio/pcm", **data), out)
        choice.close(out)
    stop, reason = read_stop(word, calls=bool(choice.calls), refused=choice.refused)
    choice.finish = Finish(choice=choice.index, stop=stop, reason=reason)
    out.append(choice.finish)
