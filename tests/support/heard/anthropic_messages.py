"""A message as Anthropic's client understands it; a stream through the client's own accumulator."""

from __future__ import annotations

import json
from typing import Any

from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from tests.support.heard.answer import Called, Heard, demand
from tests.support.sse import read_events
from tests.upstream.say import Tokens

_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
_DELTAS = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set[str](),
    "tool_use": {"input_json_delta"},
}


def of_message(found: Message) -> Heard:
    """A whole answer."""
    heard = Heard(model=found.model, stop=found.stop_reason or "", sequence=found.stop_sequence, usage=tokens(found))
    for block in found.content:
        if block.type == "text":
            heard.text += block.text
            notes = [note for note in block.citations or [] if note.type == "web_search_result_location"]
            heard.sources += [(note.url, note.title or "") for note in notes]
        elif block.type == "thinking":
            heard.reasoning += block.thinking
            heard.proofs += [block.signature] if block.signature else []
        elif block.type == "redacted_thinking":
            heard.hidden.append(block.data)
        elif block.type == "tool_use":
            heard.calls.append(Called(block.id, block.name, json.dumps(block.input)))
    return heard


def tokens(found: Message) -> Tokens:
    """Usage by class, which this format keeps apart itself."""
    usage = found.usage
    written, by_life = usage.cache_creation_input_tokens or 0, usage.cache_creation
    hour = by_life.ephemeral_1h_input_tokens if by_life else 0
    if by_life and by_life.ephemeral_5m_input_tokens + hour:
        demand(by_life.ephemeral_5m_input_tokens + hour == written, "lifetimes do not add up", usage)
    thought = usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0
    return Tokens(
        input=usage.input_tokens,
        cached_read=usage.cache_read_input_tokens or 0,
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        output=usage.output_tokens - (thought or 0),
        reasoning=thought or 0,
    )


def of_whole(body: bytes) -> Heard:
    """The bytes of a whole answer."""
    found = Message.model_validate_json(body)
    demand(found.type == "message" and found.role == "assistant", "no message of an assistant")
    return of_message(found)


def of_stream(body: bytes) -> Heard:
    """The bytes of a stream."""
    events = []
    for name, data in read_events(body):
        value = json.loads(data or "")
        demand(value["type"] == name, "the event's name is not its type", name)
        if name != "ping":
            events.append(_EVENT.validate_python(value))
    return of_events(events)


def of_events(events: list[Any]) -> Heard:
    """Events of a stream: a message that starts, blocks one after the other, its delta, its stop."""
    kinds = [event.type for event in events]
    demand(kinds[0] == "message_start" and kinds.count("message_start") == 1, "no start", kinds)
    demand(kinds[-2:] == ["message_delta", "message_stop"] and kinds.count("message_stop") == 1, "no end", kinds[-4:])
    demand(kinds.count("message_delta") == 1, "several message_delta")
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    current: Any = None
    blocks = 0
    for event in events:
        if event.type == "content_block_start":
            demand(current is None and event.index == blocks, "a block begins out of turn", event.index)
            current, blocks = event.content_block, blocks + 1
        elif event.type in ("content_block_delta", "content_block_stop"):
            demand(current is not None and event.index == blocks - 1, "a piece of no open block", event)
            if event.type == "content_block_stop":
                current = None
            else:
                demand(event.delta.type in _DELTAS[current.type], "a piece of another kind", current.type, event.delta)
        elif event.type == "message_delta":
            demand(current is None, "a block is left open")
            demand(event.delta.stop_reason is not None, "no reason to stop")
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    for at, text in buffers.items():
        demand(isinstance(json.loads(text or b"{}"), dict), "arguments are no object", at)
    return of_message(Message.model_validate(snapshot.to_dict()))
