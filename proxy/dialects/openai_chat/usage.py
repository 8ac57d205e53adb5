"""Tokens by class and reasons to stop, as OpenAI's chat completions tell them."""

from __future__ import annotations

from typing import Any

from proxy.chat import Stop, Usage
from proxy.dialects.dialect import counted, tells
from proxy.dialects.openai_chat.wire import CompletionDetails, PromptDetails, UsageWire

_NO_PROMPT, _NO_COMPLETION = PromptDetails(), CompletionDetails()
_STOPS: dict[str, Stop] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "model_length": "length",  # Mistral
    "end_turn": "stop",
    "eos": "stop",  # Together
}
_STOPS_BACK: dict[Stop, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
    "other": "stop",
}


def read_usage(value: Any) -> Usage | None:
    """Disjoint classes of what a provider counts; None if it told nothing. Classes never exceed their total."""
    told = tells(value, UsageWire)
    if told is None:
        return None
    left, out = counted(told.prompt_tokens), counted(told.completion_tokens)
    if _is_plain(told):
        return Usage(input=left, output=out)
    prompt = told.prompt_tokens_details or _NO_PROMPT
    completion = told.completion_tokens_details or _NO_COMPLETION
    thoughts = counted(completion.reasoning_tokens)
    if thoughts and counted(told.total_tokens) == left + out + thoughts:
        out += thoughts  # xAI counts them apart
    cached = next((one for one in (prompt.cached_tokens, told.prompt_cache_hit_tokens) if one), told.cached_tokens)
    left, cached = _take(left, cached)
    left, written = _take(left, prompt.cache_write_tokens)
    left, heard = _take(left, prompt.audio_tokens)
    out, thought = _take(out, thoughts)
    out, spoken = _take(out, completion.audio_tokens)
    return Usage(
        input=left,
        cached_read=cached,
        cache_write_5m=written,
        input_audio=heard,
        output=out,
        reasoning=thought,
        output_audio=spoken,
    )


def _is_plain(told: UsageWire) -> bool:
    """Whether it tells totals and nothing of their classes."""
    return not (
        told.prompt_tokens_details
        or told.completion_tokens_details
        or told.prompt_cache_hit_tokens
        or told.cached_tokens
    )


def _take(total: int, part: int | None) -> tuple[int, int]:
    """What is left of a total without one of its classes, and that class."""
    taken = min(total, counted(part))
    return total - taken, taken


def write_usage(usage: Usage) -> dict[str, Any]:
    """Totals, with the classes among them."""
    prompt = {"cached_tokens": usage.cached_read, "audio_tokens": usage.input_audio}
    if written := usage.cache_write_5m + usage.cache_write_1h:
        prompt["cache_write_tokens"] = written
    return {
        "prompt_tokens": usage.input_total,
        "completion_tokens": usage.output_total,
        "total_tokens": usage.input_total + usage.output_total,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.output_audio,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def read_stop(word: str | None, *, calls: bool, refused: bool) -> tuple[Stop, str | None]:
    """The neutral reason, and the provider's own word where there is no neutral one."""
    stop = _STOPS.get(word or "stop")
    if stop is None:
        return "other", word
    if stop == "stop" and calls:
        return "tool_calls", None
    if stop == "stop" and refused:
        return "refusal", None
    return stop, None


def write_stop(stop: Stop, *, refused: bool, older: bool = False) -> str:
    """OpenAI's word (the older one for a call). A refusal that is told in words has come to its regular end."""
    if older and stop == "tool_calls":
        return "function_call"
    return "stop" if stop == "refusal" and refused else _STOPS_BACK[stop]
