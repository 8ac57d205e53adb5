"""The official clients, by the dialect that they speak."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.talk.anthropic_messages import AnthropicMessages
from tests.support.talk.gemini import Gemini
from tests.support.talk.openai_chat import OpenAIChat
from tests.support.talk.openai_responses import OpenAIResponses
from tests.support.talk.talk import Talk, Wishes

CLIENTS: dict[str, Callable[[str, str, str, Wishes], Talk]] = {
    "openai_chat": OpenAIChat,
    "openai_responses": OpenAIResponses,
    "anthropic_messages": AnthropicMessages,
    "gemini": Gemini,
}
