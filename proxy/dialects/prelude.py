"""What streams hold before their first content: events that say nothing yet.

Readers tell of what they know. An event of which a reader tells nothing may still say something to the caller, who may
know more than we do (a search that has begun, half a picture): only what is known to be empty is a prelude.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from proxy.wire.sse import data_of

_OPENED = frozenset({"message", "reasoning"})  # items whose words come in pieces


def is_prelude(dialect: str, frame: bytes) -> bool:
    """Whether an event, of which the reader of this dialect has told nothing, says nothing."""
    data = data_of(frame)
    if data is None:
        return True
    try:
        event = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    judge = _JUDGES.get(dialect)
    return judge is not None and isinstance(event, dict) and judge(event)


def _chat(event: dict[str, Any]) -> bool:
    """A role, empty pieces, or how the prompt was filtered."""
    choices = event.get("choices")
    return isinstance(choices, list) and all(isinstance(choice, dict) and _is_empty(choice) for choice in choices)


def _is_empty(choice: dict[str, Any]) -> bool:
    delta = choice.get("delta")
    said = delta if isinstance(delta, dict) else {}
    return choice.get("finish_reason") is None and not any(value for name, value in said.items() if name != "role")


def _responses(event: dict[str, Any]) -> bool:
    """That it has begun, or that a message has."""
    item = event.get("item")
    match event.get("type"):
        case "response.created" | "response.queued" | "response.in_progress":
            return True
        case "response.output_item.added":
            return isinstance(item, dict) and item.get("type") in _OPENED
        case "response.content_part.added":
            return True
    return False


def _messages(event: dict[str, Any]) -> bool:
    """A sign of life, or an empty piece."""
    delta = event.get("delta")
    if event.get("type") == "content_block_delta" and isinstance(delta, dict):
        return not any(value for name, value in delta.items() if name != "type")
    return event.get("type") == "ping"


def _gemini(event: dict[str, Any]) -> bool:
    """Counts of tokens, or a candidate without words."""
    return "candidates" in event or "usageMetadata" in event


_JUDGES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini": _gemini,
}
