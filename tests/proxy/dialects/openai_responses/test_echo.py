"""A response repeats its request, as the official client demands."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from openai.types.responses import Response

from proxy.dialects.openai_responses.echo import Frame
from proxy.dialects.openai_responses.request import read_request


def _respond(tier: str | None = None, **members: Any) -> dict[str, Any]:
    chat = read_request(json.dumps({"model": "m", "input": "Hi", **members}).encode())
    body = msgspec.json.encode(Frame(chat, "resp_1", "", 0).respond("completed", [], tier=tier))
    Response.model_validate_json(body, strict=True)
    found: dict[str, Any] = json.loads(body)
    return found


@pytest.mark.parametrize(
    "member",
    [
        {"instructions": "Be."},
        {"metadata": {"a": "b"}},
        {"parallel_tool_calls": False},
        {"temperature": 0.0},
        {"top_p": 0.25},
        {"max_output_tokens": 17},
        {"top_logprobs": 2},
        {"previous_response_id": "resp_0"},
        {"prompt_cache_key": "k"},
        {"safety_identifier": "u"},
        {"store": False},
        {"truncation": "auto"},
        {"reasoning": {"effort": "low", "summary": "auto"}},
        {"text": {"format": {"type": "json_object"}, "verbosity": "low"}},
        {"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}]},
        {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search_preview"}},
        {"tool_choice": "required"},
    ],
)
def test_what_was_asked_is_repeated(member: dict[str, Any]) -> None:
    found = _respond(**member)
    assert {name: found[name] for name in member} == member


def test_what_was_not_asked_is_what_the_api_would_have_done() -> None:
    found = _respond()
    assert (found["temperature"], found["top_p"], found["parallel_tool_calls"]) == (1.0, 1.0, True)
    assert (found["tools"], found["tool_choice"], found["truncation"]) == ([], "auto", "disabled")
    assert (found["instructions"], found["metadata"], found["store"]) == (None, {}, True)
    assert (found["model"], found["text"]) == ("m", {"format": {"type": "text"}, "verbosity": "medium"})


def test_a_tier_that_the_client_does_not_know_is_the_default() -> None:
    assert _respond("priority")["service_tier"] == "priority"
    assert _respond("standard")["service_tier"] == "default"


def test_only_what_has_ended_has_a_time_of_its_end() -> None:
    frame = Frame(read_request(b'{"model":"m","input":"Hi"}'), "resp_1", "m", 1000)
    assert frame.respond("in_progress", [])["completed_at"] is None
    assert frame.respond("completed", [])["completed_at"] >= 1000
