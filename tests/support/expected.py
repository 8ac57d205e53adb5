"""What of an answer can arrive: each format has words for some classes of usage and some reasons to stop.

Typed from the formats' documentation. What passes two formats is what both can say.
"""

from __future__ import annotations

from msgspec.structs import replace

from tests.upstream.say import Say, Tokens


def _chat(tokens: Tokens) -> Tokens:
    """One number for what was written to the cache."""
    return replace(tokens, cache_write_5m=tokens.cache_write_5m + tokens.cache_write_1h, cache_write_1h=0)


def _silent(tokens: Tokens) -> Tokens:
    """No word for audio."""
    return replace(
        tokens,
        input=tokens.input + tokens.input_audio,
        input_audio=0,
        output=tokens.output + tokens.output_audio,
        output_audio=0,
    )


def _responses(tokens: Tokens) -> Tokens:
    return _silent(_chat(tokens))


def _gemini(tokens: Tokens) -> Tokens:
    """No word for writing to the cache."""
    written = tokens.cache_write_5m + tokens.cache_write_1h
    return replace(tokens, input=tokens.input + written, cache_write_5m=0, cache_write_1h=0)


def _bedrock(tokens: Tokens) -> Tokens:
    """Thoughts are among the output."""
    quiet = _silent(tokens)
    return replace(quiet, output=quiet.output + quiet.reasoning, reasoning=0)


TELLS = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _silent,
    "gemini": _gemini,
    "bedrock": _bedrock,
}


def usage(tokens: Tokens, outbound: str, inbound: str) -> Tokens:
    """What a client of ``inbound`` can hear of what a provider of ``outbound`` counted."""
    return TELLS[inbound](TELLS[outbound](tokens))


# How each reason to stop may look to a client, by its dialect.
STOPS: dict[str, dict[str, set[str]]] = {
    "openai_chat": {
        "stop": {"stop"},
        "stop_sequence": {"stop"},
        "length": {"length"},
        "tool_calls": {"tool_calls"},
        "content_filter": {"content_filter"},
        "refusal": {"stop", "content_filter"},
    },
    "openai_responses": {
        "stop": {"stop"},
        "stop_sequence": {"stop"},
        "length": {"length"},
        "tool_calls": {"tool_calls"},
        "content_filter": {"content_filter"},
        "refusal": {"stop", "content_filter"},
    },
    "anthropic_messages": {
        "stop": {"end_turn"},
        "stop_sequence": {"stop_sequence"},
        "length": {"max_tokens"},
        "tool_calls": {"tool_use"},
        "content_filter": {"refusal"},
        "refusal": {"refusal"},
    },
    "gemini": {
        "stop": {"STOP"},
        "stop_sequence": {"STOP"},
        "length": {"MAX_TOKENS"},
        "tool_calls": {"STOP"},
        "content_filter": {"SAFETY", "PROHIBITED_CONTENT", "RECITATION", "BLOCKLIST", "OTHER"},
        "refusal": {"SAFETY", "PROHIBITED_CONTENT", "OTHER", "STOP"},
    },
    "bedrock": {
        "stop": {"end_turn"},
        "stop_sequence": {"stop_sequence"},
        "length": {"max_tokens"},
        "tool_calls": {"tool_use"},
        "content_filter": {"content_filtered", "guardrail_intervened"},
        "refusal": {"content_filtered", "guardrail_intervened", "end_turn"},
    },
}
# What a provider's format has no word for, and what it says in its place.
_SAYS: dict[str, dict[str, tuple[str, ...]]] = {
    "openai_chat": {"stop_sequence": ("stop",), "refusal": ("refusal", "stop")},
    "openai_responses": {"stop_sequence": ("stop",), "refusal": ("refusal", "stop")},
    "anthropic_messages": {"content_filter": ("content_filter", "refusal")},
    "gemini": {"stop_sequence": ("stop",), "refusal": ("content_filter", "refusal")},
    "bedrock": {"refusal": ("content_filter", "refusal")},
}


def stops(say: Say, outbound: str, inbound: str) -> set[str]:
    """The words with which a client of ``inbound`` may be told why the answer stopped."""
    reasons = _SAYS[outbound].get(say.stop, (say.stop,))
    return {word for reason in reasons for word in STOPS[inbound][reason]}
