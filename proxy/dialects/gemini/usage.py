"""Tokens by class and reasons to stop, as generateContent tells them."""

from __future__ import annotations

from typing import Any

from proxy.chat import Choice, Finish, Stop, Usage
from proxy.dialects.dialect import counted, tells
from proxy.dialects.gemini.wire import Modality, UsageWire

_STOPS: dict[str, Stop] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "CONTINUATION": "pause",
}
_STOPS_BACK: dict[Stop, str] = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "OTHER",
    "other": "OTHER",
}
# The words that are told again as they came.
_OWN = frozenset(_STOPS) - {"STOP", "MAX_TOKENS", "CONTINUATION"} | {
    "ESCALATION",
    "IMAGE_OTHER",
    "LANGUAGE",
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
    "NO_IMAGE",
    "OTHER",
    "PUP_LIMITED_DISABLED",
    "TOO_MANY_TOOL_CALLS",
    "UNEXPECTED_TOOL_CALL",
}
_TIERS = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex", "ON_DEMAND": "default"}


def read_usage(value: Any) -> Usage | None:
    """Disjoint classes of what a provider counts; None if it told nothing. What tools brought in is input too."""
    told = tells(value, UsageWire)
    if told is None:
        return None
    prompt, cached = counted(told.prompt_token_count), counted(told.cached_content_token_count)
    cached = min(cached, prompt)
    heard = max(0, _audio(told.prompt_tokens_details) - _audio(told.cache_tokens_details))
    heard = min(heard, prompt - cached)
    output, spoken = counted(told.candidates_token_count), _audio(told.candidates_tokens_details)
    spoken = min(spoken, output)
    return Usage(
        input=prompt - cached - heard + counted(told.tool_use_prompt_token_count),
        cached_read=cached,
        input_audio=heard,
        output=output - spoken,
        reasoning=counted(told.thoughts_token_count),
        output_audio=spoken,
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    """Usage for a client."""
    told: dict[str, Any] = {
        "promptTokenCount": usage.input_total,
        "candidatesTokenCount": usage.output + usage.output_audio,
        "totalTokenCount": usage.input_total + usage.output_total,
    }
    if usage.cached_read:
        told["cachedContentTokenCount"] = usage.cached_read
    if usage.reasoning:
        told["thoughtsTokenCount"] = usage.reasoning
    if usage.input_audio:
        told["promptTokensDetails"] = _details(usage.input_total, usage.input_audio)
    if usage.output_audio:
        told["candidatesTokensDetails"] = _details(usage.output + usage.output_audio, usage.output_audio)
    return told


def read_tier(value: Any) -> str | None:
    """The service tier in neutral words."""
    told = tells(value, UsageWire)
    return None if told is None or told.traffic_type is None else _TIERS.get(told.traffic_type)


def read_stop(word: str | None, *, calls: bool, choice: int = 0) -> Finish:
    """Why an answer ended. ``calls``: it calls tools."""
    stop = "other" if word is None else _STOPS.get(word, "other")
    if calls and stop == "stop":
        stop = "tool_calls"
    return Finish(choice=choice, stop=stop, reason=word if stop in ("other", "content_filter", "pause") else None)


def write_stop(end: Choice | Finish, *, refused: bool = False) -> str:
    """``finishReason``. ``refused``: the answer holds a refusal, whatever its stop says."""
    if refused and end.stop == "stop":
        return "SAFETY"
    if end.stop in ("other", "content_filter") and end.reason in _OWN:
        return str(end.reason)
    return _STOPS_BACK[end.stop]


def _details(total: int, audio: int) -> list[dict[str, Any]]:
    return [
        {"modality": "TEXT", "tokenCount": total - audio},
        {"modality": "AUDIO", "tokenCount": audio},
    ]


def _audio(details: list[Modality] | None) -> int:
    return sum(counted(one.token_count) for one in details if one.modality == "AUDIO") if details else 0
