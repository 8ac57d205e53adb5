"""The official client's own types as the judge of what this dialect writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, MessageCountTokensParams, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from pydantic import TypeAdapter

_ASKED: dict[bool, TypeAdapter[Any]] = {
    True: TypeAdapter(MessageCreateParamsStreaming),
    False: TypeAdapter(MessageCreateParamsNonStreaming),
}
_COUNTED: TypeAdapter[Any] = TypeAdapter(MessageCountTokensParams)
_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def check_request(body: bytes) -> dict[str, Any]:
    """``body`` as values, once the official types have taken it."""
    value: dict[str, Any] = msgspec.json.decode(body)
    _walk(_ASKED[bool(value.get("stream"))].validate_python(value))
    return value


def check_count(body: bytes) -> dict[str, Any]:
    """The same for a question for tokens."""
    value: dict[str, Any] = msgspec.json.decode(body)
    _walk(_COUNTED.validate_python(value))
    return value


def check_answer(body: bytes) -> Message:
    """A whole answer as the official client reads it."""
    return Message.model_validate_json(body, strict=True)


def check_stream(stream: bytes) -> Message:
    """A streamed answer as the official client gathers it. The grammar is checked here: blocks one after the other,
    with numbers that rise by one, between the start and the end of the message."""
    snapshot: Any = None
    inputs: dict[int, bytes] = {}
    names: list[str] = []
    is_open, count = False, 0
    for frame in stream.decode().split("\n\n")[:-1]:
        head, data = frame.split("\n")
        event = _EVENT.validate_json(data.removeprefix("data: "), strict=True)
        assert head == f"event: {event.type}"
        names.append(event.type)
        if event.type == "content_block_start":
            assert not is_open
            assert event.index == count
            is_open, count = True, count + 1
        elif event.type in ("content_block_delta", "content_block_stop"):
            assert is_open
            assert event.index == count - 1
            is_open = event.type == "content_block_delta"
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=inputs)
    assert names[0] == "message_start"
    assert names[-2:] == ["message_delta", "message_stop"]
    assert names.count("message_start") == names.count("message_delta") == names.count("message_stop") == 1
    found: Message = snapshot
    return found


def _walk(value: Any) -> None:
    """Go through iterables, which are only validated when somebody does."""
    if isinstance(value, dict):
        for inner in value.values():
            _walk(inner)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for inner in value:
            _walk(inner)
