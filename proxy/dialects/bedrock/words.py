"""What Converse calls things: reasons to stop, classes of usage, formats of media, sources."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from proxy.chat import Citation, Finish, Stop, Usage
from proxy.dialects.dialect import counted, tells

NAME = "bedrock"
SIGNS = "anthropic"  # the models that sign their thoughts are Anthropic's, and take them from either door
_STOPS: dict[str, Stop] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
    "pause_turn": "pause",
}
_STOPS_BACK: dict[Stop, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
    "refusal": "content_filtered",
    "pause": "end_turn",
    "other": "end_turn",
}
# Words that say more than the neutral ones.
_EXACT = frozenset({"guardrail_intervened", "model_context_window_exceeded"})
_DOCUMENT = {"documentChar": "char", "documentPage": "page", "documentChunk": "block"}


class CacheDetail(msgspec.Struct):
    """What was written to the cache for one lifetime."""

    ttl: str = ""
    inputTokens: int | None = None


class UsageWire(msgspec.Struct):
    """``TokenUsage``: the input without what was cached."""

    inputTokens: int | None = None
    outputTokens: int | None = None
    cacheReadInputTokens: int | None = None
    cacheWriteInputTokens: int | None = None
    cacheDetails: list[CacheDetail] | None = None


def read_usage(value: Any) -> Usage | None:
    """Disjoint classes; None if nothing was told."""
    told = tells(value, UsageWire)
    if told is None:
        return None
    written = counted(told.cacheWriteInputTokens)
    hour = sum(counted(one.inputTokens) for one in told.cacheDetails or () if one.ttl == "1h")
    hour = min(hour, written)
    return Usage(
        input=counted(told.inputTokens),
        cached_read=counted(told.cacheReadInputTokens),
        cache_write_5m=written - hour,
        cache_write_1h=hour,
        output=counted(told.outputTokens),
    )


def write_usage(usage: Usage | None) -> dict[str, Any]:
    """``TokenUsage``, which may not be left out."""
    usage = usage or Usage()
    told: dict[str, Any] = {
        "inputTokens": usage.input + usage.input_audio,
        "outputTokens": usage.output_total,
        "totalTokens": usage.input_total + usage.output_total,
        "cacheReadInputTokens": usage.cached_read,
        "cacheWriteInputTokens": usage.cache_write_5m + usage.cache_write_1h,
    }
    details = [("5m", usage.cache_write_5m), ("1h", usage.cache_write_1h)]
    if any(count for _, count in details):
        told["cacheDetails"] = [{"ttl": ttl, "inputTokens": count} for ttl, count in details if count]
    return told


def read_stop(word: str | None, *, calls: bool) -> Finish:
    """The neutral reason, and the provider's own word where that says more. ``calls``: tools are called."""
    stop = _STOPS.get(word or "end_turn", "other")
    if calls and stop == "stop":
        stop = "tool_calls"
    elif stop == "tool_calls" and not calls:
        stop = "stop"  # the only call was our own tool for the answer
    return Finish(stop=stop, reason=word if stop == "other" or word in _EXACT else None)


def write_stop(stop: Stop, reason: str | None = None) -> str:
    """Converse's word."""
    return reason if reason in _EXACT and _STOPS[reason] == stop else _STOPS_BACK[stop]


def read_citation(value: dict[str, Any]) -> Citation:
    """A citation, by the web or by one of the given documents; of other kinds what can be told of it."""
    location = value.get("location")
    content = value.get("sourceContent")
    texts = [one.get("text") for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    text = "".join(one for one in texts if isinstance(one, str))
    title = value.get("title") if isinstance(value.get("title"), str) else None
    kind, place = next(iter(location.items()), ("", None)) if isinstance(location, dict) else ("", None)
    place = place if isinstance(place, dict) else {}
    if kind == "web":
        return Citation(text=text, url=str(place.get("url") or ""), title=title, value=value, origin=NAME)
    return Citation(
        text=text,
        title=title,
        document=_number(place.get("documentIndex")),
        start=_number(place.get("start")),
        end=_number(place.get("end")),
        unit=_DOCUMENT.get(kind, "char"),  # type: ignore[arg-type]
        value=value,
        origin=NAME,
    )


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def write_citation(citation: Citation) -> dict[str, Any]:
    """A citation as Converse gives it."""
    if citation.origin == NAME and isinstance(citation.value, dict):
        return citation.value
    told: dict[str, Any] = {"title": citation.title or "", "sourceContent": [{"text": citation.text}]}
    if citation.url is not None:
        told["location"] = {"web": {"url": citation.url}}
    elif citation.document is not None:
        kind = next((kind for kind, unit in _DOCUMENT.items() if unit == citation.unit), "documentChar")
        place = {"documentIndex": citation.document, "start": citation.start or 0, "end": citation.end or 0}
        told["location"] = {kind: place}
    return told


def write_hidden(data: str) -> str:
    """A redacted thought as the base64 that Converse wants. What came from there is that already, and goes back as it
    was; so does what came from Anthropic's own API."""
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return base64.b64encode(data.encode("utf-8", "surrogatepass")).decode()
    return data
