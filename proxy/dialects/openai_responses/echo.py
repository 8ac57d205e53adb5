"""What a response repeats of its request, and the response around its items."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from proxy.chat import Chat, Text
from proxy.dialects.openai_responses.tools import write_choice, write_format, write_tools

Block = dict[str, Any]
_TIERS = frozenset({"auto", "default", "flex", "scale", "priority", "fast", "ultrafast"})


class Frame:
    """Everything of a response that stays the same from its beginning to its end."""

    __slots__ = ("_created", "_id", "_model", "_request")

    def __init__(self, chat: Chat, response: str, model: str, created: int) -> None:
        self._id = response
        self._model = model or chat.model
        self._created = created or int(time.time())
        self._request = echo(chat)

    def respond(
        self,
        status: str,
        output: list[Any],
        *,
        usage: Block | None = None,
        tier: str | None = None,
        incomplete: Block | None = None,
    ) -> Block:
        """The response at some point."""
        done = status in ("completed", "incomplete")
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "completed_at": max(self._created, int(time.time())) if done else None,
            "status": status,
            "error": None,
            "incomplete_details": incomplete,
            "model": self._model,
            "output": output,
            "usage": usage,
            "service_tier": tier if tier in _TIERS else "default",
            **self._request,
        }


def echo(chat: Chat) -> Block:
    """The members of a response that repeat its request; long ones as JSON, as a stream tells them three times."""
    thinking = chat.thinking
    effort = thinking.effort if thinking is not None else None
    summary = thinking.summary if thinking is not None else None
    choice = write_choice(chat)
    text: Block = {"format": write_format(chat.format) or {"type": "text"}, "verbosity": chat.verbosity or "medium"}
    return {
        "background": False,
        "instructions": _raw(_instructions(chat)),
        "max_output_tokens": chat.max_tokens,
        "max_tool_calls": None,
        "metadata": chat.metadata or {},
        "parallel_tool_calls": chat.parallel_tool_calls is not False,
        "previous_response_id": chat.previous or chat.continued,
        "prompt_cache_key": chat.prompt_cache_key,
        "reasoning": {"effort": effort, "summary": summary},
        "safety_identifier": chat.user,
        "store": chat.store is not False,
        "temperature": 1.0 if chat.temperature is None else chat.temperature,
        "text": _raw(text),
        "tool_choice": chat.extra.get("tool_choice", "auto") if choice is None else choice,
        "tools": _raw(write_tools(chat)),
        "top_logprobs": chat.top_logprobs or 0,
        "top_p": 1.0 if chat.top_p is None else chat.top_p,
        "truncation": chat.extra.get("truncation", "disabled"),
        "user": None,
    }


def _instructions(chat: Chat) -> str | None:
    if not chat.instructed or not chat.messages:
        return None
    return "".join(part.text for part in chat.messages[0].parts if isinstance(part, Text))


def _raw(value: Any) -> Any:
    return msgspec.Raw(msgspec.json.encode(value)) if value else value
