"""Usage and the status of an answer, from and to the words of the API."""

from __future__ import annotations

from typing import Any

from proxy.chat import Choice, Finish, Part, Refusal, Stop, ToolCall, Usage
from proxy.dialects.dialect import counted, tells
from proxy.dialects.openai_responses.wire import Answer, UsageWire

_INCOMPLETE: dict[str, Stop] = {"max_output_tokens": "length", "content_filter": "content_filter"}
_BACK: dict[Stop, tuple[str, str | None]] = {
    "length": ("incomplete", "max_output_tokens"),
    "content_filter": ("incomplete", "content_filter"),
    "refusal": ("incomplete", "content_filter"),
    "pause": ("incomplete", None),
}
_COMPLETED = ("completed", None)


def read_usage(value: Any) -> Usage | None:
    """Usage in classes of which none contains another."""
    told = tells(value, UsageWire)
    if told is None or (told.input_tokens is None and told.output_tokens is None):
        return None
    total, output = counted(told.input_tokens), counted(told.output_tokens)
    cached = short = long = 0
    details = told.input_tokens_details
    if details is not None:
        cached = min(counted(details.cached_tokens), total)
        written = min(counted(details.cache_write_tokens), total - cached)
        lifetimes = details.cache_write_tokens_details
        long = min(counted(lifetimes.ttl_12h_tokens), written) if lifetimes is not None else 0
        short = written - long
    thought = told.output_tokens_details
    reasoning = min(counted(thought.reasoning_tokens), output) if thought is not None else 0
    return Usage(
        input=total - cached - short - long,
        cached_read=cached,
        cache_write_5m=short,
        cache_write_1h=long,
        output=output - reasoning,
        reasoning=reasoning,
    )


def write_usage(usage: Usage | None) -> dict[str, Any] | None:
    """Totals, with the classes among them."""
    if usage is None:
        return None
    total, output = usage.input_total, usage.output_total
    written = usage.cache_write_5m + usage.cache_write_1h
    return {
        "input_tokens": total,
        "input_tokens_details": {"cached_tokens": usage.cached_read, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": total + output,
    }


def read_stop(answer: Answer, *, calls: bool) -> Finish:
    """Why an answer ended. ``calls``: it calls tools."""
    if answer.status == "incomplete":
        word = answer.incomplete_details.reason if answer.incomplete_details is not None else None
        stop = _INCOMPLETE.get(word or "", "other")
        return Finish(stop=stop, reason=(word or "incomplete") if stop == "other" else None)
    if calls:
        return Finish(stop="tool_calls")
    if answer.status in (None, "completed"):
        return Finish(stop="stop")
    return Finish(stop="other", reason=answer.status)


def write_stop(end: Choice | Finish, *, refused: bool) -> tuple[str, dict[str, str] | None]:
    """``status`` and ``incomplete_details``. ``refused``: the model said so in its own words, which is an answer."""
    status, reason = _COMPLETED if refused and end.stop == "refusal" else _BACK.get(end.stop, _COMPLETED)
    return status, None if reason is None else {"reason": reason}


def has_calls(parts: list[Part]) -> bool:
    """Whether tools are called."""
    return any(isinstance(part, ToolCall) for part in parts)


def has_refusal(parts: list[Part]) -> bool:
    """Whether the model declines in its own words."""
    return any(isinstance(part, Refusal) for part in parts)
