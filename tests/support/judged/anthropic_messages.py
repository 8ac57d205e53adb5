"""A request for a message, judged by the types of Anthropic's client."""

from __future__ import annotations

import json
from typing import Any

from anthropic.types.message_count_tokens_params import MessageCountTokensParams
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming as Params

from tests.support.judged.conforms import complaints
from tests.support.judged.request import Came, Did, Hidden, Part, Request, Said, Shown, Thought, turns

# Older models take more than the client of today has words for.
_BEYOND = frozenset({"stream", "temperature", "top_p", "top_k"})
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def judge(body: bytes, path: str) -> Request:
    """The request of these bytes, or the question for its tokens."""
    found = json.loads(body)
    counts = path.endswith("/count_tokens")
    kind: Any = MessageCountTokensParams if counts else Params
    wrong = complaints(found, kind, allowed=frozenset() if counts else _BEYOND)
    assert not wrong, wrong
    system = found.get("system") or []
    roles = [one["role"] for one in found["messages"]]
    assert roles[0] == "user", roles
    choice = found.get("tool_choice") or {}
    thinking = found.get("thinking") or {}
    if thinking.get("type") == "enabled" and not counts:
        assert 1024 <= thinking["budget_tokens"] < found["max_tokens"], thinking
    if thinking.get("type") in ("enabled", "adaptive"):
        assert choice.get("type") in (None, "auto", "none"), "thinking goes with no forced tool"
    config = found.get("output_config") or {}
    return Request(
        model=found["model"],
        stream=found.get("stream", False),
        system=[system] if isinstance(system, str) else [one["text"] for one in system],
        turns=turns([(one["role"], _parts(one["content"])) for one in found["messages"]]),
        tools={one["name"]: one["input_schema"] for one in found.get("tools", [])},
        descriptions={one["name"]: one.get("description", "") for one in found.get("tools", [])},
        choice=_CHOICES.get(choice["type"], choice.get("name")) if choice else None,
        max_tokens=found.get("max_tokens"),
        temperature=found.get("temperature"),
        top_p=found.get("top_p"),
        stop=found.get("stop_sequences") or [],
        schema=(config.get("format") or {}).get("schema"),
        thinks=thinking.get("budget_tokens", thinking.get("type")),
    )


def _shown(block: dict[str, Any]) -> Said | Shown:
    if block["type"] == "text":
        return Said(block["text"])
    source = block["source"]
    if source["type"] == "url":
        return Shown(source["url"])
    return Shown(source["data"], source["media_type"])


def _parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [Said(content)]
    parts: list[Part] = []
    for block in content:
        if block["type"] == "tool_use":
            parts.append(Did(block["id"], block["name"], block["input"]))
        elif block["type"] == "tool_result":
            inner = block.get("content") or []
            shown = [Said(inner)] if isinstance(inner, str) else [_shown(one) for one in inner]
            parts.append(Came(block["tool_use_id"], [*shown], bool(block.get("is_error"))))
        elif block["type"] == "thinking":
            parts.append(Thought(block["thinking"], block["signature"]))
        elif block["type"] == "redacted_thinking":
            parts.append(Hidden(block["data"]))
        else:
            parts.append(_shown(block))
    return parts
