"""The Responses API, event by event."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from proxy.providers.simulation.behaviour import Behaviours, Config
from proxy.providers.simulation.made import Events, Whole
from proxy.providers.simulation.request import Asked
from proxy.providers.simulation.responses import response
from proxy.providers.simulation.words import say
from tests.support.sse import read_events

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}


def _both(**fields: Any) -> tuple[Response, list[Any]]:
    asked = msgspec.convert({"input": "hi", **fields}, Asked)
    words = say(asked, b"x", "m", Behaviours(Config()).of("m"))
    whole, _ = response(asked, words, "m")
    assert isinstance(whole, Whole)
    asked.stream = True
    stream, stored = response(asked, words, "m")
    assert isinstance(stream, Events)
    assert msgspec.json.encode(stored) == whole.body
    events = read_events(stream.opening + b"".join(stream.tokens) + stream.closing)
    parsed = [EVENT.validate_json(event.data or "", strict=True) for event in events]
    assert [event.name for event in events] == [event.type for event in parsed]
    assert [event.sequence_number for event in parsed] == list(range(len(parsed)))
    return Response.model_validate_json(whole.body, strict=True), parsed


def test_a_message_is_streamed_in_order() -> None:
    """Announced, written, finished; the last event holds the whole response."""
    whole, events = _both()
    kinds = [event.type.removeprefix("response.") for event in events]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert kinds[-4:] == ["output_text.done", "content_part.done", "output_item.done", "completed"]
    assert set(kinds[4:-4]) == {"output_text.delta"}
    assert "".join(event.delta for event in events[4:-4]) == whole.output_text
    assert events[-1].response == whole


def test_function_calls_are_streamed_in_order() -> None:
    """Each with its arguments in pieces."""
    whole, events = _both(tools=[TOOL])
    call = whole.output[0]
    assert call.type == "function_call"
    deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    assert "".join(deltas) == call.arguments
    assert events[-1].response.output == whole.output


def test_a_response_that_was_cut_is_incomplete() -> None:
    """With the reason."""
    whole, events = _both(max_output_tokens=2)
    assert whole.status == "incomplete"
    assert whole.incomplete_details is not None
    assert whole.incomplete_details.reason == "max_output_tokens"
    assert events[-1].type == "response.incomplete"


@pytest.mark.parametrize("store", [None, True, False])
def test_what_was_asked_is_repeated(store: bool | None) -> None:
    """As OpenAI does."""
    whole, _ = _both(store=store, metadata={"a": "b"}, instructions="be brief")
    assert (whole.metadata, whole.instructions, whole.model) == ({"a": "b"}, "be brief", "m")
