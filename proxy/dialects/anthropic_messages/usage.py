"""Tokens by class and reasons to stop, as the Messages API tells them."""

from __future__ import annotations

from typing import Any

from proxy.chat import Choice, Finish, Part, Refusal, Stop, ToolCall, Usage
from proxy.dialects.anthropic_messages.wire import CacheWrites, UsageWire
from proxy.dialects.dialect import counted

_TIERS = {"standard": "default"}
_TIERS_BACK = {"default": "standard", "standard": "standard", "priority": "priority", "batch": "batch"}

_STOPS: dict[str, Stop] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "length",
}
_STOPS_BACK: dict[Stop, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "other": "end_turn",
}
_CONTEXT = "model_context_window_exceeded"


def merge(known: UsageWire | None, later: UsageWire | None) -> UsageWire | None:
    """What a stream has told so far: numbers that come later are totals, and what they leave out still holds."""
    if known is None or later is None:
        return later or known
    for name in UsageWire.__struct_fields__:
        value = getattr(later, name)
        if value is not None:
            setattr(known, name, value)
    return known


def read_usage(told: UsageWire | None) -> Usage | None:
    """Disjoint classes of what a provider counts; None if it told nothing."""
    if told is None:
        return None
    writes = told.cache_creation or CacheWrites()
    five, hour = counted(writes.ephemeral_5m_input_tokens), counted(writes.ephemeral_1h_input_tokens)
    if told.cache_creation_input_tokens is not None:
        total = counted(told.cache_creation_input_tokens)
        hour = min(hour, total)
        five = total - hour
    output = counted(told.output_tokens)
    details = told.output_tokens_details
    thought = 0 if details is None else min(counted(details.thinking_tokens), output)
    return Usage(
        input=counted(told.input_tokens),
        cached_read=counted(told.cache_read_input_tokens),
        cache_write_5m=five,
        cache_write_1h=hour,
        output=output - thought,
        reasoning=thought,
    )


def write_usage(usage: Usage | None) -> dict[str, Any]:
    """Usage for a client. Zeros where nothing is known, as the API promises numbers."""
    usage = usage or Usage()
    told: dict[str, Any] = {
        "input_tokens": usage.input + usage.input_audio,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cached_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output_total,
    }
    if usage.reasoning:
        told["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return told


def read_tier(told: UsageWire | None) -> str | None:
    """The service tier in neutral words."""
    if told is None or told.service_tier is None:
        return None
    return _TIERS.get(told.service_tier, told.service_tier)


def write_tier(tier: str | None) -> str | None:
    """The service tier in the API's words, where it has one."""
    return None if tier is None else _TIERS_BACK.get(tier)


def read_stop(word: str | None, sequence: str | None, *, calls: bool, choice: int = 0) -> Finish:
    """Why an answer ended. ``calls``: it calls tools."""
    stop = "other" if word is None else _STOPS.get(word, "other")
    if calls and stop == "stop":
        stop = "tool_calls"
    elif stop == "tool_calls" and not calls:
        stop = "stop"  # the only call was our own tool for the answer
    reason = word if stop == "other" or word == _CONTEXT else None
    return Finish(choice=choice, stop=stop, reason=reason, sequence=sequence if stop == "stop_sequence" else None)


def write_stop(end: Choice | Finish, *, refused: bool = False) -> tuple[str, str | None]:
    """``stop_reason`` and ``stop_sequence``. ``refused``: the answer holds a refusal, whatever its stop says."""
    if refused and end.stop == "stop":
        return "refusal", None
    if end.reason == _CONTEXT:
        return _CONTEXT, None
    return _STOPS_BACK[end.stop], end.sequence if end.stop == "stop_sequence" else None


def has_calls(parts: list[Part]) -> bool:
    """Whether tools are called."""
    return any(isinstance(part, ToolCall) for part in parts)


def has_refusal(parts: list[Part]) -> bool:
    """Whether the model declines in its own words."""
    return any(isinstance(part, Refusal) for part in parts)
