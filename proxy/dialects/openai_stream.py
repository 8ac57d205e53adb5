"""OpenAI's chat stream under filters: events to neutral deltas, filtered deltas back to events.

An event whose text the filters leave alone passes as the bytes that came. What the filters hold back comes out in
events of our own, made after the last one seen, before the choice is finished: events that end a choice wait for the
end of the stream.
"""

from __future__ import annotations

from typing import Any

import msgspec

from proxy.chat import Delta, Kind
from proxy.errors import BadAnswer
from proxy.policy import Filter
from proxy.sse import MAX_EVENT, Splitter, read_data

_MAX_WAITING = MAX_EVENT  # bytes of events that wait for the end
_FIELDS: tuple[tuple[str, Kind], ...] = (
    ("content", "text"),
    ("reasoning_content", "reasoning"),
    ("reasoning", "reasoning"),
)
_DONE = b"[DONE]"


class ChatFilters:
    """One response's stream through ``filters``, in their order. ``feed`` and ``finish`` take and give bytes."""

    __slots__ = ("_base", "_filters", "_finished", "_splitter", "_waiting", "_waiting_size")

    def __init__(self, filters: list[Filter]) -> None:
        self._filters = filters
        self._splitter = Splitter()
        self._base: dict[str, Any] = {"object": "chat.completion.chunk"}
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._finished = False

    def feed(self, chunk: bytes) -> bytes:
        """What may go out now."""
        return b"".join([self._event(event) for event in self._splitter.feed(chunk)])

    def finish(self) -> bytes:
        """The rest, when the stream has ended as it should."""
        rest = b"".join([self._event(event) for event in self._splitter.finish()])
        return rest + self._flush()

    def _event(self, event: bytes) -> bytes:
        data = read_data(event)
        if data is None:
            return event
        if data.startswith(_DONE):
            return self._flush() + event
        try:
            chunk = msgspec.json.decode(data)
        except msgspec.DecodeError as error:
            raise BadAnswer("the provider sent an event that is not JSON") from error
        if not isinstance(chunk, dict):
            raise BadAnswer("the provider sent an event that is not an object")
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return event  # an error object, or an event of another kind: it holds no text
        self._base = {key: value for key, value in chunk.items() if key not in ("choices", "usage")}
        changed, ends, extra = False, not choices, b""
        for choice in choices:
            if not isinstance(choice, dict):
                raise BadAnswer("the provider sent a choice that is not an object")
            more, held = self._choice(choice)
            changed |= more
            extra += held
            ends |= choice.get("finish_reason") is not None
        if changed:
            event = _encode(chunk)
        return extra + (self._wait(event) if ends else event)

    def _choice(self, choice: dict[str, Any]) -> tuple[bool, bytes]:
        """Filter the pieces of one choice in place; whether it changed, and events for text of other pieces."""
        delta, index = choice.get("delta"), choice.get("index")
        changed, extra = False, b""
        if not isinstance(delta, dict) or type(index) is not int:
            return changed, extra
        for holder, key, kind, tool in _pieces(delta):
            text = holder[key]
            out = self._filter([Delta(index, kind, text, tool)], 0)
            mine = "".join(d.text for d in out if (d.choice, d.kind, d.block) == (index, kind, tool))
            others = [d for d in out if (d.choice, d.kind, d.block) != (index, kind, tool)]
            extra += self._encode_deltas(others)
            if mine != text:
                holder[key] = mine
                changed = True
        return changed, extra

    def _filter(self, deltas: list[Delta], first: int) -> list[Delta]:
        for filter_ in self._filters[first:]:
            deltas = [out for delta in deltas for out in filter_.feed(delta)]
        return deltas

    def _flush(self) -> bytes:
        """Finish the filters, once; then the events that waited for them."""
        if self._finished:
            return b""
        self._finished = True
        held: list[Delta] = []
        for at, filter_ in enumerate(self._filters):
            held += self._filter(filter_.finish(), at + 1)
        rest = self._encode_deltas(held) + b"".join(self._waiting)
        self._waiting.clear()
        return rest

    def _wait(self, event: bytes) -> bytes:
        if self._finished:
            return event
        self._waiting.append(event)
        self._waiting_size += len(event)
        if self._waiting_size > _MAX_WAITING:
            raise BadAnswer("the provider's stream goes on after the end of its choices")
        return b""

    def _encode_deltas(self, deltas: list[Delta]) -> bytes:
        return b"".join([_encode(self._base | {"choices": [_choice_of(delta)]}) for delta in deltas if delta.text])


def _pieces(delta: dict[str, Any]) -> list[tuple[dict[str, Any], str, Kind, int]]:
    """Where the texts of a delta stand: (holder, key, kind, tool)."""
    pieces: list[tuple[dict[str, Any], str, Kind, int]] = [
        (delta, key, kind, 0) for key, kind in _FIELDS if isinstance(delta.get(key), str) and delta[key]
    ]
    calls = delta.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str) and function["arguments"]:
            index = call.get("index")
            pieces.append((function, "arguments", "arguments", index if type(index) is int else 0))
    return pieces


def _choice_of(delta: Delta) -> dict[str, Any]:
    """A choice of an event of our own."""
    inner: dict[str, Any]
    if delta.kind == "arguments":
        inner = {"tool_calls": [{"index": delta.block, "function": {"arguments": delta.text}}]}
    else:
        inner = {"content" if delta.kind == "text" else "reasoning_content": delta.text}
    return {"index": delta.choice, "delta": inner, "finish_reason": None}


def _encode(chunk: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
