"""A response as OpenAI's client understands it; a stream by its typed events, all of which must agree."""

from __future__ import annotations

import json
from typing import Any

from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.support.heard.answer import Called, Heard, demand
from tests.support.sse import read_events
from tests.upstream.say import Tokens

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_STOP = {"max_output_tokens": "length", "content_filter": "content_filter"}
_LAST = ("response.completed", "response.incomplete")


def of_response(found: Response) -> Heard:
    """A whole answer."""
    heard = Heard(model=str(found.model), usage=tokens(found))
    for item in found.output:
        if item.type == "message":
            for content in item.content:
                if content.type == "output_text":
                    heard.text += content.text
                    heard.sources += [
                        (note.url, note.title) for note in content.annotations if note.type == "url_citation"
                    ]
                else:
                    heard.refusal += content.refusal
        elif item.type == "reasoning":
            said = "".join(one.text for one in item.summary) or "".join(one.text for one in item.content or [])
            heard.reasoning += said
            sealed = [item.encrypted_content] if item.encrypted_content else []
            heard.proofs += sealed if said else []
            heard.hidden += [] if said else sealed
        elif item.type == "function_call":
            heard.calls.append(Called(item.call_id, item.name, item.arguments))
    reason = found.incomplete_details.reason if found.incomplete_details else None
    demand((found.status == "incomplete") == (reason is not None), "status and details differ", found.status, reason)
    heard.stop = _STOP[reason] if reason is not None else "tool_calls" if heard.calls else "stop"
    return heard


def tokens(found: Response) -> Tokens | None:
    """Usage by class."""
    usage = found.usage
    if usage is None:
        return None
    demand(usage.total_tokens == usage.input_tokens + usage.output_tokens, "the total is no sum", usage)
    read, thought = usage.input_tokens_details, usage.output_tokens_details.reasoning_tokens
    return Tokens(
        input=usage.input_tokens - read.cached_tokens - read.cache_write_tokens,
        cached_read=read.cached_tokens,
        cache_write_5m=read.cache_write_tokens,
        output=usage.output_tokens - thought,
        reasoning=thought,
    )


def of_whole(body: bytes) -> Heard:
    """The bytes of a whole answer."""
    return of_response(Response.model_validate_json(body))


def of_stream(body: bytes) -> Heard:
    """The bytes of a stream."""
    events = []
    for name, data in read_events(body):
        value = json.loads(data or "")
        demand(value["type"] == name, "the event's name is not its type", name)
        events.append(_EVENT.validate_python(value))
    return of_events(events)


def of_events(events: list[Any]) -> Heard:
    """Events of a stream: numbered, each item added, filled and done, and the last event holding them all."""
    demand([event.sequence_number for event in events] == list(range(len(events))), "the numbers have gaps")
    demand(events[0].type == "response.created", "does not begin with response.created")
    demand(events[-1].type in _LAST, "does not end with the response", events[-1].type)
    demand(all(event.type not in _LAST for event in events[:-1]), "ends twice")
    state: Any = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        state.handle_event(event)
    final: Response = events[-1].response
    demand({event.response.id for event in events if hasattr(event, "response")} == {final.id}, "the id changes")
    _check_items(events, final)
    return of_response(final)


def _check_items(events: list[Any], final: Response) -> None:
    """Deltas of each item between its beginning and its end, and equal to what the end says."""
    opened: dict[int, Any] = {}
    done: dict[int, Any] = {}
    heard: dict[int, str] = {}
    for event in events:
        if event.type == "response.output_item.added":
            demand(event.output_index == len(opened), "an item has the wrong index", event.output_index)
            opened[event.output_index] = event.item
        elif event.type == "response.output_item.done":
            demand(event.output_index in opened and event.output_index not in done, "an item is done out of turn")
            done[event.output_index] = event.item
        elif hasattr(event, "output_index"):
            demand(event.output_index in opened and event.output_index not in done, "a piece of no open item", event)
            demand(event.item_id == opened[event.output_index].id, "a piece names another item", event)
            if event.type.endswith(".delta"):
                heard[event.output_index] = heard.get(event.output_index, "") + event.delta
    demand(opened.keys() == done.keys(), "items are left open")
    demand([item.to_dict() for item in final.output] == [done[at].to_dict() for at in sorted(done)], "items differ")
    for at, item in done.items():
        demand(heard.get(at, "") == _words(item), "pieces and whole differ", heard.get(at), item)


def _words(item: Any) -> str:
    if item.type == "message":
        return "".join(part.text if part.type == "output_text" else part.refusal for part in item.content)
    if item.type == "reasoning":
        return "".join(part.text for part in [*item.summary, *(item.content or [])])
    return str(item.arguments) if item.type == "function_call" else ""
