"""Where each dialect has the parameters of an answer (`max_tokens`, `temperature` …) in a request."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """Where a parameter stands: its spellings, the one to add it by first; ``within`` those of the member around it."""

    names: tuple[str, ...]
    within: tuple[str, ...] = ()


def _plain(*names: str) -> dict[str, Place]:
    return {name: Place((name,)) for name in names}


_CONFIG = ("generationConfig", "generation_config")
# Neutral names (members of ``proxy.chat.Chat``) by dialect. What a dialect has no word for is not there.
PLACES: dict[str, dict[str, Place]] = {
    "openai_chat": {
        **_plain("temperature", "top_p", "top_k", "n", "stop", "seed"),
        **_plain("presence_penalty", "frequency_penalty", "reasoning_effort"),
        "max_tokens": Place(("max_completion_tokens", "max_tokens")),
    },
    "openai_completions": {**_plain("temperature", "top_p", "max_tokens"), "n": Place(("n", "best_of"))},
    "openai_responses": {
        **_plain("temperature", "top_p"),
        "max_tokens": Place(("max_output_tokens",)),
        "reasoning_effort": Place(("effort",), ("reasoning",)),
    },
    "anthropic_messages": {
        **_plain("temperature", "top_p", "top_k", "max_tokens"),
        "stop": Place(("stop_sequences",)),
        "reasoning_effort": Place(("effort",), ("output_config",)),
    },
    "gemini": {
        "temperature": Place(("temperature",), _CONFIG),
        "top_p": Place(("topP", "top_p"), _CONFIG),
        "top_k": Place(("topK", "top_k"), _CONFIG),
        "max_tokens": Place(("maxOutputTokens", "max_output_tokens"), _CONFIG),
        "n": Place(("candidateCount", "candidate_count"), _CONFIG),
        "stop": Place(("stopSequences", "stop_sequences"), _CONFIG),
        "seed": Place(("seed",), _CONFIG),
        "presence_penalty": Place(("presencePenalty", "presence_penalty"), _CONFIG),
        "frequency_penalty": Place(("frequencyPenalty", "frequency_penalty"), _CONFIG),
    },
}
