"""How the bytes of an answer are read, by dialect: whole, and streamed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.support.heard import anthropic_messages, bedrock, gemini, openai_chat, openai_responses
from tests.support.heard.answer import Heard


class Ear(NamedTuple):
    """Readers of one dialect; both raise on what breaks its rules."""

    whole: Callable[[bytes], Heard]
    stream: Callable[[bytes], Heard]


EARS: dict[str, Ear] = {
    "openai_chat": Ear(openai_chat.of_whole, openai_chat.of_stream),
    "openai_responses": Ear(openai_responses.of_whole, openai_responses.of_stream),
    "anthropic_messages": Ear(anthropic_messages.of_whole, anthropic_messages.of_stream),
    "gemini": Ear(gemini.of_whole, gemini.of_stream),
    "bedrock": Ear(bedrock.of_whole, bedrock.of_stream),
}
