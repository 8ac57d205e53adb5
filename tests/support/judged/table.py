"""How the bytes of a request are judged, by the dialect of the provider that received them."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.judged import anthropic_messages, bedrock, gemini, openai_chat, openai_responses
from tests.support.judged.request import Request

JUDGES: dict[str, Callable[[bytes, str], Request]] = {
    "openai_chat": openai_chat.judge,
    "openai_responses": openai_responses.judge,
    "anthropic_messages": anthropic_messages.judge,
    "gemini": gemini.judge,
    "bedrock": bedrock.judge,
}
