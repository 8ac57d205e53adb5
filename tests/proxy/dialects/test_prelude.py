"""Events that say nothing yet, and events that may say something to somebody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.dialects.prelude import is_prelude

_EMPTY: list[tuple[str, Any]] = [
    ("openai_chat", {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}),
    ("openai_chat", {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
    ("openai_responses", {"type": "response.in_progress", "response": {}}),
    ("openai_responses", {"type": "response.output_item.added", "item": {"type": "message"}}),
    ("anthropic_messages", {"type": "ping"}),
    ("anthropic_messages", {"type": "content_block_delta", "delta": {"type": "text_delta", "text": ""}}),
    ("gemini", {"usageMetadata": {"promptTokenCount": 3}}),
    ("gemini", {"candidates": [{"content": {"role": "model"}}]}),
]
_TELLING: list[tuple[str, Any]] = [
    ("openai_chat", {"choices": [{"index": 0, "delta": {"role": "assistant", "musings": "hm"}}]}),
    ("openai_chat", {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    ("openai_chat", {"n": 1}),
    ("openai_chat", [1]),
    ("openai_responses", {"type": "response.web_search_call.searching"}),
    ("openai_responses", {"type": "response.output_item.added", "item": {"type": "web_search_call"}}),
    ("openai_responses", {"type": "response.image_generation_call.partial_image"}),
    ("anthropic_messages", {"type": "content_block_start", "content_block": {"type": "server_tool_use"}}),
    ("gemini", {"promptFeedback": {"blockReason": "SAFETY"}}),
    ("bedrock", {}),
]


@pytest.mark.parametrize(("dialect", "event"), _EMPTY)
def test_what_is_known_to_be_empty(dialect: str, event: Any) -> None:
    """A role, a beginning, a sign of life."""
    assert is_prelude(dialect, f"data: {json.dumps(event)}\n\n".encode())


@pytest.mark.parametrize(("dialect", "event"), _TELLING)
def test_what_may_say_something(dialect: str, event: Any) -> None:
    """Everything else, also what nobody here has heard of."""
    assert not is_prelude(dialect, f"data: {json.dumps(event)}\n\n".encode())


def test_comments_say_nothing_and_riddles_may() -> None:
    """Whatever the dialect."""
    assert is_prelude("openai_chat", b": keep-alive\n\n")
    assert not is_prelude("openai_chat", b"data: {\n\n")
